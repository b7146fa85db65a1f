"""Family MRC: answers and where they begin, each rule firing and quiet, from file to finding."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.check.facts.answer_tests import explained
from pretune.check.rules import mrc
from pretune.corpus.example import Answer
from row_files import asked, asked_all, setup_of

CONTEXT = "서울은 대한민국의 수도이다.\n부산은 😀 바다에 가까운 도시이며 항구가 크다."


def question(n, text="수도", start=None, *, context=CONTEXT, **more):
    """A question whose answer stands where it says, unless told otherwise."""
    answers = [] if text is None else [{"text": text, "answer_start": context.find(text) if start is None else start}]
    return {"id": str(n), "question": f"{n}번째 질문은 무엇인가?", "context": context, "answers": answers, **more}


CLEAN = [question(n, ("수도", "부산", "항구")[n % 3], context=f"{n}. {CONTEXT}") for n in range(30)]
ASK = {"task": "question-answering"}


def changed(count, **more):
    """The clean questions, with some of them replaced."""
    return [question(n, context=f"{n}. {CONTEXT}", **more) if n < count else row for n, row in enumerate(CLEAN)]


def unanswered(count):
    """The clean questions, some of them without any word about answers."""
    return [{k: v for k, v in row.items() if k != "answers"} if n < count else row for n, row in enumerate(CLEAN)]


def shifted(by):
    """The clean questions, all answers moved."""
    return [
        {**row, "answers": [{**row["answers"][0], "answer_start": row["answers"][0]["answer_start"] + by}]}
        for row in CLEAN
    ]


def counted_in_bytes():
    """The clean questions with answer_start in UTF-8 bytes."""
    return [
        {
            **row,
            "answers": [
                {**a, "answer_start": len(row["context"][: a["answer_start"]].encode())} for a in row["answers"]
            ],
        }
        for row in CLEAN
    ]


FIRING = [
    (
        mrc.answer_start_misaligned,
        {"train": shifted(2)},
        "error",
        "answer_start misses its answer in 30 of 30 train rows (also :2 and :3): it is off by +2 in 30",
    ),
    (mrc.answer_start_misaligned, {"train": counted_in_bytes()}, "error", "it counts UTF-8 bytes in 30"),
    (mrc.answer_start_misaligned, {"train": CLEAN * 5 + [question(900, "수도", 3)]}, "warning", "1 of 151 train rows"),
    (
        mrc.answer_not_in_context,
        {"train": changed(2, text="평양", start=0)},
        "error",
        "the answer is not in the context in 2 of 30 train rows",
    ),
    (
        mrc.answer_not_in_context,
        {"train": changed(2, text=unicodedata.normalize("NFD", "수도"), start=11)},
        "error",
        "2 would be, but for Unicode form",
    ),
    (mrc.answer_start_missing, {"train": changed(1, text="수도", start=-1), **ASK}, "error", None),
    (
        mrc.answer_start_missing,
        {"train": [{**row, "answers": "수도"} for row in CLEAN], **ASK},
        "error",
        "no answer_start, or a negative one, in 30 of 30",
    ),
    (mrc.answer_start_missing, {"train": [{**row, "answers": "수도"} for row in CLEAN]}, "note", "30 of 30"),
    (
        mrc.empty_answer,
        {"train": changed(1, text="", start=0)},
        "warning",
        "an answer is given but blank in 1 of 30 train rows",
    ),
    (
        mrc.only_the_first_answer_is_trained,
        {
            "train": [
                {**row, "answers": [*row["answers"], {"text": "서울", "answer_start": row["context"].find("서울")}]}
                for row in CLEAN
            ]
        },
        "note",
        "30 of 30 train rows (also :2 and :3) have several answers",
    ),
    (
        mrc.unanswerable_with_answers,
        {"train": changed(3, is_impossible=True)},
        "warning",
        "is_impossible is true but answers are given in 3 of 30",
    ),
    (
        mrc.answerable_without_answers,
        {"train": changed(2, text=None, is_impossible=False)},
        "warning",
        "is_impossible is false but no answer is given in 2 of 30",
    ),
    (mrc.answerable_without_answers, {"train": unanswered(2)}, "note", "2 of 30 train rows (also :2) have neither"),
    (
        mrc.answerable_without_answers,
        {"train": CLEAN, "eval": [question(n, None) for n in range(3)]},
        "note",
        "no eval row has an answer",
    ),
    (
        mrc.question_ids_repeated,
        {"train": CLEAN, "eval": [*CLEAN, CLEAN[0]]},
        "error",
        "1 of 31 eval rows repeat the id of an earlier question, such as `0`",
    ),
    (mrc.question_ids_repeated, {"train": [*CLEAN, CLEAN[0]]}, "note", "1 of 31 train rows"),
    (
        mrc.contexts_in_train_and_eval,
        {"train": CLEAN, "eval": [*CLEAN[:2], *[question(n, context=f"다른 {n} {CONTEXT}") for n in range(50, 60)]]},
        "note",
        "2 of 12 eval rows",
    ),
    (mrc.contexts_in_train_and_eval, {"train": CLEAN, "eval": CLEAN[:9]}, "warning", "(100 %)"),
    (mrc.answer_with_space_around, {"train": changed(1, text="수도이다.\n")}, "note", "1 of 30 train rows"),
]


@pytest.mark.parametrize(("rule", "given_", "level", "message"), FIRING, ids=lambda value: getattr(value, "name", None))
def test_fires(tmp_path, rule, given_, level, message):
    """The rule finds the fault, at its level, with the numbers and the places in one line."""
    found = asked(rule, setup_of(tmp_path, **given_))
    if message is None:  # a negative start whose answer is in the context is told as misaligned, once
        assert found == []
        assert asked(mrc.answer_start_misaligned, setup_of(tmp_path, **given_))
        return
    told = [finding for finding in found if message in finding.message]
    assert told, [finding.message for finding in found]
    assert told[0].level.value == level
    assert told[0].message.isprintable()


@pytest.mark.parametrize(
    ("start", "context", "text", "said"),
    [
        (len("서울은 ".encode()), "서울은 수도", "수도", "counts UTF-8 bytes"),
        (6, "😀 좋다 수도", "수도", "counts UTF-16 units (JavaScript, Java)"),
        (9, "한국의 수도", "수도", "fits the context in NFD"),
        (7, "서울은 수도", "수도", "counts CP949 bytes"),
        (8, "ab\ncd\nx", "x", "counts line ends as two characters"),
        (1, "서울은 수도", "수도", "is off by -3"),
        (500, "서울은 수도", "수도", "points elsewhere"),
    ],
)
def test_explanations(start, context, text, said):
    """A misplaced answer_start is explained by the way of counting that makes it right."""
    assert explained(context, Answer(text, start)) == said


QUIET = {
    "clean": {"train": CLEAN},
    "SQuAD 2": {"train": changed(10, text=None, is_impossible=True), "eval": None},
    "several answers in eval": {
        "train": CLEAN,
        "eval": [
            {
                **row,
                "id": row["id"] + "e",
                "context": row["context"].replace("서울", "울산"),
                "answers": row["answers"] * 3,
            }
            for row in CLEAN
        ],
    },
    "answers twice in the context": {
        "train": [question(n, "바다", 6, context=f"{n % 10} 바다와 바다") for n in range(3)]
        and [question(0, "바다", 4, context="바다와 바다")]
    },
    "not question answering": {"train": [{"text": "수도", "label": 1}]},
}


@pytest.mark.parametrize("name", list(QUIET))
def test_quiet(tmp_path, name):
    """Healthy questions draw nothing from any rule."""
    setup = setup_of(tmp_path, **{key: value for key, value in QUIET[name].items() if value is not None})
    assert asked_all(mrc.RULES, setup) == []


TEXT = st.text(alphabet="가나 a\n😀\ud800\u200b", max_size=12)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"question": TEXT | st.none(), "context": TEXT | st.none() | st.integers()},
            optional={
                "answers": st.lists(
                    st.fixed_dictionaries(
                        {"text": TEXT | st.none(), "answer_start": st.integers() | st.none() | st.text(max_size=2)}
                    ),
                    max_size=3,
                )
                | st.none()
                | TEXT,
                "is_impossible": st.booleans() | st.none() | st.text(max_size=3),
                "id": st.none() | st.integers() | TEXT,
            },
        ),
        min_size=1,
        max_size=8,
    )
)
def test_odd_answers_crash_no_rule(tmp_path, rows):
    """Any question, context and answers: every rule answers, in printable lines."""
    setup = setup_of(tmp_path, rows, rows, task="question-answering")
    for finding in asked_all(mrc.RULES, setup):
        assert finding.message.isprintable()


@pytest.mark.parametrize("empty", [{"text": [], "answer_start": []}, []])
def test_empty_answers_are_squad_twos_own_way(tmp_path, empty):
    """A list of no answers, as `datasets` has SQuAD 2, says that there is none."""
    rows = [{**row, "answers": empty} if n < 5 else row for n, row in enumerate(CLEAN)]
    assert asked(mrc.answerable_without_answers, setup_of(tmp_path, rows, **ASK)) == []
