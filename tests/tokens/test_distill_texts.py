"""Texts that rows are trained on: built-in sentences, and sentences of the user's."""

from pretune.tokens.distill_texts import LONGEST, contexts, templates


def test_templates_have_the_particles_of_the_word():
    """는 behind a vowel, 은 behind a consonant; English for what is not Hangul."""
    assert templates("코로나")[0].startswith("코로나는")
    assert templates("국회의원")[0].startswith("국회의원은")
    assert templates("국회의원")[1].startswith("국회의원이")
    assert templates("국회의원")[2] == "그는 국회의원을 자세히 설명했다."
    assert templates("코로나19")[0].startswith("코로나19는")
    assert " was " in templates("COVID")[0]
    assert all("{" not in text for word in ("a", "코로나") for text in templates(word))


def test_contexts_are_sentences_that_hold_the_word():
    """In any case, as a whole word or its beginning, one of each text, at most so many, cut when long."""
    texts = [
        "Nothing. The Covid wave came! More.",
        "코로나19는 끝났다.",
        "recovid",
        "covid-19 is here",
        "한국 코로나19",
    ]
    found = contexts(texts, ["COVID", "코로나19", "covid-19", "none"], most=1)
    assert found["COVID"] == ["The Covid wave came!"]
    assert found["코로나19"] == ["코로나19는 끝났다."]
    assert found["covid-19"] == ["covid-19 is here"]
    assert found["none"] == []
    assert contexts([], ["a"], most=3) == {"a": []}
    long = " ".join(f"w{at}" for at in range(100)) + " word, " + "x " * 100
    (cut,) = contexts([long], ["word"], most=1)["word"]
    assert len(cut.split()) == LONGEST
    assert "w99 word, x" in cut
    assert contexts(["(" + "y " * 50 + "(word)"], ["word"], most=1)["word"][0].endswith(" (word)")
