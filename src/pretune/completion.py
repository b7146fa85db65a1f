"""What a shell is offered when Tab is pressed: click's own offers, and what its texts stand for: files, rules, choices.

`pretune knock`, which is not read by click, has its words here, too. Knows no shell: click writes their scripts.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem, get_completion_class

from pretune.core.errors import UserError
from pretune.core.language import LANGUAGES, without_language

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Item = CompletionItem[str]

VARIABLE = "_PRETUNE_COMPLETE"
FILES = frozenset("FILE FILES NAME MODEL MODEL|SETUPFILE|SCRIPT|FOLDER".split())
"""Words of the help that stand for a path; a name of the hub may stand there as well, which is not asked for."""
ARGUMENTS = frozenset(("model", "folder"))
"""Likewise of arguments that the help does not name."""


def main(root: click.Group) -> int:
    """Answer the shell: its script, or what may stand where the cursor is; 1 for a shell that click does not know.

    Args:
        root: the group over all parts.
    """
    shell, _, asked = os.environ.get(VARIABLE, "").partition("_")
    kind = get_completion_class(shell)
    if kind is None or asked not in ("source", "complete"):
        return 1
    there = kind(root, {}, "pretune", VARIABLE)
    if asked == "source":
        sys.stdout.write(there.source())
        return 0
    words, begun = there.get_completion_args()
    if words[-1:] == ["--lang"]:
        sys.stdout.write("".join(f"{there.format_completion(item)}\n" for item in _beginning(LANGUAGES, begun)))
        return 0
    try:
        words = without_language(words)
        found = (
            _knock(words[1:], begun) if words[:1] == ["knock"] else _click(root, words, begun, there.get_completions)
        )
    except Exception:  # noqa: BLE001 - a word half typed may be any mistake; a shell shows none while Tab is pressed
        found = []
    sys.stdout.write("".join(f"{there.format_completion(item)}\n" for item in found))
    return 0


def _click(
    root: click.Group, words: list[str], begun: str, offered: Callable[[list[str], str], list[Item]]
) -> Iterable[Item]:
    """What click offers once its texts are told apart; of `train` any argument of TrainingArguments as well."""
    if words:
        part = root.get_command(click.Context(root), words[0])
        if part is not None:
            teach(part)
    if words[:1] != ["train"]:
        return offered(words, begun)
    own = {"--train", "--dev", "--data", "--eval"}
    behind = next((word for word in reversed(words) if word.startswith("-")), "")
    if behind in own and not begun.startswith("-"):
        return [CompletionItem(begun, type="file")]  # several files may stand behind these
    theirs = [item for item in _training_arguments() if item.value.startswith(begun)] if begun[:2] == "--" else []
    try:
        return [*offered(words, begun), *theirs]
    except UserError:  # of an argument of TrainingArguments that has no value yet
        return theirs


def _training_arguments() -> Iterable[Item]:
    from pretune.train.recipe_flags import known_arguments

    return (CompletionItem(f"--{name.replace('_', '-')}") for name in sorted(known_arguments().arguments))


class Offered(click.ParamType):  # type: ignore[type-arg] # it takes none before click 8.4
    """A text, of which it is known what may stand there.

    Args:
        words: gives what may stand there.
        path: `file`, `dir`, or empty: no path may stand there.
    """

    name = "text"

    def __init__(self, words: Callable[[], Iterable[str]], path: str = "") -> None:
        self.words, self.path = words, path

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Item]:
        """The words that begin so; where none does, a path."""
        del ctx, param
        found = [CompletionItem(word) for word in self.words() if word.startswith(incomplete)]
        return found or ([CompletionItem(incomplete, type=self.path)] if self.path else [])


def teach(command: click.Command) -> None:
    """Tell click, of each text that a command and those below it take, what may stand there."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            teach(below)
    for param in command.params:
        if isinstance(param.type, click.types.StringParamType):
            param.type = _kind(param)


