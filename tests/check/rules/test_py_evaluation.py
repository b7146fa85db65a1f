"""Rules on compute_metrics, on the data that a score is of, and on how batches reach a loop."""

import pytest

from ask_scripts import SETUP, asked, lines, number_of
from pretune.check.rules import py_batches, py_evaluation, py_splits
from pretune.check.rules.py_batches import evaluation_rows_dropped, sampler_epoch_never_set, training_rows_in_order
from pretune.check.rules.py_evaluation import argmax_missing, argmax_over_wrong_axis, ignored_labels_scored
from pretune.check.rules.py_splits import (
    evaluated_on_training_rows,
    model_chosen_on_test_data,
    oversampled_before_the_split,
    score_averaged_over_batches,
)

TRAINER = """\
import evaluate
import numpy as np
from datasets import load_dataset
from sklearn.metrics import accuracy_score, f1_score
from transformers import (
    AutoModelForSequenceClassification, AutoTokenizer, EarlyStoppingCallback, Trainer, TrainingArguments,
)

data = load_dataset("klue", "ynat")
tokenizer = AutoTokenizer.from_pretrained("klue/roberta-base")
tokenized = data.map(lambda row: tokenizer(row["title"], truncation=True), batched=True)
model = AutoModelForSequenceClassification.from_pretrained("klue/roberta-base", num_labels=7)
metric = evaluate.load("accuracy")

def compute_metrics(eval_pred):
    predictions, labels = eval_pred
    predictions = np.argmax(predictions, axis=-1)
    return {"f1": f1_score(labels, predictions, average="macro"), **metric.compute(predictions=predictions, references=labels)}

args = TrainingArguments("out", eval_strategy="epoch", save_strategy="epoch", load_best_model_at_end=True)
trainer = Trainer(
    model=model, args=args, train_dataset=tokenized["train"], eval_dataset=tokenized["validation"],
    compute_metrics=compute_metrics,
)
trainer.train()
"""
ARGMAX = "    predictions = np.argmax(predictions, axis=-1)\n"
TOKENS = """\
import numpy as np
from seqeval.metrics import f1_score as entity_f1
from sklearn.metrics import f1_score
from transformers import AutoModelForTokenClassification, DataCollatorForTokenClassification, Trainer

labels_of = ["O", "B-PS", "I-PS"]
model = AutoModelForTokenClassification.from_pretrained("klue/bert-base", num_labels=3)

def compute_metrics(p):
    preds = p.predictions.argmax(-1)
    kept = [(a, b) for x, y in zip(preds, p.label_ids) for a, b in zip(x, y) if b != -100]
    return {"f1": f1_score([b for _, b in kept], [a for a, _ in kept], average="macro")}

Trainer(model, args, compute_metrics=compute_metrics).train()
"""
LOOP = (
    SETUP
    + """\
best = 0
for epoch in range(epochs):
    model.train()
    for batch in train_loader:
        optimizer.zero_grad()
        model(**batch).loss.backward()
        optimizer.step()
    model.eval()
    correct = 0
    with torch.no_grad():
        for batch in valid_loader:
            correct += (model(**batch).logits.argmax(-1) == batch["labels"]).sum().item()
    if correct > best:
        best = correct
        torch.save(model.state_dict(), "best.pt")
"""
)
ALL = (*py_evaluation.RULES, *py_splits.RULES, *py_batches.RULES)


@pytest.mark.parametrize("text", [TRAINER, TOKENS, LOOP], ids=["trainer", "tokens", "loop"])
def test_healthy_evaluations_are_quiet(text: str) -> None:
    """Scores of chosen classes on validation data, with labels of -100 left out."""
    assert [finding for rule in ALL for finding in asked(rule, text)] == []


