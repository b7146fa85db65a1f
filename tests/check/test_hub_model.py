"""A check of a hub model end to end, against a hub on loopback: what is fetched, and what is said."""

import pytest

from pretune import check
from pretune.check import Level
from pretune.core.errors import UserError


def test_a_hub_model_is_checked_without_its_weights(hub, make_model) -> None:
    """Small files and heads alone are served, the findings are those of the folder, nothing is remarked."""
    folder = make_model("bert", name="served")
    hub.add("someone/small", folder)
    report = check.run("someone/small")
    assert report.at_least(Level.WARNING) == ()
    assert report.remarks == ()
    local = check.run(folder)
    assert [finding.name for finding in report.findings] == [finding.name for finding in local.findings]


def test_what_the_cache_serves_is_remarked(hub, make_model) -> None:
    """When the hub fails and the cache has a copy, the report says that it is from there."""
    hub.add("someone/small", make_model("bert", name="served"))
    check.run("someone/small")
    hub.fault = 500
    report = check.run("someone/small")
    assert any("cache" in remark for remark in report.remarks)
    assert "remark: " in check.render(report)


@pytest.mark.parametrize("fault", [401, 404, 429, 500])
def test_a_hub_that_refuses_is_one_line(hub, fault: int) -> None:
    """Each refusal is a UserError of one line with a way out."""
    hub.fault = fault
    with pytest.raises(UserError, match="someone/absent") as mistake:
        check.run("someone/absent")
    assert "\n" not in mistake.value.message
