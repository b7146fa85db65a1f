"""Rows in the words of their task, splits that know what they sampled, labels beside the head."""

import pytest

from pretune.check.facts.data import Answer, read_data, read_labels
from pretune.check.facts.split import further
from pretune.check.finding import Unavailable
from pretune.check.sources.setup import Setup
from pretune.core.errors import UserError
from pretune.corpus.example import example_of, number_of
from pretune.corpus.row import Row
from row_files import setup_of

NSMC = "id\tdocument\tlabel\n1\t재밌다\t1\n2\t\t0\n3\t별로\t0\n"


def test_no_data_is_unavailable():
    """Without data files the fact is unavailable, with the flags that give it."""
    with pytest.raises(Unavailable, match="--train"):
        read_data(Setup())


def test_nsmc(tmp_path):
    """Columns are recognised, labels of a tsv become numbers, places are lines."""
    data = read_data(setup_of(tmp_path, NSMC, names=("ratings.tsv", "")))
    assert data.shape == "classification"
    assert data.columns == {"text": "document", "label": "label", "id": "id"}
    assert [(row.text, row.label, row.id) for row in data.train.rows] == [
        ("재밌다", 1, "1"),
        ("", 0, "2"),
        ("별로", 0, "3"),
    ]
    assert data.train.rows[2].where == f"{tmp_path}/ratings.tsv:4"
    assert [split.name for split in data.splits] == ["train"]
    assert not data.train.sampled


def test_sample_knows_that_there_is_more(tmp_path):
    """A sample says so; a file of exactly so many rows is no sample."""
    setup = setup_of(tmp_path, [{"text": "a"}] * 5, [{"text": "b"}] * 3)
    data = read_data(setup, sample=3)
    assert (len(data.train.rows), data.train.sampled) == (3, True)
    assert (len(data.eval.rows), data.eval.sampled) == (3, False)
    assert data.train.found(data.train.rows[:2]) == "2 of 3 sampled train rows (also :2)"


def test_a_column_that_is_not_there(tmp_path):
    """A column the setup names and the file lacks is a UserError with the columns there are and the nearest."""
    setup = setup_of(tmp_path, [{"review": "a", "lable": 1}], columns={"text": "review", "label": "label"})
    with pytest.raises(UserError) as raised:
        read_data(setup)
    assert 'has no column "label" (data.columns.label); its columns are review, lable' in raised.value.message
    assert raised.value.hint == 'did you mean "lable"?'


def test_columns_of_a_table_without_header(tmp_path):
    """Columns of STS-B's file are named by number."""
    line = "news\tx\t2012\t1\t5.0\tA plane.\tAn air plane.\n"
    setup = setup_of(tmp_path, line * 3, names=("sts.csv", ""), columns={"text": "5", "text_pair": "6", "score": "4"})
    data = read_data(setup)
    assert data.shape == "sts"
    assert (data.train.rows[0].text_pair, data.train.rows[0].score) == ("An air plane.", 5.0)


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["0", "1"], [0, 1]),
        (["0", ""], [0.0, None]),
        (["0.5", "1"], [0.5, 1.0]),
        (["긍정", "1"], ["긍정", "1"]),
        (["긍정", ""], ["긍정", None]),
        (["", ""], [None, None]),
    ],
)
def test_labels_of_a_table_as_pandas_types_them(tmp_path, cells, labels):
    """A column of numbers is numbers, with a gap it is floats, with a word it is strings."""
    text = "text,label\n" + "".join(f"문장 {n},{cell}\n" for n, cell in enumerate(cells))
    rows = read_data(setup_of(tmp_path, text, names=("a.csv", ""))).train.rows
    assert [row.label for row in rows] == labels
    assert [type(row.label) for row in rows] == [type(label) for label in labels]


@pytest.mark.parametrize(
    "answers",
    [
        [{"text": "서울", "answer_start": 3}],
        {"text": ["서울"], "answer_start": [3]},
        {"text": "서울", "answer_start": 3.0},
        "{'text': ['서울'], 'answer_start': [3]}",
        '[{"text": "서울", "answer_start": "3"}]',
    ],
)
def test_answers_of_every_form(answers):
    """SQuAD's list, the two lists of `datasets`, and cells that spell them out give the same answers."""
    row = Row({"question": "q", "context": "c", "answers": answers}, "a:1")
    assert example_of(row, {"question": "question", "context": "context", "answers": "answers"}, "squad").answers == (
        Answer("서울", 3),
    )


