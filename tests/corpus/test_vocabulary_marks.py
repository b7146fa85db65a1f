"""What ids stand for, beside the plain way: a loop over all tokens."""

import json

import numpy as np
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from pretune.artifacts.coverage import is_byte_token, is_jamo
from pretune.corpus.cut import SPACE
from pretune.corpus.vocabulary_marks import byte_alphabet, marks_of, spelled_bytes

LETTERS = sorted(byte_alphabet(), key=byte_alphabet().__getitem__)


def is_broken(data: bytes) -> bool:
    """Whether bytes are no UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return True
    return False


def encoder_of(model: dict[str, object], added: list[str]) -> tokenizers.Tokenizer:
    """A tokenizer with a model and added tokens."""
    made = tokenizers.Tokenizer.from_str(json.dumps({"version": "1.0", "added_tokens": [], "model": model}))
    made.add_tokens(added)
    return made


BYTES = st.lists(st.one_of(st.binary(max_size=6), st.text(max_size=3).map(str.encode)), max_size=30)


@given(BYTES)
def test_byte_level_tokens(known: list[bytes]) -> None:
    """A token is partial where its bytes are no text by themselves, bare where they are spaces; added ones are not."""
    words = ["".join(LETTERS[byte] for byte in data) for data in (b"<unk>", *known)]
    ids = {word: at for at, word in enumerate(dict.fromkeys(words))}
    model = {"type": "WordLevel", "vocab": ids, "unk_token": "<unk>"}
    made = encoder_of(model, ["새 말", " "])
    every = made.get_vocab()
    marks = marks_of(made, model, byte_level=True)
    added = {token.content for token in made.get_added_tokens_decoder().values()}
    for word, at in every.items():
        data = bytes(byte_alphabet().get(letter, 63) for letter in word)
        assert marks.partial[at] == (word not in added and is_broken(data))
        assert marks.bare[at] == (word not in added and not data.strip(b" "))
    assert (marks.size, marks.known, marks.unknown) == (max(every.values()) + 1, len(every), ids["<unk>"])


@given(st.lists(st.text(st.sampled_from("aㄱ가\u1100\ua960 ▁<0xE>"), max_size=7), max_size=30, unique=True))
def test_pieces(known: list[str]) -> None:
    """Jamo, bare spaces and bytes of the fallback, with the vocabulary at hand and without."""
    pieces = ["<unk>", "<0xEA>", "<0x41>", *(one for one in known if one not in ("<unk>", "<0xEA>", "<0x41>"))]
    model = {"type": "Unigram", "unk_id": 0, "vocab": [[piece, -1.0] for piece in pieces]}
    made = encoder_of(model, ["▁▁▁", "a가"])
    added = {token.content for token in made.get_added_tokens_decoder().values()}
    for told in (model, {"type": "Unigram", "unk_id": 0}):
        marks = marks_of(made, told, byte_level=False)
        for piece, at in made.get_vocab().items():
            assert marks.jamo[at] == any(map(is_jamo, piece))
            assert marks.fallback[at] == is_byte_token(piece)
            assert marks.bare[at] == (piece not in added and not piece.strip(SPACE + " "))
            assert marks.partial[at] == (is_byte_token(piece) and piece[3:5] >= "80")


def test_no_tokens() -> None:
    """An empty vocabulary has no marks."""
    marks = marks_of(tokenizers.Tokenizer(tokenizers.models.BPE()), {}, byte_level=True)
    assert (marks.size, marks.known, marks.unknown) == (0, 0, -1)
    assert spelled_bytes([]) == b""
    assert not len(np.flatnonzero(marks.partial))
