"""Family DAT: files, rows, characters and repetitions, each rule firing and quiet, from file to finding."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.check.facts.mangled import undone
from pretune.check.facts.text_tests import invisible
from pretune.check.rules import data, data_marks, data_repeats, data_text, label_kinds, labels, mrc, tags
from pretune.check.sources.setup import Data, Setup
from row_files import asked, asked_all, setup_of

WORDS = [
    "하늘이 맑아서 산책하기 좋았다",
    "배우들의 연기가 무척 인상적이었다",
    "음악이 오래 기억에 남는 영화였다",
    "이야기가 너무 길어서 졸렸다고 한다",
]
CLEAN = [{"text": f"{WORDS[n % 4]} {n}", "label": n % 2} for n in range(40)]
DEV = [{"text": f"평가 자료의 {n}번째 문장은 이렇게 생겼다", "label": n % 2} for n in range(20)]
NFD = [{**row, "text": unicodedata.normalize("NFD", row["text"])} for row in CLEAN]
MOJIBAKE = [{**row, "text": row["text"].encode().decode("latin-1")} for row in CLEAN]


def with_text(text, count=5):
    """The clean rows, some of them with this text before theirs."""
    return [{**row, "text": text + row["text"]} if n < count else row for n, row in enumerate(CLEAN)]


FIRING = [
    (data.split_without_rows, {"train": "text,label\n", "names": ("a.csv", "")}, "error", "holds no rows for train"),
    (
        data.broken_rows,
        {"train": '{"text": "a", "label": 0}\n{"text": \n'},
        "error",
        "1 of 2 train rows cannot be read; the first: not JSON",
    ),
    (
        data.ragged_rows,
        {"train": "text,label\n가,1\n나,다,1\n라\n", "names": ("a.csv", "")},
        "warning",
        "more fields than the 2 columns, the first 3",
    ),
    (
        data.ragged_rows,
        {"train": "text,label\n가,1\n라\n", "names": ("a.csv", "")},
        "warning",
        "fewer fields than the 2 columns, the first 1",
    ),
    (
        data.rows_swallowed_by_a_quote,
        {
            "train": "text,label\n" + '"가, 아",1\n' * 5 + "나,0\n" * 5 + '"다,0\n라,1\n마 바",1\n',
            "names": ("a.csv", ""),
        },
        "warning",
        "hold 2 further lines that look like rows",
    ),
    (
        data.quotes_that_merge_rows,
        {"train": "text\tlabel\n" + "가\t1\n" * 19 + '"나\t0\n다\t1\n라\t1\n', "names": ("a.tsv", "")},
        "note",
        "2 of its first 22 train rows may vanish",
    ),
    (
        data.quotes_that_merge_rows,
        {"train": "text\tlabel\n" + "가\t1\n" * 9 + '"나\t0\n다\t1\n라\t1\n', "names": ("a.tsv", "")},
        "warning",
        "2 of its first 12 train rows may vanish",
    ),
    (
        data.byte_order_mark,
        {"train": b"\xef\xbb\xbftext,label\na,1\n", "names": ("a.csv", "")},
        "note",
        "begins with a byte order mark",
    ),
    (
        data.byte_order_mark,
        {"train": b"\xef\xbb\xbf\xef\xbb\xbftext,label\na,1\n", "names": ("a.csv", "")},
        "warning",
        "holds a byte order mark in its name",
    ),
    (
        data.columns_not_recognised,
        {"train": [{"zeta": "a", "eta": 1}], "task": "text-classification"},
        "warning",
        "none of the columns zeta, eta",
    ),
    (
        data.columns_not_recognised,
        {"train": [{"zeta": "a"}]},
        "note",
        "is known as text (usual names: text, document, sentence)",
    ),
    (
        data_text.null_text,
        {"train": [*CLEAN, {"text": None, "label": 0}]},
        "error",
        "1 of 41 train rows have null as text",
    ),
    (
        data_text.null_text,
        {"train": [*CLEAN, {"text": 3.5, "label": 0}]},
        "error",
        "have a number as text, expected text",
    ),
    (
        data_text.blank_text,
        {"train": [*CLEAN, {"text": " \n", "label": 0}, {"text": "\u200b\ufeff", "label": 1}]},
        "warning",
        "text is blank in 2 of 42 train rows (also :42), 1 of them of invisible characters only",
    ),
    (
        data_text.text_that_pandas_takes_for_missing,
        {"train": "text,label\nnull,1\nb,0\n", "names": ("a.csv", "")},
        "note",
        "such as `null`",
    ),
    (
        data_text.decomposed_hangul,
        {"train": NFD, "eval": DEV},
        "warning",
        "write Hangul decomposed (NFD), 100 %, while eval has none",
    ),
    (data_text.mojibake, {"train": MOJIBAKE}, "error", "UTF-8 read as latin-1"),
    (data_text.mojibake, {"train": with_text("donâ€™t ", 1)}, "warning", "`’` was meant"),
    (data_text.replacement_characters, {"train": with_text("\ufffd\ufffd", 1)}, "warning", "1 of 40 train rows"),
    (data_text.replacement_characters, {"train": with_text("\ud83d", 9)}, "error", "lone surrogate"),
    (
        data_marks.invisible_characters,
        {"train": with_text("영\u200b화\ufeff ", 1), "eval": DEV},
        "warning",
        "(U+200B, U+FEFF), the other split none",
    ),
    (data_marks.invisible_characters, {"train": CLEAN * 3 + with_text("\u202e", 1)}, "note", "(U+202E)"),
    (data_marks.no_break_spaces, {"train": with_text("영화\xa0")}, "note", "5 of 40 train rows"),
    (data_marks.control_characters, {"train": with_text("\x00\x08")}, "warning", "(U+0000, U+0008)"),
    (data_marks.markup_left_in_text, {"train": with_text("좋다&quot;")}, "note", "HTML entities such as `&quot;`"),
    (data_marks.markup_left_in_text, {"train": with_text("좋다<br />")}, "note", "HTML tags such as `<br />`"),
    (data_marks.escapes_left_in_text, {"train": with_text("좋다\\n그리고")}, "note", "escapes such as `\\n`"),
    (data_marks.very_long_words, {"train": with_text("가" * 150, 1)}, "note", "the longest 15"),
    (
        data_repeats.evaluation_rows_in_training,
        {"train": CLEAN, "eval": [*CLEAN[:12], *DEV[:4]]},
        "error",
        "12 of 16 eval rows",
    ),
    (
        data_repeats.evaluation_rows_in_training,
        {
            "train": CLEAN,
            "eval": [{**row, "text": unicodedata.normalize("NFD", row["text"]).replace(" ", "  ")} for row in CLEAN[:3]]
            + DEV,
        },
        "error",
        "(13 %), 3 of them in another spacing, case or Unicode form",
    ),
    (
        data_repeats.one_text_again_and_again,
        {"train": CLEAN + [{"text": "삭제된 댓글입니다.", "label": n % 2} for n in range(30)]},
        "warning",
        "`삭제된 댓글입니다.` is the text of 30 of 70 train rows",
    ),
    (data_repeats.repeated_rows, {"train": CLEAN + CLEAN[:10]}, "warning", "10 of 50 train rows"),
    (
        data_repeats.conflicting_labels,
        {"train": CLEAN + [{**row, "label": 1 - row["label"]} for row in CLEAN[:6]]},
        "warning",
        "6 texts carry more than one label: 12 of 46 train rows",
    ),
    (
        data_repeats.training_file_sorted_by_label,
        {"train": sorted(CLEAN, key=lambda row: row["label"])},
        "note",
        "2 labels in 2 runs",
    ),
]


@pytest.mark.parametrize(("rule", "given_", "level", "message"), FIRING, ids=lambda value: getattr(value, "name", None))
def test_fires(tmp_path, rule, given_, level, message):
    """The rule finds the fault, at its level, with the numbers and the places in one line."""
    found = asked(rule, setup_of(tmp_path, **given_))
    assert found, "nothing was found"
    told = [finding for finding in found if message in finding.message]
    assert told, [finding.message for finding in found]
    assert told[0].level.value == level
    assert "\n" not in told[0].message
    assert told[0].message.isprintable()
    assert told[0].message[0] == told[0].message[0].lower()
    assert told[0].where.startswith(str(tmp_path))


EVERY = (*data.RULES, *data_text.RULES, *data_marks.RULES, *data_repeats.RULES)

HEALTHY = {
    "clean": {"train": CLEAN, "eval": DEV},
    "csv": {"train": 'text,label\n"가, ""나""",1\n"여러 줄에\n걸친 글, 참",0\n다,1\n', "names": ("a.csv", "")},
    "tsv with quotes that do not pair": {
        "train": 'text\tlabel\n그는 "왔다\t1\n갔다" 라고\t0\n',
        "names": ("a.tsv", ""),
    },
    "emoji joined by ZWJ, flags, variation selectors": {"train": with_text("👩‍👩‍👧 ❤️ 🏳️‍🌈 ")},
    "persian and hindi joiners": {"train": with_text("می‌خواهم क्‍ष ")},
    "archaic Hangul": {"train": with_text("나랏말ᄊᆞ미 ")},
    "accents and quotes of many languages": {"train": with_text("«aquí…” über naïve São Tomé E² 5 Å 20–30 “IRMÔ ÀÉ ")},
    "hanja and fullwidth": {"train": with_text("漢字 混用 ＡＢＣ ㈜ ㎏ ")},
    "comparisons and code are no HTML": {"train": with_text("a < b > c & d <PAD> \\alpha \\nu C:\\new ")},
    "short reviews repeat": {
        "train": CLEAN * 1 + [{"text": "굿", "label": 1}],
        "eval": [*DEV, {"text": "굿", "label": 1}] * 1,
    },
    "multi-turn chat without columns of text": {
        "train": [{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}]}]
    },
    "questions share contexts": {
        "train": [{"question": f"q{n}?", "context": "서울은 한국의 수도이다.", "answers": []} for n in range(30)]
    },
    "equal sentences in a pair": {
        "train": [
            {"sentence1": f"문장 {n} 이다", "sentence2": f"문장 {n} 이다", "score": 5.0 - n / 10} for n in range(20)
        ]
    },
    "unlabelled text": {"train": "첫째 줄\n\n둘째 줄\n", "names": ("a.txt", "")},
    "alpaca": {"train": [{"instruction": "a", "input": "", "output": "b"}], "task": "chat-sft"},
}


