"""Two processes train as one does: DDP, FSDP2, both engines, ragged last steps; one instead of two is told."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pretune.core.errors import UserError
from pretune.train import processes
from pretune.train.processes import decided, one_voice, require_processes
from train import together

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two gloo processes saw, started by torchrun."""
    out = tmp_path_factory.mktemp("two")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*command, str(HERE / "together.py"), str(out)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads((out / f"{rank}.json").read_text()) for rank in range(2)]


@pytest.mark.slow
@pytest.mark.parametrize("case", together.CASES)
def test_two_processes_are_one(two: list[dict[str, Any]], case: str) -> None:
    """Losses, gradient norms, rates and outputs of two processes are those of one that accumulates twice as much."""
    one = together.run(case, 4)
    for process in two:
        for mine, theirs in zip(process[case]["trace"], one["trace"], strict=True):
            assert without_epoch(mine) == pytest.approx(without_epoch(theirs), rel=1e-5, abs=1e-5)
        assert _flat(process[case]["said"]) == pytest.approx(_flat(one["said"]), abs=1e-4)


def without_epoch(entry: list[float]) -> list[float]:
    """Without how much of the epoch is done, which is counted in batches of one process."""
    return [*entry[:2], *entry[3:]]


def _flat(values: Any) -> list[float]:
    return [one for value in values for one in _flat(value)] if isinstance(values, list) else [values]


def _launched(tmp_path: Path, count: int) -> subprocess.CompletedProcess[str]:
    """What accelerate launch makes of a script that asks whether all processes are there."""
    script = tmp_path / "asks.py"
    script.write_text("from pretune.train.processes import require_processes as ask\nask()\nprint('all there')\n")
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", str(count)]
    return subprocess.run(
        [*launch, str(script)], env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.slow
def test_accelerate_launch_starts_one_process(tmp_path: Path) -> None:
    """Asked for two on the CPU, accelerate launch starts one; it is told so, and asked for one it works."""
    two = _launched(tmp_path, 2)
    assert two.returncode != 0
    assert "accelerate launch was asked for several processes and started one" in two.stderr
    one = _launched(tmp_path, 1)
    assert one.returncode == 0, one.stderr[-2000:]
    assert "all there" in one.stdout


@pytest.mark.parametrize(
    ("environment", "fine"),
    [
        ({}, True),
        ({"ACCELERATE_MIXED_PRECISION": "no"}, True),
        ({"ACCELERATE_MIXED_PRECISION": "no", "MASTER_PORT": "29500"}, False),
        ({"ACCELERATE_MIXED_PRECISION": "no", "MASTER_PORT": "29500", "WORLD_SIZE": "2"}, True),
        ({"ACCELERATE_MIXED_PRECISION": "no", "MASTER_PORT": "29500", "OMPI_COMM_WORLD_SIZE": "2"}, True),
        ({"MASTER_PORT": "29500"}, True),
    ],
)
def test_what_launchers_leave(environment: dict[str, str], fine: bool) -> None:
    """Only accelerate launch leaves an address to meet at and no number of processes."""
    if fine:
        require_processes(environment)
    else:
        with pytest.raises(UserError, match="started one, as it does on the CPU"):
            require_processes(environment)


def test_float16_without_a_gpu() -> None:
    """float16 is refused in one line on a CPU, by both engines."""
    import torch

    from pretune.train import loop, trainer
    from pretune.train.options import Options
    from train import engines

    if torch.accelerator.is_available():
        pytest.skip("needs a machine without a GPU")
    for engine in (loop, trainer):
        with pytest.raises(UserError, match="fp16 does not work on this device"):
            engines.run(engine, "classes", Options(precision="fp16"))


def test_one_process_decides_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without others nothing is sent around, and a mistake passes as it is."""
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert decided(lambda: "made") == "made"

    def refused() -> None:
        raise UserError("no")

    with pytest.raises(UserError, match=r"^no$"):
        decided(refused)


DECIDING = """
import os
from pathlib import Path
from pretune.core.errors import UserError
from pretune.train.processes import decided

def refused():
    raise UserError("only the first asks", hint="mend it", exit_code=7)

rank = int(os.environ["RANK"])
assert decided(lambda: (Path("checkpoint-3"), rank)) == (Path("checkpoint-3"), 0)
try:
    decided(refused)
except UserError as error:
    Path(OUT, str(rank)).write_text(f"{error.message} {error.hint} {error.exit_code}")
__import__("torch").distributed.destroy_process_group()  # else gloo's threads may abort the process as it ends
"""


@pytest.mark.slow
def test_the_first_process_decides(tmp_path: Path) -> None:
    """Both have what the first one found, and both stop at what it met."""
    script = tmp_path / "deciding.py"
    script.write_text(DECIDING.replace("OUT", repr(str(tmp_path))))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", str(script)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert {(tmp_path / str(rank)).read_text() for rank in (0, 1)} == {"only the first asks mend it 7"}


def test_one_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first process tells a mistake as it is, another one later and by its number."""
    monkeypatch.setattr(processes, "_LATER", 0.0)
    for rank, message in (("0", "no such file"), ("1", "process 1: no such file")):
        monkeypatch.setenv("RANK", rank)
        with pytest.raises(UserError) as found, one_voice():
            raise UserError("no such file")
        assert found.value.message == message