def _kind(param: click.Parameter) -> Any:
    word = (param.metavar or "").removesuffix("...").strip("[]")
    for name in param.opts:
        if name in _WORDS:
            return Offered(_WORDS[name])
    if word in FILES or param.name in ARGUMENTS:
        return Offered(tuple, "file")
    if word == "DIR":
        return Offered(tuple, "dir")
    parts = word.split("|")
    choices = [part for part in parts if re.fullmatch(r"[a-z][a-z0-9-]*", part)]
    if len(parts) > 1 and choices:
        return Offered(lambda: choices, "file" if len(choices) < len(parts) else "")
    return param.type


def _rules() -> Iterable[str]:
    from pretune.check.rules import all_rules

    return [rule.name for rule in all_rules()]


def _rules_and_families() -> Iterable[str]:
    from pretune.check.rules import FAMILIES

    return [*FAMILIES, *_rules()]


def _tasks() -> Iterable[str]:
    from pretune.check.sources.setup import TASKS

    return TASKS


def _targets() -> list[str]:
    """Names of targets, never their addresses."""
    import tomllib

    from pretune.knock.targets import config_file

    try:
        names = tomllib.loads(config_file(os.environ).read_text(encoding="utf-8")).get("targets", {})
    except (OSError, ValueError):
        names = {}
    return [*(names if isinstance(names, dict) else ()), "desktop"]


def _formats() -> Iterable[str]:
    from pretune.check.report import FORMATS

    return FORMATS


_WORDS: dict[str, Callable[[], Iterable[str]]] = {
    "--explain": _rules,
    "--select": _rules_and_families,
    "--ignore": _rules_and_families,
    "--task": _tasks,
    "--format": _formats,
    "--fail-on": lambda: ("error", "warning", "note", "never"),
    "--metric": lambda: ("korquad1", "squad1", "squad2", "klue_mrc"),
    "--padding": lambda: ("longest", "max_length", "none"),
    "--precision": lambda: ("fp32", "bf16", "autocast", "fp16", "auto"),
    "--knock": _targets,
    "--device": lambda: ("cpu", "cuda", "mps"),
    "--dtype": lambda: ("float32", "bfloat16", "float16"),
    "--shape": lambda: ("centred", "whitened"),
    "--choice": tuple,
}
"""Option -> what may stand behind it."""


def _knock(words: Sequence[str], begun: str) -> Iterable[Item]:
    """What may stand behind `pretune knock WORDS`: options and services, then a program, then its files."""
    from pretune.knock.grammar import FLAGS, VALUES
    from pretune.knock.services import SERVICES

    if words[:1] == ["test"]:
        return _beginning(["--to", *_targets()], begun)
    files: list[Item] = [CompletionItem(begun, type="file")]
    options, service, left = ["--help", *FLAGS, *VALUES], "", list(words)
    while left:
        word = left.pop(0)
        if not service and word in SERVICES:
            service = word
            options = [*options, *(f"--{name.replace('_', '-')}" for name in sum(SERVICES[word], ()))]
        elif word == "--":
            return (_beginning(_programs(begun), begun) if not left else []) or files
        elif not word.startswith("-"):
            return files  # the command has begun
        elif word not in FLAGS and "=" not in word:
            if not left:
                return _beginning(_targets(), begun) if word == "--to" else []
            left.pop(0)
    if begun.startswith("-"):
        return _beginning(options, begun)
    first = ["test", "attach", "flush"] if not words else []
    return _beginning([*first, *([] if service else SERVICES), *_programs(begun)], begun) or files


def _beginning(words: Iterable[str], begun: str) -> list[Item]:
    return [CompletionItem(word) for word in dict.fromkeys(words) if word.startswith(begun)]


def _programs(begun: str) -> list[str]:
    """Programs on the PATH; none before a letter is typed."""
    found: set[str] = set()
    for folder in os.environ.get("PATH", "").split(os.pathsep) if begun else ():
        try:
            entries: Any = os.scandir(folder)
        except OSError:
            continue
        with entries:
            found |= {one.name for one in entries if one.name.startswith(begun) and os.access(one.path, os.X_OK)}
    return sorted(found)
