"""`torchrun -m pretune train` with two processes on the CPU: one run, one folder, the numbers of one process."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pretune.train import run_folder
from train import tiny_runs as tiny

SOURCES = Path(__file__).resolve().parents[2] / "src"


@pytest.mark.slow
def test_two_processes_train_one_model(tmp_path: Path) -> None:
    """Without dropout two processes give the losses of one within 1e-5, score all of dev, and write each file once."""
    from safetensors.numpy import load_file

    model = tiny.model(tmp_path / "m", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    file = tiny.questions(tmp_path / "q.jsonl", count=21)
    words = [
        "-m",
        "pretune",
        "train",
        "mrc",
        "--model",
        str(model),
        "--train",
        str(file),
        "--dev",
        str(file),
        "--force",
    ]
    words += ["--max-length", "64", "--stride", "16", "--max-steps", "3", "--logging-steps", "1"]
    words += ["--learning-rate", "1e-3"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1"}
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "29617"]
    found = []
    for name, start, size in (("one", [sys.executable], "4"), ("two", launch, "2")):
        out = tmp_path / name
        command = [*start, *words, "--out", str(out), "--per-device-train-batch-size", size]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        assert done.stdout.count("dev, as korquad1 counts") == 1
        found.append((run_folder.read_log(out), load_file(out / "model.safetensors")))
    (log, ours), (other, theirs) = found
    assert [one["step"] for one in log] == [one["step"] for one in other] == [1, 2, 3, 3]
    losses, others = ([one["loss"] for one in rows if "loss" in one] for rows in (log, other))
    np.testing.assert_allclose(losses, others, rtol=1e-5)
    assert [one["epoch"] for one in log if "loss" in one] == [one["epoch"] for one in other if "loss" in one]
    assert ours.keys() == theirs.keys()  # AdamW makes whole steps of gradients that are 0 but for rounding


@pytest.mark.slow
def test_two_processes_share_the_weights(tmp_path: Path) -> None:
    """With --fsdp each holds half of the weights, and the folder loads in plain transformers; --no-resume, auto too."""
    from transformers import AutoModelForSequenceClassification, pipeline

    file = tiny.lines(tmp_path / "t.jsonl", [{"text": f"서울 {i}", "label": "ab"[i % 2]} for i in range(12)])
    dev = tiny.lines(tmp_path / "d.jsonl", [{"text": f"한강 {i}", "label": "ab"[i % 2]} for i in range(5)])
    out = tmp_path / "run"
    words = ["classify", "--model", str(tiny.model(tmp_path / "m")), "--train", str(file), "--dev", str(dev)]
    words += ["--out", str(out), "--force", "--fsdp", "true", "--max-steps", "3", "--preset", "fast"]
    words += ["--logging-steps", "1", "--save-steps", "1", "--per-device-train-batch-size", "3"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1"}
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "29619"]
    command = [*launch, "-m", "pretune", "train", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count(f"{out}: classify") == 1
    assert AutoModelForSequenceClassification.from_pretrained(out).config.id2label == {0: "a", 1: "b"}
    assert pipeline("text-classification", str(out), device="cpu")("서울")[0]["label"] in {"a", "b"}
    again = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert again.returncode != 0
    assert again.stderr.count("holds a finished run of this recipe") == 1
