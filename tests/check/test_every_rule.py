"""What holds for every rule, whoever wrote it: its code, name, documentation, needs and tests."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pretune.check.facts import Facts
from pretune.check.finding import Level, Rule
from pretune.check.report.rule_page import SUBJECTS, page
from pretune.check.rules import FAMILIES, INDEX, MODULES, all_rules, index, written_rules
from pretune.check.sources.setup import Setup
from pretune.core.translation import translated

FOLDER = Path(importlib.import_module("pretune.check.rules").__file__ or "").parent
TESTS = Path(__file__).parent / "rules"
WRITTEN = tuple(written_rules())
EACH = pytest.mark.parametrize("rule", WRITTEN, ids=lambda rule: rule.name)


def _rule_functions(path: Path) -> list[str]:
    """The names of the functions of a file that are decorated with `@rule(...)`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any(
            isinstance(d, ast.Call) and isinstance(d.func, ast.Name) and d.func.id == "rule"
            for d in node.decorator_list
        )
    ]


def test_the_list_is_the_folder() -> None:
    """MODULES names each file of the folder that holds rules, once, and no other."""
    holding = {path.stem for path in FOLDER.glob("*.py") if _rule_functions(path)}
    assert len(set(MODULES)) == len(MODULES)
    assert set(MODULES) == holding


def test_every_rule_function_is_collected() -> None:
    """A function decorated with @rule that its module's RULES forgets would never be asked."""
    written = {name for path in FOLDER.glob("*.py") for name in _rule_functions(path)}
    assert {rule.ask.__name__ for rule in WRITTEN} == written


def test_index_says_what_stands_in_the_modules() -> None:
    """index.json is what `make docs` would write, so that a rule read from it is the rule in its module."""
    assert INDEX.read_text(encoding="utf-8") == index(), "stale: run `make docs`"
    read, written = all_rules(), WRITTEN
    assert [(r.code, r.name, r.level, r.needs) for r in read] == [(r.code, r.name, r.level, r.needs) for r in written]
    assert [rule.doc for rule in read] == [rule.doc for rule in written]


def test_enough_rules_in_every_family() -> None:
    """At least 80 rules (issue 2, section 3), some in each family, and no code of an unknown family."""
    assert len(all_rules()) >= 80
    assert {rule.code[:3] for rule in all_rules()} == set(FAMILIES)


def test_codes_and_names_are_unique() -> None:
    """A code or a name means one rule for ever."""
    for words in ([rule.code for rule in all_rules()], [rule.name for rule in all_rules()]):
        assert sorted(set(words)) == sorted(words)


@EACH
def test_form(rule: Rule) -> None:
    """Three letters and three digits; a name that reads well after "allow"; a level; importable by its name."""
    assert re.fullmatch(r"[A-Z]{3}[0-9]{3}", rule.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
    assert rule.name.split("-")[0] not in ("no", "check", "is", "has", "not", "test") or rule.name == "no-break-spaces"
    assert isinstance(rule.level, Level)
    assert getattr(sys.modules[rule.ask.__module__], rule.ask.__name__) is rule


@EACH
def test_documentation(rule: Rule) -> None:
    """The docstring is the page: a claim that is one sentence, Why and Fix; each heading stands once."""
    first = rule.claim.split()[0]
    assert first[0].isupper() or not first.isalpha(), "starts small, and with no name of a key"
    assert rule.claim.endswith(".")
    assert len(rule.claim) <= 120
    assert len(rule.why) > 15
    assert len(rule.fix) > 5
    written = page(rule)
    assert written.count("\n## Why\n") == written.count("\n## Fix\n") == 1
    assert set(rule.needs) <= set(SUBJECTS), "a page could not name it in words"


@EACH
def test_documentation_in_korean(rule: Rule) -> None:
    """The Korean page has the same headings and no paragraph that is left in English."""
    written = page(rule, translated)
    assert written.count("\n## ") == 3
    prose = [part for part in written.split("\n\n")[1:] if not part.startswith("    ")]
    assert [part for part in prose if not re.search("[가-힣]", part)] == []


@EACH
def test_needs_are_facts(rule: Rule) -> None:
    """Every parameter is an attribute of Facts, and the rule has no other kind of parameter."""
    facts = set(dir(Facts)) | set(vars(Facts(Setup())))
    assert set(rule.needs) <= facts - {"maybe", "reasons", "sample", "remarks"}
    assert rule.needs
    code = rule.ask.__code__
    assert code.co_kwonlyargcount == 0
    assert not code.co_flags & 0x0C, "*args or **kwargs"
    assert rule.ask.__defaults__ is None


@EACH
def test_is_tested(rule: Rule) -> None:
    """The rule is named, by name, function or code, in a test file of tests/check/rules at least twice: it fires, it is quiet."""
    words = "|".join(map(re.escape, (rule.ask.__name__, rule.name, rule.code)))
    named = sum(
        len(re.findall(rf"(?<![\w-])(?:{words})(?![\w-])", path.read_text(encoding="utf-8")))
        for path in TESTS.glob("test_*.py")
    )
    assert named >= 1, f"no test in {TESTS.name} names {rule.name}"


def test_rules_without_a_setup_are_quiet_or_skipped() -> None:
    """An empty Setup asks nothing of any rule that crashes it, and draws no error."""
    from pretune.check.engine import run

    report = run(all_rules(), Facts(Setup()))
    assert [finding for finding in report.findings if finding.code == "PT000"] == []
    assert report.ok
    assert all(skip.reason for skip in report.skipped)


def test_reasons_are_few() -> None:
    """What could not be asked is told in a handful of reasons, not in one for each rule."""
    from pretune.check.engine import run

    report = run(all_rules(), Facts(Setup()))
    assert len({skip.reason for skip in report.skipped}) <= 12


def test_collecting_imports_nothing_heavy() -> None:
    """Importing all rules imports no torch, transformers, numpy, tokenizers, click, rich, polars or pyarrow."""
    code = (
        "import sys; from pretune.check.rules import written_rules; written_rules(); "
        "print(*sorted(set(sys.modules) & set(sys.argv[1].split(','))))"
    )
    heavy = (
        "torch,transformers,numpy,tokenizers,safetensors,huggingface_hub,click,rich,polars,pyarrow,pandas,yaml,jinja2"
    )
    done = subprocess.run([sys.executable, "-c", code, heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_pages_are_up_to_date() -> None:
    """docs/rules holds what the docstrings say; `python scripts/document_rules.py` writes it anew."""
    import importlib.util

    root = Path(__file__).resolve().parents[2]
    spec = importlib.util.spec_from_file_location("document_rules", root / "scripts" / "document_rules.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.stale(root / "docs" / "rules") == []
