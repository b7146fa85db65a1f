"""Entries D03 to D05, D13, X46 to X49 and a T31: answers in their context, and tags of words."""

from check.catalogue import korean
from check.catalogue.case import Case, Keys, World, into
from check.catalogue.folders import bert, byte_roberta, electra, roberta

CASES: list[Case] = []
case = into(CASES)


@case("D03", "error", "LEN LAB DAT MRC", says=r"stride|answer")
def answers_cut_away(world: World, fault: bool) -> Keys:
    """Answers lie behind the cut, there is no stride: they become the [CLS] position."""
    rows = korean.questions()
    for row in rows:
        before = " ".join(korean.paragraph(number) for number in range(30, 34))
        row["context"] = f"{before} {row['context']}"
        row["answers"] = {**row["answers"], "answer_start": [row["answers"]["answer_start"][0] + len(before) + 1]}
    more = {"stride": ...} if fault else {"stride": 40, "return_overflowing_tokens": True}
    return world.mrc(electra(), rows, encode=more)


@case("D04", "error", "LAB DAT MRC", says=r"answer_start|answer")
def answers_shifted(world: World, fault: bool) -> Keys:
    """answer_start is one letter late in a third of the rows."""
    rows = korean.questions()
    for row in rows[::3] if fault else ():
        row["answers"] = {**row["answers"], "answer_start": [row["answers"]["answer_start"][0] + 1]}
    return world.mrc(roberta(), rows)


@case("D05", "error", "LAB DAT MRC", says=r"byte")
def answers_counted_in_bytes(world: World, fault: bool) -> Keys:
    """answer_start counts UTF-8 bytes."""
    rows = korean.questions()
    for row in rows if fault else ():
        start = row["answers"]["answer_start"][0]
        row["answers"] = {**row["answers"], "answer_start": [len(row["context"][:start].encode())]}
    return world.mrc(bert(), rows)


@case("D13", "error", "LAB DAT", says=r"tags|tokens")
def one_tag_fewer(world: World, fault: bool) -> Keys:
    """Two rows have one tag fewer than words."""
    rows = korean.names()
    for number in (4, 19) if fault else ():
        rows[number] = {**rows[number], "tags": rows[number]["tags"][:-1]}
    return world.tag(electra(), rows)


@case("T31-saved", "warning", "TOK LAB", says=r"add_prefix_space")
def split_words_saved_without_prefix_space(world: World, fault: bool) -> Keys:
    """The folder's own tokenizer_config.json says add_prefix_space=false, the words are split."""
    model = byte_roberta()
    assert model.tokenizer is not None
    assert model.tokenizer_config is not None
    model.tokenizer_config["add_prefix_space"] = not fault
    model.tokenizer["pre_tokenizer"] = {**model.tokenizer["pre_tokenizer"], "add_prefix_space": not fault}
    model.tokenizer["post_processor"] = {**model.tokenizer["post_processor"], "add_prefix_space": not fault}
    return world.tag(model)


@case("X46", "warning", "LAB DAT MRC", says=r"answer|unanswerable|impossible")
def unanswerable_marked_by_an_empty_answer(world: World, fault: bool) -> Keys:
    """Some answers are an empty text at place 0 instead of an empty list."""
    rows = korean.questions()
    for number in (3, 9, 14):
        empty = {"text": [""], "answer_start": [0]}
        rows[number]["answers"] = empty if fault else {"text": [], "answer_start": []}
    return world.mrc(bert(), rows)


@case("X47", "warning", "LAB TOK", says=r"tags")
def one_tag_a_letter(world: World, fault: bool) -> Keys:
    """KLUE-NER gives a tag for each letter, spaces among them; aligned to whole words it shifts."""
    if not fault:
        return world.tag(electra())
    rows = []
    for row in korean.names():
        letters, tags = [], []
        for word, tag in zip(row["tokens"], row["tags"], strict=True):
            inside = tag.replace("B-", "I-")
            letters += [*word, " "]
            tags += [tag, *[inside] * (len(word) - 1), "O"]
        rows.append({"tokens": "".join(letters[:-1]).split(" "), "tags": tags[:-1]})
    return world.tag(electra(), rows)


@case("X48", "warning", "LAB", says=r"I-")
def inside_without_a_beginning(world: World, fault: bool) -> Keys:
    """Tags go from O to I-LOC without B-LOC."""
    rows = korean.names()
    for row in rows[::4] if fault else ():
        row["tags"] = ["I-LOC" if tag == "B-LOC" else tag for tag in row["tags"]]
    return world.tag(bert(), rows)


@case("X49", "warning", "DAT LAB MRC", says=r"context|document|paragraph|same")
def paragraphs_in_both_splits(world: World, fault: bool) -> Keys:
    """The evaluation questions are new, their paragraphs are those of the training rows."""
    train = [row for number, row in enumerate(korean.questions(36)) if number % 3 != 2]
    dev = [row for number, row in enumerate(korean.questions(36)) if number % 3 == 2]
    return world.mrc(electra(), train if fault else korean.questions(), dev if fault else korean.questions(9, start=27))
