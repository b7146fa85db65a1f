"""`pretune doctor`: versions and extras from metadata, troubles from what is there, and no secret in any of it."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from pretune.doctor import faults, machine, surroundings
from pretune.doctor.cli import command
from pretune.doctor.diagnosis import Device, Diagnosis, Hub, Knock, Trouble
from pretune.doctor.extras import USES, extras, install_command
from pretune.doctor.installed import Found, conflicts, found
from pretune.doctor.look import look
from pretune.doctor.show import report

NOBODY = Knock((), (), 0)
HUB = Hub("~/.cache", 2, 0, "", "https://huggingface.co", "")


@pytest.fixture(scope="module")
def here() -> Diagnosis:
    """This environment, without its devices."""
    return look(devices=False)


def shown(diagnosis: Diagnosis, width: int | None = None) -> str:
    """The text of a diagnosis."""
    return "\n".join("".join(text for text, _ in line) for line in report(diagnosis, width))


def test_every_extra_is_described() -> None:
    """Each extra of the package says what it is for; `all` is made of others, `dev` and `pages` are for developers."""
    import tomllib

    text = (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text("utf-8")
    assert set(tomllib.loads(text)["project"]["optional-dependencies"]) - {"all", "dev", "pages"} == set(USES)


def test_an_extra_that_lacks_something() -> None:
    """What is missing, also of an extra within an extra, and the command."""
    own = Found(
        "0.1.0", ("click", "polars>=2; extra == 'data'", "pretune[data]; extra == 'fast'", "tokie; extra == 'fast'")
    )
    there = {"pretune": own, "polars": Found("1.9", ()), "click": Found("8.2", ())}
    of = {extra.name: extra for extra in extras(there.get, "pip install")}
    assert of["data"].missing == ("polars is 1.9, wanted >=2",)
    assert of["fast"].missing == ("polars is 1.9, wanted >=2", "tokie")
    assert of["fast"].command == 'pip install "pretune[fast]"'
    assert of["script"].missing == ()
    assert of["script"].command == ""


def test_a_source_tree_has_no_extras() -> None:
    """Where pretune was not installed nothing is claimed of its extras."""
    assert extras({}.get, "pip install") == ()


def test_packages_that_do_not_work_together() -> None:
    """A requirement that is not met is an error with both versions, also one of Trainer; one that is met is none."""
    there = {
        "transformers": Found(
            "5.23.0", ("tokenizers<0.24,>=0.23; python_version > '3'", "accelerate>=1.1; extra == 'torch'")
        ),
        "tokenizers": Found("0.21.4", ()),
        "torch": Found("2.13.0+cpu", ("filelock",)),
        "filelock": Found("3", ()),
        "accelerate": Found("1.0", ()),
        "torchvision": Found("0.28", ("torch==2.13.0",)),
    }
    (told,) = conflicts(there.get, "pip install")
    assert told.level == "error"
    assert told.message == (
        "transformers 5.23.0 asks for tokenizers<0.24,>=0.23 and accelerate>=1.1; "
        "tokenizers is 0.21.4 and accelerate is 1.0"
    )
    assert told.fix == 'pip install "tokenizers<0.24,>=0.23" "accelerate>=1.1"'


def test_what_may_do_is_a_warning() -> None:
    """A missing package of torch, which conda may know by another name, is no error."""
    (told,) = conflicts({"torch": Found("2.13.0", ("triton==3.6",))}.get, "pip install")
    assert (told.level, told.message) == ("warning", "torch 2.13.0 asks for triton==3.6; triton is not installed")


def test_metadata_that_nobody_can_read() -> None:
    """A requirement in no known form is passed over."""
    assert list(conflicts({"torch": Found("2.13", ("!!", "="))}.get, "pip install")) == []


def test_known_faults() -> None:
    """The accumulated loss of transformers 5 is a note; an old peft beside it an error; neither of 4.57."""
    new = {"transformers": Found("5.23.0", ()), "peft": Found("0.17.1", ())}
    told = {one.name: one.level for one in faults.known(new.get, "pip install")}
    assert told == {"accumulated-loss-not-divided": "note", "peft-older-than-transformers": "error"}
    assert not list(faults.known({**new, "transformers": Found("4.57.0", ())}.get, "pip install"))
    assert not list(faults.known({}.get, "pip install"))


def test_a_gpu_that_torch_does_not_see() -> None:
    """A build for the CPU, a driver that does not fit, a torch that is broken; and silence where all is well."""

    def told(asked: machine.Asked | None, built_for: str, *, nvidia: bool) -> list[str]:
        return [one.name for one in faults.of_the_devices(asked, built_for=built_for, nvidia=nvidia)]

    cpu, gpu = Device("cpu", "8 threads"), Device("cuda", "H100", 80 * 10**9, bf16=True)
    assert told(None, "cpu", nvidia=True) == ["torch-without-cuda"]
    assert told(machine.Asked((cpu,), "", "UserWarning: old driver"), "cuda", nvidia=True) == ["gpu-not-seen"]
    assert told(machine.Asked((gpu, cpu), "", ""), "cuda", nvidia=True) == []
    assert told(machine.Asked((cpu,), "", ""), "cpu", nvidia=False) == []
    assert told(machine.Asked(None, "ImportError: libcudart", ""), "cuda", nvidia=False) == ["torch-broken"]
    assert told(None, "", nvidia=False) == []


def test_the_build_of_torch_is_read_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """cuda, rocm and cpu, without importing anything."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise RuntimeError", "utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    version = tmp_path / "torch" / "version.py"
    for text, kind in (
        ("cuda: Optional[str] = '12.8'\nhip: Optional[str] = None\n", "cuda"),
        ("cuda: Optional[str] = None\nhip: Optional[str] = '6.4'\n", "rocm"),
        ("cuda: Optional[str] = None\nhip = None\n", "cpu"),
    ):
        version.write_text(text, "utf-8")
        assert machine.torch_is_built_for() == kind
    version.unlink()
    assert machine.torch_is_built_for() == ""


