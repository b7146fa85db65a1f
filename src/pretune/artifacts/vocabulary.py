"""Reads a vocabulary from any of the files it can lie in: tokenizer.json, vocab.txt, vocab.json, a sentencepiece model.

Knows the files, not the class that would read them; what transformers makes of a vocabulary stands in tokenizer.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from pretune.artifacts.json_file import read_object
from pretune.artifacts.sentencepiece_model import PieceType, parse
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.artifacts.source import Source

SENTENCEPIECE_NAMES = (
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.model",
    "spm.model",
    "sentencepiece.model",
    "sp_model.model",
    "tokenizer_78b3253a26.model",
    "source.spm",
)
"""Names that published models use; the last but one is KoBERT's own."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something odd in a vocabulary file: what, and the lines (counted from 1) or ids where it stands."""

    kind: str  # "blank-line" | "duplicate" | "carriage-return" | "trailing-space" | "byte-order-mark"
    text: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Tokens and ids of the model proper, without the tokens added on top.

    Attributes:
        kind: "WordPiece", "BPE", "Unigram", "WordLevel", or a sentencepiece kind pretune does not encode with.
        ids: token -> id; where a file names a token twice the last one wins, as in transformers.
        file: the file it was read from.
        pieces: the tokens in the order of ids, repeated ones too (where the file is a list of pieces).
        scores: log probabilities in that order.
        merges: merge rules, `a b`, in their order (BPE only).
        options: the other keys of the model in tokenizer.json's words (unk_token, byte_fallback, ...).
        charsmap: a sentencepiece model's precompiled normalization map.
        control: a sentencepiece model's control and user-defined pieces: (text, is control).
        oddities: what is odd in the file.
    """

    kind: str
    ids: Mapping[str, int] = field(repr=False)
    file: str
    pieces: tuple[str, ...] = field(default=(), repr=False)
    scores: tuple[float, ...] = field(default=(), repr=False)
    merges: tuple[str, ...] = field(default=(), repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)
    charsmap: bytes = field(default=b"", repr=False)
    control: tuple[tuple[str, bool], ...] = ()
    oddities: tuple[Oddity, ...] = ()

    @property
    def largest_id(self) -> int:
        """The largest id, -1 for an empty vocabulary."""
        return max(self.ids.values(), default=-1)

    @property
    def count(self) -> int:
        """How many tokens it has, as the tokenizers library counts: where the next added token gets its id."""
        return len(self.pieces) or len(self.ids)

    @property
    def holes(self) -> int:
        """How many ids below the largest carry no token."""
        return self.largest_id + 1 - len(set(self.ids.values()))


def from_tokenizer_json(spec: Mapping[str, Any], *, file: str) -> Vocabulary:
    """The vocabulary inside a parsed tokenizer.json.

    Raises:
        UserError: there is no vocabulary in it, or it has a shape no model uses.
    """
    model = spec.get("model")
    if not isinstance(model, Mapping):
        raise UserError(f"{file} has no model: it is no tokenizer.json")
    vocab = model.get("vocab")
    options = {key: value for key, value in model.items() if key not in ("type", "vocab", "merges")}
    kind = str(model.get("type") or _guess_kind(model))
    pieces: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    if isinstance(vocab, Mapping):
        whole = set(map(type, vocab.values())) == {int}  # the usual case, without a copy
        ids = vocab if whole else {token: index for token, index in vocab.items() if isinstance(index, int)}
    elif isinstance(vocab, list):
        if set(map(type, vocab)) - {list} or set(map(len, vocab)) - {2}:
            raise UserError(f"{file} holds a vocabulary whose entries are not [token, score] pairs")
        pieces, scores = _columns(vocab)
        ids = dict(zip(pieces, range(len(pieces)), strict=True))
    else:
        raise UserError(f"{file} has no vocabulary under /model/vocab")
    merges = model.get("merges")
    return Vocabulary(
        kind=kind,
        ids=ids,
        file=file,
        pieces=pieces,
        scores=scores,
        merges=_merges(merges) if isinstance(merges, list) else (),
        options=options,
    )


def _guess_kind(model: Mapping[str, Any]) -> str:
    """Files of tokenizers before 0.9 leave the type out; it shows in the other keys."""
    if "merges" in model:
        return "BPE"
    if isinstance(model.get("vocab"), list):
        return "Unigram"
    return "WordPiece" if "continuing_subword_prefix" in model else "WordLevel"


def _columns(rows: Sequence[list[Any]]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Tokens and scores of pairs; a token that is no text is written as one, a score that is no number counts 0."""
    pieces, scores = zip(*rows, strict=True) if rows else ((), ())
    if set(map(type, pieces)) - {str}:
        pieces = tuple(map(str, pieces))
    if set(map(type, scores)) - {float}:
        scores = tuple(float(score) if isinstance(score, int | float) else 0.0 for score in scores)
    return pieces, scores


def _merges(rules: Sequence[Any]) -> tuple[str, ...]:
    """The merge rules as `a b`, whichever way the file writes them."""
    kinds = set(map(type, rules))
    if kinds <= {str}:
        return tuple(rules)
    if kinds == {list} and set(map(type, chain.from_iterable(rules))) <= {str}:
        return tuple(map(" ".join, rules))
    return tuple(" ".join(map(str, rule)) if isinstance(rule, list) else str(rule) for rule in rules)


