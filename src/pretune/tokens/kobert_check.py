"""Compares an imported KoBERT with sentencepiece itself, line by line, and says of each difference what it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.artifacts.json_file import parse_json
from pretune.artifacts.sentencepiece_model import parse
from pretune.core.errors import UserError
from pretune.core.files import read_bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_AT_ONCE = 10_000
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Compared:
    """How many lines are alike.

    Attributes:
        lines: compared.
        differing: with other ids.
        reordered: of those, lines with the same pieces in another order (sums that are equal but for rounding).
        marked: of those, lines that hold a special token as text, such as `[MASK]`.
        examples: the first lines of the rest, which have other reasons.
    """

    lines: int
    differing: int
    reordered: int
    marked: int
    examples: tuple[str, ...]


def compare(folder: Path, lines: Iterable[str], *, model: Path | None = None) -> Compared:
    """Encode lines with the folder's tokenizer.json and with sentencepiece.

    Args:
        folder: what `import_kobert` wrote.
        lines: texts.
        model: the sentencepiece model; None: the folder's own.

    Raises:
        UserError: sentencepiece is not installed, or the folder is no imported KoBERT.
    """
    from tokenizers import Tokenizer

    try:
        import sentencepiece
    except ModuleNotFoundError:
        hint = "pip install sentencepiece"
        raise UserError("the comparison needs sentencepiece, which is not installed", hint=hint) from None
    file = model or folder / "spiece.model"
    pieces = [piece.text for piece in parse(read_bounded(file), name=str(file)).pieces]
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(file))
    path = folder / "tokenizer.json"
    text = read_bounded(path)
    try:
        ours = Tokenizer.from_str(text.decode())
    except Exception as error:  # noqa: BLE001 - the library raises no other class
        raise UserError(f"{path} cannot be read: {error}") from None
    ids = [ours.token_to_id(piece) for piece in pieces]
    specials = [row["content"] for row in parse_json(text, str(path))["added_tokens"]]
    counts: Counter[str] = Counter()
    examples: list[str] = []
    for some in _batches(lines):
        found = ours.encode_batch_fast(list(some), add_special_tokens=False)
        for line, wanted, encoding in zip(some, theirs.encode(list(some)), found, strict=True):
            counts["lines"] += 1
            right = [ids[at] for at in wanted]
            if right == encoding.ids:
                continue
            counts["differing"] += 1
            if sorted(right) == sorted(encoding.ids):
                counts["reordered"] += 1
            elif any(special in line for special in specials):
                counts["marked"] += 1
            elif len(examples) < _SHOWN:
                examples.append(line)
    return Compared(counts["lines"], counts["differing"], counts["reordered"], counts["marked"], tuple(examples))


def _batches(lines: Iterable[str]) -> Iterable[Sequence[str]]:
    some: list[str] = []
    for line in lines:
        some.append(line)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    if some:
        yield some
