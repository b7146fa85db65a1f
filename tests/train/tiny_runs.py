"""Tiny models with random weights and the vocabulary of the demo's sample, and small data files of each task."""

import json
from pathlib import Path
from typing import Any

from pretune.check.sources.setup_keys import Said
from pretune.demo import sample
from pretune.demo.models import BERT_ORDER, ROBERTA_ORDER
from pretune.train.recipe import Recipe, recipe_of
from small_model import healthy_tokenizer, healthy_tokenizer_config


def model(folder: Path, kind: str = "bert", head: str = "Model", **config: Any) -> Path:
    """A folder that transformers loads: 2 layers of 16, weights drawn with seed 0; `head`: `ForTokenClassification`, ..."""
    import torch
    import transformers

    order = ROBERTA_ORDER if kind == "roberta" else BERT_ORDER
    words = [*order, *sample.vocabulary().read_text(encoding="utf-8").split()]
    sizes: dict[str, Any] = {
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    name = "Roberta" if kind == "roberta" else "Bert"
    if kind == "roberta":
        sizes |= {"max_position_embeddings": 130, "type_vocab_size": 1}
        sizes |= {"pad_token_id": words.index("[PAD]"), "bos_token_id": 0, "eos_token_id": words.index("[SEP]")}
    else:
        sizes |= {"max_position_embeddings": 128}
    made = getattr(transformers, f"{name}Config")(vocab_size=len(words), **{**sizes, **config})
    torch.manual_seed(0)
    getattr(transformers, f"{name}{head}")(made).save_pretrained(folder)
    whole = healthy_tokenizer(words, specials=order, pair_type=0 if kind == "roberta" else 1)
    (folder / "tokenizer.json").write_text(json.dumps(whole, ensure_ascii=False), "utf-8")
    said = healthy_tokenizer_config(kind) | {"model_max_length": 128}
    (folder / "tokenizer_config.json").write_text(json.dumps(said), "utf-8")
    return folder


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    """A jsonl file."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def questions(path: Path, *, count: int = 6, impossible: int = 0) -> Path:
    """Korean questions on one-sentence passages, the last `impossible` of them without an answer."""
    rows = []
    for i in range(count):
        context = f"서울은 대한민국의 수도이고 인구는 {i + 900}만 명이다."
        answer = "" if i >= count - impossible else f"{i + 900}만"
        found = (
            {"text": [answer], "answer_start": [context.index(answer)]} if answer else {"text": [], "answer_start": []}
        )
        rows.append({"id": f"q{i}", "context": context, "question": f"인구는 얼마인가 {i}?", "answers": found})
    return lines(path, rows)


def recipe(task: str, model: Path, train: Path, dev: Path | None, out: Path, /, **more: Any) -> Recipe:
    """A recipe that trains two steps; other tables of a setup file are laid over. A missing model gets a bare config."""
    if not model.exists():
        model.mkdir()
        (model / "config.json").write_text('{"model_type": "bert"}')
    arguments = {"output_dir": str(out), "max_steps": 2, "per_device_train_batch_size": 2, "logging_steps": 1}
    keys: dict[str, Any] = {"model": str(model), "data": {"train": [str(train)]}}
    if dev is not None:
        keys["data"]["eval"] = [str(dev)]
    keys["data"] |= more.pop("data", {})
    keys["training_args"] = arguments | more.pop("training_args", {})
    return recipe_of(Said({**keys, **more}), task=task)


def of_sample(folder: Path, task: str = "classify", **more: Any) -> Recipe:
    """Two steps of a tiny model on the demo's sample, into `folder/out`; dev is the same file."""
    made = folder / "model"
    if not made.exists():
        model(made)
    if task == "mrc":
        file = questions(folder / "questions.jsonl")
        return recipe(task, made, file, file, folder / "out", encode={"max_length": 64, "stride": 16}, **more)
    file = {"classify": sample.classify, "pairs": sample.pairs, "tag": sample.ner}[task]()
    return recipe(task, made, file, file, folder / "out", **more)
