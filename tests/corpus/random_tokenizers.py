"""Tokenizers put together at random from what the tokenizers library has: drawn. Any seed gives the same one again.

Trained on a few sentences; the parts are combined without asking whether anybody would, which is where shortcuts fail.
"""

import json
import random
from collections.abc import Callable
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from corpus.made_tokenizers import LLAMA3, SENTENCES

BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
BEHAVIOURS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
KINDS = ["WordPiece", "WordLevel", "Unigram", "BPE", "byte-level", "sentencepiece"]


def drawn(seed: int) -> tuple[str, Tokenizer]:
    """A tokenizer and its kind."""
    draw = random.Random(seed)
    kind = draw.choice(KINDS)
    specials = BERT if kind in {"WordPiece", "WordLevel"} else ROBERTA
    made, trainer = _model(kind, draw, specials)
    made.normalizer = _normalizer(draw)
    made.pre_tokenizer = _pre_tokenizer(draw)
    if kind == "byte-level":
        bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=draw.random() < 0.4, use_regex=draw.random() < 0.7)
        both = draw.random() < 0.4
        made.pre_tokenizer = pre_tokenizers.Sequence([_pre_tokenizer(draw), bytes_]) if both else bytes_
    if kind == "sentencepiece":
        made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        made.pre_tokenizer = pre_tokenizers.Metaspace(
            prepend_scheme=draw.choice(["always", "never", "first"]), split=draw.random() < 0.5
        )
    made.train_from_iterator(SENTENCES, trainer)
    _add(made, draw, specials)
    return kind, Tokenizer.from_str(_without_bytes(made))


def _model(kind: str, draw: random.Random, specials: list[str]) -> tuple[Tokenizer, Any]:
    unknown = next(token for token in specials if "unk" in token.lower())
    how: dict[str, Any] = {"vocab_size": draw.choice([350, 450, 900]), "special_tokens": specials}
    how["show_progress"] = False
    if kind == "WordPiece":
        prefix = draw.choice(["##", "##", "@@"])
        most = draw.choice([100, 10, 200])
        model = models.WordPiece(unk_token=unknown, continuing_subword_prefix=prefix, max_input_chars_per_word=most)
        return Tokenizer(model), trainers.WordPieceTrainer(**how, continuing_subword_prefix=prefix)
    if kind == "WordLevel":
        return Tokenizer(models.WordLevel(unk_token=unknown)), trainers.WordLevelTrainer(**how)
    if kind == "Unigram":
        return Tokenizer(models.Unigram()), trainers.UnigramTrainer(
            **how, unk_token=unknown, max_piece_length=draw.choice([4, 16])
        )
    affix: dict[str, str] = {}
    options: dict[str, Any] = {}
    if kind == "BPE":
        options = {"unk_token": draw.choice([unknown, unknown, None]), "fuse_unk": draw.random() < 0.5}
        name = draw.choice(["end_of_word_suffix", "continuing_subword_prefix", "", ""])
        affix = {name: "</w>" if name.startswith("end") else "##"} if name else {}
    elif kind == "sentencepiece":
        options = {"unk_token": unknown, "fuse_unk": draw.random() < 0.7, "byte_fallback": True}
        how["special_tokens"] = [*specials, *BYTES]
        how["vocab_size"] += 256
    else:
        options = {"ignore_merges": draw.random() < 0.3}
        how["initial_alphabet"] = pre_tokenizers.ByteLevel.alphabet()
    if draw.random() < 0.5 and kind != "byte-level":
        how["limit_alphabet"] = 60
    return Tokenizer(models.BPE(**options, **affix)), trainers.BpeTrainer(**how, **affix)


def _normalizer(draw: random.Random, *, inside: bool = False) -> Any:
    flag = lambda: draw.random() < 0.5  # noqa: E731 - a coin
    patterns = [" {2,}", r"\s+", "[0-9]", "''|``"]
    made: list[Callable[[], Any]] = [
        lambda: normalizers.BertNormalizer(
            clean_text=flag(), handle_chinese_chars=flag(), strip_accents=draw.choice([None, True]), lowercase=flag()
        ),
        *(normalizers.NFC, normalizers.NFD, normalizers.NFKC, normalizers.NFKD, normalizers.Lowercase),
        *(normalizers.StripAccents, normalizers.Nmt),
        lambda: normalizers.Strip(left=flag(), right=flag()),
        lambda: normalizers.Replace(Regex(draw.choice(patterns)), draw.choice([" ", "0", '"'])),
        lambda: normalizers.Replace(draw.choice(["a", "가", " ", "ab"]), draw.choice(["", "▁", "xy"])),
        lambda: normalizers.Prepend("▁"),
    ]
    if not inside and draw.random() < 0.2:
        return None
    if inside or draw.random() < 0.6:
        return draw.choice(made)()
    return normalizers.Sequence([_normalizer(draw, inside=True) for _ in range(draw.randint(1, 3))])


def _pre_tokenizer(draw: random.Random, *, inside: bool = False) -> Any:
    patterns = [r"\s+", r"\p{L}+|\p{N}+|[^\s\p{L}\p{N}]+", r" ?\p{L}+", "[가-힣]+", LLAMA3]
    made: list[Callable[[], Any]] = [
        *(pre_tokenizers.Whitespace, pre_tokenizers.WhitespaceSplit, pre_tokenizers.BertPreTokenizer),
        pre_tokenizers.UnicodeScripts,
        lambda: pre_tokenizers.Punctuation(draw.choice(BEHAVIOURS)),
        lambda: pre_tokenizers.Digits(individual_digits=draw.random() < 0.5),
        lambda: pre_tokenizers.Metaspace(
            prepend_scheme=draw.choice(["always", "never", "first"]), split=draw.random() < 0.7
        ),
        lambda: pre_tokenizers.CharDelimiterSplit(draw.choice([" ", "-"])),
        lambda: pre_tokenizers.Split(Regex(draw.choice(patterns)), draw.choice(BEHAVIOURS), invert=draw.random() < 0.3),
    ]
    if inside or draw.random() < 0.6:
        return draw.choice(made)()
    return pre_tokenizers.Sequence([_pre_tokenizer(draw, inside=True) for _ in range(draw.randint(2, 3))])


def _add(made: Tokenizer, draw: random.Random, specials: list[str]) -> None:
    """Added and special tokens, a post-processor, truncation and padding: what files carry."""
    flag = lambda: draw.random() < 0.4  # noqa: E731 - a coin
    if flag():
        words = draw.sample(["영화", "the", "ㅋㅋ", "연기 ", "good", "x"], draw.randint(1, 3))
        made.add_tokens(
            [AddedToken(word, lstrip=flag(), rstrip=flag(), single_word=flag(), normalized=flag()) for word in words]
        )
    if flag():
        made.add_special_tokens([AddedToken("<ent>", lstrip=flag(), rstrip=flag(), normalized=flag())])
    if flag():
        first, last = specials[2], specials[3] if specials is BERT else specials[0]
        ids = [(token, made.token_to_id(token)) for token in (first, last)]
        made.post_processor = processors.TemplateProcessing(
            single=f"{first} $A {last}", pair=f"{first} $A {last} $B {last}", special_tokens=ids
        )
    if flag():
        made.enable_truncation(draw.choice([8, 64]))
    if flag():
        made.enable_padding(length=draw.choice([None, 32]))


def _without_bytes(made: Tokenizer) -> str:
    """The file; bytes are ordinary entries there."""
    described = json.loads(made.to_str())
    described["added_tokens"] = [one for one in described["added_tokens"] if one["content"] not in BYTES]
    return json.dumps(described)
