"""What holds for the tree as a whole: nothing heavy at start, short files, plain names, a docstring in each."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
# fmt: off
HEAVY = {
    "torch", "transformers", "numpy", "rich", "pandas", "matplotlib", "polars", "pyarrow", "tokenizers", "safetensors",
    "huggingface_hub", "jinja2", "yaml", "click", "pretune.check.engine", "pretune.check.facts", "pretune.check.rules",
}
# fmt: on
LONGEST = 300
"""Lines a source file may have (DESIGN, layout)."""
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base", "core_utils", "tools", "stuff"}


def _imported(code: str) -> set[str]:
    """The modules of HEAVY that a fresh Python has imported after `code`."""
    code += "\nimport sys; print('MODULES', *sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("MODULES")[2].split()) & HEAVY


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import pretune", set()),
        ("from pretune import check", set()),
        ("import pretune.cli", set()),
        ("import pretune.cli\ntry: pretune.cli.main(['--help'])\nexcept SystemExit: pass", set()),
        ("import pretune.cli\ntry: pretune.cli.main(['--version'])\nexcept SystemExit: pass", set()),
        ("import pretune.cli\ntry: pretune.cli.main(['check', '--help'])\nexcept SystemExit: pass", {"click"}),
    ],
)
def test_nothing_heavy_is_imported(code: str, allowed: set[str]) -> None:
    """Importing pretune, and asking for help or the version, imports no part's inside and nothing heavy."""
    assert _imported(code) <= allowed


def test_checking_a_model_imports_no_framework(make_model: Callable[..., Path]) -> None:
    """A whole check of a model folder needs neither torch nor transformers nor numpy."""
    code = f"from pretune import check\ncheck.render(check.run({str(make_model('bert'))!r}))"
    assert not _imported(code) & {"torch", "transformers", "numpy", "pandas", "matplotlib", "rich", "click"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_source_file(path: Path) -> None:
    """A source file has a docstring, at most 300 lines and a name that says what is in it."""
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "no module docstring"
    assert text.count("\n") <= LONGEST
    assert path.stem not in VAGUE
    assert not {part for part in path.relative_to(ROOT / "src").parts if part in VAGUE}


def _tests_in(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT / "tests")))
def test_test_file(path: Path) -> None:
    """A test file and each test in it has a docstring."""
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), "no module docstring"
    bare = [test.name for test in _tests_in(path) if not ast.get_docstring(test)]
    assert bare == []


def test_no_machine_paths() -> None:
    """No file of the repository names a folder of the machine it was written on."""
    kinds = ("*.py", "*.md", "*.toml", "*.json", "*.txt", "Makefile")
    folders = [ROOT / name for name in ("src", "tests", "docs", "bench", "scripts")]
    files = [path for folder in folders for kind in kinds for path in folder.rglob(kind)]
    files += [path for kind in kinds for path in ROOT.glob(kind)]
    mark = re.compile(rb"(?<![\w.])/(?:work|root)/|/tmp/venv")
    naming = [
        str(path.relative_to(ROOT))
        for path in files
        if path != Path(__file__) and path.stat().st_size < 1 << 20 and mark.search(path.read_bytes())
    ]
    assert naming == []


def test_the_floors_below_know_no_floor_above() -> None:
    """Nothing in core imports another part, artifacts only core, corpus only these two, also inside functions."""
    may = {"core": {"core"}, "artifacts": {"artifacts", "core"}, "corpus": {"corpus", "artifacts", "core"}}
    for folder, allowed in may.items():
        for path in (ROOT / "src" / "pretune" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                above = {name.split(".")[1] for name in names if name.startswith("pretune.")} - allowed
                assert not above, f"{path.name} imports {above}"
