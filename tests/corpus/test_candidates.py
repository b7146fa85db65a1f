"""Candidates for tokens of their own: markup away, particles apart where the corpus shows them."""

import polars as pl
import pytest

from corpus.made_tokenizers import made
from pretune.corpus.candidates import candidates, fits, stems
from pretune.corpus.vocabulary_marks import marks_of


def stemmed(**counts):
    """Word -> count of the stems."""
    return dict(stems(pl.DataFrame({"word": list(counts), "count": list(counts.values())})).iter_rows())


def test_no_words_give_no_stems():
    """An empty corpus has no candidates."""
    assert dict(stems(pl.DataFrame(schema={"word": pl.String, "count": pl.Int64})).iter_rows()) == {}


def test_particles_go_where_the_stem_stands_with_another_one():
    """학교에서는, 학교를 and 학교 are one word; 가을 is no 가 with 을."""
    found = stemmed(학교에서는=3, 학교를=2, 학교=5, 가을=4, 가는=7)
    assert found == {"학교": 10, "가을": 4, "가는": 7}


def test_a_word_that_only_looks_like_stem_and_particle_stays():
    """거북이 stands alone: no other form shows that 이 is a particle; 코끼 would not even take it."""
    assert stemmed(거북이=9) == {"거북이": 9}
    assert stemmed(코끼리이=2, 코끼리=5) == {"코끼리이": 2, "코끼리": 5}


def test_long_words_give_up_a_particle_that_nothing_else_ends_in():
    """도서관에서 needs no witness; 사랑하는 is no noun with 는."""
    assert stemmed(초등학교에서=3, 도서관을=2, 사랑하는=5) == {"초등학교": 3, "도서관": 2, "사랑하는": 5}


@pytest.mark.parametrize(
    ("stem", "particle", "expected"),
    [
        *[("집", "은", True), ("집", "는", False), ("나무", "는", True), ("나무", "은", False)],
        *[("서울", "로", True), ("서울", "으로", False), ("부산", "으로", True), ("나무", "로", True)],
        *[("집", "에서", True), ("나무", "에서", True), ("부산", "로", False)],
    ],
)
def test_particles_follow_the_final_consonant(stem, particle, expected):
    """은 after a consonant, 는 after a vowel; 로 also after ㄹ."""
    assert fits(stem, particle) is expected


def test_markup_links_and_punctuation_are_stripped():
    """What is left are words."""
    words = {
        'name="parameters"></a>매개': 3,
        "https://a.kr/b?c=1": 9,
        "<br/>영화다.": 2,
        "(don't)": 4,
        "&quot;좋다&quot;": 2,
        "a@b.kr": 3,
        "...": 9,
    }
    assert stemmed(**words) == {"매개": 3, "don't": 4, "영화다": 2, "좋다": 2}


def test_candidates_save_most_tokens_first():
    """Ranked by occurrences times the pieces beyond one; words of one token are none."""
    encoder = type(made()["wordpiece"]).from_str(made()["wordpiece"].to_str())
    encoder.no_padding()
    encoder.no_truncation()
    marks = marks_of(encoder, {"unk_token": "[UNK]"}, byte_level=False)
    one = next(
        token for token in encoder.get_vocab() if token.isalpha() and encoder.encode(token).tokens[1:-1] == [token]
    )
    words = pl.DataFrame({"word": ["foxdog", one, "dogfox", "overjump"], "count": [5, 100, 50, 2]})
    found = candidates(words, encoder, marks)
    assert [candidate.word for candidate in found] == ["dogfox", "foxdog"]
    assert found[0].saves == 50 * (found[0].pieces - 1) > found[1].saves
    assert len(found[0].tokens) == found[0].pieces
    assert list(found[0].tokens) == encoder.encode(" dogfox", add_special_tokens=False).tokens
