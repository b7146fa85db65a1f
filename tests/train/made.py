"""Questions and small fast tokenizers of transformers, made on the spot: BERT's, RoBERTa's (with and without a first space), XLM-R's."""

from functools import cache
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from pretune.corpus.example import Answer
from pretune.train.questions import Question

TEXTS = [
    "대한민국의 수도는 서울이다. 서울은 한강을 끼고 있다.\t인구는 약 940만 명이다.",
    "The quick brown fox doesn't jump over the lazy dog;  we'll see, he said.\n\nIn 2024, too.",
    "Emoji 😀😀👨‍👩‍👧 and 漢字 and naïve Straße, " + "\u1112\u1161\u11ab\u1100\u1173\u11af NFD.",
]
NAMES = ("bert", "roberta", "roberta-space", "xlmr", "left")


@cache
def tokenizer(name: str) -> Any:
    """A fast tokenizer of transformers by the name of its family; `left` pads and so puts the context first."""
    from transformers import PreTrainedTokenizerFast

    if name in {"bert", "left"}:
        made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        made.normalizer = normalizers.BertNormalizer(lowercase=True)
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
        made.train_from_iterator(
            TEXTS, trainers.WordPieceTrainer(vocab_size=160, special_tokens=specials, show_progress=False)
        )
        made.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
        roles = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
        return PreTrainedTokenizerFast(
            tokenizer_object=made, padding_side="left" if name == "left" else "right", **roles
        )
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    if name == "xlmr":
        made = Tokenizer(models.Unigram())
        made.normalizer = normalizers.NFKC()
        made.pre_tokenizer = pre_tokenizers.Metaspace()
        made.train_from_iterator(
            TEXTS,
            trainers.UnigramTrainer(vocab_size=160, special_tokens=specials, unk_token="<unk>", show_progress=False),
        )
        made.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
        )
    else:
        space = name == "roberta-space"
        made = Tokenizer(models.BPE())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=space)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        made.train_from_iterator(
            TEXTS[1:2],
            trainers.BpeTrainer(
                vocab_size=300, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
            ),
        )
        made.post_processor = processors.RobertaProcessing(
            ("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=space
        )
    roles = {"bos_token": "<s>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_object=made, model_input_names=["input_ids", "attention_mask"], **roles)


def questions(*, every: int = 3, longest: int = 12) -> list[Question]:
    """Every span of the texts that begins at each `every`-th character, and some questions without an answer."""
    made = []
    for text in TEXTS:
        for start in range(0, len(text), every):
            for size in (1, 4, longest):
                found = text[start : start + size]
                answers = (Answer(found, start), Answer("later", 0)) if found.strip() == found and found else ()
                made.append(Question(str(len(made)), f"  What {len(made)}?", text, answers, f"row {len(made)}"))
    made.append(Question("bare", "", "", (), "bare"))
    return made


def columns(asked: list[Question]) -> dict[str, list]:
    """The questions as run_qa.py's functions are given them."""
    return {
        "id": [one.id for one in asked],
        "question": [one.question for one in asked],
        "context": [one.context for one in asked],
        "answers": [
            {"text": [a.text for a in one.answers], "answer_start": [a.start for a in one.answers]} for one in asked
        ],
    }
