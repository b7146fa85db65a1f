"""Adds tokens to a model's folder: plan, Adding. Puts reading, planning, rows and writing together.

The plan is made first and can be looked at; `apply` writes a folder that appears whole or not at all, and says what
it wrote.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.artifacts.source import locate
from pretune.artifacts.tokenizer import read_tokenizer
from pretune.core.errors import UserError, did_you_mean
from pretune.core.extras import need
from pretune.draw.display import Displayed
from pretune.tokens.inits import INITS
from pretune.tokens.kobert_hint import told_of_import
from pretune.tokens.own_texts import counted_words, named, silent, texts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pretune.artifacts.source import Source
    from pretune.artifacts.tokenizer import Tokenizer
    from pretune.draw.table import Table
    from pretune.tokens.own_texts import Progress
    from pretune.tokens.plan import Plan
    from pretune.tokens.suggest import Suggestions
    from pretune.tokens.tables import IdTables

MADE_BY = "pretune tokens add"


@dataclass(frozen=True, slots=True)
class Applied:
    """What was written.

    Attributes:
        out: the folder.
        changed: files with other bytes than the model's.
        shared: files that share their bytes on the disk with the model's.
        stale: weights in another format that lie beside them and lack the new rows; they were left out.
    """

    out: Path
    changed: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Adding(Displayed):
    """Tokens that are about to be added to a model.

    Attributes:
        source: the model's folder; of a sentence-transformers model the whole.
        tokenizer: its tokenizer.
        tables: its embedding and head; None: the folder holds no weights.
        plan: what comes of it.
        init: how new rows begin.
        texts: what `distill` learns from; empty: its own sentences.
    """

    source: Source
    tokenizer: Tokenizer
    tables: IdTables | None
    plan: Plan
    init: str = "mean"
    texts: Sequence[str] = ()
    part = "tokens"

    def _shown(self) -> tuple[Sequence[str], Sequence[Table]]:
        from pretune.tokens.show import planned

        return planned(self.plan, self.source.label)

    def apply(self, out: str | Path) -> Applied:
        """Write the model with the tokens to a folder of its own, or in place where no row is new.

        Args:
            out: a folder that is not there yet, or is empty, or an earlier result; the model's own: in place.

        Raises:
            UserError: the folder is something else's, the weights cannot be edited, the disk does not take them.
        """
        from pretune.tokens.swap import MARK, whole_folder

        folder = _folder(self.source)
        inner = self._inner(folder)
        if os.path.realpath(out) == os.path.realpath(folder):
            return self._in_place(folder, inner)
        with whole_folder(out, made_by=MADE_BY) as beside:
            changed, shared, stale = self._weights(beside / inner)
            skip = {*changed, *shared, *stale, MARK} if inner == Path() else {MARK}
            others = _rest(folder, beside, inner, skip=skip | set(stale), files=self.plan.files)
            self._files(beside, inner)
        return Applied(Path(out), (*changed, *sorted(self.plan.files)), (*shared, *others), stale)

    def _files(self, out: Path, inner: Path) -> None:
        """Write the tokenizer's files and the record of the plan."""
        from pretune.tokens.show import plan_json
        from pretune.tokens.swap import MARK

        for name, data in self.plan.files.items():
            (out / inner / name).write_bytes(data)
        told = {"init": self.init, "plan": plan_json(self.plan)}
        (out / MARK).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")

    def _in_place(self, folder: Path, inner: Path) -> Applied:
        """Write rows that no text reaches yet, then exchange the folder for one with the new files.

        A crash between the two leaves the model as it was: its tokenizer never gives these rows' ids.
        """
        from pretune.tokens.byte_copy import link_or_copy
        from pretune.tokens.swap import MARK, whole_folder

        if self.plan.resizes:
            raise UserError(
                f"{folder} cannot get new rows in place: {self.plan.rows[1] - self.plan.rows[0]} more are needed",
                hint="write the result to a folder of its own (--out)",
            )
        changed, _, stale = self._weights(folder / inner)
        with whole_folder(folder, made_by=MADE_BY, over=True) as beside:
            replaced = {MARK, *((inner / name).as_posix() for name in self.plan.files)}
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(folder)
                if path.is_symlink():
                    (beside / name).symlink_to(path.readlink())
                elif path.is_dir():
                    (beside / name).mkdir(parents=True, exist_ok=True)
                elif name.as_posix() not in replaced:
                    link_or_copy(path, beside / name)
            self._files(beside, inner)
        return Applied(folder, (*changed, *sorted(self.plan.files)), (), stale)

    def _inner(self, folder: Path) -> Path:
        """Where in the folder the transformer lies."""
        within = _folder(self.tokenizer.source)
        return within.relative_to(folder) if within != folder else Path()

    def _weights(self, out: Path) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """Write the weights; files changed, files shared, files left out."""
        out.mkdir(parents=True, exist_ok=True)
        if self.tables is None:
            return (), (), ()
        from pretune.tokens.new_rows import new_rows
        from pretune.tokens.write_weights import write_rows

        edits = new_rows(self.plan, self.tables, tokenizer=self.tokenizer, init=self.init)
        if self.init == "distill" and self.plan.added:
            from pretune.tokens.distill import distilled

            edits = distilled(self, edits)
        rows = self.plan.rows[1] if self.plan.resizes else None
        written = write_rows(self.tables, out, edits, rows=rows)
        return written.changed, (*written.shared, *written.copied), written.stale


