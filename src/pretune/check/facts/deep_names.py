"""Load what a Setup names, and make a few batches of its data, to be computed. Needs torch and transformers.

The rows are encoded as the courses of transformers do it, by task; what a script does otherwise is not known. Runs no
code from a model's folder unless the Setup trusts it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.artifacts.architectures import task_auto_class
from pretune.check.finding import Unavailable
from pretune.check.sources.live_objects import Objects
from pretune.core.errors import UserError
from pretune.core.extras import need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pretune.check.facts import Facts
    from pretune.check.sources.setup import Setup
    from pretune.corpus.example import Example

ROWS, BATCH, LENGTH = 32, 8, 128
"""Rows that are encoded, rows of a batch, and tokens of a row at most."""
LOADING = ("dtype", "torch_dtype", "trust_remote_code", "revision", "ignore_mismatched_sizes", "variant", "subfolder")


def loaded(facts: Facts) -> Objects:
    """Model, tokenizer and the first batches.

    Raises:
        Unavailable: the setup names no model, no task that is known here, or no data.
        UserError: the model or the tokenizer cannot be loaded; transformers is not installed.
    """
    setup = facts.setup
    if not setup.model or setup.task is None or setup.task not in ENCODE:
        raise Unavailable(
            "computing needs a model and a task that gives a loss" if setup.model else "no model is named"
        )
    examples = facts.data.train.rows[:ROWS]
    transformers = need("transformers", extra="train")
    tokenizer = _load(transformers.AutoTokenizer, setup.tokenizer or setup.model, {**setup.tokenizer_kwargs})
    model = _model(transformers, setup, examples)
    _add(setup, tokenizer, model)
    rows = ENCODE[setup.task](tokenizer, examples, _length(setup, model), model)
    if not rows:
        raise Unavailable("no row of the data could be encoded for this task")
    batches = tuple(
        _batch(transformers, tokenizer, rows[at : at + BATCH], setup.task) for at in range(0, len(rows), BATCH)
    )
    return Objects(model=model, tokenizer=tokenizer, batches=batches)


def _load(kind: Any, name: str, given: Mapping[str, Any]) -> Any:
    try:
        return kind.from_pretrained(name, **given)
    except Exception as error:  # noqa: BLE001 - what foreign code raises is the answer
        told = " ".join(str(error).split())[:200]
        raise UserError(f"{name} cannot be loaded: {type(error).__name__}: {told}") from None


def _model(transformers: Any, setup: Setup, examples: Sequence[Example]) -> Any:
    """The model, with as many labels as the data have where nobody says how many."""
    assert setup.task is not None
    assert setup.model is not None
    given = {key: value for key, value in setup.from_pretrained.items() if key in LOADING}
    given |= {**setup.model_kwargs, **setup.config}
    labels = {example.label for example in examples if example.label is not None}
    labels |= {tag for example in examples for tag in example.tags}
    counted = {"num_labels", "id2label", "label2id"} & set(given)
    if "classification" in setup.task and not counted and all(isinstance(one, int) for one in labels):
        own = _load(transformers.AutoConfig, setup.model, {k: v for k, v in given.items() if k == "trust_remote_code"})
        if max(labels, default=0) >= own.num_labels:
            given["num_labels"] = max(labels) + 1
    kind = getattr(transformers, setup.model_class or task_auto_class(setup.task))
    model = _load(kind, setup.model, given)
    if setup.config_update:
        model.config.update(dict(setup.config_update))
    return model


def _add(setup: Setup, tokenizer: Any, model: Any) -> None:
    """The added tokens, and the resize."""
    if setup.add_tokens:
        tokenizer.add_tokens(list(setup.add_tokens))
    if setup.add_special_tokens:
        tokenizer.add_tokens(list(setup.add_special_tokens), special_tokens=True)
    if setup.pad_token is not None:
        tokenizer.pad_token = tokenizer.eos_token if setup.pad_token == "eos_token" else setup.pad_token  # noqa: S105
    elif tokenizer.pad_token is None and tokenizer.eos_token is not None:
        tokenizer.pad_token = tokenizer.eos_token
    resize = setup.resize
    if resize is True:
        model.resize_token_embeddings(len(tokenizer))
    elif isinstance(resize, int) and resize:
        model.resize_token_embeddings(resize)
    elif resize:
        model.resize_token_embeddings(len(tokenizer), pad_to_multiple_of=resize.get("pad_to_multiple_of"))


def _length(setup: Setup, model: Any) -> int:
    said = setup.encode.get("max_length")
    most = getattr(model.config, "max_position_embeddings", None) or LENGTH
    return min(said if isinstance(said, int) else LENGTH, most - 2 if most > 4 else most, 4 * LENGTH)


Row = dict[str, Any]


def _texts(tokenizer: Any, examples: Iterable[Example], length: int, model: Any) -> list[Row]:
    """One label for a text, or for two."""
    ids: dict[Any, int] = getattr(model.config, "label2id", None) or {}
    rows = []
    for example in examples:
        label = _label(example.label, ids)
        if example.text is not None and label is not None:
            pair = (example.text_pair,) if example.text_pair is not None else ()
            rows.append({**tokenizer(example.text, *pair, truncation=True, max_length=length), "labels": label})
    return rows


def _label(label: Any, ids: Mapping[Any, int]) -> int | float | None:
    if isinstance(label, bool) or label is None:
        return int(label) if label is not None else None
    return label if isinstance(label, int | float) else ids.get(label)


def _tags(tokenizer: Any, examples: Iterable[Example], length: int, model: Any) -> list[Row]:
    """A tag for the first piece of each word."""
    ids: dict[Any, int] = getattr(model.config, "label2id", None) or {}
    rows = []
    for example in examples:
        tags = [_label(tag, ids) for tag in example.tags]
        words = [word for word in example.tokens if isinstance(word, str)]
        if not tokenizer.is_fast or not words or len(words) != len(tags) or any(not isinstance(t, int) for t in tags):
            continue
        row = tokenizer(words, is_split_into_words=True, truncation=True, max_length=length)
        numbers = row.word_ids()
        firsts = [at for at, one in enumerate(numbers) if one is not None and (at == 0 or numbers[at - 1] != one)]
        labels = [-100] * len(numbers)
        for at in firsts:
            labels[at] = tags[numbers[at]]
        rows.append({**row, "labels": labels})
    return rows


def _answers(tokenizer: Any, examples: Iterable[Example], length: int, model: Any) -> list[Row]:
    """The window that holds the answer; a row whose answer no window holds is left out."""
    del model
    rows = []
    for example in examples:
        answer = next((one for one in example.answers if one.start is not None), None)
        if not tokenizer.is_fast or example.question is None or example.context is None or answer is None:
            continue
        start, end = answer.start or 0, (answer.start or 0) + len(answer.text) - 1
        windows = tokenizer(
            example.question, example.context, truncation="only_second", max_length=length, stride=min(32, length // 4),
            return_overflowing_tokens=True, return_offsets_mapping=True,
        )  # fmt: skip
        for at in range(len(windows["input_ids"])):
            first, last = (_token(windows, at, place) for place in (start, end))
            if first is not None and last is not None:
                row = {
                    key: windows[key][at] for key in ("input_ids", "attention_mask", "token_type_ids") if key in windows
                }
                rows.append({**row, "start_positions": first, "end_positions": last})
                break
    return rows


def _token(windows: Any, at: int, place: int) -> int | None:
    """The token of the context that holds a character."""
    spans = zip(windows["offset_mapping"][at], windows.sequence_ids(at), strict=True)
    return next((number for number, ((a, b), part) in enumerate(spans) if part == 1 and a <= place < b), None)


def _language(tokenizer: Any, examples: Iterable[Example], length: int, model: Any) -> list[Row]:
    """Plain text; a conversation by the template, or joined."""
    del model
    rows = []
    for example in examples:
        text = "\n".join(text for _, text in example.texts)
        if example.messages and getattr(tokenizer, "chat_template", None):
            text = str(tokenizer.apply_chat_template([dict(one) for one in example.messages], tokenize=False))
        if text.strip():
            row = tokenizer(text, truncation=True, max_length=length)
            rows.append({key: row[key] for key in ("input_ids", "attention_mask")})
    return rows


ENCODE: Mapping[str, Callable[[Any, Iterable[Example], int, Any], list[Row]]] = {
    "text-classification": _texts,
    "pair-classification": _texts,
    "token-classification": _tags,
    "question-answering": _answers,
    "masked-lm": _language,
    "causal-lm": _language,
    "chat-sft": _language,
}


def _batch(transformers: Any, tokenizer: Any, rows: list[Row], task: str) -> Any:
    """Rows of one task padded to a batch of tensors, as the task's collator does it."""
    from pretune.check.facts.live_guard import untouched

    if task == "token-classification":
        return transformers.DataCollatorForTokenClassification(tokenizer)(rows)
    if task in ("masked-lm", "causal-lm", "chat-sft"):
        with untouched():
            return transformers.DataCollatorForLanguageModeling(tokenizer, mlm=task == "masked-lm")(rows)
    return transformers.DataCollatorWithPadding(tokenizer)(rows)
