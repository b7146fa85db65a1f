"""CONTRIBUTING.md: the floors that it draws are those that lint holds, the rule that it shows stands so in the tree."""

import re
import tomllib

from page_blocks import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_the_floors() -> None:
    """The whole house, floor by floor; inside check the main floors in their order."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    house, check = (
        [re.findall(r"\w+", floor.replace("pretune.", "")) for floor in one["layers"]] for one in contracts[:2]
    )
    whole, inside = re.search(r"```text\n(.*?)\ninside check: (.*?)\n```", PAGE, re.DOTALL).groups()
    assert [floor.split(" | ") for floor in whole.split(" > ")] == house
    places = [check.index([floor]) for floor in inside.split(" > ")]
    assert places == sorted(places)


def test_the_rule() -> None:
    """It is the beginning of one of the rules, to the letter."""
    (shown,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert shown in (ROOT / "src/pretune/check/rules/vocabulary.py").read_text("utf-8")
