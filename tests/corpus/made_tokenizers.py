"""Small tokenizers of every family, trained on a few sentences: name -> tokenizers.Tokenizer. Nothing is downloaded."""

import json
from functools import cache

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SENTENCES = [
    "the quick brown fox doesn't jump over the lazy dog; we'll see, he said, in 2024.",
    "영화가 정말 재밌어요. 배우들의 연기도 좋았습니다! 학교에서는 볼 수 없었던 이야기, 있습니다.",
    "한국어 모델을 공유합니다. 나는 학교에 갔다. 그리고 친구를 만났다. 123 1,234.56",
    "def f(x):\n    return x + 1\n\n\nclass A:\n\tpass\n",
    "漢字 かな カナ русский naïve Straße",
] * 4
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def wordpiece(*, lowercase: bool) -> Tokenizer:
    """BERT's."""
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made.train_from_iterator(
        SENTENCES, trainers.WordPieceTrainer(vocab_size=400, special_tokens=specials, show_progress=False)
    )
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made.enable_truncation(8)
    made.enable_padding(length=16)
    return made


def unigram(*, split: bool = True) -> Tokenizer:
    """XLM-R's and T5's."""
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    made.pre_tokenizer = pre_tokenizers.Metaspace(split=split)
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.UnigramTrainer(vocab_size=300, special_tokens=specials, unk_token="<unk>", show_progress=False)
    made.train_from_iterator(SENTENCES, trainer)
    return made


def byte_level(*, pattern: str | None = None, normalizer: object = None, prefix: bool = False) -> Tokenizer:
    """GPT-2's, and with a pattern Llama 3's and Qwen's."""
    made = Tokenizer(models.BPE())
    made.normalizer = normalizer
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    if pattern:
        split = pre_tokenizers.Split(Regex(pattern), "isolated")
        made.pre_tokenizer = pre_tokenizers.Sequence(
            [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
        )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=500, initial_alphabet=alphabet, special_tokens=["<s>", "</s>", "<mask>"], show_progress=False
    )
    made.train_from_iterator(SENTENCES, trainer)
    made.decoder = decoders.ByteLevel()
    return made


def sentencepiece_bpe() -> Tokenizer:
    """Llama 2's: a space put before the text, no pre-tokenizer, bytes for what is unknown."""
    made = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    specials = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    made.train_from_iterator(
        SENTENCES, trainers.BpeTrainer(vocab_size=600, special_tokens=specials, show_progress=False)
    )
    described = json.loads(made.to_str())
    described["pre_tokenizer"] = None
    described["added_tokens"] = [token for token in described["added_tokens"] if not token["content"].startswith("<0x")]
    return Tokenizer.from_str(json.dumps(described))


@cache
def made() -> dict[str, Tokenizer]:
    """All of them, by name."""
    return {
        "wordpiece": wordpiece(lowercase=False),
        "wordpiece-uncased": wordpiece(lowercase=True),
        "unigram": unigram(),
        "unigram-unsplit": unigram(split=False),
        "gpt2": byte_level(),
        "roberta": byte_level(prefix=True),
        "llama3": byte_level(pattern=LLAMA3),
        "nfc": byte_level(pattern=LLAMA3, normalizer=normalizers.NFC()),
        "llama2": sentencepiece_bpe(),
    }


QUICK = ("wordpiece", "unigram", "gpt2", "llama2")
"""One of each family."""


def each() -> list[object]:
    """The names as parameters of a test; those that are like one of QUICK are left to `make test-all`."""
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in made()]