@pytest.mark.parametrize(
    ("values", "roles"),
    [
        (
            {
                "messages": [
                    {"role": "user", "content": "a"},
                    {"role": "assistant", "content": [{"type": "text", "text": "b"}]},
                ]
            },
            "user assistant",
        ),
        ({"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}, "user assistant"),
        ({"prompt": "a", "completion": "b"}, "user assistant"),
        ({"instruction": "a", "input": "x", "output": "b"}, "user assistant"),
        (
            {"prompt": [{"role": "system", "content": "s"}], "completion": [{"role": "assistant", "content": "b"}]},
            "system assistant",
        ),
    ],
)
def test_conversations(tmp_path, values, roles):
    """Messages, ShareGPT, prompt and completion, instruction and output all become messages."""
    data = read_data(setup_of(tmp_path, [values]))
    assert data.shape == "chat"
    messages = data.train.rows[0].messages
    assert [message["role"] for message in messages] == roles.split()
    assert messages[-1]["content"] == "b"


ODD = [
    None,
    3,
    1e400,
    float("nan"),
    True,
    [],
    [[1]],
    {"a": {"b": []}},
    "\ud800",
    10**40,
    {"text": 3},
    [None, {"text": None}],
]


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_odd_values_become_no_text(value):
    """Whatever stands in a column, reading it gives an example."""
    columns = {
        role: role
        for role in ("text", "question", "context", "answers", "label", "score", "tokens", "tags", "messages", "id")
    }
    for shape in ("chat", "squad", "tagging", "sts", "classification"):
        example = example_of(Row(dict.fromkeys(columns, value), "a:1"), columns, shape)
        assert example.text is None or example.text == value
        assert all(isinstance(answer.text, str) for answer in example.answers)
        list(example.texts)


def test_number_of():
    """Cells are numbers as pandas reads them; huge and odd ones are not."""
    assert [number_of(t) for t in ("1", " -2 ", "1.5", "1e3", "x", "", "1_0", "nan")] == [
        1,
        -2,
        1.5,
        1000.0,
        None,
        None,
        None,
        None,
    ]
    assert number_of("1" * 400) is None


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ([], ""),
        (["a/b.jsonl:3"], ""),
        (["a/b.jsonl:3", "a/b.jsonl:3"], ""),
        (["a/b.jsonl:3", "a/b.jsonl:9", "a/b.jsonl:11", "a/b.jsonl:12"], " (also :9 and :11)"),
        (["a/b.jsonl:3", "c.jsonl:1", "c.jsonl:2"], " (also c.jsonl:1 and :2)"),
        (["x/dev.json:/data/0/q:1", "x/dev.json:/data/1/q:1"], " (also :/data/1/q:1)"),
        ([f"p.json:/data/{n}/paragraphs/0/qas/0" for n in range(3)], " (also :/data/1/paragraphs/0/qas/0)"),
        ([f"p.json:/data/{n}/paragraphs/{'1' * 20}/qas/0" for n in range(3)], ""),
        ([r"C:\d\a.csv:3", r"C:\d\b.csv:4"], " (also b.csv:4)"),
    ],
)
def test_further_places(places, said):
    """The first place is the finding's own; of the others as many are named as a line has room for."""
    assert further(places) == said


def test_speakers_are_translated_and_roles_are_not():
    """`bot` is ShareGPT's word for the assistant; as a role it goes to the template as it is written."""
    for key, role in (("from", "assistant"), ("role", "bot")):
        row = Row({"messages": [{key: "bot", "content": "a"}]}, "a.jsonl:1")
        assert example_of(row, {"messages": "messages"}, "chat").messages[0]["role"] == role


def labels(tmp_path, model=None, **said):
    """LabelFacts of three string-labelled rows."""
    setup = setup_of(tmp_path, [{"text": f"t{n}", "label": name} for n, name in enumerate("abc")], **said)
    return read_labels(read_data(setup), model, setup)


def test_num_labels_comes_from_the_setup_first(tmp_path):
    """What the setup says goes before the model's config, config_update before config, and 2 is the default."""
    assert labels(tmp_path).num_labels is None
    assert (labels(tmp_path, {}).num_labels, labels(tmp_path, {}).said) == (2, False)
    assert (labels(tmp_path, {"num_labels": 5}).num_labels, labels(tmp_path, {"num_labels": 5}).said) == (5, True)
    facts = labels(tmp_path, {"num_labels": 5}, config={"num_labels": 3}, config_update={"num_labels": 4})
    assert (facts.num_labels, facts.num_labels_at) == (4, "setup:/config_update/num_labels")
    named = labels(
        tmp_path,
        {"num_labels": 2, "id2label": {"0": "LABEL_0", "1": "LABEL_1"}},
        config={"id2label": {"0": "a", "1": "b", "2": "c"}},
    )
    assert (named.num_labels, named.id2label, named.names_by_user) == (3, {0: "a", 1: "b", 2: "c"}, True)
    assert not labels(tmp_path, {"num_labels": 2, "id2label": {"0": "LABEL_0", "1": "LABEL_1"}}).said


def test_label_counts(tmp_path):
    """Labels are counted by value and type; lists, null and NaN apart."""
    rows = [{"text": "t", "label": label} for label in (0, 1, 1, "x", 0.5, None, float("nan"), [1, 0], {"a": 1}, True)]
    setup = setup_of(tmp_path, rows)
    counts = read_labels(read_data(setup), None, setup).train
    assert counts.counts == {0: 1, 1: 3, "x": 1, 0.5: 1}
    assert counts.kinds == {"int": 4, "str": 1, "float": 1, "missing": 2, "list": 1, "other": 1}
    assert counts.integers == {0: 1, 1: 3}


def test_labels_of_text_are_unavailable(tmp_path):
    """Rows without a label column give a reason, not counts."""
    for rows, task in (([{"text": "a"}], None), ([{"text": "a"}], "text-classification")):
        setup = setup_of(tmp_path, rows, task=task)
        with pytest.raises(Unavailable):
            read_labels(read_data(setup), None, setup)


def test_real_data_sets(shared_assets):
    """Each published set is read with its own shape, and without a broken row."""
    sets = {
        "korquad-1.0-dev/KorQuAD_v1.0_dev.json": "squad",
        "squad2-course-split/dev-v2.0.json": "squad",
        "klue-1.1-dev/klue-sts-v1.1_dev.json": "sts",
        "klue-1.1-dev/klue-nli-v1.1_dev.json": "pair",
        "klue-1.1-dev/klue-ner-v1.1_dev.tsv": "tagging",
        "korsts/sts-dev.tsv": "sts",
        "nsmc/validation.txt": "classification",
    }
    from pretune.check.sources.setup import Data

    for name, shape in sets.items():
        data = read_data(Setup(data=Data((str(shared_assets / "data" / name),))), sample=300)
        assert data.shape == shape
        assert not data.train.broken
        assert len(data.train.rows) == 300
