"""Does what a newcomer does: an empty environment, the first commands of README.md as they stand there, nothing else.

Fails on anything unexpected: another exit code than 0, a word on stderr, an output that lacks what was promised. Then
it builds sdist and wheel from scratch, installs the wheel alone into another empty environment, and builds one without
a compiler. It needs Python 3.11+, git, a package index and minutes; a variable of pip holds torch at constraints.txt.

    python scripts/fresh_machine.py [--keep DIR] [--only readme|wheel]
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROMISED = {
    "pip install": (),
    "pretune demo": ("1. ", "Now your own:", "$ pretune check MODEL"),
}
"""Beginning of a command of the README -> what must stand in its output."""
LEFT = {"pretune demo": "pretune-demo.html"}
"""Beginning of a command -> the file that it leaves."""
PROGRESS = re.compile(r"step \d+[/:]|\d+ steps$")
"""What a training writes to stderr, which is there for words."""
KEPT = ("LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "http_proxy", "https_proxy", "no_proxy")
"""Variables of this shell that the empty environment has, too; of pip's all."""


class UnexpectedError(Exception):
    """Something a newcomer would stumble over."""


def readme_commands(text: str) -> list[str]:
    """The commands of the first console block of the README: how it is installed and tried."""
    found = re.search(r"```console\n(.*?)```", text, re.DOTALL)
    if found is None:
        raise UnexpectedError("README.md has no console block")
    return [
        line.removeprefix("$ ").partition(" #")[0].strip() for line in found[1].splitlines() if line.startswith("$ ")
    ]


def checkout(folder: Path) -> Path:
    """A copy of the repository as it would be cloned: what git knows or does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    there = folder / "pretune"
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (there / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, there / name)
    return there


def empty_environment(folder: Path, name: str) -> dict[str, str]:
    """A virtual environment with pip alone, as the variables of a shell in which it is active; a home without files."""
    where = folder / name
    subprocess.run([sys.executable, "-m", "venv", where], check=True)
    home = folder / f"{name}-home"
    home.mkdir()
    kept = {key: value for key, value in os.environ.items() if key in KEPT or key.startswith("PIP_")}
    return {
        **kept,
        "PATH": os.pathsep.join([str(where / ("Scripts" if os.name == "nt" else "bin")), "/usr/bin", "/bin"]),
        "HOME": str(home),
        "VIRTUAL_ENV": str(where),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
    }


def play(command: str, folder: Path, environment: dict[str, str], *, expected: int = 0) -> str:
    """Run a command as a shell would; what it prints on stdout.

    Raises:
        UnexpectedError: another exit code, or a word on stderr; pip's warnings of its index are shown and forgiven.
    """
    print(f"$ {command}", flush=True)
    begun = time.monotonic()
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    lines = done.stderr.splitlines()
    wrong = [line for line in lines if line.strip() and not PROGRESS.match(line)]
    wrong = [line for line in wrong if not (command.startswith("pip") and line.startswith("WARNING: "))]
    wrong = [] if command.startswith("python -m build") else wrong  # it tells its progress there
    print(f"  {time.monotonic() - begun:.0f} s, exit code {done.returncode}", flush=True)
    if done.returncode != expected or wrong:
        last = "\n".join(done.stdout.splitlines()[-20:])
        raise UnexpectedError(f"{command}: exit code {done.returncode}\nstdout ends:\n{last}\nstderr:\n{done.stderr}")
    return done.stdout


def follow_the_readme(folder: Path) -> None:
    """The first commands of README.md in an empty environment."""
    there = checkout(folder)
    environment = empty_environment(folder, "readme")
    commands = readme_commands((there / "README.md").read_text(encoding="utf-8"))
    unknown = [one for one in commands if not one.startswith(tuple(PROMISED))]
    if unknown or len(commands) < 2:
        raise UnexpectedError(f"README.md begins with other commands than {list(PROMISED)}: {commands}")
    for command in commands:
        printed = play(command, there, environment)
        begins = next(one for one in PROMISED if command.startswith(one))
        missing = [words for words in PROMISED[begins] if words not in printed]
        if missing:
            raise UnexpectedError(f"{command} does not print {missing}:\n{printed}")
        if begins in LEFT and b"</html>" not in (there / LEFT[begins]).read_bytes():
            raise UnexpectedError(f"{command} leaves no page {LEFT[begins]}")
    left = subprocess.run(
        ["git", "-C", ROOT, "check-ignore", *LEFT.values()], capture_output=True, text=True, check=False
    )
    if left.stdout.split() != list(LEFT.values()):
        raise UnexpectedError(f"{LEFT} would be taken into the repository")


def build_and_install(folder: Path) -> None:
    """sdist, the wheel made of it, and that wheel alone in an empty environment; a wheel without a compiler."""
    there = folder / "pretune" if (folder / "pretune").is_dir() else checkout(folder)
    tools = empty_environment(folder, "tools")
    play("pip install -q build", folder, {key: value for key, value in tools.items() if key != "PIP_CONSTRAINT"})
    out = folder / "dist"
    play(f"python -m build -o '{out}' '{there}'", folder, tools)
    version = re.search(r'__version__ = "(.*?)"', (there / "src/pretune/__init__.py").read_text("utf-8"))[1]
    names = sorted(path.name for path in out.iterdir())
    print(f"  {', '.join(names)}")
    if f"pretune-{version}.tar.gz" not in names or len(names) != 2:
        raise UnexpectedError(f"expected an sdist and a wheel of {version}, found {names}")
    alone = empty_environment(folder, "alone")
    empty = folder / "empty"
    empty.mkdir()
    play(f"pip install -q '{next(out.glob('*.whl'))}'", empty, alone)
    if play("pretune --version", empty, alone) != f"pretune {version}\n":
        raise UnexpectedError("pretune --version tells another version")
    doctor = play("pretune doctor", empty, alone)
    with_kernel = "with the compiled kernel" in doctor
    print(doctor)
    for words in ("torch", 'pip install "pretune[train]"', "torch is not installed"):
        if words not in doctor:
            raise UnexpectedError(f"pretune doctor does not say {words!r}")
    if with_kernel != any("abi3" in name for name in names):
        raise UnexpectedError(f"the wheel {names} does not tell whether the kernel is in it")
    play("pretune check --list", empty, alone)
    play(
        "python -c 'import pretune, pathlib; assert (pathlib.Path(pretune.__file__).parent / \"py.typed\").is_file()'",
        empty,
        alone,
    )
    again = play('pip install -q "pretune[script]"', empty, alone)
    if again.strip():
        raise UnexpectedError(f"the command that doctor names prints {again}")
    shutil.rmtree(there / "build", ignore_errors=True)  # else what was compiled before is taken
    play(f"python -m build -w -o '{folder / 'without'}' '{there}'", folder, {**tools, "CC": "/bin/false"})
    pure = [path.name for path in (folder / "without").iterdir()]
    if pure != [f"pretune-{version}-py3-none-any.whl"]:
        raise UnexpectedError(f"a wheel without the kernel is called {pure}")


def main() -> int:
    """Do it; 1 and the reason where something is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work there, and leave it")
    parser.add_argument("--only", choices=("readme", "wheel"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pretune-fresh-") as made:
        folder = asked.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            if asked.only != "wheel":
                follow_the_readme(folder.resolve())
            if asked.only != "readme":
                build_and_install(folder.resolve())
        except UnexpectedError as error:
            print(f"fresh machine: {error}", file=sys.stderr)
            return 1
    print("as a newcomer would: everything as expected")
    return 0


if __name__ == "__main__":
    sys.exit(main())
