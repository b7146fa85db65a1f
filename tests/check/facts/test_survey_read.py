"""All rows as they are really read, from files and from memory, come to what the sample comes to."""

import pytest

from odd_rows import CSV, KINDS, compared, rows_of
from pretune.check.facts.data import data_facts, inputs_of, plan_of, read_data
from pretune.check.facts.survey import Survey
from pretune.check.sources.setup import Data, Setup
from pretune.corpus.blocks import read_blocks
from row_files import setup_of


def read(plan, setup, block_bytes):
    """A survey of the blocks as they are really read."""
    survey = Survey(plan)
    for name, inputs in inputs_of(setup).items():
        for at, (one, file) in enumerate(zip(inputs, plan.splits[name].files, strict=True)):
            for block in read_blocks(one, shape=plan.shape, roles=file.roles, block_bytes=block_bytes):
                survey.add(block, name, at)
    return survey


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "mixed"])
@pytest.mark.parametrize("block_bytes", [1, 300, 1 << 24])
def test_blocks_as_they_are_read(tmp_path, kind, block_bytes):
    """What reads blocks fast gives what the sample gives, in blocks of any size."""
    rows = rows_of(kind)
    setup = setup_of(tmp_path, rows, rows[::2])
    plan = plan_of(setup)
    one, other = compared(read_data(setup)), compared(data_facts(plan, read(plan, setup, block_bytes)))
    for name in ("train", "eval"):
        for fact in set(one[name]) - {"labels"}:
            assert one[name][fact] == other[name][fact]


@pytest.mark.parametrize("block_bytes", [1, 40, 1 << 24])
def test_tables_as_they_are_read(tmp_path, block_bytes):
    """A csv file with all that a csv file can have."""
    setup = setup_of(tmp_path, CSV + "카, 1 \n", CSV, names=("a.csv", "b.csv"))
    plan = plan_of(setup)
    one, other = compared(read_data(setup)), compared(data_facts(plan, read(plan, setup, block_bytes)))
    for name in ("train", "eval"):
        for fact in set(one[name]) - {"labels"}:
            assert one[name][fact] == other[name][fact]


def test_objects_in_memory(tmp_path):
    """Two lists have places of their own; one list given twice is one."""
    rows = rows_of("classification")
    apart = Setup(data=Data((rows,), (list(rows),)))
    assert [one.label for several in inputs_of(apart).values() for one in several] == ["rows", "eval rows"]
    twice = Setup(data=Data((rows,), (rows,)))
    assert [one.label for several in inputs_of(twice).values() for one in several] == ["rows", "rows"]
    plan = plan_of(apart)
    facts = data_facts(plan, read(plan, apart, 1 << 24))
    assert facts.train.hit("control")[0].where == "rows:row 7"
    assert facts.eval.hit("control")[0].where == "eval rows:row 7"