def test_devices_are_asked_of_another_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer is read among what else it prints; a torch that cannot be imported is one line."""
    fake = tmp_path / "python"
    fake.write_text(f'#!/bin/sh\necho noise\necho \'{machine.MARK}[["cpu", "2 threads", 0, false]]\'\n', "utf-8")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    assert machine.devices() == machine.Asked((Device("cpu", "2 threads"),), "", "")
    fake.write_text(
        "#!/bin/sh\necho 'Traceback' >&2\necho 'ImportError: libcudart.so.12:  no such file' >&2\nexit 1\n", "utf-8"
    )
    assert machine.devices() == machine.Asked(None, "ImportError: libcudart.so.12: no such file", "")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    assert machine.devices().devices is None


def test_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was not built, one that is not wanted: each has its sentence, and only the first a way out."""
    monkeypatch.delenv("PRETUNE_NO_KERNEL", raising=False)
    monkeypatch.setitem(sys.modules, "pretune.corpus._kernel", None)
    assert machine.kernel() == "it was not built"
    assert [one.level for one in faults.of_the_kernel(machine.kernel(), "pip install")] == ["note"]
    monkeypatch.setenv("PRETUNE_NO_KERNEL", "1")
    assert machine.kernel() == "PRETUNE_NO_KERNEL is set"
    assert not list(faults.of_the_kernel(machine.kernel(), "pip install"))


def test_surroundings(tmp_path: Path) -> None:
    """Names that hide packages; an offline switch with an empty cache; mistaken targets; messages kept back."""
    (tmp_path / "datasets").mkdir()
    assert surroundings.hiding(tmp_path) == []
    (tmp_path / "datasets" / "__init__.py").touch()
    (tmp_path / "tokenizers.py").touch()
    hiding = surroundings.hiding(tmp_path)
    assert hiding == ["tokenizers.py", str(Path("datasets") / "__init__.py")]
    empty = replace(HUB, models=0, offline="HF_HUB_OFFLINE")
    told = list(faults.of_the_surroundings(empty, Knock(("team",), ("a target has no url",), 2), hiding))
    assert [one.name for one in told] == [*["package-hidden"] * 2, "offline-and-empty", "knock-target", "knock-waiting"]
    assert not list(faults.of_the_surroundings(HUB, NOBODY, ()))
    assert [one.level for one in faults.of_the_surroundings(None, NOBODY, ())] == ["error"]


