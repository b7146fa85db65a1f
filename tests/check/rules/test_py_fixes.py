"""The resize that is missing: where it is put, and where it is left to the user."""

from pathlib import Path

import pytest

from pretune.check import fix
from pretune.check.facts.script import read_script_facts
from pretune.check.finding import Finding, Level
from pretune.check.rules.py_fixes import missing_resize
from pretune.script.objects import value_of
from pretune.script.read import read_script

HEAD = "from transformers import AutoModel, AutoTokenizer\n"
RESIZE = "model.resize_token_embeddings(len(tokenizer))"
TOKENIZER = "tokenizer = AutoTokenizer.from_pretrained('x')\n"
MODEL = "model = AutoModel.from_pretrained('x')\n"
ADD = "tokenizer.add_tokens(['<ent>'])\n"


def mended(path: Path, text: str) -> str | None:
    """The script after the fix; None where none is offered."""
    path.write_text(HEAD + text, encoding="utf-8")
    script = read_script_facts(read_script(str(path)))
    found = missing_resize(script, value_of(script.tokenizers[0]), value_of(script.models[0]))
    if found is None:
        return None
    planned = fix.make(fix.plan([Finding("PYS101", "x", Level.ERROR, "m", "", "", found)]))
    assert planned.refused == ()
    return path.read_text(encoding="utf-8").removeprefix(HEAD)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{TOKENIZER}{MODEL}{ADD}", f"{TOKENIZER}{MODEL}{ADD}{RESIZE}\n"),
        (f"{TOKENIZER}{ADD}{MODEL}print()\n", f"{TOKENIZER}{ADD}{MODEL}{RESIZE}\nprint()\n"),
        (f"{TOKENIZER}{MODEL}{ADD}{ADD}", f"{TOKENIZER}{MODEL}{ADD}{ADD}{RESIZE}\n"),
        (f"{TOKENIZER}{MODEL}n = {ADD}", f"{TOKENIZER}{MODEL}n = {ADD}{RESIZE}\n"),
        (
            f"{TOKENIZER}{MODEL}model = model.to('cuda')\n{ADD}",
            f"{TOKENIZER}{MODEL}model = model.to('cuda')\n{ADD}{RESIZE}\n",
        ),
        (
            f"def main():\n    {TOKENIZER}    {MODEL}    {ADD}\nmain()\n",
            f"def main():\n    {TOKENIZER}    {MODEL}    {ADD}    {RESIZE}\n\nmain()\n",
        ),
        (
            f"{TOKENIZER}{MODEL}if flag:\n    {ADD}",
            f"{TOKENIZER}{MODEL}if flag:\n    {ADD}    {RESIZE}\n",
        ),
    ],
    ids=["after adding", "after the model", "after the last", "with a result", "moved", "in a function", "in a branch"],
)
def test_after_the_later_of_both(tmp_path: Path, before: str, after: str) -> None:
    """The resize stands behind the tokens' adding or the model's making, whichever is later, by the names used there."""
    assert mended(tmp_path / "train.py", before) == after


@pytest.mark.parametrize(
    "text",
    [
        f"{TOKENIZER}{MODEL}",
        f"{TOKENIZER}{MODEL}def add(t):\n    t.add_tokens(['a'])\nadd(tokenizer)\n",
        f"{TOKENIZER}{ADD}train(AutoModel.from_pretrained('x'))\n",
        f"{TOKENIZER}self.model = AutoModel.from_pretrained('x')\n{ADD}",
        f"{TOKENIZER}{MODEL}other = tokenizer\ntokenizer = load()\nother.add_tokens(['a'])\n",
        f"{TOKENIZER}{ADD}for seed in range(3):\n    {MODEL}",
    ],
    ids=["nothing added", "in another function", "no variable", "an attribute", "another meaning", "in a loop"],
)
def test_where_it_is_not_plain(tmp_path: Path, text: str) -> None:
    """Without plain names in one place nothing is offered, or what is offered is right: never another object's."""
    after = mended(tmp_path / "train.py", text)
    assert after is None or "in range" in text
