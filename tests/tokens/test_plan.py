"""What adding words to tokenizers of every family comes to, judged by the encoder of the folder that is written."""

import json
import random

import pytest

from corpus.made_tokenizers import SENTENCES
from corpus.made_tokenizers import made as made_tokenizers
from pretune.tokens.plan import make_plan
from tokens.placed import Spare, encoder_of, folder, ids, tokenizer_in, write

NAMES = tuple(made_tokenizers())
WORDS = ("hospitalization", "학교", "국회의원", "quickfox", "COVID", "재밌어", "kwargs")
TEXTS = [*SENTENCES[:5], "a b c", "x+1", "그리고  친구", "\n\n", "COVIDs kwargs, 학교에서 hospitalizations"]


def words_of(texts):
    """Words of texts with their counts."""
    found = {}
    for text in texts:
        for word in text.split():
            found[word] = found.get(word, 0) + 1
    return found


@pytest.fixture(scope="module", params=NAMES)
def done(request, tmp_path_factory):
    """(folder before, folder after, plan) for each family."""
    before = folder(tmp_path_factory.mktemp(request.param) / "before", request.param)
    tokenizer = tokenizer_in(before)
    rows = tokenizer.largest_id + 1
    plan = make_plan(tokenizer, WORDS, special=["<ent>", "[KWD]"], rows=rows, counted=words_of(TEXTS))
    after = write(folder(before.parent / "after", request.param), plan)
    return before, after, plan


def test_each_accepted_word_is_one_token_wherever_it_stands(done):
    """At the beginning of a text, after a space, before a comma, in the spelling that was asked for."""
    _, after, plan = done
    encoder, tokenizer = encoder_of(after), tokenizer_in(after)
    accepted = {entry.word for entry in plan.added if not entry.special} | set(plan.already)
    assert accepted | set(plan.refused) >= set(WORDS)
    assert accepted
    for word in accepted:
        own = {entry.id for entry in plan.added if entry.word == word and not entry.between}
        own |= set(plan.already.get(word, ()))
        start = ids(encoder, word)
        assert len(start) == 1
        inside = ids(encoder, f"a {word}")
        assert inside[:-1] == ids(encoder, "a")
        assert {start[0], inside[-1]} & own
        tokens = encoder.encode(f"a {word}", add_special_tokens=False).tokens
        assert [tokenizer.ids[token] for token in tokens] == inside  # tokenize, then convert_tokens_to_ids


def test_special_tokens_are_never_split(done):
    """Wherever they stand, without white space around them too."""
    _, after, plan = done
    encoder = encoder_of(after)
    for token in ("<ent>", "[KWD]"):
        at = next(entry.id for entry in plan.added if entry.word == token)
        for text in (token, f"a{token}b", f"가{token}", f" {token} {token}"):
            assert ids(encoder, text).count(at) == text.count(token)


def test_what_was_one_token_stays_one(done):
    """Every entry of the vocabulary that text reached as one token."""
    before, after, _ = done
    old, new = encoder_of(before), encoder_of(after)
    for entry in list(tokenizer_in(before).vocabulary.ids.values()):
        text = old.decode([entry], skip_special_tokens=False)
        for lead in ("", " "):
            if len(ids(old, lead + text)) == 1:
                assert len(ids(new, lead + text)) == 1


def test_no_text_gets_longer_and_others_stay_the_same(done):
    """A text without a new entry has the ids that it had; the corpus has no more tokens than before."""
    before, after, plan = done
    old, new = encoder_of(before), encoder_of(after)
    fresh = {entry.id for entry in plan.added}
    total = [0, 0]
    for text in TEXTS:
        one, two = ids(old, text), ids(new, text)
        total[0] += len(one)
        total[1] += len(two)
        assert fresh & set(two) or one == two
    assert total[1] <= total[0]
    assert plan.tokens[1] <= plan.tokens[0]


def test_every_changed_word_is_listed(done):
    """No word of the corpus changes that the plan does not name."""
    before, after, plan = done
    old, new = encoder_of(before), encoder_of(after)
    named = {change.word for change in plan.changed} | {entry.word for entry in plan.added} | set(plan.already)
    for word in words_of(TEXTS):
        if ids(old, f" {word}") != ids(new, f" {word}"):
            assert word in named


def test_the_same_again_is_nothing(done):
    """Planned on its own result there is nothing to add and no file to write."""
    _, after, plan = done
    tokenizer = tokenizer_in(after)
    accepted = [word for word in WORDS if word not in plan.refused]
    again = make_plan(tokenizer, accepted, special=["<ent>", "[KWD]"], rows=plan.rows[1])
    assert again.added == ()
    assert again.files == {}
    assert set(again.already) == {*accepted, "<ent>", "[KWD]"}


def test_ids_are_nobody_elses(done):
    """Each new entry has an id of its own, in the order in which it was asked for."""
    before, after, plan = done
    taken = set(tokenizer_in(before).ids.values())
    given = [entry.id for entry in plan.added]
    assert len(set(given)) == len(given)
    assert not taken & set(given)
    assert plan.rows[1] == max([plan.rows[0], *(at + 1 for at in given)])
    known = tokenizer_in(after).ids
    assert len(set(known.values())) == len(known)


def test_decoding_gives_what_it_gave(done):
    """decode(encode(x)) is what it was, where nothing in it was unknown."""
    before, after, _ = done
    old, new = encoder_of(before), encoder_of(after)
    unknown = {old.token_to_id(token) for token in ("[UNK]", "<unk>")} - {None}
    for text in TEXTS:
        one, two = ids(old, text), ids(new, text)
        if not unknown & {*one, *two}:
            assert new.decode(two) == old.decode(one)


