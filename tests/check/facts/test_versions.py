"""Versions: the installed ones without importing anything, and their order as PEP 440 has it."""

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.check.facts.versions import VersionFacts, is_at_least, order, read_versions

ASCENDING = (
    "1.dev0", "1.0.dev456", "1.0a1", "1.0a2.dev456", "1.0a12", "1.0b1.dev456", "1.0b2", "1.0rc1.dev456", "1.0rc1", "1.0",
    "1.0.post456.dev34", "1.0.post456", "1.1.dev1", "4.9", "4.57.6", "5.0.0rc1", "5.0", "5.15.0.dev0", "5.15.0", "5.23.0", "1!0.1",
)  # fmt: skip


@pytest.mark.parametrize(("lower", "higher"), list(pairwise(ASCENDING)))
def test_versions_sort_as_pep_440_says(lower, higher):
    """Development, alpha, beta and candidate versions come before the release, post releases after."""
    assert order(lower) < order(higher)
    assert is_at_least(higher, lower)
    assert not is_at_least(lower, higher)


@pytest.mark.parametrize(
    ("one", "other"), [("5.0", "5.0.0"), ("v5.0", "5.0"), ("2.13.0+cpu", "2.13"), ("5.0.0-rc.1", "5.0rc1")]
)
def test_spellings_of_one_version_are_equal(one, other):
    """Trailing zeros, a leading v, a local part and separators do not count."""
    assert order(one) == order(other)


@pytest.mark.parametrize("text", ["", "five", "5.x", "1..2", "5.0 beta", "5.0+", "１"])
def test_what_is_no_version_is_never_recent_enough(text):
    """A text that is no version raises in order() and is simply not recent enough elsewhere."""
    if text != "１":
        with pytest.raises(ValueError, match="is not a version"):
            order(text)
    assert not is_at_least(text, "5.0")


@given(
    st.from_regex(r"\A[0-9]{1,2}(\.[0-9]{1,2}){0,3}((a|b|rc)[0-9]{1,2})?(\.post[0-9])?(\.dev[0-9])?(\+[a-z]{1,3})?\Z"),
    st.sampled_from(ASCENDING),
)
def test_order_agrees_with_packaging(text, other):
    """On every version the order is the one that packaging has, local parts left out."""
    packaging = pytest.importorskip("packaging.version", reason="compares with the packaging library")
    ours = order(text) < order(other)
    assert ours == (packaging.Version(text.partition("+")[0]) < packaging.Version(other))


@given(st.text(max_size=30))
def test_no_text_crashes_the_comparison(text):
    """Any text is a version or not, and nothing else happens."""
    assert is_at_least(text, "5.0") in (True, False)


def test_a_package_is_asked_for_by_name():
    """at_least compares the installed version; a missing package is never recent enough; a wrong name is an error."""
    versions = VersionFacts(transformers="5.23.0", torch="2.13.0+cpu")
    assert versions.at_least("transformers", "5.0")
    assert not versions.at_least("transformers", "5.24")
    assert not versions.at_least("peft", "0.1")
    with pytest.raises(ValueError, match="not looked up"):
        versions.at_least("numpy", "1")


def test_a_target_version_can_be_named():
    """A setup that trains elsewhere can say the version there."""
    assert read_versions({"transformers": "4.57.6"}).transformers == "4.57.6"


def test_nothing_is_imported_to_read_the_versions():
    """Reading versions loads neither torch nor transformers."""
    code = (
        "import sys; from pretune.check.facts.versions import read_versions; read_versions();"
        "print([m for m in ('torch', 'transformers', 'tokenizers', 'peft', 'packaging') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
