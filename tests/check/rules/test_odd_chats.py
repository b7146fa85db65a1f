"""Odd configs, encodings, rows and templates crash no rule of positions, sentence vectors and chats."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chat_samples import PUBLISHED, decoder
from pretune.check.engine import CRASHED, run
from pretune.check.facts import Facts
from pretune.check.rules import chat, chat_template, cuts, lengths, sentence_vector, talks
from pretune.check.sources.setup import TASKS, Data, Setup
from pretune.core.errors import UserError

RULES = (*lengths.RULES, *cuts.RULES, *sentence_vector.RULES, *chat.RULES, *chat_template.RULES, *talks.RULES)

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 70),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["max_length", "only_second", "only_first", "left", "true", "do_not_truncate", "rope"]),
    st.lists(st.integers(-2, 9), max_size=3),
    st.dictionaries(
        st.sampled_from(["factor", "default", "a", "original_max_position_embeddings"]),
        st.integers(-2, 10**12),
        max_size=2,
    ),
)
CONFIG = (
    "max_position_embeddings",
    "n_positions",
    "pad_token_id",
    "eos_token_id",
    "bos_token_id",
    "rope_scaling",
    "rope_parameters",
    "hidden_size",
    "type_vocab_size",
    "text_config",
)
ENCODE = (
    "truncation",
    "max_length",
    "stride",
    "padding",
    "truncation_side",
    "return_overflowing_tokens",
    "add_special_tokens",
)
ARGUMENTS = ("packing", "max_length", "max_seq_length", "per_device_train_batch_size", "assistant_only_loss")
POOLING = (
    "word_embedding_dimension",
    "embedding_dimension",
    "pooling_mode",
    "pooling_mode_cls_token",
    "pooling_mode_mean_tokens",
)


def _some(*names: str) -> Any:
    return st.dictionaries(st.sampled_from(names), ODD, max_size=4)


ROWS = st.lists(
    st.dictionaries(
        st.sampled_from(
            ["text", "label", "question", "context", "answers", "tokens", "ner_tags", "sentence1", "sentence2"]
        ),
        st.one_of(
            ODD,
            st.text(max_size=20),
            st.just({"text": ["가", ""], "answer_start": [0, 10**30]}),
            st.lists(
                st.fixed_dictionaries({"text": st.text(max_size=2), "answer_start": st.integers(-9, 99)}), max_size=2
            ),
        ),
        max_size=5,
    ),
    max_size=4,
)
CHATS = st.lists(
    st.fixed_dictionaries(
        {
            "messages": st.lists(
                st.dictionaries(
                    st.sampled_from(["role", "content", "tool_calls", "from"]),
                    st.one_of(ODD, st.sampled_from(["user", "assistant", "system", "tool", ""])),
                    max_size=3,
                ),
                max_size=4,
            )
        }
    ),
    max_size=4,
)


def _ask(folder: Path, rows: list[Any], **keys: Any) -> None:
    path = folder.parent / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    setup = Setup(model=str(folder), data=Data(train=(str(path),) if rows else ()), **keys)
    try:
        report = run(RULES, Facts(setup), debug=True)
    except UserError:
        return  # the files are not what they claim to be, in one line
    assert [finding for finding in report.findings if finding.code == CRASHED] == []


@given(
    config=_some(*CONFIG),
    encode=_some(*ENCODE),
    arguments=_some(*ARGUMENTS),
    pooling=_some(*POOLING),
    rows=ROWS,
    task=st.sampled_from([None, *TASKS]),
    kind=st.sampled_from(["bert", "roberta"]),
)
def test_odd_encoders(make_model: Callable[..., Path], **drawn: Any) -> None:
    """Values of any kind in the config, the encoding, the arguments, the pooling file and the rows."""
    files = {
        "1_Pooling/config.json": drawn["pooling"],
        "sentence_bert_config.json": {"max_seq_length": drawn["encode"].get("stride")},
    }
    folder = make_model(drawn["kind"], config=drawn["config"], files=files)
    _ask(folder, drawn["rows"], task=drawn["task"], encode=drawn["encode"], training_args=drawn["arguments"])


@given(
    template=st.one_of(
        st.sampled_from(sorted(PUBLISHED.values())), ODD, st.text(alphabet=list("{}%- messages[0].role|'"), max_size=40)
    ),
    config=_some(*CONFIG),
    generation=_some("eos_token_id", "pad_token_id"),
    arguments=_some(*ARGUMENTS),
    encode=_some(*ENCODE),
    rows=CHATS,
    task=st.sampled_from([None, *TASKS]),
    append=st.sampled_from([None, True, False]),
    pad=st.sampled_from([None, "eos_token", "missing"]),
)
def test_odd_decoders(make_model: Callable[..., Path], **drawn: Any) -> None:
    """Templates, conversations, ids and arguments of any kind."""
    folder = decoder(
        make_model,
        config=drawn["config"],
        generation=drawn["generation"],
        tokenizer_config={"chat_template": drawn["template"]},
    )
    keys = {
        "encode": drawn["encode"],
        "training_args": drawn["arguments"],
        "append_eos": drawn["append"],
        "pad_token": drawn["pad"],
    }
    _ask(folder, drawn["rows"], task=drawn["task"], **keys)
