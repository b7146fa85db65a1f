"""Entries C08 to C12, C30, X17 and X18: labels against the head and its names."""

from check.catalogue import korean
from check.catalogue.case import Case, Keys, World, into
from check.catalogue.folders import Folder, bert, electra, roberta

CASES: list[Case] = []
case = into(CASES)


@case("C08-said", "error", "LAB CFG", says=r"num_labels|0\.\.3")
def fewer_labels_said_than_there_are(world: World, fault: bool) -> Keys:
    """num_labels=4, and the labels are 0 to 4."""
    rows = [{**row, "label": number % 5} for number, row in enumerate(korean.reviews(50))]
    return world.classify(bert(), rows, config={"num_labels": 4 if fault else 5})


@case("C08", "warning", "LAB CFG", says=r"num_labels|3")
def too_few_labels(world: World, fault: bool) -> Keys:
    """The labels are 0, 1, 2 and nobody says num_labels, whose default is 2 (a script may count them itself)."""
    train = [{**row, "label": number % 3} for number, row in enumerate(korean.reviews())]
    dev = [{**row, "label": number % 3} for number, row in enumerate(korean.reviews(15, start=48))]
    return world.classify(electra(), train, dev, config={} if fault else {"num_labels": 3})


@case("C09", "note", "LAB CFG", says=r"num_labels|7")
def too_many_labels(world: World, fault: bool) -> Keys:
    """num_labels is 7, the labels are 0 and 1."""
    return world.classify(bert(), config={"num_labels": 7 if fault else 2})


@case("C10", "error", "LAB CFG", says=r"num_labels|regression")
def class_labels_as_regression(world: World, fault: bool) -> Keys:
    """num_labels=1 makes a regression of class labels."""
    return world.classify(electra(), config={"num_labels": 1 if fault else 2})


@case("C11", "error", "LAB CFG", says=r"multi_label|problem_type")
def multi_hot_labels(world: World, fault: bool) -> Keys:
    """Labels are multi-hot vectors, problem_type is not said."""
    rows = [
        {**row, "label": [float(number % 2), float(number % 3 == 0), float(number % 5 == 0), 1.0 - number % 2]}
        for number, row in enumerate(korean.reviews())
    ]
    more = {} if fault else {"problem_type": "multi_label_classification"}
    return world.classify(bert(), rows, config={"num_labels": 4, **more})


def _trained_head(labels: int, order: list[str] | None = None) -> Folder:
    """A BERT fine-tuned on `labels` classes."""
    model = bert("BertForSequenceClassification", num_labels=labels)
    del model.config["num_labels"]
    names = order or [f"LABEL_{number}" for number in range(labels)]
    model.config["id2label"] = {str(number): name for number, name in enumerate(names)}
    model.config["label2id"] = {name: number for number, name in enumerate(names)}
    return model


@case("C12", "error", "LAB CFG MOD", says=r"id2label|order|head")
def trained_head_with_labels_in_another_order(world: World, fault: bool) -> Keys:
    """The checkpoint's head was trained for 슬픔/기쁨/분노, the run names them in another order."""
    order = ["슬픔", "기쁨", "분노"]
    model = _trained_head(3, order)
    said = ["기쁨", "분노", "슬픔"] if fault else order
    train = [{**row, "label": said[number % 3]} for number, row in enumerate(korean.reviews())]
    names = {"id2label": {str(number): name for number, name in enumerate(said)}}
    return world.classify(model, train, config=names | {"label2id": {name: number for number, name in enumerate(said)}})


@case("C30", "error", "MOD LAB CFG", says=r"num_labels|5")
def head_of_another_size(world: World, fault: bool) -> Keys:
    """The checkpoint has a head for 5 classes, the run asks for 2."""
    return world.classify(_trained_head(5 if fault else 2), config={"num_labels": 2})


@case("X17", "warning", "LAB CFG", says=r"id2label|label2id")
def label_names_not_inverse(world: World, fault: bool) -> Keys:
    """label2id is not the inverse of id2label."""
    names = {"id2label": {"0": "비추천", "1": "보통", "2": "추천"}}
    back = {"비추천": 0, "보통": 2, "추천": 1} if fault else {"비추천": 0, "보통": 1, "추천": 2}
    rows = [{**row, "label": number % 3} for number, row in enumerate(korean.reviews())]
    return world.classify(electra(), rows, config={**names, "label2id": back})


@case("X17-gap", "warning", "LAB CFG", says=r"id2label")
def label_numbers_with_a_gap(world: World, fault: bool) -> Keys:
    """id2label of config.json has the numbers 0, 1 and 3."""
    model = bert()
    last = 3 if fault else 2
    model.config |= {
        "id2label": {"0": "비추천", "1": "보통", str(last): "추천"},
        "label2id": {"비추천": 0, "보통": 1, "추천": last},
    }
    rows = [{**row, "label": number % 3} for number, row in enumerate(korean.reviews())]
    return world.classify(model, rows)


@case("X18", "warning", "LAB CFG", says=r"num_labels|id2label")
def number_and_names_of_labels_differ(world: World, fault: bool) -> Keys:
    """num_labels=4, id2label has three names."""
    rows = [{**row, "label": number % 3} for number, row in enumerate(korean.reviews())]
    names = {"id2label": {"0": "비추천", "1": "보통", "2": "추천"}, "label2id": {"비추천": 0, "보통": 1, "추천": 2}}
    return world.classify(roberta(), rows, config={**names, "num_labels": 4 if fault else 3})