def from_vocab_txt(source: Source, name: str = "vocab.txt") -> Vocabulary:
    """A WordPiece vocabulary, one token a line, as transformers 5 reads it: white space at a line's end is cut off."""
    data = source.read(name)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{source.at(name)} is not UTF-8 at byte {error.start}") from None
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    ids: dict[str, int] = {}
    blank: list[int] = []
    repeated: dict[str, list[int]] = {}
    returns: list[int] = []
    spaces: list[int] = []
    for index, line in enumerate(lines):
        token = line.rstrip()
        if line.endswith("\r"):
            returns.append(index + 1)
        if not token:
            blank.append(index + 1)
        elif token != line.removesuffix("\r"):
            spaces.append(index + 1)
        if token in ids:
            repeated.setdefault(token, [ids[token] + 1]).append(index + 1)
        ids[token] = index
    oddities = [Oddity("duplicate", token, tuple(where)) for token, where in repeated.items() if token]
    if blank:
        oddities.append(Oddity("blank-line", "", tuple(blank)))
    if spaces:
        oddities.append(Oddity("trailing-space", lines[spaces[0] - 1], tuple(spaces)))
    if 0 < len(returns) < len(lines):
        oddities.append(Oddity("carriage-return", "", tuple(returns)))
    if text.startswith("\ufeff"):
        oddities.append(Oddity("byte-order-mark", lines[0], (1,)))
    return Vocabulary(
        kind="WordPiece",
        ids=ids,
        file=name,
        options={"unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100},
        oddities=tuple(oddities),
    )


def from_vocab_json(source: Source, name: str = "vocab.json", merges: str = "merges.txt") -> Vocabulary:
    """A BPE vocabulary in two files, vocab.json and merges.txt."""
    table = read_object(source, name)
    ids = {str(token): index for token, index in table.items() if isinstance(index, int)}
    rules: tuple[str, ...] = ()
    if source.has(merges):
        text = source.read(merges).decode("utf-8", errors="replace")
        rules = tuple(line for line in text.splitlines() if line and not line.startswith("#version"))
    return Vocabulary(kind="BPE", ids=ids, file=name, merges=rules, options={"unk_token": None})


def from_sentencepiece(source: Source, name: str) -> Vocabulary:
    """A Unigram or BPE vocabulary out of a sentencepiece model; pieces keep their order as ids."""
    model = parse(source.read(name), name=source.at(name))
    ids: dict[str, int] = {}
    repeated: list[Oddity] = []
    for index, piece in enumerate(model.pieces):
        if piece.text in ids:
            repeated.append(Oddity("duplicate", piece.text, (ids[piece.text], index)))
        ids[piece.text] = index
    control = tuple(
        (piece.text, piece.type == PieceType.CONTROL)
        for piece in model.pieces
        if piece.type in (PieceType.CONTROL, PieceType.USER_DEFINED)
    )
    return Vocabulary(
        kind=model.kind,
        ids=ids,
        file=name,
        pieces=tuple(piece.text for piece in model.pieces),
        scores=tuple(piece.score for piece in model.pieces),
        options={
            "unk_id": model.unk_id,
            "byte_fallback": model.byte_fallback,
            "add_dummy_prefix": model.add_dummy_prefix,
            "remove_extra_whitespaces": model.remove_extra_whitespaces,
        },
        charsmap=model.charsmap,
        control=control,
        oddities=tuple(repeated),
    )


def is_sentencepiece(name: str) -> bool:
    """Whether a file of this name is a sentencepiece model."""
    return name.endswith((".model", ".spm"))


class UnknownOrder(UserError):  # noqa: N818 - a limit of pretune, told as the user's error
    """The ids cannot be told from the files."""


def reordered(vocabulary: Vocabulary, class_name: str, special: Mapping[str, str]) -> Vocabulary:
    """A sentencepiece model's vocabulary with the ids that a class gives its pieces.

    XLM-R puts its four special tokens first and the mask last, T5 adds a hundred sentinels (convert_slow_tokenizer.py
    of transformers 5.23).

    Raises:
        UnknownOrder: the class orders them in a way that is not known here.
    """
    rows = list(zip(vocabulary.pieces, vocabulary.scores, strict=True))
    if class_name == "XLMRobertaTokenizer":
        first = ("bos_token", "pad_token", "eos_token", "unk_token")
        rows = [(special.get(role, role), 0.0) for role in first] + rows[3:]
        rows.append((special.get("mask_token", "<mask>"), 0.0))
        options = {**vocabulary.options, "unk_id": 3}
    elif class_name == "T5Tokenizer":
        rows += [(f"<extra_id_{index}>", 0.0) for index in range(99, -1, -1)]
        options = {**vocabulary.options, "unk_id": 2}
    else:
        raise UnknownOrder(
            f"{vocabulary.file} alone does not say which ids {class_name} gives its pieces",
            hint="load the tokenizer with transformers and save it: tokenizer.json says",
        )
    return replace(
        vocabulary,
        ids={text: index for index, (text, _) in enumerate(rows)},
        pieces=tuple(text for text, _ in rows),
        scores=tuple(score for _, score in rows),
        options=options,
    )


def vocabulary_files(source: Source) -> tuple[str, ...]:
    """The vocabulary files in a folder, the one transformers reads first in front."""
    names = source.names()
    found = [name for name in ("tokenizer.json", "vocab.txt", "vocab.json", *SENTENCEPIECE_NAMES) if name in names]
    return tuple(found)


def read_vocabulary(source: Source, name: str) -> Vocabulary:
    """The vocabulary in one file of the folder, whatever its format."""
    if name == "tokenizer.json":
        return from_tokenizer_json(read_object(source, name), file=name)
    if name.endswith(".txt"):
        return from_vocab_txt(source, name)
    if name.endswith(".json"):
        return from_vocab_json(source, name)
    return from_sentencepiece(source, name)