@pytest.mark.parametrize("name", list(HEALTHY))
def test_quiet(tmp_path, name):
    """Healthy data that look odd draw no error and no warning, and mostly not even a note."""
    setup = setup_of(tmp_path, **HEALTHY[name])
    found = asked_all(EVERY, setup)
    loud = [finding for finding in found if finding.level != "note" or "short" not in name]
    assert loud == []


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.name)
def test_quiet_on_clean_rows(tmp_path, rule):
    """Each rule is silent on clean rows."""
    assert asked(rule, setup_of(tmp_path, CLEAN, DEV)) == []


def test_one_file_for_both_splits(tmp_path):
    """evaluating-on-the-training-file: one path for both splits, also by another name; the leak rule leaves it to that."""
    setup = setup_of(tmp_path, CLEAN)
    path = setup.data.train[0]
    both = Setup(data=Data((path,), (f"{tmp_path}/../{tmp_path.name}/train.jsonl",)))
    assert [finding.level for finding in asked(data.evaluating_on_the_training_file, both)] == ["error"]
    assert asked(data_repeats.evaluation_rows_in_training, both) == []
    twice = Setup(data=Data((path, path)))
    assert [finding.level for finding in asked(data.evaluating_on_the_training_file, twice)] == ["warning"]


def test_few_and_short_leaks_are_notes(tmp_path):
    """One short review that stands in both splits is a note."""
    setup = setup_of(tmp_path, [*CLEAN, {"text": "굿", "label": 1}], [*DEV, {"text": "굿", "label": 1}])
    assert [finding.level for finding in asked(data_repeats.evaluation_rows_in_training, setup)] == ["note"]


