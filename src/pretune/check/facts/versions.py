"""Which versions of the training libraries are installed, read from their metadata; nothing is imported.

Knows nothing of the machine on which the training will run: a Setup checked on a laptop may train elsewhere.
"""

import os
import re
import sys
from dataclasses import dataclass, fields

_PEP440 = re.compile(
    r"\s*v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_n>\d*))?"
    r"(?P<post>-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?"
    r"(?:[-_.]?(?P<dev>dev)[-_.]?(?P<dev_n>\d*))?"
    r"(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?\s*",
    re.IGNORECASE,
)
_LAST = 99
Order = tuple[int, tuple[int, ...], tuple[int, int], int, tuple[int, int]]


def order(version: str) -> Order:
    """A key that sorts versions as PEP 440 does; a local part (`+cpu`) is left out.

    Raises:
        ValueError: `version` is not a version.
    """
    found = _PEP440.fullmatch(version)
    if found is None:
        raise ValueError(f"{version!r} is not a version")
    release = [int(part) for part in found["release"].split(".")]
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    post = -1 if found["post"] is None else int(re.sub(r"\D", "", found["post"]) or 0)
    is_dev = found["dev"] is not None
    if found["pre"]:
        rank = {"a": 0, "b": 1}.get(found["pre"][0].lower(), 2)
        pre = (rank, int(found["pre_n"] or 0))
    else:
        pre = (-1, 0) if is_dev and post < 0 else (_LAST, 0)
    dev = (0, int(found["dev_n"] or 0)) if is_dev else (_LAST, 0)
    return int(found["epoch"] or 0), tuple(release), pre, post, dev


def is_at_least(version: str, minimum: str) -> bool:
    """Whether `version` is `minimum` or later; False when it is no version at all."""
    try:
        return order(version) >= order(minimum)
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """The installed version of each library; None: not installed."""

    transformers: str | None = None
    torch: str | None = None
    peft: str | None = None
    accelerate: str | None = None
    tokenizers: str | None = None

    def at_least(self, package: str, minimum: str) -> bool:
        """Whether the package is installed in that version or a later one: `at_least("transformers", "5.0")`.

        Raises:
            ValueError: it is not one of the packages that are looked up.
        """
        if package not in {field.name for field in fields(self)}:
            raise ValueError(f"the version of {package!r} is not looked up")
        found: str | None = getattr(self, package)
        return found is not None and is_at_least(found, minimum)


def read_versions(target: dict[str, str] | None = None) -> VersionFacts:
    """The versions installed here.

    Args:
        target: package -> version to speak of instead of the installed one.
    """
    target = target or {}
    names = [field.name for field in fields(VersionFacts)]
    found = installed({name for name in names if name not in target})
    return VersionFacts(**{name: target.get(name) or found.get(name) for name in names})


def installed(packages: set[str]) -> dict[str, str]:
    """Package -> version, by the names of the `.dist-info` folders on the path; the first one on the path counts.

    As importlib.metadata finds them (PEP 376, PEP 427), without its import, which costs as much as half a check.
    """
    found: dict[str, str] = {}
    for folder in dict.fromkeys(sys.path):
        try:
            entries = os.listdir(folder or ".")  # noqa: PTH208 - names alone, thousands of them
        except OSError:  # a zip file, a folder that is gone
            continue
        for entry in entries:
            name, dash, version = entry.removesuffix(".dist-info").partition("-")
            if dash and entry.endswith(".dist-info") and name.lower() in packages:
                found.setdefault(name.lower(), version)
    return found
