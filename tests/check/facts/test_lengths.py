"""Positions against the lengths of rows: what is measured, what is a limit, and that transformers agrees."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pretune.check.facts import Facts
from pretune.check.facts.lengths import LONGEST_TEXT, LengthFacts, Row
from pretune.check.finding import Unavailable
from pretune.check.sources.setup import Data, Setup

MakeModel = Callable[..., Path]


def _lengths(folder: Path | str, rows: list[dict[str, Any]] | None = None, **setup: Any) -> LengthFacts:
    folder = Path(folder)
    if rows is not None:
        train = folder.parent / "train.jsonl"
        train.write_text("".join(f"{json.dumps(row, ensure_ascii=True)}\n" for row in rows), "utf-8")
        setup["data"] = Data(train=(str(train),), columns=setup.pop("columns", {}))
    return Facts(Setup(model=str(folder), **setup)).lengths


def _bare(tmp_path: Path, raw: dict[str, Any]) -> str:
    """A folder with nothing but a config.json."""
    (tmp_path / "config.json").write_text(json.dumps(raw), "utf-8")
    return str(tmp_path)


def test_counts_special_tokens(make_model: MakeModel) -> None:
    """[CLS] a [SEP] has two special tokens, [CLS] a [SEP] b [SEP] three; an empty row has only them."""
    lengths = _lengths(make_model("bert"), [{"text": "한국어 모델"}, {"text": ""}], task="text-classification")
    assert lengths.specials == (2, 3)
    assert [(row.total, row.first, row.second) for row in lengths.rows] == [(4, 2, 0), (2, 0, 0)]
    pairs = [{"sentence1": "the model", "sentence2": "한국"}]
    assert [row.total for row in _lengths(make_model("bert", name="b"), pairs, task="pair-classification").rows] == [6]


def test_lone_surrogates_and_very_long_texts(make_model: MakeModel) -> None:
    """A lone surrogate is read as a mark, and a text of a million characters is measured by its beginning."""
    rows = [{"text": "\ud800 한국"}, {"text": "a " * 500_000}, {"text": "a"}]
    begin = time.process_time()
    lengths = _lengths(make_model("bert"), rows, task="text-classification")
    assert time.process_time() - begin < 3
    assert [row.total for row in lengths.rows] == [4, LONGEST_TEXT // 2 + 2, 3]
    assert lengths.longest == LONGEST_TEXT // 2 + 2


def test_stops_measuring(make_model: MakeModel) -> None:
    """Only so many characters are encoded; the rows behind them are not measured, a repeated text costs nothing."""
    lengths = _lengths(
        make_model("bert"), [{"text": f"{n} " + "a " * 20_000} for n in range(20)], task="text-classification"
    )
    assert 5 < len(lengths.rows) < 9
    again = _lengths(make_model("bert", name="b"), [{"text": "a " * 20_000}] * 20, task="text-classification")
    assert len(again.rows) == 20


def test_split_words(make_model: MakeModel) -> None:
    """A sentence given as words or characters is measured as its words, those that are no text left out."""
    rows = [
        {"tokens": ["한국어", "모델", " "], "ner_tags": [0, 1, 0]},
        {"tokens": ["the", None, "models"], "ner_tags": [0, 0, 0]},
    ]
    assert [row.total for row in _lengths(make_model("bert"), rows, task="token-classification").rows] == [4, 5]


def test_answer_tokens(make_model: MakeModel) -> None:
    """Answers are found in the context's tokens; places in white space, outside or of another world are passed over."""
    context = "한국어  모델 the question."
    places = {"모델": 5, "질문": 4, "the": 8, "밖": 99, "음": -1, "큰": 2**70, " ": 3}
    rows = [
        {"question": "질문", "context": context, "answers": {"text": [text], "answer_start": [start]}}
        for text, start in places.items()
    ]
    found = [row.answers for row in _lengths(make_model("bert"), rows, task="question-answering").rows]
    assert found == [((1, 1),), ((1, 1),), ((2, 2),), (), (), (), ()]


def test_chat_is_split_at_the_first_answer(make_model: MakeModel) -> None:
    """Of a chat the prompt is counted apart; one without an answer has none."""
    rows = [
        {"messages": [{"role": "user", "content": "한국어 모델"}, {"role": "assistant", "content": "the model"}]},
        {"messages": [{"role": "user", "content": "한국어"}]},
    ]
    lengths = _lengths(make_model("bert"), rows, task="chat-sft")
    assert [(row.total, row.prompt, row.room(10)) for row in lengths.rows] == [(6, 2, 8), (3, None, 8)]