def test_a_sorted_sample_with_one_label(tmp_path):
    """A sample of which all rows have one label is told as sorted when there are more rows."""
    setup = setup_of(tmp_path, [{"text": f"{n}", "label": int(n > 50)} for n in range(100)])
    assert asked(data_repeats.training_file_sorted_by_label, setup, sample=30)[0].level == "note"


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("영화 정말".encode().decode("latin-1"), "UTF-8 read as latin-1 or cp1252"),
        ("영화 정말".encode().decode("cp1252", "ignore"), "UTF-8 read as latin-1 or cp1252"),
        ("donâ€™t", "UTF-8 read as latin-1 or cp1252"),
        ("cafÃ©", "UTF-8 read as latin-1 or cp1252"),
        ("영화가 좋다".encode("cp949").decode("latin-1"), "CP949 (EUC-KR) read as latin-1"),
        ("영화가 정말 재미있다".encode().decode("cp949", "ignore"), "UTF-8 read as CP949"),
        ("영화가 정말 재미있다".encode().decode("cp949", "replace"), "UTF-8 read as CP949"),
        ("됬어 햏햏 아햏햏 그는 갔다 그리고 왔다", None),
        ("존나져앟!!!졓다고졓앚2ㅕㅎㅇ", None),
        ("쓔봙 쑤쟜다 씨봑 졿라 잔인화내 쓔봘", None),
        ("紐⑦넗濡쒕씪異⑹쟾濡", "UTF-8 read as CP949"),
        ("sí…” ÁÉÍÓÚ ÄÖÜß ÇÃO “Ó”", None),
        ("Ångström ±5 °C – 3 × 4", None),
        ("파하품 하하하", None),
        ("", None),
    ],
)
def test_mojibake_is_undone(text, how):
    """Mojibake is told from good text by undoing it."""
    found = undone(text)
    assert (found[0] if found else None) == how