def test_no_secret_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a token of the hub, nor a webhook, nor a password in an address, in text or JSON."""
    from huggingface_hub import constants

    config = tmp_path / "pretune" / "knock.toml"
    config.parent.mkdir()
    config.write_text('default = ["team"]\n[targets]\nteam = "https://hooks.slack.com/services/SECRET"\n', "utf-8")
    for name, value in {
        "XDG_CONFIG_HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path),
        "HF_TOKEN": "hf_SECRET",
        "PRETUNE_KNOCK": "",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(constants, "ENDPOINT", "https://me:SECRET@hub.example:8443/x?key=SECRET")
    for targets in ("", "tgram://SECRET/1", "SECRETWORD"):
        monkeypatch.setenv("PRETUNE_KNOCK", targets)
        seen = look(devices=False)
        assert "SECRET" not in shown(seen) + json.dumps(seen.to_json())
        assert seen.hub is not None
        assert (seen.hub.endpoint, seen.hub.token) == ("https://hub.example:8443", "environment")
        assert seen.knock.targets == {"": ("team",), "tgram://SECRET/1": ("tgram",)}.get(targets, ())
    assert [one.name for one in seen.troubles if one.level == "warning"] == ["knock-target"]


def test_the_command(here: Diagnosis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text or JSON on stdout; the exit code is 1 where an error stands among the troubles, and 0 at a warning."""
    monkeypatch.setattr("pretune.doctor.look.look", lambda *, devices: replace(here, unasked=str(devices)))
    done = CliRunner().invoke(command, ["--no-devices", "--json"], standalone_mode=False)
    told = json.loads(done.stdout)
    assert (done.return_value, told["version"], told["ok"], told["unasked"]) == (0, 1, True, "False")
    for level, code in (("warning", 0), ("error", 1)):
        worse = replace(here, troubles=(Trouble("x", level, "it is broken", "mend it"),))
        monkeypatch.setattr("pretune.doctor.look.look", lambda *, devices, worse=worse: worse)
        done = CliRunner().invoke(command, [], standalone_mode=False)
        assert done.return_value == code
        assert f"{level}: it is broken\n  fix: mend it\n" in done.stdout


def test_text_at_every_width(here: Diagnosis) -> None:
    """No line but a command to be copied is wider than the terminal."""
    lacking = extras(lambda name: None if name == "libcst" else found(name), "pip install")
    seen = replace(here, extras=lacking, troubles=(Trouble("x", "note", "word " * 30, "mend " * 30),))
    for width in (80, 60, 40):
        wide = [line for line in shown(seen, width).splitlines() if len(line) > width]
        assert all(line.startswith("  pip install") for line in wide)
    assert 'script: libcst\n  to mend scripts and notebooks with --fix\n  pip install "pretune[script]"\n' in shown(
        seen
    )


def test_the_install_command_is_this_environments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`pip` where the first pip is this Python's, its module where it is not, uv where there is no pip."""
    pip = {"pip": Found("26", ())}
    monkeypatch.setattr("shutil.which", lambda _: str(Path(sys.executable).parent / "pip"))
    assert install_command(pip.get) == "pip install"
    monkeypatch.setattr("shutil.which", lambda _: str(tmp_path / "pip"))
    assert install_command(pip.get).endswith(" -m pip install")
    assert install_command({}.get).startswith("uv pip install --python ")


def test_nothing_heavy_is_imported() -> None:
    """Without devices neither torch nor transformers nor numpy is imported."""
    import subprocess

    code = (
        "import sys; from pretune.doctor.look import look; from pretune.doctor.show import report;"
        "list(report(look(devices=False))); print(*{'torch', 'transformers', 'numpy', 'polars'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
