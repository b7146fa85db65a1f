"""Which tokenizers the compiled kernel may encode, and their models in its form: model_of. Encodes nothing.

A tokenizer is the kernel's when each part of its tokenizer.json is known to do to every character what it does to it
alone, whatever stands beside it: WordPiece behind BERT's normaliser and pre-tokenizer, Unigram behind Metaspace,
byte-level BPE with GPT-2's pattern, Llama 3's or Qwen's. All others keep the engines that encoders.py has.
"""

from __future__ import annotations

from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pretune.corpus.cut import LLAMA3, MARKED, QWEN, SPACE
from pretune.corpus.vocabulary_marks import byte_alphabet, spelled_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import ModuleType

    from pretune.corpus.cut import Proof

ALONE = frozenset("Precompiled NFC NFD NFKC NFKD Lowercase Nmt".split())
"""Normalisers that change a character the same way beside any other, marks and jamo left out."""

COMPOSING = frozenset(("NFC", "NFKC"))

DIGITS = {LLAMA3: 3, QWEN: 1, MARKED: 1}
"""Patterns that the kernel has beside GPT-2's -> how many digits stand together at most."""

_UNKNOWN_PENALTY = 10.0
"""What an unknown character costs beyond the rarest piece (`K_UNK_PENALTY` of tokenizers' unigram model)."""

_WORD_LIMIT = 100


class KernelModel(NamedTuple):
    """A model that the kernel has.

    Attributes:
        kind: WordPiece, Unigram or BPE.
        encoder: the kernel's.
        composes: the normaliser composes characters (NFC).
        digits: of BPE how many digits stand together at most; 0: the pattern is GPT-2's.
    """

    kind: str
    encoder: Any
    composes: bool = False
    digits: int = 0


def model_of(kernel: ModuleType, tokenizer: Mapping[str, Any], proof: Proof) -> KernelModel | None:
    """The model in the kernel's form; None: the kernel is not to encode with this tokenizer.

    Args:
        kernel: the compiled module.
        tokenizer: its tokenizer.json, as an object.
        proof: what its parts say of the cut.
    """
    if not proof.safe or proof.starts or (proof.normalized and tokenizer.get("normalizer") is not None):
        return None
    model = tokenizer.get("model") or {}
    normalizers = _parts(tokenizer.get("normalizer"), "normalizers")
    cuts = _parts(tokenizer.get("pre_tokenizer"), "pretokenizers")
    try:
        made = _made(kernel, model, normalizers, cuts)
    except (KeyError, TypeError, ValueError, OverflowError, IndexError):
        return None  # a vocabulary that lacks what it speaks of, or that is none
    if made is not None:
        made.encoder.leave_pairs(_pairs(proof.added))
    return made


def apart(proof: Proof) -> frozenset[str]:
    """The characters of which one in a unit may mean an added token, where `_pairs` cannot tell by two of ASCII."""
    found = {text for text in proof.added if len(text) == 1}
    found |= {text[0] for text in proof.added if not text[:2].isascii() and not text[0].isascii()}
    found |= {text[1] for text in proof.added if text[0].isascii() and len(text) > 1 and not text[1].isascii()}
    return frozenset(found)


def _pairs(added: Iterable[str]) -> bytes:
    """The first two characters of each added token, where they are ASCII, in any case."""
    found = set()
    for text in added:
        first, second = text[:1], text[1:2]
        if second and first.isascii() and second.isascii():
            found |= {a + b for a in {first.lower(), first.upper()} for b in {second.lower(), second.upper()}}
    return "".join(sorted(found)).encode("ascii")


def _parts(part: Any, key: str) -> list[Mapping[str, Any]]:
    """The parts of a Sequence, however nested; none for null."""
    if part is None:
        return []
    if part.get("type") == "Sequence":
        return [inside for one in part.get(key) or () for inside in _parts(one, key)]
    return [part]


def _made(
    kernel: ModuleType, model: Mapping[str, Any], normalizers: Sequence[Mapping[str, Any]], cuts: Sequence[Any]
) -> KernelModel | None:
    kinds, known = [part.get("type") for part in cuts], [part.get("type") for part in normalizers]
    if model.get("type") == "WordPiece" and kinds == ["BertPreTokenizer"] and known in ([], ["BertNormalizer"]):
        return KernelModel("WordPiece", _wordpiece(kernel, model))
    metaspace = kinds in (["Metaspace"], ["WhitespaceSplit", "Metaspace"])
    if model.get("type") == "Unigram" and metaspace and all(map(_is_alone, normalizers)):
        last = cuts[-1]
        if last.get("prepend_scheme") != "always" or last.get("split", True) is False or last["replacement"] != SPACE:
            return None
        if model.get("byte_fallback") or model.get("unk_id") is None:
            return None
        return KernelModel("Unigram", _unigram(kernel, model), bool(COMPOSING & set(known)))
    special = ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback")
    if model.get("type") == "BPE" and known in ([], ["NFC"]) and not any(model.get(name) for name in special):
        digits = _digits(cuts)
        if digits is not None and (digits or not known):
            return KernelModel("BPE", _byte_pairs(kernel, model, digits), bool(known), digits)
    return None