@pytest.mark.parametrize(
    "text",
    [
        TRAINER.replace(ARGMAX, ""),
        TRAINER.replace(ARGMAX, "    if isinstance(predictions, tuple):\n        predictions = predictions[0]\n"),
        TRAINER.replace("    predictions, labels = eval_pred\n" + ARGMAX, "    labels = eval_pred.label_ids\n")
        .replace("labels, predictions, average", "labels, eval_pred.predictions, average")
        .replace("predictions=predictions", "predictions=labels"),
    ],
)  # fmt: skip
def test_argmax_missing(text: str) -> None:
    """Logits scored as classes are an error at the score, unpacked or by attribute."""
    found = asked(argmax_missing, text)
    assert {finding.level for finding in found} == {"error"}
    assert "as it is, and expects classes" in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        TRAINER,
        TRAINER.replace(ARGMAX, "").replace("compute_metrics=compute_metrics", "compute_metrics=compute_metrics, "
                                            "preprocess_logits_for_metrics=first"),
        TRAINER.replace(ARGMAX, "    predictions = (predictions > 0).astype(int)\n"),
        TRAINER.replace(ARGMAX, "").replace('f1_score(labels, predictions, average="macro")', "mean_squared_error(labels, predictions)")
        .replace('"accuracy"', '"pearsonr"'),
        TRAINER.replace(ARGMAX, "").replace("Trainer(\n", "Seq2SeqTrainer(\n"),
    ],
)  # fmt: skip
def test_argmax_missing_quiet(text: str) -> None:
    """Chosen, prepared by the Trainer, several labels, regression, generated."""
    assert asked(argmax_missing, text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TRAINER.replace("axis=-1", "axis=0"), "argmax over axis 0"),
        (TRAINER.replace("np.argmax(predictions, axis=-1)", "predictions.argmax()"), "argmax over no axis"),
        (TOKENS.replace("argmax(-1)", "argmax(1)"), "argmax over axis 1, the tokens"),
    ],
)
def test_argmax_over_wrong_axis(text: str, said: str) -> None:
    """Argmax over rows, over everything, over tokens is an error."""
    (finding,) = asked(argmax_over_wrong_axis, text)
    assert finding.level == "error"
    assert finding.message.startswith(said)


@pytest.mark.parametrize(
    "text",
    [TRAINER, TRAINER.replace("axis=-1", "axis=1"), TOKENS.replace("argmax(-1)", "argmax(axis=2)"),
     TRAINER.replace("axis=-1", "axis=AXIS"), TRAINER + "best = np.argmax(scores, axis=0)\n"],
)  # fmt: skip
def test_argmax_over_wrong_axis_quiet(text: str) -> None:
    """The classes' axis by any number, one that is not known, argmax of something else."""
    assert asked(argmax_over_wrong_axis, text) == []


ALL_POSITIONS = """\
    preds = p.predictions.argmax(-1)
    return {"f1": f1_score(p.label_ids.flatten(), preds.flatten(), average="macro")}
"""


def _scored(body: str) -> str:
    start, end = TOKENS.index("    preds ="), TOKENS.index("\nTrainer(")
    return TOKENS[:start] + body + TOKENS[end:]


@pytest.mark.parametrize(
    "text",
    [
        _scored(ALL_POSITIONS),
        _scored("    preds = p.predictions.argmax(-1)\n    return {'acc': accuracy_score(p.label_ids.ravel(), preds.ravel())}\n")
        .replace("import f1_score\n", "import accuracy_score\n"),
        _scored("    preds = np.argmax(p[0], 2)\n    names = [[labels_of[i] for i in row] for row in preds]\n"
                "    gold = [[labels_of[i] for i in row] for row in p[1]]\n    return metric.compute(predictions=names, references=gold)\n")
        .replace("labels_of =", "import evaluate\nmetric = evaluate.load('seqeval')\nlabels_of ="),
    ],
)  # fmt: skip
def test_ignored_labels_scored(text: str) -> None:
    """Scores of all positions of a token classifier are a warning."""
    (finding,) = asked(ignored_labels_scored, text)
    assert finding.level == "warning"
    assert "those labelled -100 too" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        TOKENS,
        TRAINER,
        _scored(
            "    mask = keep(p.label_ids)\n    return {'f1': f1_score(p.label_ids[mask], p.predictions.argmax(-1)[mask])}\n"
        ),
        _scored("    return score(p)\n"),
    ],
)
def test_ignored_labels_scored_quiet(text: str) -> None:
    """Left out by comparison or mask, one label a row, or scored elsewhere."""
    assert asked(ignored_labels_scored, text) == []


