"""Tokenizer folders with chosen faults, and the comparison of ours with AutoTokenizer of the installed transformers."""

import io
import json
import struct
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from pretune.artifacts.pipeline import as_class
from pretune.artifacts.source import locate
from pretune.artifacts.tokenizer import Tokenizer, read_tokenizer
from pretune.artifacts.tokenizer_classes import ROLES
from pretune.core.errors import UserError
from small_model import healthy_tokenizer, words

WORDS = words()
COUNT = len(WORDS)
HOLED = {token: index for index, token in enumerate(WORDS) if not token.startswith("[unused")}
"""A vocabulary from which somebody removed the spare slots: ids 5 to 14 are free, the largest is still COUNT - 1."""

TEXTS = (
    "한국어 모델을 공유합니다.",
    "Hello World, naïve café! ＦＵＬＬ ①",
    "서울(Seoul)은 大韓民國의 수도이다. 😀 1,234.5km",
    "  앞뒤   공백  \ttab\r\nline",
    "<s> [CLS] [MASK] [unused0] test</s> xx<new>yy <ent> entity",
    "\u1100\u1161\u11a8 e\u0301 \u200bzero\u200dwidth\ufeff \u0000\u0001 שלום हिन्दी",
    "",
    " ",
    "한국어" * 50,
)
"""Texts that go different ways when anything about a tokenizer differs."""


def flags(text: str, **changed: bool) -> dict[str, Any]:
    """An AddedToken as JSON."""
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": True, "special": False}
    return {"content": text, **plain, **changed}


def decoder(rows: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    """added_tokens_decoder."""
    return {str(index): row for index, row in rows.items()}


def spec(ids: Mapping[str, int] | None = None, *more: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """A tokenizer.json with this vocabulary, these added tokens besides the usual ones, and these parts."""
    made = healthy_tokenizer(WORDS) | parts
    if ids is not None:
        made["model"] = {**made["model"], "vocab": dict(ids)}
    made["added_tokens"] = [*made["added_tokens"], *more]
    return made


def write(folder: Path, files: Mapping[str, Any]) -> Path:
    """A folder of files given as bytes, text or JSON values."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
            (folder / name).write_text(text, "utf-8")
    return folder


def one_sentence(call: Callable[..., object], *arguments: object) -> str:
    """What a call refuses with, which must be one line; nothing when it goes through."""
    try:
        call(*arguments)
    except UserError as error:
        message = error.message
    else:
        return ""
    assert message
    assert "\n" not in message
    return message


def read(folder: Path, **kwargs: Any) -> Tokenizer:
    """The tokenizer of a folder."""
    return read_tokenizer(locate(str(folder)), kwargs=kwargs)


def differences(folder: Path, texts: tuple[str, ...] = TEXTS, **kwargs: Any) -> list[str]:
    """Every way in which our reading of a folder differs from what AutoTokenizer makes of it; empty: none."""
    from transformers import AutoTokenizer

    ours = theirs = None
    with redirect_stderr(io.StringIO()):
        try:
            theirs = AutoTokenizer.from_pretrained(str(folder), **kwargs)
        except Exception as error:  # noqa: BLE001 - it raises whatever comes
            refusal = f"{type(error).__name__}: {error}"
    try:
        ours = read(folder, **kwargs)
        encoder = as_class(ours)
    except UserError as error:
        return [] if theirs is None else [f"we refuse: {error.message}"]
    if theirs is None:
        return [f"transformers refuses: {refusal}"]
    found = [text for text in texts if encoder.encode(text).ids != theirs(text)["input_ids"]]
    pair, told = encoder.encode(texts[0], texts[2]), theirs(texts[0], texts[2])
    special = {role: str(getattr(theirs, role)) for role in ROLES if getattr(theirs, role)}
    compared = {
        "pair": (pair.ids, told["input_ids"]),
        "token_type_ids": (pair.type_ids, told.get("token_type_ids", pair.type_ids)),
        "special": (dict(ours.special), special),
        "vocabulary": (dict(ours.ids), theirs.get_vocab()),
        "length": (ours.size, len(theirs)),
        "model_max_length": (ours.max_length, theirs.model_max_length),
        "model_input_names": (list(ours.input_names), list(theirs.model_input_names)),
        "padding_side": (ours.padding_side, theirs.padding_side),
        "class": (ours.cls.name, type(theirs).__name__),
    }
    return [f"ids of {text!r}" for text in found] + [
        f"{what}: {ours} {theirs}"[:300] for what, (ours, theirs) in compared.items() if ours != theirs
    ]


BYTES = [chr(code) for code in (*range(33, 127), *range(161, 173), *range(174, 256), *range(256, 324))]
"""GPT-2's 256 letters for bytes."""

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
MERGES = ["l o", "e r", "Ġ w", "Ġw o", "w o"]


def byte_level_spec(**parts: Any) -> dict[str, Any]:
    """A byte-level BPE tokenizer.json: 256 bytes, five merges, RoBERTa's special tokens in front."""
    tokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *BYTES, *(rule.replace(" ", "") for rule in MERGES)]
    model = {
        "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
        "fuse_unk": False, "byte_fallback": False, "vocab": {token: index for index, token in enumerate(tokens)},
        "merges": MERGES,
    }  # fmt: skip
    made = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": BYTE_LEVEL, "post_processor": None, "decoder": BYTE_LEVEL, "model": model,
    }  # fmt: skip
    return made | parts


PIECES = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)] + [
    (piece, -1.0 - index / 10)
    for index, piece in enumerate(
        "▁ ▁한국어 ▁모델 을 ▁공유 합니다 ▁w or ld ▁the . , ! e h l o r d w a b c n v ▁n ▁c".split()
    )
]
"""A Unigram vocabulary in XLM-R's order."""


def unigram_spec(**parts: Any) -> dict[str, Any]:
    """A Unigram tokenizer.json as a conversion writes it."""
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    model = {
        "type": "Unigram",
        "unk_id": 3,
        "vocab": [list(row) for row in [*PIECES, ("<mask>", 0.0)]],
        "byte_fallback": False,
    }
    made = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": metaspace, "post_processor": None, "decoder": metaspace, "model": model,
    }  # fmt: skip
    return made | parts


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, value: bytes | float) -> bytes:
    """A field of a protocol buffer: a number, bytes, or a float of four bytes."""
    if isinstance(value, float):
        return _varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, bytes):
        return _varint(number << 3 | 2) + _varint(len(value)) + value
    return _varint(number << 3) + _varint(value)


def sentencepiece(
    pieces: list[tuple[str, float, int]], *, kind: int = 1, charsmap: bytes = b"", byte_fallback: bool = False
) -> bytes:
    """A sentencepiece `.model` file: (text, score, type) rows, kind 1 Unigram, 2 BPE."""
    rows = [
        field(1, field(1, text.encode()) + field(2, score) + (field(3, type_) if type_ != 1 else b""))
        for text, score, type_ in pieces
    ]
    trainer = field(3, kind) + (field(35, 1) if byte_fallback else b"")
    normalizer = field(1, b"nmt_nfkc") + (field(2, charsmap) if charsmap else b"")
    return b"".join(rows) + field(2, trainer) + field(3, normalizer)