def _digits(cuts: Sequence[Mapping[str, Any]]) -> int | None:
    """How many digits stand together at most, 0 with GPT-2's pattern; None: what cuts words is not the kernel's."""
    bytes_of = cuts[-1] if cuts else {}
    if bytes_of.get("type") != "ByteLevel" or bytes_of.get("add_prefix_space"):
        return None
    if len(cuts) == 1:
        return 0 if bytes_of.get("use_regex", True) else None
    split = cuts[0]
    if len(cuts) > 2 or split.get("type") != "Split" or bytes_of.get("use_regex", True):
        return None  # that the pattern keeps all there is was proved (cut.py)
    return DIGITS.get(str((split.get("pattern") or {}).get("Regex")))


def _is_alone(part: Mapping[str, Any]) -> bool:
    """Whether a normaliser changes each character by itself, where no two spaces stand side by side."""
    if part.get("type") == "Replace":
        pattern = (part.get("pattern") or {}).get("Regex")
        return pattern in {" {2,}", r"\s{2,}"} and part.get("content") == " "
    return part.get("type") in ALONE


def _wordpiece(kernel: ModuleType, model: Mapping[str, Any]) -> Any:
    prefix = model.get("continuing_subword_prefix", "##")
    pieces: list[tuple[str, int, bool]] = []
    for token, at in model["vocab"].items():
        if token:
            pieces.append((token, at, False))
        if token.startswith(prefix) and len(token) > len(prefix):
            pieces.append((token[len(prefix) :], at, True))
    limit = model.get("max_input_chars_per_word")
    unknown = model["vocab"][model["unk_token"]]
    columns = _columns(*zip(*pieces, strict=True))
    return kernel.Encoder.wordpiece(*columns, unknown, _WORD_LIMIT if limit is None else limit)


def _unigram(kernel: ModuleType, model: Mapping[str, Any]) -> Any:
    tokens, told = zip(*model["vocab"], strict=True)
    scores = np.array(told, np.float64)
    lowest = float(scores.min())
    if not lowest < _UNKNOWN_PENALTY / 2 or not np.isfinite(scores).all():
        raise ValueError("several unknown characters could be worth more than a piece of them")
    unknown = int(model["unk_id"])
    if not 0 <= unknown < len(scores):
        raise ValueError("the unknown token is none of the pieces")
    ids = np.flatnonzero(np.fromiter(map(bool, tokens), bool, len(tokens)))
    columns = _columns(list(filter(None, tokens)), ids, np.zeros(len(ids), bool))
    return kernel.Encoder.unigram(*columns, scores, unknown, lowest - _UNKNOWN_PENALTY)


def _byte_pairs(kernel: ModuleType, model: Mapping[str, Any], digits: int) -> Any:
    vocabulary = model["vocab"]
    pairs = model["merges"]
    if not set(map(type, pairs)) <= {list}:  # as files had it before tokenizers 0.20
        pairs = [merge.split(" ") if isinstance(merge, str) else merge for merge in pairs]
    first, second = zip(*pairs, strict=True) if pairs else ((), ())
    id_of = vocabulary.__getitem__
    columns = (map(id_of, first), map(id_of, second), map(id_of, map(add, first, second)))
    merges = [np.fromiter(column, np.int32, len(pairs)) for column in columns]
    alphabet = byte_alphabet()
    letters = [vocabulary[letter] for letter, _ in sorted(alphabet.items(), key=lambda item: item[1])]
    made = kernel.Encoder.byte_pairs(*merges, np.array(letters, np.int32), digits)
    if model.get("ignore_merges"):  # a word that is a token is that token, whatever merges make of it
        words = vocabulary
        if not alphabet.keys() >= set("".join(vocabulary)):
            words = {word: at for word, at in vocabulary.items() if alphabet.keys() >= set(word)}
        sizes = np.fromiter(map(len, words), np.uint32, len(words))
        made.add_words(spelled_bytes(words), sizes, np.fromiter(words.values(), np.int32, len(words)))
    return made


def _columns(tokens: Sequence[str], ids: Any, inside: Any) -> tuple[Any, Any, Any, Any]:
    """Code points of all pieces one after the other, how many each has, ids, and which stand inside words only."""
    points = np.frombuffer("".join(tokens).encode("utf-32-le", "surrogatepass"), np.uint32)
    sizes = np.fromiter(map(len, tokens), np.uint32, len(tokens))
    return points, sizes, np.asarray(ids, np.int32), np.asarray(inside, np.uint8)
