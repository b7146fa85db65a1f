"""Tokenizer files of every kind, made from the Korean data sets: WordPiece, byte-level BPE, BPE of sentencepiece, Unigram.

What is written is what `save_pretrained` of the real families writes. Knows no weights and no configs.
"""

import json
import re
from collections import Counter
from functools import cache
from typing import Any

from check.catalogue import korean

BERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
KLUE = ("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]")
LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
MARKS = ".,?!()'\"-:/~·%_<>[]#"
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
INST = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}"
)


@cache
def korean_words() -> tuple[str, ...]:
    """Whole words of the data sets, the frequent first."""
    found = Counter(word for text in korean.everything() for word in re.findall(r"[가-힣]+", text))
    return tuple(word for word, _ in found.most_common() if len(word) > 1)


@cache
def hangul() -> str:
    """The 2,350 syllables of KS X 1001, then the rarer ones of the data sets."""
    common = [letter for letter in map(chr, range(0xAC00, 0xD7A4)) if len(letter.encode("euc_kr")) == 2]
    used = sorted({letter for text in korean.everything() for letter in text if "가" <= letter <= "힣"} - set(common))
    return "".join(common + used)


def wordpieces(specials: tuple[str, ...] = BERT, *, unused: int = 20, whole: int = 400) -> list[str]:
    """A cased Korean WordPiece vocabulary, the spare slots after the special tokens."""
    single = [*LATIN, *MARKS, *hangul()]
    continued = [f"##{letter}" for letter in single if letter.isalnum()]
    return [*specials, *(f"[unused{number}]" for number in range(unused)), *single, *continued, *korean_words()[:whole]]


def english_wordpieces() -> list[str]:
    """An uncased English vocabulary, as far as the English reviews need one; no Hangul."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words = sorted({word for row in korean.english(96) for word in re.findall(r"[a-z]+", row["text"].lower())})
    return [
        *BERT,
        *(f"[unused{number}]" for number in range(99)),
        *letters,
        *MARKS,
        *(f"##{letter}" for letter in letters),
        *words,
    ]


def wordpiece_json(
    vocabulary: list[str], specials: tuple[str, ...] = BERT, *, lower: bool = False, pair_type: int = 1
) -> dict[str, Any]:
    """tokenizer.json of a BertTokenizer: [CLS] A [SEP] B [SEP]."""
    ids = {token: number for number, token in enumerate(vocabulary)}
    single = [_piece("[CLS]", 0), _piece("A", 0), _piece("[SEP]", 0)]
    template = {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, _piece("B", pair_type), _piece("[SEP]", pair_type)],
        "special_tokens": {
            token: {"id": token, "ids": [ids[token]], "tokens": [token]} for token in ("[CLS]", "[SEP]")
        },
    }
    normalizer = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True}
    return _whole(
        sorted((ids[token], token) for token in specials),
        normalizer=normalizer | {"strip_accents": None, "lowercase": lower},
        pre_tokenizer={"type": "BertPreTokenizer"},
        post_processor=template,
        decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
        model={
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": ids,
        },
    )


def wordpiece_config(*, lower: bool = False, longest: int = 128) -> dict[str, Any]:
    """tokenizer_config.json of a BertTokenizer."""
    roles = {f"{role}_token": f"[{role.upper()}]" for role in ("unk", "sep", "pad", "cls", "mask")}
    return {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": lower,
        "strip_accents": None,
        "tokenize_chinese_chars": True,
        "model_max_length": longest,
        **roles,
    }


@cache
def _trained(kind: str, size: int) -> str:
    """A tokenizer trained on the Korean data sets, as JSON; `byte` or `sentencepiece`."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    if kind == "byte":
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        alphabet = [*LATIN, *MARKS]
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(korean.everything(), trainer)
    return tokenizer.to_str()


