"""The verdict on a tokenizer and the ranking of several: what each level takes, honest ties, and too little text."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.check.rules import reading
from pretune.corpus import verdict as verdicts
from pretune.corpus.figures import CorpusFigures, ScriptFigures, TokenizerFigures
from pretune.corpus.verdict import best, verdict
from profile_samples import CORPUS, empty, in_bytes, jamo, profile, tokenizer


def test_the_bounds_are_those_of_the_rules() -> None:
    """What is an error or a warning to the rules cannot or only partly be read here: the numbers are the same."""
    assert verdicts.UNREADABLE == reading.UNREADABLE
    assert verdicts.POOR == reading.POOR
    assert verdicts.SPELLED_SYLLABLES == reading.SPELLED
    assert verdicts.ENOUGH_WORDS == reading.ENOUGH


@pytest.mark.parametrize(
    ("figures", "level", "sentence"),
    [
        (tokenizer(), "reads", "klue/roberta reads this corpus: 0.4 % of words unknown, 30 % whole"),
        (tokenizer(unknown_words=0), "reads", "klue/roberta reads this corpus: nothing unknown, 30 % of words whole"),
        (
            jamo(),
            "cannot",
            "all-MiniLM cannot read this corpus: Hangul falls apart into jamo, 22 % of words hold an unknown",
        ),
        (in_bytes(), "partly", "gpt2 reads this corpus in part: it spells Hangul in bytes, 8.5 tokens a word"),
        (
            tokenizer(unknown_words=20_000),
            "partly",
            "klue/roberta reads this corpus in part: 10 % of words hold an unknown, 2.4 tokens a word",
        ),
        (
            tokenizer(unknown_words=30_000),
            "cannot",
            "klue/roberta cannot read this corpus: 15 % of words hold an unknown",
        ),
    ],
)
def test_verdict(figures: TokenizerFigures, level: str, sentence: str) -> None:
    """Each level, in words: the verdict first, then the figures that decide."""
    found = verdict(figures, CORPUS)
    assert (found.level, found.sentence) == (level, sentence)
    assert bool(found.reasons) == (level != "reads")


def _script(script: str, **counts: int) -> TokenizerFigures:
    """A corpus of 1,000 words of one script, 5,000 characters."""
    of = ScriptFigures(**{"characters": 5000, "own": 5000, "words": 1000, "tokens": 1500, **counts})
    return tokenizer("x", words=1000, whole_words=500, unknown_words=of.unknown_words, scripts={script: of})


@pytest.mark.parametrize(
    ("figures", "level", "told"),
    [
        (_script("Latin"), "reads", "nothing unknown"),
        (_script("Latin", tokens=3650), "partly", "it spells Latin in small pieces, 0.73 tokens a character"),
        (_script("Cyrillic", tokens=4800), "partly", "Cyrillic in small pieces"),
        (_script("Han", tokens=5000), "reads", "nothing unknown"),
        (_script("Han", tokens=8000), "partly", "Han in small pieces, 1.60"),
        (_script("Hangul", own=4250, bytes=750, tokens=6000), "partly", "it spells 15 % of Hangul characters in bytes"),
        (_script("Hangul", own=4665, bytes=335, tokens=4750), "reads", "nothing unknown"),
        (_script("Bengali", own=0, bytes=5000), "partly", "it spells Bengali in bytes"),
        (_script("Thai", own=0, unknown=5000), "cannot", "it has no token for 100 % of Thai characters"),
        (_script("Devanagari", own=4000), "partly", "20 % of Devanagari characters fall apart"),
    ],
)
def test_scripts(figures: TokenizerFigures, level: str, told: str) -> None:
    """Any script: alphabets, ideographs, syllables; with own tokens, in bytes, in letters, or without any token."""
    found = verdict(figures, CORPUS)
    assert found.level == level
    assert told in found.sentence


def test_a_script_of_few_words_does_not_decide() -> None:
    """Half of the Hanja unknown in a Korean corpus is no verdict on the corpus."""
    han = {**tokenizer().scripts, "Han": ScriptFigures(3000, 900, 0, 3000, 0, 1000, 1000, 1000)}
    assert verdict(tokenizer(scripts=han), CORPUS).level == "reads"


def test_marks_of_code_are_no_spelling() -> None:
    """Words full of brackets take more tokens than letters would: these are not held against the tokenizer."""
    code = {
        "Latin": ScriptFigures(characters=5000, own=5000, words=1000, tokens=3300),
        "Common": ScriptFigures(characters=6000, own=6000),
    }
    assert verdict(tokenizer(words=1000, unknown_words=0, scripts=code), CORPUS).level == "reads"


def test_too_little_text() -> None:
    """Nothing, or a word, proves nothing, and is not called readable."""
    nothing = empty()
    found = verdict(nothing.tokenizers[0], nothing.corpus)
    assert found.sentence == "klue/roberta: too little text to say (0 words)"
    one = verdict(tokenizer(words=1), CorpusFigures(words=1, characters=2))
    assert (one.level, one.sentence) == ("undecided", "klue/roberta: too little text to say (1 word)")
    assert best(empty()) is None


def test_one_tokenizer_is_not_ranked() -> None:
    """There is nothing to choose from."""
    assert best(profile()) is None


def test_best_first() -> None:
    """Levels come before costs, and each that follows is named in order."""
    ranking = best(profile(jamo(), in_bytes(), tokenizer()))
    assert ranking is not None
    assert ranking.groups == (("klue/roberta",), ("gpt2",), ("all-MiniLM",))
    assert ranking.sentence == (
        "klue/roberta reads it best: 0.4 % of words unknown, 2.35 tokens a word; "
        "then gpt2 (nothing unknown, 8.50 tokens a word)"
    )


def test_ties_are_called_ties() -> None:
    """Two tokenizers within three per cent are equally good, whichever was named first."""
    close = tokenizer("kpf/bert", tokens=475_000)
    for pair in ((tokenizer(), close), (close, tokenizer())):
        ranking = best(profile(*pair))
        assert ranking is not None
        assert ranking.sentence == (
            "klue/roberta and kpf/bert read it equally well: 0.4 % of words unknown, 2.35 to 2.38 tokens a word"
        )


def test_unknown_words_weigh_more_than_tokens() -> None:
    """Few tokens are no merit where they are unknown ones."""
    lossy = tokenizer("lossy", tokens=430_000, unknown_words=12_000)
    ranking = best(profile(lossy, tokenizer()))
    assert ranking is not None
    assert ranking.groups[0] == ("klue/roberta",)


def test_none_reads() -> None:
    """Where none reads the corpus, the ranking says so before it names the nearest."""
    worse = replace(jamo("worse"), unknown_words=180_000)
    ranking = best(profile(worse, jamo()))
    assert ranking is not None
    assert ranking.sentence == "none of them reads this corpus; all-MiniLM comes nearest"
    spelled = best(profile(worse, in_bytes()))
    assert spelled is not None
    assert spelled.sentence == ("none of them reads it well; gpt2 does best: nothing unknown, 8.50 tokens a word")


_COUNT = st.integers(0, 10**6)


@given(st.builds(ScriptFigures, *[_COUNT] * 8), _COUNT, _COUNT)
def test_any_figures_have_a_verdict(script: ScriptFigures, words: int, unknown: int) -> None:
    """No numbers, however odd, make the verdict fail."""
    odd = tokenizer(words=words, unknown_words=unknown, scripts={"Hangul": script, "Common": script})
    assert verdict(odd, CORPUS).sentence.startswith("klue/roberta")
    assert best(profile(odd, jamo())) is not None or words < 20