def test_both_splits_are_measured(make_model: MakeModel, tmp_path: Path) -> None:
    """A row of the evaluation file that is too long fails as well, after an epoch."""
    (tmp_path / "a.jsonl").write_text('{"text": "a", "label": 0}\n', "utf-8")
    (tmp_path / "b.jsonl").write_text('{"text": "a a a", "label": 0}\n', "utf-8")
    data = Data(train=(str(tmp_path / "a.jsonl"),), eval=(str(tmp_path / "b.jsonl"),))
    facts = Facts(Setup(model=str(make_model("bert")), task="text-classification", data=data))
    assert [row.total for row in facts.lengths.rows] == [3, 5]


@pytest.mark.parametrize(
    ("encode", "arguments", "limit", "cuts"),
    [
        ({}, {}, None, None),
        ({"truncation": True}, {}, 64, True),
        ({"truncation": True, "max_length": 32}, {}, 32, True),
        ({"max_length": 32}, {}, 32, True),
        ({"truncation": False, "max_length": 32}, {}, None, False),
        ({"truncation": "do_not_truncate", "max_length": 32}, {}, None, False),
        ({"truncation": "only_second", "max_length": 32}, {}, 32, True),
        ({"truncation": "false"}, {}, None, False),
        ({}, {"max_length": 48}, 48, True),
        ({"max_length": 32}, {"max_length": 48}, 32, True),
        ({"max_length": "32", "truncation": 7}, {}, None, None),
        ({"max_length": True}, {}, None, None),
        ({"max_length": -3}, {}, None, None),
    ],
)
def test_limit(
    make_model: MakeModel, encode: dict[str, Any], arguments: dict[str, Any], limit: int | None, cuts: bool | None
) -> None:
    """Text is cut at max_length, else at model_max_length where truncation is on; values of odd kinds say nothing."""
    lengths = _lengths(make_model("bert"), encode=encode, training_args=arguments)
    assert (lengths.limit, lengths.cuts) == (limit, cuts)


def test_tokenizer_without_limit(make_model: MakeModel) -> None:
    """The placeholder 1e30 is no limit."""
    folder = make_model("bert", tokenizer_config={"model_max_length": 1000000000000000019884624838656})
    assert _lengths(folder, encode={"truncation": True}).limit is None


def test_windows(make_model: MakeModel) -> None:
    """A stride makes windows, unless return_overflowing_tokens is off; that alone makes them without overlap."""
    folder = make_model("bert")
    said = [
        {"stride": 8},
        {"stride": 8, "return_overflowing_tokens": False},
        {"return_overflowing_tokens": True},
        {"stride": 0},
    ]
    assert [_lengths(folder, encode=encode).windows for encode in said] == [True, False, True, False]


def test_positions_from_pad(make_model: MakeModel) -> None:
    """RoBERTa's 66 rows hold 64 tokens where the pad id is 1, and two fewer where it is 3."""
    lengths = _lengths(make_model("roberta"))
    assert (lengths.positions, lengths.hard, lengths.offset) == (64, True, 2)
    assert _lengths(make_model("roberta", name="b"), config_update={"pad_token_id": 3}).positions == 62


@pytest.mark.parametrize(
    ("config", "positions", "hard"),
    [
        ({"model_type": "t5", "d_model": 16}, None, False),
        ({"model_type": "llama", "max_position_embeddings": 4096}, 4096, False),
        (
            {
                "model_type": "llama",
                "max_position_embeddings": 4096,
                "rope_scaling": {"rope_type": "linear", "factor": 4.0},
            },
            16384,
            False,
        ),
        (
            {
                "model_type": "llama",
                "max_position_embeddings": 131072,
                "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 8192},
            },
            131072,
            False,
        ),
        ({"model_type": "llama", "max_position_embeddings": 64, "rope_scaling": {"factor": "x"}}, 64, False),
        ({"model_type": "llama", "max_position_embeddings": 64, "rope_scaling": [1]}, 64, False),
        ({"model_type": "gpt2", "n_positions": 32}, 32, True),
        ({"model_type": "bert", "max_position_embeddings": "many"}, None, True),
        ({"model_type": "bert", "max_position_embeddings": -1}, None, True),
    ],
)
def test_positions(tmp_path: Path, config: dict[str, Any], positions: int | None, hard: bool) -> None:
    """Where the limit comes from, and whether it is one: rope goes on, as far as its scaling says, T5 has none."""
    lengths = _lengths(_bare(tmp_path, config))
    assert (lengths.positions, lengths.hard) == (positions, hard)