TEST_LOADER = LOOP.replace("from data import train_set, valid_set", "from datasets import load_dataset\n"
                           "train_set = load_dataset('nsmc', split='train')\nvalid_set = load_dataset('nsmc', split='test')")  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        TRAINER.replace('tokenized["validation"]', 'tokenized["test"]'),
        TRAINER.replace('tokenized["validation"]', 'tokenized["test"].shuffle(seed=1).select(range(500))')
        .replace("load_best_model_at_end=True", "")
        .replace("compute_metrics=compute_metrics", "callbacks=[EarlyStoppingCallback(3)]"),
        TEST_LOADER,
        LOOP.replace("DataLoader(valid_set", "DataLoader(Reviews('data/test.tsv', tokenizer)"),
    ],
)  # fmt: skip
def test_data_choose_the_model(text: str) -> None:
    """The checkpoint chosen on test data is a warning, with a Trainer and in a loop."""
    (finding,) = asked(model_chosen_on_test_data, text)
    assert (finding.name, finding.level) == ("model-chosen-on-test-data", "warning")


@pytest.mark.parametrize(
    "text",
    [
        TRAINER,
        LOOP,
        TRAINER.replace('tokenized["validation"]', 'tokenized["test"]').replace("load_best_model_at_end=True", ""),
        TRAINER.replace('tokenized["validation"]', 'tokenized["test"]').replace('"ynat")', '"ynat")["train"].train_test_split(0.1)'),
        TEST_LOADER.replace("    if correct > best:\n        best = correct\n        torch.save", "    if True:\n        torch.save"),
        LOOP.replace("DataLoader(valid_set", "DataLoader(Reviews('data/latest.tsv', tokenizer)"),
    ],
)  # fmt: skip
def test_data_choose_the_model_quiet(text: str) -> None:
    """Validation data, nothing chosen, a `test` that was split off the training rows, a name that only sounds so."""
    assert asked(model_chosen_on_test_data, text) == []


@pytest.mark.parametrize(
    "text",
    [
        TRAINER.replace('tokenized["validation"]', 'tokenized["train"]'),
        TRAINER.replace('eval_dataset=tokenized["validation"]', 'eval_dataset=tokenized["train"]').replace("model=model", "model"),
        TRAINER.replace("trainer = Trainer(", "rows = load_dataset('json', data_files='a.json', split='train')\ntrainer = Trainer(")
        .replace('tokenized["train"]', "rows").replace('tokenized["validation"]', "rows"),
    ],
)  # fmt: skip
def test_evaluated_on_training_rows(text: str) -> None:
    """The same rows for training and evaluation are a warning."""
    assert [finding.level for finding in asked(evaluated_on_training_rows, text)] == ["warning"]


@pytest.mark.parametrize(
    "text",
    [TRAINER, TRAINER.replace('tokenized["validation"]', 'tokenized["train"].select(range(9))'),
     TRAINER.replace('tokenized["train"]', "rows").replace('tokenized["validation"]', "rows")],
)  # fmt: skip
def test_evaluated_on_training_rows_quiet(text: str) -> None:
    """Other rows, a part that the script says, and names that are not known."""
    assert asked(evaluated_on_training_rows, text) == []


OVERSAMPLED = """\
from imblearn.over_sampling import RandomOverSampler
from sklearn.model_selection import train_test_split
x, y = RandomOverSampler(random_state=1).fit_resample(df[["text"]], df["label"])
x_train, x_valid, y_train, y_valid = train_test_split(x, y, random_state=1)
"""


@pytest.mark.parametrize(
    "text",
    [
        OVERSAMPLED,
        OVERSAMPLED.replace("RandomOverSampler", "SMOTE"),
        OVERSAMPLED.replace("(x, y, ", '(x["text"].tolist(), y.tolist(), stratify=y, '),
    ],
)
def test_oversampled_before_the_split(text: str) -> None:
    """Oversampled rows that are split afterwards are a warning at the split."""
    (finding,) = asked(oversampled_before_the_split, text)
    assert lines([finding]) == [number_of(text, "x_train")]


