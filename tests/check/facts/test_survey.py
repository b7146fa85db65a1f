"""All rows in blocks come to what the sample comes to when it covers them, in whatever order and parts they are read."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks_made import parts_of, surveyed
from odd_rows import CSV, KINDS, compared, rows_of
from pretune.check.facts.data import data_facts, plan_of, read_data, read_labels
from pretune.check.facts.survey import Survey
from pretune.core.errors import UserError
from row_files import setup_of


def same(setup, size=7):
    """Compare the sample with the survey of all rows."""
    plan = plan_of(setup)
    one, other = compared(read_data(setup)), compared(data_facts(plan, surveyed(plan, size=size)))
    for name in ("train", "eval"):
        orders = json.dumps(one[name].pop("labels")), json.dumps(other[name].pop("labels"))
        assert json.loads(orders[0])["kinds"] == json.loads(orders[1])["kinds"]
        for fact in one[name]:
            assert one[name][fact] == other[name][fact]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_all_rows_are_the_sample(tmp_path, kind, size):
    """Each shape, with every odd text, null, label and answer there is a rule for."""
    rows = rows_of(kind)
    same(setup_of(tmp_path, rows, rows[::2][::-1]), size)


@pytest.mark.parametrize("last", ["", "카, 1.0\n", "카,긍정\n", "카,\n", "카, 1 \n"])
@pytest.mark.parametrize("size", [1, 5, 100])
def test_a_table(tmp_path, last, size):
    """Ragged rows, lines inside quotes, words for nothing, and labels that are numbers only if all are."""
    same(setup_of(tmp_path, CSV + last, CSV, names=("a.csv", "b.csv")), size)


def test_broken_rows_and_several_files(tmp_path):
    """Broken rows are counted and told of in order, places name the right file."""
    good = '{"text": "같은 글이 두 파일에 있는 줄이다", "label": 0}\n'
    (tmp_path / "one.jsonl").write_text(good + "oops\n\n" + good, "utf-8")
    (tmp_path / "two.jsonl").write_text("nope\n" + good + '["x"]\n', "utf-8")
    setup = setup_of(tmp_path, rows_of("classification"))
    paths = (str(tmp_path / "one.jsonl"), str(tmp_path / "two.jsonl"))
    setup = type(setup)(data=type(setup.data)(paths, (paths[1],), {}))
    same(setup, 2)
    facts = data_facts(plan := plan_of(setup), surveyed(plan, size=1))
    assert (facts.train.total, len(facts.train.broken)) == (3, 3)
    assert [hit.where.rpartition("/")[2] for hit in facts.train.hit("copies")] == ["one.jsonl:4", "two.jsonl:2"]


def test_nothing_at_all(tmp_path):
    """A file without rows is a split without rows."""
    same(setup_of(tmp_path, "text,label\n", names=("a.csv", "")))


@pytest.mark.parametrize("kind", KINDS)
def test_merged_in_any_order(tmp_path, kind):
    """Blocks dealt out over three surveys, saved, loaded and merged in another order, are the same bytes."""
    rows = rows_of(kind)
    plan = plan_of(setup_of(tmp_path, rows, rows[::-1]))
    whole = surveyed(plan, size=5)
    dealer = random.Random(kind)
    for _ in range(3):
        parts = parts_of(plan, 5)
        dealer.shuffle(parts)
        surveys = [Survey(plan.without_rows()) for _ in range(3)]
        for block, name, at in parts:
            dealer.choice(surveys).add(block, name, at)
        merged = Survey(plan.without_rows())
        for survey in surveys:
            merged.merge(Survey.load(plan.without_rows(), survey.dump()))
        assert merged.dump() == whole.dump()
        assert compared(data_facts(plan, merged)) == compared(data_facts(plan, whole))


def test_parts_of_another_version_are_refused(tmp_path):
    """Hashes of another polars would never meet: one line says so."""
    plan = plan_of(setup_of(tmp_path, rows_of("text")))
    files = surveyed(plan).dump()
    files["survey.json"] = files["survey.json"].replace(b'"version": 1', b'"version": 0')
    with pytest.raises(UserError, match="other versions of pretune or polars"):
        Survey.load(plan, files)


def test_a_plan_without_rows_gives_no_facts(tmp_path):
    """What blocks are read with is not enough to speak of them."""
    plan = plan_of(setup_of(tmp_path, rows_of("text"))).without_rows()
    survey = Survey(plan)
    with pytest.raises(ValueError, match="heads"):
        survey.facts()


def test_rows_beyond_the_head_count(tmp_path):
    """A head of three rows, and findings far behind it."""
    rows = [{"text": f"하늘이 맑아서 산책하기 좋았다 {n}", "label": 0} for n in range(50)]
    rows[40] = {"text": "\x00", "label": 1}
    rows += [rows[30], {**rows[31], "label": 1}]
    setup = setup_of(tmp_path, rows, [rows[45]])
    plan = plan_of(setup, sample=3)
    data = data_facts(plan, surveyed(plan))
    assert (len(data.train.rows), data.train.total, data.train.sampled) == (3, 52, False)
    assert data.train.found(data.train.hit("control")) == "1 of 52 train rows"
    assert data.train.hit("copies")[0].where.endswith(":51")
    conflict = data.train.hit("conflicts")
    assert [hit.where.rpartition(":")[2] for hit in conflict] == ["32", "52"]
    assert conflict[0].said == ("하늘이 맑아서 산책하기 좋았다 31",)
    assert data.eval.hit("leaks").count == 1
    labels = read_labels(data, None, setup)
    assert (labels.train.counts, labels.train.first[1].rpartition(":")[2]) == ({0: 50, 1: 2}, "41")
    assert (data.train.files[0].rows, data.train.files[0].head, data.train.files[0].more) == (52, 3, False)


def test_a_survey_that_was_stopped(tmp_path):
    """It says that it saw a part."""
    plan = plan_of(setup_of(tmp_path, rows_of("text")))
    survey = Survey(plan)
    survey.add(*parts_of(plan, 5)[0])
    data = data_facts(plan, survey, complete=False)
    assert (data.train.total, data.train.sampled, data.train.files[0].more) == (5, True, True)


def test_beginnings_are_counted(tmp_path):
    """The bos token, written out before texts."""
    rows = [{"text": " <s>가"}, {"text": "가<s>"}, {"text": "<s>"}, {"text": None}]
    setup = setup_of(tmp_path, rows)
    plan = plan_of(setup, beginning="<s>")
    assert len(data_facts(plan, surveyed(plan)).train.hit("beginning")) == 2


TEXTS = st.text(alphabet="aA bÉé\u0301가\u1100\u1161ß\n\x1c", max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(TEXTS, st.sampled_from(["0", "1", " 1", "1.0", "", "x", None])), min_size=1, max_size=30),
    st.integers(1, 9),
)
def test_any_rows(tmp_path_factory, rows, size):
    """Small alphabets give many repetitions, conflicts and leaks."""
    folder = tmp_path_factory.mktemp("rows")
    written = [{"text": text * 6, "label": label} for text, label in rows]
    same(setup_of(folder, written, written[::-3]), size)
