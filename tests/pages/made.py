"""Makes every HTML page that pretune writes, in English and Korean, from the demo's real models and data: make.

A new writer of HTML belongs here: test_every_writer_is_here counts them. Opens no browser.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

LANGUAGES = ("en", "ko")
PAGES = ("demo", "corpus", "findings", "healthy", "model", "script", "train", "stopped", "pool", "notebook")

SCRIPT = '''\
"""분류 모델을 미세 조정한다."""
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments

tokenizer = AutoTokenizer.from_pretrained("korean-bert")
model = AutoModelForSequenceClassification.from_pretrained("korean-roberta", num_labels=1)
args = TrainingArguments(output_dir="out", learning_rate=3, evaluation_strategy="epoch", load_best_model_at_end=True)
trainer = Trainer(model=model, args=args, tokenizer=tokenizer)
trainer.train()
for batch in loader:
    loss = model(**batch).loss
    loss.backward()
    optimizer.step()
'''

NOTEBOOK = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>notebook</title>
<style>@media print {{ :root {{ color-scheme: light; }} }}</style></head>
<body><main><h1>notebook</h1>{pieces}</main></body></html>
"""
"""What stands around a display in a notebook, as far as it matters: colours of a light and a dark theme, a narrow cell."""


def make(folder: Path) -> None:
    """Write all pages into the folder, `en-demo.html` and so on; the demo is played there, too, and stays."""
    from pretune.demo.cli import _play

    with contextlib.chdir(_made(folder / "demo")):
        acts = _play(train=True, sent=False)
    with contextlib.chdir(_made(folder / "scenes")):
        for lang, name, text in _written(acts, folder / "demo" / "trained"):
            (folder / f"{lang}-{name}.html").write_text(text, encoding="utf-8")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


@contextlib.contextmanager
def spoken(lang: str) -> Iterator[None]:
    """Let pages be made in a language."""
    before = os.environ.get("PRETUNE_LANG")
    os.environ["PRETUNE_LANG"] = lang
    try:
        yield
    finally:
        del os.environ["PRETUNE_LANG"]
        if before is not None:
            os.environ["PRETUNE_LANG"] = before


def results(model: str, run: Path) -> list:
    """What other parts give to whom calls them: a plan, suggestions, a verdict, a finished run."""
    from pretune import tokens
    from pretune.train.running import Done

    figures = [(4, {"exact_match": 31.2, "f1": 40.5, "loss": 2.1}), (8, {"exact_match": 44.0, "f1": 51.5, "loss": 1.7})]
    return [
        tokens.plan(model, ["코로나19", "tokamak"]),
        tokens.suggest(model, [{"text": "공항철도를 타고 공항철도에서 내린다"}] * 30),
        tokens.verify(model),
        Done(run, 8, "f1", "korquad1", figures, 8, ["computing in float32"], "question-answering"),
    ]


def _written(acts: list, run: Path) -> Iterator[tuple[str, str, str]]:
    """Language, name and HTML of each page."""
    from pool import analysed
    from pretune import check
    from pretune.check.report import html
    from pretune.demo.cli import THEN
    from pretune.demo.page import page
    from pretune.demo.story import scenes
    from pretune.draw.page import render
    from pretune.pool.page import render as pooled
    from pretune.train.page import page_of

    Path("train.py").write_text(SCRIPT, encoding="utf-8")
    for scene in (played := scenes()):
        if scene.page is None and scene.shows:
            planted = scene
    asked = {
        "corpus": check.run(played[-1].model, beside=played[-1].beside, **played[-1].keys),
        "findings": check.run(planted.model, **planted.keys),
        "healthy": check.run(played[0].model, **played[0].keys),
        "model": check.run("korean-roberta", tokenizer="korean-bert"),
        "script": check.run("train.py"),
    }
    analyses = [analysed.everything("모델 one"), analysed.classes()]
    for lang in LANGUAGES:
        with spoken(lang):
            yield lang, "demo", render(page(acts, THEN))
            for name, report in asked.items():
                yield lang, name, html.render(report)
            yield lang, "train", render(page_of(run))
            yield lang, "stopped", render(page_of(run, trouble="SIGTERM", stopped=True))
            yield lang, "pool", pooled(analyses)
            shown = [asked["script"], asked["corpus"], *analyses, *results(played[0].model, run)]
            pieces = "".join(each._repr_html_() for each in shown)
            yield lang, "notebook", NOTEBOOK.format(lang="en", pieces=pieces)