@pytest.mark.parametrize(
    "text",
    [
        "from sklearn.model_selection import train_test_split\na, b = train_test_split(df, random_state=1)\n",
        OVERSAMPLED.replace("RandomOverSampler", "RandomUnderSampler").replace("over_sampling", "under_sampling"),
        (
            "from imblearn.over_sampling import SMOTE\nfrom sklearn.model_selection import train_test_split\n"
            "a, b, c, d = train_test_split(x, y, random_state=1)\na, c = SMOTE().fit_resample(a, c)\n"
        ),
    ],
)
def test_oversampled_before_the_split_quiet(text: str) -> None:
    """Not oversampled, undersampled, or oversampled behind the split."""
    assert asked(oversampled_before_the_split, text) == []


BATCH_F1 = LOOP.replace("            correct += (", "            f1 += f1_score(batch['labels'].cpu(), model(**batch)[0].argmax(-1).cpu())\n"
                        "            correct += (").replace("import torch\n", "import torch\nfrom sklearn.metrics import f1_score\n", 1)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [BATCH_F1, BATCH_F1.replace("f1_score", "matthews_corrcoef"), BATCH_F1.replace("f1 += f1_score(", "scores.append(f1_score(").replace(".cpu())\n", ".cpu()))\n")],
)  # fmt: skip
def test_score_averaged_over_batches(text: str) -> None:
    """F1 for each batch of the evaluation is a note."""
    assert [finding.level for finding in asked(score_averaged_over_batches, text)] == ["note"]


@pytest.mark.parametrize(
    "text",
    [
        LOOP,
        LOOP.replace("            correct +=", "            preds.extend(model(**batch)[0].argmax(-1).tolist())\n            correct +=")
        .replace("    correct = 0", "    preds, correct = [], 0").replace("    if correct", "    f1 = f1_score(gold, preds)\n    if correct"),
        BATCH_F1.replace("f1 += f1_score(", "correct += accuracy_score("),
    ],
)  # fmt: skip
def test_score_averaged_over_batches_quiet(text: str) -> None:
    """Scored once behind the loop, or a score whose mean over batches is itself."""
    assert asked(score_averaged_over_batches, text) == []


DISTRIBUTED = LOOP.replace("train_loader = DataLoader(train_set, batch_size=16, shuffle=True)",
                           "from torch.utils.data.distributed import DistributedSampler\n"
                           "sampler = DistributedSampler(train_set)\ntrain_loader = DataLoader(train_set, 16, sampler=sampler)")  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        DISTRIBUTED,
        DISTRIBUTED.replace("DistributedSampler(train_set)", "DistributedSampler(train_set, num_replicas=2, rank=rank, shuffle=True)"),
        DISTRIBUTED.replace("sampler = Dist", "sampler = RandomSampler(train_set) if rank == -1 else Dist").replace(
            "RandomSampler(train_set) if rank == -1 else ", ""),
    ],
)  # fmt: skip
def test_sampler_epoch_never_set(text: str) -> None:
    """A DistributedSampler without set_epoch is a warning where it is made."""
    (finding,) = asked(sampler_epoch_never_set, text)
    assert lines([finding]) == [number_of(text, "sampler = ")]


@pytest.mark.parametrize(
    "text",
    [
        LOOP,
        DISTRIBUTED.replace("    model.train()", "    train_loader.sampler.set_epoch(epoch)\n    model.train()"),
        DISTRIBUTED.replace("DistributedSampler(train_set)", "DistributedSampler(train_set, shuffle=False)"),
    ],
)
def test_sampler_epoch_never_set_quiet(text: str) -> None:
    """No such sampler, told the epoch, or one that does not shuffle."""
    assert asked(sampler_epoch_never_set, text) == []


