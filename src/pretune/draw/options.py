"""Commands whose help stands in sections and whose flags for files take several: Sections, section, repeat_flags.

Knows click and no command of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import click

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Sections(click.Command):
    """A command whose help shows its options section by section.

    Attributes:
        others: the section of options that name none.
    """

    others: ClassVar[str] = "Other"

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section by section."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record:
                sections.setdefault(getattr(parameter, "section", self.others), []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


class _Option(click.Option):
    """An option that knows the section of the help it stands in."""

    def __init__(self, *names: Any, section: str, **keys: Any) -> None:
        super().__init__(*names, **keys)
        self.section = section


def section(title: str, *options: tuple[str, dict[str, Any]]) -> Callable[[Any], Any]:
    """Decorate a command with the options of one section of its help, in this order.

    Args:
        title: of the section.
        options: the names, separated by spaces, and what click.option takes beside them.
    """

    def decorate(function: Any) -> Any:
        for names, keys in reversed(options):
            function = click.option(*names.split(), cls=_Option, section=title, **keys)(function)
        return function

    return decorate


def repeat_flags(words: Sequence[str], flags: Mapping[str, str], is_file: Callable[[str], bool]) -> list[str]:
    """`--data a.tsv b.tsv` as `--data a.tsv --data b.tsv`, as a shell writes out `data/*.tsv`.

    Args:
        words: a command line.
        flags: flags behind which several files may stand -> the names they go by.
        is_file: whether a word behind a first file is a further one; else it is a word of its own.

    Raises:
        UserError: such a flag is followed by another flag.
    """
    made: list[str] = []
    flag, fresh = "", False
    for word in words:
        name = word.partition("=")[0]
        if name in flags:
            flag, fresh = flags[name], "=" not in word
            made.append(flag + word[len(name) :])
            continue
        if word.startswith("-") and word != "-":
            if flag and fresh:
                raise UserError(f"{flag} names no files, found {word}")
            flag = ""
        elif flag and not fresh:
            if is_file(word):
                made.append(flag)
            else:
                flag = ""
        fresh = False
        made.append(word)
    return made
