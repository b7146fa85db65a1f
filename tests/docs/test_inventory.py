"""Every fenced block of README and docs: which test runs it, or why none does. A new block has to be put in here.

It does not run them itself, nor does it see whether a test that is named does; that is the test's own business.
"""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from page_blocks import FENCE, NOT_RUN, ROOT, Block, blocks, pages

TESTS = ROOT / "tests"
KINDS = {"console", "bash", "zsh", "fish", "python", "pycon", "toml", "yaml", "json", "diff", "text"}


@dataclass(frozen=True, slots=True)
class Run:
    """Blocks of a page of one kind, or those of them that hold `part`, and the test that runs them."""

    page: str
    kind: str
    test: str
    part: str = ""

    def covers(self, block: Block, command: str = "") -> bool:
        """Whether this is one of its blocks, or a command of one."""
        of_these = (self.page, self.kind) == (block.page, block.kind)
        return of_these and self.part in (command if block.kind == "console" and command else block.body)


EXAMPLES = "docs/test_examples.py::test_the_page_shows_what_is_printed"
PAGES = "docs/test_pages.py::test_the_page_shows_what_is_printed"
README = "docs/test_readme.py::test_readme_with_what_computes"
KOREAN = "docs/test_readme.py::test_both_languages_print_the_same"
RECIPES = "docs/test_recipes.py::"
KNOCK = "docs/test_knock_pages.py::"
TRAIN = "docs/test_train_examples.py::"
ACTION = "packaging/test_action.py::"
LIVE = "docs/test_live_page.py::"
ADD = "docs/test_add_a_rule.py::test_the_page_to_the_letter"

RUNS = (
    *(Run("README.md", kind, README) for kind in ("console", "toml", "python")),
    *(Run("README.ko.md", kind, KOREAN) for kind in ("console", "toml", "python")),
    Run("CONTRIBUTING.md", "text", "docs/test_contributing.py::test_the_floors"),
    Run("CONTRIBUTING.md", "python", "docs/test_contributing.py::test_the_rule"),
    *(Run("docs/add-a-rule.md", kind, ADD) for kind in ("python", "bash", "diff", "json")),
    *(Run("docs/completion.md", kind, "docs/test_shell_pages.py::test_the_lines_of_a_shell") for kind in ("bash", "zsh", "fish")),
    Run("docs/corpus.md", "console", "docs/test_examples.py::test_a_cluster", "--scheduler"),
    Run("docs/corpus.md", "console", EXAMPLES),
    Run("docs/doctor.md", "console", "docs/test_examples.py::test_doctor"),
    *(Run("docs/from-add_tokens.md", kind, PAGES, part) for kind, part in (("console", ""), ("python", "# usual.py"))),
    Run("docs/from-add_tokens.md", "python", "docs/test_pages.py::test_the_script_on_live_objects", "# live.py"),
    *(Run("docs/from-knockknock.md", kind, KNOCK + "test_knockknocks_way") for kind in ("console", "python")),
    Run("docs/github-action.md", "console", EXAMPLES),
    Run("docs/github-action.md", "yaml", ACTION + "test_the_workflow_of_the_page", "jobs:"),
    Run("docs/github-action.md", "yaml", ACTION + "test_the_hook", "repos:"),
    Run("docs/knock.md", "console", KNOCK + "test_commands_with_ranks"),
    Run("docs/knock.md", "text", KNOCK + "test_the_message_of_a_failure"),
    Run("docs/knock.md", "toml", KNOCK + "test_the_file_of_targets"),
    Run("docs/knock.md", "python", KNOCK + "test_in_python", "knock.watching"),
    Run("docs/knock.md", "python", KNOCK + "test_callbacks", "knock.TrainerCallback"),
    Run("docs/kobert.md", "console", "docs/test_kobert_page.py::test_the_page_shows_what_is_printed"),
    Run("docs/kobert.md", "pycon", "docs/test_kobert_page.py::test_the_page_shows_what_is_printed"),
    Run("docs/live.md", "python", LIVE + "test_the_code"),
    Run("docs/live.md", "text", LIVE + "test_what_is_said", "errors"),
    Run("docs/live.md", "text", LIVE + "test_what_stops_a_run", "pretune stopped"),
    Run("docs/live.md", "text", LIVE + "test_what_computing_says", "first-loss"),
    *(Run(f"docs/mission{tongue}.md", kind, PAGES) for tongue in ("", ".ko") for kind in ("console", "python")),
    *(Run("docs/own-trainer.md", "python", "docs/test_own_trainer.py::test_the_code_trains", f"# own_{name}.py") for name in ("trainer", "callback")),
    Run("docs/own-trainer.md", "python", "docs/test_own_trainer.py::test_the_loop_has_trainers_losses", "# own_loop.py"),
    Run("docs/pool.md", "console", "docs/test_pool_page.py::test_the_first_commands", "MODEL"),
    *(Run("docs/pool.md", kind, "docs/test_pool_page.py::test_the_example_prints_what_the_page_shows") for kind in ("console", "python")),
    *(Run("docs/recipes.md", "toml", RECIPES + "test_two_steps", name) for name in ("question-answering", "text-classification")),
    *(Run("docs/recipes.md", "console", RECIPES + "test_two_steps", name) for name in ("klue-bert.toml", "import-kobert")),
    *(Run("docs/recipes.md", kind, RECIPES + "test_both_are_checked", "lora") for kind in ("toml", "console")),
    Run("docs/recipes.md", "python", RECIPES + "test_the_adapter_is_trained"),
    *(Run("docs/scripts.md", kind, EXAMPLES) for kind in ("console", "python")),
    Run("docs/scripts.md", "yaml", ACTION + "test_the_hook"),
    Run("docs/tokens.md", "console", "docs/test_tokens_pages.py::test_commands_of_adding"),
    Run("docs/tokens-verify.md", "console", "docs/test_tokens_pages.py::test_commands_of_proving"),
    *(Run(f"docs/tokens{more}.md", "python", "docs/test_tokens_pages.py::test_python") for more in ("", "-verify")),
    Run("docs/train.md", "console", "docs/test_train_pages.py::test_the_example_prints_what_the_page_shows", "all-MiniLM"),
    Run("docs/train.md", "console", TRAIN + "test_each_command"),
    Run("docs/train.md", "python", TRAIN + "test_the_python"),
    Run("docs/train-eject.md", "console", TRAIN + "test_the_script_that_is_left"),
)  # fmt: skip
EACH = pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())