DROPPED = LOOP.replace("DataLoader(valid_set, batch_size=16)", "DataLoader(valid_set, batch_size=16, drop_last=True)")


@pytest.mark.parametrize(
    "text",
    [
        DROPPED,
        DROPPED.replace("in valid_loader", "in tqdm(valid_loader)"),
        DROPPED.replace("device)\n", "device)\n# 평가\n"),
    ],
)
def test_evaluation_rows_dropped(text: str) -> None:
    """drop_last in the loader of the evaluation is a warning where the loader is made."""
    (finding,) = asked(evaluation_rows_dropped, text)
    assert lines([finding]) == [number_of(text, "valid_loader = ")]


@pytest.mark.parametrize(
    "text",
    [
        LOOP,
        LOOP.replace("shuffle=True)", "shuffle=True, drop_last=True)"),
        DROPPED.replace("drop_last=True", "drop_last=args.drop"),
    ],
)
def test_evaluation_rows_dropped_quiet(text: str) -> None:
    """All rows, rows of the training dropped, or as a flag says."""
    assert asked(evaluation_rows_dropped, text) == []


IN_ORDER = LOOP.replace(", shuffle=True)", ")")


@pytest.mark.parametrize(
    "text",
    [
        IN_ORDER,
        LOOP.replace("shuffle=True", "shuffle=False"),
        IN_ORDER.replace("train_set, batch", "dataset=train_set, batch"),
    ],
)
def test_training_rows_in_order(text: str) -> None:
    """A training loader that does not shuffle is a note."""
    assert [finding.level for finding in asked(training_rows_in_order, text)] == ["note"]


@pytest.mark.parametrize(
    "text",
    [
        LOOP,
        IN_ORDER.replace("batch_size=16)\nvalid", "batch_size=16, sampler=make_sampler())\nvalid"),
        IN_ORDER.replace("DataLoader(train_set", "DataLoader(train_set.shuffle(seed=1)"),
        IN_ORDER.replace("batch_size=16)\nvalid", "batch_size=16, shuffle=args.shuffle)\nvalid"),
        IN_ORDER.replace("from data import train_set, valid_set", "from datasets import load_dataset\n"
                         "train_set = load_dataset('c4', split='train', streaming=True)"),
    ],
)  # fmt: skip
def test_training_rows_in_order_quiet(text: str) -> None:
    """Shuffled, sampled, shuffled before, as a flag says, or a stream."""
    assert asked(training_rows_in_order, text) == []


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("torch.softmax(model(**batch).logits, dim=-1).argmax(0)", 1),
        ("torch.argmax(model(**batch).logits, dim=0)", 1),
        ("model(**batch).logits.argmax(dim=-1)", 0),
        ("model(**batch).logits[0].argmax(0)", 0),
        ("decoder(**batch).logits.argmax(0)", 0),
    ],
)
def test_argmax_over_wrong_axis_in_a_loop(code: str, count: int) -> None:
    """A batch's logits over its rows; one row's, or another model's, are no fault."""
    text = """
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification
model = AutoModelForSequenceClassification.from_pretrained("a/a")
decoder = AutoModelForCausalLM.from_pretrained("a/a")
"""
    assert len(asked(argmax_over_wrong_axis, f"{text}{code}\n")) == count


@pytest.mark.parametrize(
    ("train", "evaluated", "count"),
    [
        ("train", "train[90%:]", 1),
        ("train[:80%]", "train[70%:]", 1),
        ("train[:90%]", "train[90%:]", 0),
        ("train", "validation", 0),
        ("train", "train[:100]", 0),
    ],
)
def test_splits_that_overlap(train: str, evaluated: str, count: int) -> None:
    """Slices of one split that share rows; neighbours, another split and numbers of rows are no fault."""
    text = f"""
from datasets import load_dataset
from transformers import Trainer
a = load_dataset("x/y", split="{train}").map(encode)
b = load_dataset("x/y", split="{evaluated}").map(encode)
Trainer(model, args, train_dataset=a, eval_dataset=b)
"""
    assert len(asked(evaluated_on_training_rows, text)) == count
