"""Entries D02 to D22 and the X entries of their kind: rows, labels, answers, tags and how they are cut."""

import unicodedata

from check.catalogue import korean
from check.catalogue.case import Case, Keys, World, into
from check.catalogue.folders import bert, electra, qwen2, roberta

CASES: list[Case] = []
case = into(CASES)
DEV = korean.reviews(16, start=48)


@case("D02", "warning", "LEN DAT", says=r"%|rows")
def most_rows_cut(world: World, fault: bool) -> Keys:
    """max_length 24 cuts paragraphs of about 100 tokens."""
    rows = [{"text": korean.paragraph(number), "label": number % 2} for number in range(48)]
    return world.classify(bert(), rows, encode={"max_length": 24 if fault else 120})


NAMED = {"id2label": {"0": "추천", "1": "비추천"}, "label2id": {"추천": 0, "비추천": 1}}


@case("D06", "error", "LAB DAT", says=r"space|strip|'비추천 '|\"비추천 \"|비추천")
def label_with_a_space(world: World, fault: bool) -> Keys:
    """Two rows have the label "비추천 " with a space behind it."""
    rows = korean.reviews(labels=("비추천", "추천"))
    for number in (8, 30) if fault else ():
        rows[number] = {**rows[number], "label": "비추천 "}
    return world.classify(electra(), rows, config=NAMED)


@case("D06-nfd", "error", "LAB DAT", says=r"NFC|NFD|normal|decompos")
def label_decomposed(world: World, fault: bool) -> Keys:
    """One label is written in NFD in some rows."""
    rows = korean.reviews(labels=("비추천", "추천"))
    for number in (1, 11, 21) if fault else ():
        rows[number] = {**rows[number], "label": unicodedata.normalize("NFD", "추천")}
    return world.classify(bert(), rows, config=NAMED)


@case("D07", "note", "LAB DAT", says=r"%|share|\b[34]\b")
def one_class_is_rare(world: World, fault: bool) -> Keys:
    """One class has 2 % of the rows."""
    rows = [
        row
        for number, row in enumerate(korean.reviews(300))
        if row["label"] == 1 or not fault or number in (8, 120, 266)
    ]
    return world.classify(bert(), rows)


@case("D08", "error", "DAT LAB", says=r"\b11\b|dev\.jsonl|train\.jsonl")
def evaluation_rows_in_training(world: World, fault: bool) -> Keys:
    """11 of 16 evaluation rows are training rows, three of them in another Unicode form or spacing."""
    train, dev = korean.reviews(), korean.reviews(16, start=48)
    if fault:
        dev[:11] = train[20:31]
        dev[0] = {**dev[0], "text": unicodedata.normalize("NFD", dev[0]["text"])}
        dev[1] = {**dev[1], "text": dev[1]["text"].replace(" ", "  ")}
        dev[2] = {**dev[2], "text": f" {dev[2]['text']} "}
    return world.classify(electra(), train, dev)


@case("D08-pairs", "error", "DAT LAB")
def evaluation_pairs_in_training(world: World, fault: bool) -> Keys:
    """Half of the evaluation pairs are training pairs."""
    train, dev = korean.pairs(), korean.pairs(16, start=48)
    return world.pairs(bert(), train, train[:8] + dev[8:] if fault else dev)


@case("D09", "warning", "DAT", says=r"empty|blank")
def blank_rows(world: World, fault: bool) -> Keys:
    """Four rows have no text, or spaces and a zero-width space only."""
    rows = korean.reviews()
    for number, text in zip((2, 17, 25, 40), ("", "   ", "\u200b", "\n"), strict=True):
        rows[number] = {**rows[number], "text": text if fault else rows[number]["text"]}
    return world.classify(roberta(), rows)


@case("D10", "warning", "LAB DAT", says=r"label|differ|opposite|conflict")
def same_text_two_labels(world: World, fault: bool) -> Keys:
    """Five texts occur twice with opposite labels."""
    rows = korean.reviews(60)
    more = [{**row, "label": 1 - row["label"]} for row in rows[10:15]] if fault else korean.reviews(5, start=80)
    return world.classify(electra(), rows + more)


@case("D11", "error", "DAT TOK", says=r"mojibake|latin|encoding|decoded|UTF-8|cp949")
def mojibake(world: World, fault: bool) -> Keys:
    """UTF-8 read as latin-1, in every third row."""
    rows = korean.reviews()
    for number in range(0, 48, 3) if fault else ():
        rows[number] = {**rows[number], "text": rows[number]["text"].encode().decode("latin-1")}
    return world.classify(bert(), rows)


@case("D11-replacement", "warning", "DAT TOK", says=r"U\+FFFD|replacement|�")
def replacement_characters(world: World, fault: bool) -> Keys:
    """CP949 decoded as UTF-8 with errors="replace"."""
    rows = korean.reviews()
    for number in range(0, 48, 6) if fault else ():
        rows[number] = {**rows[number], "text": rows[number]["text"].encode("cp949").decode("utf-8", "replace")}
    return world.classify(electra(), rows)


@case("D12", "warning", "DAT TOK", says=r"U\+200B|zero-width|invisible|U\+00A0|U\+FEFF")
def invisible_characters(world: World, fault: bool) -> Keys:
    """Zero-width spaces, no-break spaces and a BOM inside the training text only."""
    rows = korean.reviews()
    for number in range(0, 48, 2) if fault else ():
        text = rows[number]["text"].replace("요", "\u200b요", 1).replace(" ", "\u00a0", 2)
        rows[number] = {**rows[number], "text": f"\ufeff{text}" if number % 8 == 0 else text}
    return world.classify(bert(), rows, DEV)