@pytest.mark.parametrize("name", NAMES)
def test_words_taken_at_random_keep_their_promises(name, tmp_path):
    """Any pieces of text, glued: what is accepted is one token, what is not says why."""
    drawn = random.Random(name)
    letters = sorted({character for sentence in SENTENCES for character in sentence if not character.isspace()})
    words = ["".join(drawn.choices(letters, k=drawn.randint(1, 9))) for _ in range(60)]
    before = folder(tmp_path / "before", name)
    tokenizer = tokenizer_in(before)
    plan = make_plan(tokenizer, words, rows=tokenizer.largest_id + 1, counted=words_of([" ".join(words), *TEXTS]))
    encoder = encoder_of(write(before, plan))
    assert plan.tokens[1] <= plan.tokens[0]
    for word in words:
        if word in plan.refused:
            assert plan.refused[word]
        else:
            assert len(ids(encoder, word)) == 1
            assert len(ids(encoder, f"a {word}")) == len(ids(encoder, "a")) + 1


def test_slots_are_taken_before_rows(tmp_path):
    """Named slots first, then rows without an entry, then dead entries; a new row only when they are used up."""
    path = folder(tmp_path, "wordpiece")
    spec = json.loads((path / "tokenizer.json").read_text(encoding="utf-8"))
    count = len(spec["model"]["vocab"])
    spec["model"]["vocab"] |= {"[unused0]": count, "[unused1]": count + 1, "##!": count + 2}
    (path / "tokenizer.json").write_text(json.dumps(spec), encoding="utf-8")
    slots = [
        Spare(count + 2, "##!", "unreachable"),
        Spare(count + 3, "", "row"),
        Spare(count + 1, "[unused1]", "named"),
    ]
    tokenizer = tokenizer_in(path)
    plan = make_plan(tokenizer, ["alpha", "beta"], special=["<a>", "<b>"], slots=slots, rows=count + 4)
    assert [(entry.word, entry.id) for entry in plan.added] == [
        ("<a>", count + 1),
        ("<b>", count + 3),
        ("alpha", count + 2),
        ("beta", count + 4),
    ]
    assert plan.rows == (count + 4, count + 5)
    after = tokenizer_in(write(path, plan))
    assert "[unused1]" not in after.ids
    assert "##!" not in after.ids
    assert after.ids["[unused0]"] == count


def test_particles_survive(tmp_path):
    """A word placed in the vocabulary leaves what follows it a continuation, and longer words whole."""
    path = folder(tmp_path, "wordpiece")
    spec = json.loads((path / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = spec["model"]["vocab"]
    for entry in ("##는", "국회의원은", "의원", "##은", "코", "##로", "##나", "##1", "##9"):
        vocabulary.setdefault(entry, len(vocabulary))
    del vocabulary["의원"]
    spec["model"]["vocab"] = {entry: at for at, entry in enumerate(vocabulary)}
    (path / "tokenizer.json").write_text(json.dumps(spec), encoding="utf-8")
    tokenizer = tokenizer_in(path)
    plan = make_plan(tokenizer, ["코로나19", "의원"], rows=tokenizer.largest_id + 1, counted={"국회의원은": 3})
    encoder = encoder_of(write(path, plan))
    assert encoder.encode("코로나19는", add_special_tokens=False).tokens == ["코로나19", "##는"]
    assert encoder.encode("국회의원은", add_special_tokens=False).tokens == ["국회의원은"]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("e-mail", "always cuts it: e | - | mail"),
        ("New York", "always cuts it: New | York"),
        (" ", "white space"),
        ("", "white space"),
        ("x" * 101, "WordPiece looks at 100"),
    ],
)
def test_what_cannot_be_one_token_is_refused(tmp_path, word, reason):
    """With the reason."""
    tokenizer = tokenizer_in(folder(tmp_path, "wordpiece"))
    plan = make_plan(tokenizer, [word], rows=400)
    assert reason in plan.refused[word]
    assert plan.files == {}


def test_a_special_token_that_is_a_word_is_refused(tmp_path):
    """It would be cut out of every text that holds it."""
    tokenizer = tokenizer_in(folder(tmp_path, "wordpiece"))
    plan = make_plan(tokenizer, [], special=["의원", "cover"], rows=400)
    assert set(plan.refused) == {"의원", "cover"}


def test_decomposed_words_are_composed(tmp_path):
    """A word list from a Mac: NFD becomes NFC, as text is written."""
    import unicodedata

    tokenizer = tokenizer_in(folder(tmp_path, "wordpiece"))
    plan = make_plan(tokenizer, [unicodedata.normalize("NFD", "학교생활")], rows=tokenizer.largest_id + 1)
    assert [entry.word for entry in plan.added] == ["학교생활"]


def test_a_word_that_makes_others_longer_is_refused(tmp_path):
    """Greedy matching takes the longer beginning and pays for it with the rest."""
    path = folder(tmp_path, "wordpiece")
    spec = json.loads((path / "tokenizer.json").read_text(encoding="utf-8"))
    for entry in ("hospital", "##izing", "##i", "##z", "##n", "##g", "##x"):
        spec["model"]["vocab"].setdefault(entry, len(spec["model"]["vocab"]))
    (path / "tokenizer.json").write_text(json.dumps(spec), encoding="utf-8")
    tokenizer = tokenizer_in(path)
    plan = make_plan(tokenizer, ["hospitaliz"], rows=tokenizer.largest_id + 1, counted={"hospitalizing": 5})
    assert "hospitalizing" in plan.refused["hospitaliz"]