def plan(
    model: str | Path,
    words: Iterable[str] = (),
    *,
    special: Iterable[str] = (),
    data: Any = None,
    init: str = "mean",
    progress: Progress = silent,
) -> Adding:
    """Plan which rows new tokens get and what changes; nothing is written.

    Args:
        model: a folder or a hub name.
        words: to be added to the model's own vocabulary.
        special: special tokens to be added beside it.
        data: files, patterns or folders, or objects in memory, whose words show what changes, and which `distill`
        learns from.
        init: how new rows begin: `mean` (of the pieces), `distill`, `hf` (the mean of all rows), `random`.
        progress: told (bytes of the data read since the last time, bytes of all).

    Raises:
        UserError: the model cannot be read, `init` is none of these.
    """
    if init not in INITS:
        raise UserError(f'init is "{init}"', hint=did_you_mean(init, INITS) or f"one of: {', '.join(INITS)}")
    need("numpy", extra="tokens")
    from pretune.artifacts.folder import FolderSource
    from pretune.tokens.inner_folder import inner_folder
    from pretune.tokens.journal import recover
    from pretune.tokens.plan import make_plan
    from pretune.tokens.spare import slots_of

    source = locate(str(model))
    inside = inner_folder(source)
    if isinstance(inside, FolderSource):
        recover(inside.folder)  # what a crash left of an earlier call in place
    with told_of_import(inside):
        tokenizer = read_tokenizer(inside)
        tables = tables_of(inside)
        rows = tables.rows if tables is not None else stated_rows(inside, tokenizer)
        slots = slots_of(tokenizer, rows=rows, tables=tables)
        counted = counted_words(data, progress)
        made = make_plan(tokenizer, words, special=special, slots=slots, rows=rows, counted=counted)
    return Adding(source, tokenizer, tables, made, init, texts_of(data) if init == "distill" else ())


def suggested(model: str | Path, data: Any, *, most: int | None = None, progress: Progress = silent) -> Suggestions:
    """Which words of the data are worth a token of their own.

    Args:
        model: a folder or a hub name.
        data: files, patterns or folders, or objects in memory.
        most: words, at most; None: as many as have room in the slots.
        progress: told (bytes of the data read since the last time, bytes of all).

    Raises:
        UserError: the model or the data cannot be read.
    """
    from pretune.corpus.word_counts import count_words
    from pretune.tokens.inner_folder import inner_folder
    from pretune.tokens.spare import slots_of
    from pretune.tokens.suggest import suggest

    source = inner_folder(locate(str(model)))
    with told_of_import(source):
        tokenizer, tables = read_tokenizer(source), tables_of(source)
        rows = tables.rows if tables is not None else stated_rows(source, tokenizer)
        slots = slots_of(tokenizer, rows=rows, tables=tables)
        counted = count_words(named(data), progress=progress)
        return suggest(tokenizer, counted, slots=slots, rows=rows, most=most)


def tables_of(source: Source) -> IdTables | None:
    """The tables of a folder; None where it holds no weights.

    Raises:
        UserError: the weights are damaged, or no word embedding can be told among them.
    """
    from pretune.artifacts.weights import read_weights
    from pretune.tokens.tables import find_tables

    weights = read_weights(source) if source.has("config.json") else None
    return None if weights is None or weights.format == "none" else find_tables(source)


def stated_rows(source: Source, tokenizer: Tokenizer) -> int:
    """Rows of an embedding that is not here, as config.json says; else as many as there are ids."""
    from pretune.artifacts.json_file import read_object

    config: Mapping[str, Any] = read_object(source, "config.json") if source.has("config.json") else {}
    inner = config.get("text_config")
    told = config.get("vocab_size", inner.get("vocab_size") if isinstance(inner, dict) else None)
    return max(told if isinstance(told, int) else 0, tokenizer.largest_id + 1)


def _folder(source: Source) -> Path:
    """Where a model's files lie."""
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "modules.json", *sorted(source.names())):
        path = source.path(name)
        if path is not None:
            return path.parents[name.count("/")]
    raise UserError(f"{source.label} is not on this machine", hint="download it first: hf download " + source.label)


def _rest(folder: Path, out: Path, inner: Path, *, skip: set[str], files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Link or copy all other files of the model; their names."""
    from pretune.tokens.byte_copy import copy_file, link_or_copy

    made: list[str] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        own = name.parent == inner and (name.name in files or (out / name).exists())
        if hidden or not path.is_file() or own or name.as_posix() in skip or _is_other_weights(name, inner, skip):
            continue
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        if path.stat().st_size < 1 << 20:
            copy_file(Path(path.resolve()), out / name)  # small files are edited by hand: no links
        else:
            link_or_copy(path, out / name)
        made.append(name.as_posix())
    return tuple(made)


def _is_other_weights(name: Path, inner: Path, skip: set[str]) -> bool:
    return inner != Path() and name.parent == inner and name.name in skip