@case("D14", "error", "LAB DAT", says=r"\b3\b")
def evaluation_label_never_trained(world: World, fault: bool) -> Keys:
    """The evaluation rows have class 3, the training rows 0, 1 and 2."""
    train = [{**row, "label": number % 3} for number, row in enumerate(korean.reviews())]
    dev = [{**row, "label": number % (4 if fault else 3)} for number, row in enumerate(DEV)]
    return world.classify(roberta(), train, dev, config={"num_labels": 3})


@case("D16", "error", "LAB DAT", says=r"from 1|\b1\b")
def labels_from_one(world: World, fault: bool) -> Keys:
    """The labels are 1 to 3 with num_labels=3."""
    shift = 1 if fault else 0
    rows = [{**row, "label": number % 3 + shift} for number, row in enumerate(korean.reviews())]
    return world.classify(electra(), rows, config={"num_labels": 3})


@case("D18", "error", "DAT", says=r"null|missing|empty|no text")
def null_text(world: World, fault: bool) -> Keys:
    """Three rows have null for a text."""
    rows = korean.reviews()
    for number in (5, 6, 33) if fault else ():
        rows[number] = {**rows[number], "text": None}
    return world.classify(bert(), rows)


@case("D19", "warning", "LAB DAT TRN", says=r"class_id|label")
def label_column_dropped(world: World, fault: bool) -> Keys:
    """The label column is called class_id, which the model does not know: the Trainer drops it."""
    name = "class_id" if fault else "label"
    rows = [{"text": row["text"], name: row["label"]} for row in korean.reviews()]
    return world.classify(electra(), rows)


@case("D20", "warning", "LAB DAT", says=r"string|word|text|\"0\"|'0'")
def labels_are_number_words(world: World, fault: bool) -> Keys:
    """The labels are the strings "0", "1" and "2"."""
    rows = [{**row, "label": str(number % 3) if fault else number % 3} for number, row in enumerate(korean.reviews())]
    return world.classify(roberta(), rows, config={"num_labels": 3})


@case("D21", "warning", "DAT", says=r"비공개|%|same|repeat|duplicate")
def placeholder_text(world: World, fault: bool) -> Keys:
    """Half of the rows are one placeholder text with both labels."""
    rows = korean.reviews(60)
    for number in range(15, 45) if fault else ():
        rows[number] = {**rows[number], "text": "작성자가 비공개로 돌린 글입니다."}
    return world.classify(electra(), rows)


@case("D22", "error", "CHT LEN DAT", says=r"answer|assistant|cut|trunc")
def nothing_of_the_answer_is_left(world: World, fault: bool) -> Keys:
    """The prompts alone are longer than max_length."""
    rows = korean.chats()
    for number, row in enumerate(rows):
        asked = f"{korean.paragraph(number)} {korean.paragraph(number + 3)} 위 글을 읽고 답해 주세요. {row['messages'][0]['content']}"
        row["messages"] = [{**row["messages"][0], "content": asked}, row["messages"][1]]
    return world.chat(qwen2(), rows, encode={"max_length": 40 if fault else 1024})


@case("X50", "note", "DAT", says=r"delimiter|quote|column|merged|field|line")
def rows_merged_by_a_quote(world: World, fault: bool) -> Keys:
    """An open quote in a TSV swallows the following lines."""
    lines = [f"{row['text']}\t{row['label']}" for row in korean.reviews()]
    if fault:
        lines[11] = f'"{lines[11]}'
    path = world.text("text\tlabel\n" + "\n".join(lines) + "\n", "train.tsv")
    return world.classify(bert(), path)


@case("X51", "note", "DAT", says=r"BOM|U\+FEFF|byte order")
def column_name_with_a_bom(world: World, fault: bool) -> Keys:
    """The CSV opens with a byte order mark twice (saved by Excel from a file that had one)."""
    lines = ["text,label", *(f'"{row["text"]}",{row["label"]}' for row in korean.reviews())]
    path = world.text(("\ufeff\ufeff" if fault else "") + "\n".join(lines) + "\n", "train.csv")
    return world.classify(electra(), path)


@case("X52", "error", "LAB DAT", says=r"null|missing|NaN|lack|empty|no label")
def label_missing(world: World, fault: bool) -> Keys:
    """Two rows of a CSV have no label, so the column becomes float."""
    rows = korean.reviews()
    lines = [
        "text,label",
        *(f'"{row["text"]}",{"" if fault and number in (7, 28) else row["label"]}' for number, row in enumerate(rows)),
    ]
    return world.classify(bert(), world.text("\n".join(lines) + "\n", "train.csv"))


@case("X53", "note", "LAB DAT", says=r"%|share|distribution")
def evaluation_of_another_distribution(world: World, fault: bool) -> Keys:
    """The training rows are half good, the evaluation rows nearly all bad."""
    train, more = korean.reviews(200), korean.reviews(240, start=200)
    bad = [row for row in more if row["label"] == 0]
    dev = bad[:115] + [row for row in more if row["label"] == 1][:5] if fault else more[:120]
    return world.classify(roberta(), train, dev)


@case("X54", "note", "LAB DAT TRN", says=r"sort|order|shuffle")
def sorted_by_label(world: World, fault: bool) -> Keys:
    """The file is sorted by label, and the sampler does not shuffle."""
    rows = korean.reviews(160)
    rows = sorted(rows, key=lambda row: row["label"]) if fault else rows
    args = {"train_sampling_strategy": "sequential"}
    return world.classify(electra(), rows, training_args=args)