def byte_level(specials: tuple[str, ...], *, size: int = 900, first: bool = False) -> dict[str, Any]:
    """A byte-level BPE (gpt2, roberta, qwen2); the special tokens after the vocabulary, or first."""
    trained = json.loads(_trained("byte", size))["model"]
    pieces = sorted(trained["vocab"], key=trained["vocab"].__getitem__)
    order = [*specials, *pieces] if first else [*pieces, *specials]
    ids = {token: number for number, token in enumerate(order)}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": "",
        "end_of_word_suffix": "",
    }
    return _whole(
        [(ids[token], token) for token in specials],
        normalizer=None,
        pre_tokenizer=level,
        post_processor=level,
        decoder=level,
        model=model | {"fuse_unk": False, "byte_fallback": False, "vocab": ids, "merges": trained["merges"]},
    )


def qwen2(specials: tuple[str, ...]) -> dict[str, Any]:
    """The byte-level BPE of a Qwen 2: composed, cut by its own regular expression."""
    tokenizer = byte_level(specials)
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    cut = {"type": "Split", "pattern": {"Regex": _QWEN2_WORDS}, "behavior": "Isolated", "invert": False}
    tokenizer["normalizer"] = {"type": "NFC"}
    tokenizer["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [cut, level]}
    tokenizer["post_processor"] = tokenizer["decoder"] = level
    return tokenizer


_QWEN2_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def sentencepiece(*, size: int = 1200, extra: tuple[str, ...] = ()) -> dict[str, Any]:
    """The BPE of a Llama 2: <unk> <s> </s>, 256 bytes, pieces with ▁; the tokenizer adds <s>. `extra`: special tokens at the end."""
    trained = json.loads(_trained("sentencepiece", size))["model"]
    pieces = sorted(trained["vocab"], key=trained["vocab"].__getitem__)
    specials = ("<unk>", "<s>", "</s>")
    order = [*specials, *(f"<0x{byte:02X}>" for byte in range(256)), *pieces, *extra]
    ids = {token: number for number, token in enumerate(order)}
    start = _piece("<s>", 0)
    prepend = {"type": "Prepend", "prepend": "▁"}
    space = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    back = [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]
    strip = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": "<unk>",
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
    }
    return _whole(
        [(ids[token], token) for token in (*specials, *extra)],
        normalizer={"type": "Sequence", "normalizers": [prepend, space]},
        pre_tokenizer=None,
        post_processor={
            "type": "TemplateProcessing",
            "single": [start, _piece("A", 0)],
            "pair": [start, _piece("A", 0), _piece("<s>", 1), _piece("B", 1)],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
        },
        decoder={"type": "Sequence", "decoders": [*back, strip]},
        model=model | {"fuse_unk": True, "byte_fallback": True, "vocab": ids, "merges": trained["merges"]},
    )


def unigram(count: int) -> dict[str, Any]:
    """The Unigram tokenizer of a T5 with `count` ids, the last hundred of them <extra_id_N>."""
    plain = ["<pad>", "</s>", "<unk>", "▁", *LATIN, *MARKS, *hangul(), *(f"▁{word}" for word in korean_words()[:300])]
    filler = [f"▁x{number}" for number in range(count - 100 - len(plain))]
    extra = [f"<extra_id_{number}>" for number in range(99, -1, -1)]
    order = [*plain, *filler, *extra]
    space = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    return _whole(
        [(order.index(token), token) for token in ("<pad>", "</s>", "<unk>", *extra)],
        normalizer=None,
        pre_tokenizer={"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, space]},
        post_processor={
            "type": "TemplateProcessing",
            "single": [_piece("A", 0), _piece("</s>", 0)],
            "pair": [_piece("A", 0), _piece("</s>", 0), _piece("B", 0), _piece("</s>", 0)],
            "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}},
        },
        decoder=space,
        model={
            "type": "Unigram",
            "unk_id": 2,
            "vocab": [
                [token, 0.0 if token.startswith("<") else -4.0 - number / 500] for number, token in enumerate(order)
            ],
            "byte_fallback": False,
        },
    )


def _piece(name: str, number: int) -> dict[str, Any]:
    return {"Sequence" if name in ("A", "B") else "SpecialToken": {"id": name, "type_id": number}}


def _whole(added: list[tuple[int, str]], **parts: Any) -> dict[str, Any]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    tokens = [{"id": number, "content": token, **flags} for number, token in added]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": tokens, **parts}
