"""Write constraints.txt from what is installed in this environment, without local builds' suffixes (torch's +cpu)."""

from importlib import metadata
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "constraints.txt"
OWN = {"pretune", "pip", "setuptools"}
HEAD = """\
# What CI and make install, exactly. torch is held at 2.13.0, of which the index that CI uses serves a small CPU
# build; an unpinned torch would bring gigabytes of CUDA. Renew with: make constraints
"""


def main() -> None:
    """One line a distribution, by name."""
    found = {dist.metadata["Name"]: dist.version.partition("+")[0] for dist in metadata.distributions()}
    lines = [f"{name}=={found[name]}\n" for name in sorted(found, key=str.lower) if name.lower() not in OWN]
    OUT.write_text(HEAD + "".join(lines), encoding="utf-8")
    print(f"{len(lines)} packages")


if __name__ == "__main__":
    main()
