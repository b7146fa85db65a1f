"""A rule's page, made from its docstring."""

from pretune.check.finding import Level, Rule
from pretune.check.report.rule_page import index_page, page, table

PAGE = """# ids-outside-embedding

`VOC001`, error, ids, vocabulary and embedding rows. Looks at: the model's config and tensors, the tokenizer's files.

The tokenizer can emit ids that have no embedding row.

## Why

the first such id is an index error on CPU;
on GPU, an assert that hides its cause.

## Fix

`pretune tokens resize`, or load the tokenizer the model was saved with.

## Allow it

In `pretune.toml`, or in `[tool.pretune]` of pyproject.toml:

    allow.ids-outside-embedding = "why it is fine here"
"""


def test_page(rules: tuple[Rule, ...]) -> None:
    """Claim, Why, Fix and how to allow it, in that order."""
    assert page(rules[0]) == PAGE


def test_only_a_line_that_opens_so_is_a_heading() -> None:
    """`Fix:` inside a sentence opens no section; `Fix:` on the line after `Why:` does; paragraphs stay apart."""

    def odd(model: object) -> None:
        """A claim.

        Why: one Fix: two

        three
        Fix: four
        """

    written = page(Rule("VOC009", Level.NOTE, odd))  # type: ignore[arg-type]
    assert "A claim.\n\n## Why\n\none Fix: two\n\nthree\n\n## Fix\n\nfour\n" in written


def test_index(rules: tuple[Rule, ...]) -> None:
    """The index links each page, a section a family, and a bar in a claim does not break the table."""
    written = index_page(rules)
    assert "## DAT: rows of data" in written
    assert (
        "| `DAT003` | [empty-text](empty-text.md) | warning | A row has no text \\| or only white space. |" in written
    )


def test_table(rules: tuple[Rule, ...]) -> None:
    """`--list` shows code, name, level and claim in columns; no rule, no line."""
    lines = table(rules).splitlines()
    assert lines[0] == "VOC001  ids-outside-embedding               error    " + rules[0].claim
    assert {line.index(rule.level) for line, rule in zip(lines, rules, strict=True)} == {44}
    assert table(()) == ""


def test_a_rule_about_scripts_says_how_it_is_allowed_beside_the_code() -> None:
    """The comment stands on the page of a rule that looks at scripts, and on no other."""
    from planted_rules import RULES as ABOUT_SCRIPTS

    assert "    # pretune: allow bad-line -- why it is fine here\n" in page(ABOUT_SCRIPTS[0])