def test_unknown_model_type(tmp_path: Path) -> None:
    """Of a type without a table nothing is known, unless the setup names limits of its own."""
    folder = _bare(tmp_path, {"model_type": "mystery"})
    with pytest.raises(Unavailable, match="mystery is not in the tables"):
        _lengths(folder)
    assert _lengths(folder, encode={"max_length": 8}).max_length == 8


def test_tokenizer_that_cannot_encode(make_model: MakeModel) -> None:
    """A tokenizer whose unknown token is missing raises in the library; nothing is measured, nothing fails."""
    folder = make_model("bert", tokenizer_config=None, special_tokens_map=None)
    spec = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    spec["model"]["unk_token"] = "[NONE]"
    (folder / "tokenizer.json").write_text(json.dumps(spec), "utf-8")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}', "utf-8")
    assert _lengths(folder, [{"text": "뷁"}], task="text-classification").rows == ()


def test_room() -> None:
    """What a limit leaves for the text that is cut: beside the question, else the whole of it."""
    assert Row("", 30, 5, 22).room(20) == 12
    assert Row("", 30, 28).room(20) == 18


def test_korquad_is_measured_in_half_a_second(shared_assets: Path) -> None:
    """2,000 questions of KorQuAD on klue's tokenizer cost less than half a second of CPU."""
    data = Data(train=(str(shared_assets / "data/korquad-1.0-dev/KorQuAD_v1.0_dev.json"),))
    facts = Facts(
        Setup(model=str(shared_assets / "tokenizers/klue-roberta-base"), task="question-answering", data=data)
    )
    assert len(facts.data.train.rows) == 2000
    assert facts.tokenizer.encoder
    assert facts.model
    begin = time.process_time()
    lengths = facts.lengths
    assert time.process_time() - begin < 0.5
    assert len(lengths.rows) == 2000
    assert all(row.answers for row in lengths.rows)


SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 40}
SEQ2SEQ = {
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "vocab_size": 40,
}


@pytest.mark.parametrize(
    ("model_type", "config", "positions"),
    [
        ("bert", {**SMALL, "max_position_embeddings": 20}, 20),
        ("electra", {**SMALL, "embedding_size": 16, "max_position_embeddings": 20}, 20),
        ("roberta", {**SMALL, "max_position_embeddings": 20, "pad_token_id": 1}, 18),
        ("roberta", {**SMALL, "max_position_embeddings": 20, "pad_token_id": 3}, 16),
        ("xlm-roberta", {**SMALL, "max_position_embeddings": 20, "pad_token_id": 1}, 18),
        ("opt", {**SMALL, "ffn_dim": 32, "word_embed_proj_dim": 16, "max_position_embeddings": 20}, 20),
        ("bart", {**SEQ2SEQ, "max_position_embeddings": 20}, 20),
        ("gpt2", {"n_embd": 16, "n_layer": 1, "n_head": 2, "vocab_size": 40, "n_positions": 20}, 20),
        ("llama", {**SMALL, "num_key_value_heads": 2, "max_position_embeddings": 20}, None),
        ("t5", {"d_model": 16, "d_ff": 32, "d_kv": 8, "num_layers": 1, "num_heads": 2, "vocab_size": 40}, None),
    ],
)
def test_transformers_fails_one_token_later(
    tmp_path: Path, model_type: str, config: dict[str, Any], positions: int | None
) -> None:
    """A tiny model takes exactly as many tokens as is said here, and fails at one more; rope and T5 do not."""
    torch = pytest.importorskip("torch", reason="asks a real model")
    transformers = pytest.importorskip("transformers", reason="asks a real model")
    lengths = _lengths(_bare(tmp_path, {"model_type": model_type, **config}))
    assert (lengths.positions if lengths.hard else None) == positions
    model = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(model_type, **config)).eval()

    def takes(count: int, pads: int = 0) -> bool:
        ids = torch.cat([torch.full((1, count), 7), torch.full((1, pads), model.config.pad_token_id or 0)], 1)
        more = {"decoder_input_ids": torch.full((1, 2), 7)} if model.config.is_encoder_decoder else {}
        try:
            with torch.no_grad():
                model(input_ids=ids, attention_mask=torch.ones_like(ids), **more)
        except (IndexError, RuntimeError):
            return False
        return True

    limit = positions or 20
    assert takes(limit)
    assert takes(limit + 1) is (positions is None)
    if "roberta" in model_type:
        assert takes(limit, pads=6), "pad tokens take no position of their own"
    if model_type == "bert":
        assert not takes(limit - 2, pads=3), "pad tokens count"


