"""The chat template and the tokens around it: markers, beginning, end. Runs nothing of the template. Knows no rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pretune.check.finding import Unavailable
from pretune.check.sources.setup import GENERATIVE
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.artifacts.chat_template import ChatTemplate, Written
    from pretune.artifacts.tokenizer import Tokenizer
    from pretune.check.facts.model import ModelFacts
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.sources.setup import Setup

TURN_ENDS = frozenset(
    (
        "<|im_end|> <|eot_id|> <|end|> <|endofturn|> [|endofturn|] <end_of_turn> <|eom_id|> <|end_of_turn|> "
        "<｜end▁of▁sentence｜> <turn|>"
    ).split()
)
"""Markers that end a turn in published templates; asked only where a template cannot be followed."""
PROBES = (("user", "assistant"), ("system", "user", "assistant"), ("user", "assistant", "user", "assistant"))
"""Conversations that a template is followed through; the first is the one that every template takes."""


@dataclass(frozen=True)
class ChatFacts:
    """A decoder's ends and its chat template.

    Attributes:
        causal: the model generates text from left to right, or the task says so.
        template: the parsed template, None without one; `broken` says why one that is there does not parse.
        followed: the template could be followed through a conversation, so what is written is known, not guessed.
        markers: markers that it writes for plain conversations; every marker in it when it could not be followed.
        marker_pieces: marker -> the tokens it is encoded as; empty where the tokenizer cannot be built.
        writes_bos: it writes the bos token first.
        adds_bos, adds_eos: a decoder's tokenizer puts it around every text by itself.
        ending: what it writes behind the assistant's last words; None: not followed.
        turn_ends: the tokens and markers in that ending, in order; without it, usual ones among the markers.
        eos_tokenizer, eos_config, eos_generation: ids; a config may name several, and only stated ones count.
        template_where: its place.
    """

    causal: bool = False
    template: ChatTemplate | None = None
    broken: str = ""
    followed: bool = False
    markers: tuple[str, ...] = ()
    marker_pieces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    writes_bos: bool = False
    adds_bos: bool = False
    adds_eos: bool = False
    ending: str | None = None
    turn_ends: tuple[str, ...] = ()
    eos_tokenizer: int | None = None
    eos_config: tuple[int, ...] = ()
    eos_generation: tuple[int, ...] = ()
    template_where: str = ""


def read_chat(setup: Setup, tokenizer: TokenizerFacts, model: ModelFacts | None) -> ChatFacts:
    """Read the template and the three places where the end of text is named."""
    where = _where(tokenizer.files)
    template, broken = _template(tokenizer.files.chat_template)
    probes = [template.write(roles, template_variables(tokenizer.special)) for roles in PROBES] if template else []
    written = [probe.text for probe in probes if probe.text is not None]
    markers = () if template is None else _markers(written) if written else template.markers
    ending = next(
        (probe.after(len(roles) - 1) for probe, roles in zip(probes, PROBES, strict=False) if probe.text), None
    )
    bos, eos = tokenizer.id_of("bos_token"), tokenizer.id_of("eos_token")
    causal = setup.task in GENERATIVE or is_decoder(model)
    asked = causal and (template is not None or setup.task is not None)
    ids = _ids_of(tokenizer, "a") if asked else []  # the encoder need not be built where nobody would ask
    return ChatFacts(
        causal=causal,
        template=template,
        broken=broken,
        followed=bool(written),
        markers=markers,
        marker_pieces=_pieces(tokenizer, markers),
        writes_bos=_writes_bos(template, probes, tokenizer.special.get("bos_token")),
        adds_bos=bool(ids) and bos is not None and ids[0] == bos,
        adds_eos=len(ids) > 1 and eos is not None and ids[-1] == eos,
        ending=ending,
        turn_ends=_ends(tokenizer, ending, markers),
        eos_tokenizer=eos,
        eos_config=_ids(model.get("eos_token_id") if model is not None and model.states("eos_token_id") else None),
        eos_generation=_ids(model.generation.get("eos_token_id") if model is not None else None),
        template_where=where,
    )


def is_decoder(model: ModelFacts | None) -> bool:
    """Whether the model's type generates text from left to right: it is causal and has a language-model class."""
    architecture = model.stored.text_architecture or model.architecture if model is not None else None
    return bool(
        architecture is not None
        and architecture.causal
        and not architecture.encoder_decoder
        and "AutoModelForCausalLM" in architecture.classes
        and "AutoModelForMaskedLM" not in architecture.classes
    )


def template_variables(special: Mapping[str, str]) -> Mapping[str, str]:
    """What transformers gives a template besides the messages: the special tokens by their roles."""
    return {role: token for role, token in special.items() if role.endswith("_token")}


def _where(files: Tokenizer) -> str:
    if files.source.has("chat_template.jinja"):
        return files.source.at("chat_template.jinja")
    return files.source.at("tokenizer_config.json", "/chat_template")


def _template(text: str | None) -> tuple[ChatTemplate | None, str]:
    """The parsed template, or why it does not parse."""
    if text is None:
        return None, ""
    from pretune.artifacts.chat_template import parse_template  # the parser is not needed without a template

    try:
        return parse_template(text, name="it"), ""
    except UserError as error:
        return None, error.message


def _writes_bos(template: ChatTemplate | None, probes: list[Written], bos: str | None) -> bool:
    """Whether a conversation opens with the bos token; by the variable's name where nothing could be followed."""
    if template is None or not bos:
        return False
    texts = [probe.text for probe in probes if probe.text is not None]
    return texts[0].lstrip().startswith(bos) if texts else "bos_token" in template.variables


def _ends(tokenizer: TokenizerFacts, ending: str | None, markers: tuple[str, ...]) -> tuple[str, ...]:
    """Markers and special tokens in the ending, in order; else the usual ones among the markers."""
    if ending is None:
        return tuple(marker for marker in markers if marker in TURN_ENDS)
    special = {token.content for token in tokenizer.files.added if token.special} | set(tokenizer.special.values())
    known = {token for token in special if token.strip() and token in ending} | set(_markers([ending]))
    inside = {token for token in known if any(token != other and token in other for other in known)}
    return tuple(sorted(known - inside, key=ending.index))


def _markers(texts: list[str]) -> tuple[str, ...]:
    from pretune.artifacts.chat_template import markers_in

    return markers_in(texts)


def _pieces(tokenizer: TokenizerFacts, markers: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    if not markers:
        return {}  # the encoder need not be built
    try:
        encode = tokenizer.encoder.encode
        return {marker: tuple(encode(marker, add_special_tokens=False).tokens) for marker in markers}
    except Unavailable:
        return {}
    except Exception:  # noqa: BLE001 - the library raises bare Exception; that it cannot encode is TOK's to tell
        return {}


def _ids_of(tokenizer: TokenizerFacts, text: str) -> list[int]:
    try:
        return list(tokenizer.encoder.encode(text).ids)
    except Unavailable:
        return []
    except Exception:  # noqa: BLE001 - as above
        return []


def _ids(value: Any) -> tuple[int, ...]:
    listed = value if isinstance(value, list) else [value]
    return tuple(index for index in listed if isinstance(index, int) and not isinstance(index, bool))