COMMON = "".join(bytes((high, low)).decode("euc_kr") for high in range(0xB0, 0xC9) for low in range(0xA1, 0xFF))


@given(st.text(alphabet=COMMON, min_size=1, max_size=60))
def test_hangul_is_no_mojibake(text):
    """No text of the 2,350 common Hangul syllables is taken for mojibake, nor for text with invisible characters."""
    assert undone(text) is None
    assert invisible(text) == []


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["text", "label", "id", "sentence2", "tokens", "tags", "messages"]),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.floats()
                | st.text(alphabet=st.characters(categories=("L", "C", "Z", "M")), max_size=20),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
                max_leaves=6,
            ),
        ),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(
        [None, "text-classification", "pair-classification", "token-classification", "chat-sft", "masked-lm"]
    ),
)
def test_odd_rows_crash_no_rule(tmp_path, rows, task):
    """Lone surrogates, huge integers, nested lists, null: every rule answers, in printable lines."""
    setup = setup_of(tmp_path, rows, rows[::-1], task=task)
    for finding in asked_all(EVERY, setup):
        assert finding.message.isprintable()


PUBLISHED = [
    ("question-answering", "korquad-1.0-dev/KorQuAD_v1.0_dev.json", "", {}),
    ("question-answering", "squad2-course-split/dev-v2.0.json", "", {}),
    ("sentence-similarity", "klue-1.1-dev/klue-sts-v1.1_dev.json", "", {}),
    ("pair-classification", "klue-1.1-dev/klue-nli-v1.1_dev.json", "", {}),
    ("token-classification", "klue-1.1-dev/klue-ner-v1.1_dev.tsv", "", {}),
    ("sentence-similarity", "korsts/sts-train.tsv", "korsts/sts-dev.tsv", {}),
    ("sentence-similarity", "stsb/sts-train.csv", "stsb/sts-test.csv", {"text": "5", "text_pair": "6", "score": "4"}),
    ("text-classification", "nsmc/validation.txt", "", {}),
]


@pytest.mark.parametrize(
    ("task", "train", "dev", "columns"), PUBLISHED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_published_sets_are_quiet(shared_assets, task, train, dev, columns):
    """KorQuAD, KLUE, KorSTS, STS-B, NSMC and SQuAD 2 draw no error and no warning from any data, label or answer rule."""
    folder = shared_assets / "data"
    files = Data((str(folder / train),), (str(folder / dev),) if dev else (), columns)
    setup = Setup(task=task, data=files, config={"num_labels": 1} if task == "sentence-similarity" else {})
    rules = (*EVERY, *mrc.RULES, *labels.RULES, *label_kinds.RULES, *tags.RULES)
    found = asked_all(rules, setup, model={}, sample=800)
    assert [finding for finding in found if finding.level != "note"] == []


def test_long_words_are_left_to_the_tokenizer(tmp_path):
    """Where a tokenizer is named, what it makes of a long word is told instead."""
    assert asked(data_marks.very_long_words, setup_of(tmp_path, with_text("가" * 150, 1), model="bert")) == []
