"""Reads a chat template without running it: its texts, markers and variables, and what it writes for given roles.

Parsed with jinja2's own parser as transformers sets it up; followed by template_walk.py, never compiled or rendered.
Knows no tokenizer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pretune.artifacts.template_walk import Refused, Unclear, follow
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2 import nodes

MARKER = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|\[\|[^|\[\]\s]{1,40}\|\]|<｜[^｜<>\s]{1,60}｜>|</?s>|\[/?[A-Z]{3,30}(?:_[A-Z]{2,20})*\]|<</?SYS>>"
    r"|<(?:start|end)_of_(?:turn|role|text)>|<(?:bos|eos|sep)>|</?extra_id_\d+>|<(?:turn|\|turn)\|?>"
)
"""Shapes of chat markers in published templates: <|im_start|>, [|assistant|], <｜User｜>, [INST], <start_of_turn>."""

_TAG = re.compile(r"(\{%[-+]?\s*)(end)?generation(\s*[-+]?%\})")
_LARGEST = 1_000_000
_FIRST_PLACE = 0xE000
_MOST_MESSAGES = 1_000


@dataclass(frozen=True, slots=True)
class Written:
    """What a template makes of a conversation.

    Attributes:
        text: what it writes; the n-th message's content is `place(n)`. None when it refuses, or cannot be followed.
        refusal: what its raise_exception says; None when it does not refuse, or cannot be followed.
    """

    text: str | None = None
    refusal: str | None = None

    def holds(self, message: int) -> bool:
        """Whether the content of that message (counted from 0) is written."""
        return self.text is not None and place(message) in self.text

    def after(self, message: int) -> str | None:
        """What is written behind that message, up to the next one's content; None when it is not written."""
        if self.text is None or place(message) not in self.text:
            return None
        rest = self.text.rpartition(place(message))[2]
        return re.split(f"[{place(0)}-{place(_MOST_MESSAGES)}]", rest, maxsplit=1)[0]


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """What stands in a template.

    Attributes:
        literals: every text it can write, in no particular order.
        markers: chat markers inside those texts, each once.
        variables: names it uses that it does not define (`bos_token`, `add_generation_prompt`).
        marks_generation: it has the {% generation %} tag.
        refusals: the texts of its raise_exception calls, as far as they stand in the template.
    """

    literals: tuple[str, ...]
    markers: tuple[str, ...]
    variables: frozenset[str]
    marks_generation: bool
    refusals: tuple[str, ...]
    _tree: Any = field(repr=False, compare=False)

    def write(self, roles: Sequence[str], tokens: Mapping[str, str], *, prompt: bool = False) -> Written:
        """What it writes for messages of these roles.

        Args:
            roles: `("user", "assistant")`; at most 1,000.
            tokens: the special tokens by their variables: `{"bos_token": "<s>"}`.
            prompt: ask for the opening of an answer, as for generation (add_generation_prompt).
        """
        if len(roles) > _MOST_MESSAGES:
            return Written()
        messages = [{"role": role, "content": place(at)} for at, role in enumerate(roles)]
        given = {"messages": messages, "tools": None, "documents": None, "add_generation_prompt": prompt, **tokens}
        try:
            return Written(text=follow(self._tree, given))
        except Refused as refused:
            return Written(refusal=str(refused))
        except Unclear:
            return Written()


def place(message: int) -> str:
    """The character that stands for the content of a message: one that no text uses."""
    return chr(_FIRST_PLACE + message)


def parse_template(text: str, *, name: str) -> ChatTemplate:
    """Parse a template; nothing of it is run.

    Raises:
        UserError: it is no valid Jinja template; `name` is the file's name in the message.
    """
    import jinja2
    from jinja2 import nodes

    if len(text) > _LARGEST:
        raise UserError(f"{name} is a chat template of {len(text):,} characters, more than {_LARGEST:,}")
    environment = jinja2.Environment(  # parsed, never rendered
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"], autoescape=True
    )
    marks = _TAG.search(text) is not None
    if marks:  # the tag is transformers' own; an `if` in its place trims the same white space
        text = _TAG.sub(lambda tag: f"{tag[1]}{'endif' if tag[2] else 'if true'}{tag[3]}", text)
    try:
        tree = environment.parse(text)
    except jinja2.TemplateError as error:
        line = f" (line {error.lineno})" if isinstance(error, jinja2.TemplateSyntaxError) else ""
        raise UserError(f"{name} is no valid chat template: {error.message}{line}") from None
    except (RecursionError, MemoryError):
        raise UserError(f"{name} is no valid chat template: it is nested too deeply") from None
    except (ValueError, OverflowError) as error:  # a number of more digits than Python reads
        raise UserError(f"{name} is no valid chat template: {error}") from None
    literals, refusals = _texts(tree, nodes)
    return ChatTemplate(
        literals=literals,
        markers=markers_in(literals),
        variables=_free_names(tree, nodes),
        marks_generation=marks,
        refusals=refusals,
        _tree=tree,
    )


def _free_names(tree: nodes.Template, nodes: Any) -> frozenset[str]:
    """Names that are read and nowhere given a value.

    jinja2.meta.find_undeclared_variables generates code and with it works out constants: `'a' * 10**9` as well.
    """
    names = list(tree.find_all(nodes.Name))
    own = {name.name for name in names if name.ctx != "load"} | {macro.name for macro in tree.find_all(nodes.Macro)}
    return frozenset({name.name for name in names if name.ctx == "load"} - own - {"loop"})


def markers_in(texts: Sequence[str]) -> tuple[str, ...]:
    """The chat markers in these texts, each once, in order."""
    return tuple(dict.fromkeys(marker for text in texts for marker in MARKER.findall(text)))


def _texts(tree: nodes.Template, nodes: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Every text in the template but those it refuses with, and those."""
    calls = [call for call in tree.find_all(nodes.Call) if getattr(call.node, "name", "") == "raise_exception"]
    inside = [const for call in calls for arg in call.args for const in _consts(arg, nodes)]
    refusing = {id(const) for const in inside}
    literals = [data.data for data in tree.find_all(nodes.TemplateData)]
    literals += [
        const.value
        for const in tree.find_all(nodes.Const)
        if isinstance(const.value, str) and id(const) not in refusing
    ]
    return tuple(literals), tuple(const.value for const in inside if isinstance(const.value, str))


def _consts(node: Any, nodes: Any) -> list[Any]:
    return [node] if isinstance(node, nodes.Const) else list(node.find_all(nodes.Const))