def unrun(block: Block) -> str:
    """What of a block has no test and no reason; empty where nothing."""
    reasons = tuple(NOT_RUN.get(block.page, ()))
    asked = [one for one in block.commands or (block.beginning,) if not one.startswith(reasons or ("\0",))]
    left = [one for one in asked if not any(run.covers(block, one) for run in RUNS)]
    return f"{block.page}:{block.line}: {block.kind}: {left[0]}" if left else ""


@EACH
def test_every_block_is_run_or_has_a_reason(page: Path) -> None:
    """A block that is neither is told with its place; a block says its language."""
    found = list(blocks(page))
    assert [unrun(block) for block in found if unrun(block)] == []
    assert {block.kind for block in found} <= KINDS


@EACH
def test_what_is_typed_stands_in_blocks(page: Path) -> None:
    """Nothing is typed in indented lines, where no test would look."""
    bare = FENCE.sub("", page.read_text("utf-8"))
    assert re.findall(r"^ {4}(?:\$|>>>|python|pretune|pip) .*$", bare, re.MULTILINE) == []
    assert "```" not in bare


def test_nothing_is_listed_for_nothing() -> None:
    """Each entry of both lists is about a block that there is, and each reason is a sentence."""
    found = [block for page in pages() for block in blocks(page)]
    assert [run for run in RUNS if not any(run.covers(block) for block in found)] == []
    for page, reasons in NOT_RUN.items():
        said = [one for block in found if block.page == page for one in (*block.commands, block.beginning)]
        for beginning, reason in reasons.items():
            assert any(one.startswith(beginning) for one in said), f"{page}: {beginning}"
            assert len(reason.split()) > 2


@cache
def named_in(file: str) -> tuple[set[str], str]:
    """The tests of a file, and its text."""
    text = (TESTS / file).read_text("utf-8")
    return {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}, text


def test_every_test_is_there() -> None:
    """The test that is named exists, in a file that names the page."""
    for run in RUNS:
        file, _, name = run.test.partition("::")
        names, text = named_in(file)
        assert name in names, run.test
        page = Path(run.page).name
        assert page in text or run.page.partition(".")[0] in text, f"{file} never names {page}"