@pytest.mark.parametrize(
    ("first", "second", "stride", "truncation", "fails"),
    [
        (5, 40, 11, "only_second", False),
        (5, 40, 12, "only_second", True),
        (5, 40, 12, True, True),
        (5, 2, 15, "only_second", False),
        (16, 5, 0, "only_second", False),
        (17, 5, 0, "only_second", True),
        (40, 0, 17, True, False),
        (40, 0, 18, True, True),
    ],
)
def test_tokenizers_raise_where_no_room_is_left(
    make_model: MakeModel, first: int, second: int, stride: int, truncation: bool | str, fails: bool
) -> None:
    """A stride as large as the room beside the question panics, and so does a question that leaves none."""
    transformers = pytest.importorskip("transformers", reason="asks the real tokenizer")
    folder = make_model("bert")
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
    texts = [" ".join("a" * first), *([" ".join("b" * second)] if second else [])]
    row = Row("", first + second + (3 if second else 2), first, second)
    room = row.room(20)
    assert fails == (row.total > 20 and (room <= 0 or stride >= room))
    options = {"max_length": 20, "stride": stride, "truncation": truncation, "return_overflowing_tokens": True}
    if fails:
        with pytest.raises(BaseException, match=r"stride|too short"):
            tokenizer(*texts, **options)
    else:
        tokenizer(*texts, **options)


def test_all_rows_are_counted(make_model: MakeModel) -> None:
    """Where the corpus is read, the lengths of all rows are exact; the measured ones are its head, and say so."""
    rows = [{"text": "a"}] * 2500 + [{"text": "a " * 70}, {"text": "a " * 90}]
    lengths = _lengths(make_model("bert"), rows, task="text-classification")
    assert (lengths.all.rows, lengths.all.longest, lengths.all.sampled) == (2502, 92, False)
    assert (lengths.all.over(64), lengths.all.over(72), lengths.all.over(92)) == (2, 1, 0)
    assert lengths.all.lost(82) == 10 / (2500 * 3 + 72 + 92)
    assert lengths.all.filled(100) == (2500 * 3 + 72 + 92) / 250_200
    assert (len(lengths.rows), lengths.longest, lengths.looked) == (2000, 3, "sampled ")
    assert lengths.first_over(64).endswith("train.jsonl")


def test_whole_and_head_agree(make_model: MakeModel, tmp_path: Path) -> None:
    """Rows of a task with one text, with two, and with added tokens: the exact lengths are those that are measured."""
    folder = make_model("bert")
    rows = {
        "question-answering": [{"question": "질문 a", "context": f"모델 {'a ' * n}", "answers": []} for n in range(40)],
        "text-classification": [{"text": "a " * n} for n in range(40)],
        "pair-classification": [{"sentence1": "a", "sentence2": None if n % 3 else "b " * n} for n in range(40)],
        "token-classification": [{"tokens": ["a"] * n, "ner_tags": [0] * n} for n in range(1, 40)],
    }
    for task, given in rows.items():
        path = tmp_path / f"{task}.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in given), "utf-8")
        setup = Setup(model=str(folder), task=task, data=Data(train=(str(path),)), add_tokens=("a b",))
        whole, head = Facts(setup), Facts(setup)
        head.reads_all = False
        assert whole.lengths.counted is not None
        assert head.lengths.counted is None
        assert dict(whole.lengths.all.counts) == dict(head.lengths.all.counts)
        assert (whole.lengths.all.sampled, head.lengths.all.sampled) == (False, False)
        assert str(whole.lengths.all) == f"{len(given)} rows"


def test_no_rows_have_no_lengths() -> None:
    """Without rows nothing is long, nothing is lost."""
    none = LengthFacts().all
    assert (none.rows, none.longest, none.over(0), none.lost(5), none.filled(5)) == (0, 0, 0, 0, 0)
