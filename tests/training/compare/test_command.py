"""`semc compare`: methods are trained alike, a broken-off one goes on, and what cannot be is refused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from main import main
from semc_core.model.comparison import read_comparison
from semc_core.model.file import read_spec
from tests.training.toy_folder import write_toy_folder
from training.run_folder import writing_alone

ROOT = Path(__file__).resolve().parents[3]
SHORT = [
    "--steps",
    "3",
    "--validations",
    "1",
    "--threads",
    "1",
    "--set",
    "preset=semc_tiny",
    "--set",
    "batch=8",
]
OF_THE_MACHINE = ("milliseconds", "minutes")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Discs, bars and nothing of twenty patients."""
    return write_toy_folder(tmp_path_factory.mktemp("data") / "toy", 120, patients=20)


def asked(folder: Path, out: Path, methods: str = "semc,resnet", seeds: str = "2") -> list[str]:
    typed = ["compare", "--methods", methods, "--data", str(folder), "--out", str(out), "--seeds", seeds]
    return [*typed, *SHORT]


def found_in(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "compare.json").read_text(encoding="utf-8"))
    return found


def rows_in(out: Path) -> list[dict[str, Any]]:
    """The table, without what two runs on one machine do not have alike."""
    return [
        {name: value for name, value in row.items() if name not in OF_THE_MACHINE}
        for row in found_in(out)["methods"]
    ]


@pytest.mark.long
def test_it_goes_on_after_a_kill_with_the_same_table(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert main([*asked(folder, whole), "--keep"]) == 0
    said = capsys.readouterr().out
    assert "resnet, seed 2:" in said
    assert "As in the paper's table" in said
    assert "in place of semc" in found_in(whole)["headline"]
    assert found_in(whole)["headline"] in said
    killed = subprocess.Popen(
        [sys.executable, "main.py", *asked(folder, broken), "--keep"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not (broken / "work" / "resnet_seed1.run").exists():
        assert killed.poll() is None
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    first = (broken / "runs" / "semc_seed1.json").read_bytes()
    assert not (broken / "runs" / "semc_seed2.json").exists()
    assert main([*asked(folder, broken), "--keep"]) == 0
    assert (broken / "runs" / "semc_seed1.json").read_bytes() == first
    assert rows_in(broken) == rows_in(whole)
    for row in rows_in(whole):
        assert row["seeds"] == [1, 2]
        assert row["f1"]["low"] <= row["f1"]["mean"] <= row["f1"]["high"]
        assert row["parameters"] > 0
    assert not list((whole / "work").iterdir())
    check_what_is_kept(whole)


def check_what_is_kept(out: Path) -> None:
    """The model of the best seed, calibrated and compared as `semc model use` wants it."""
    assert sorted(path.name for path in (out / "models").glob("*.safetensors")) == [
        "resnet.safetensors",
        "semc.safetensors",
    ]
    looked = []
    for method in ("semc", "resnet"):
        model = out / "models" / f"{method}.safetensors"
        spec = read_spec(model)
        runs = [json.loads((out / "runs" / f"{method}_seed{seed}.json").read_bytes()) for seed in (1, 2)]
        best = max(runs, key=lambda run: (run["validation_f1"], -run["seed"]))
        assert spec.provenance["options"]["seed"] == best["seed"] == found_in(out)["kept"][method]
        assert spec.sha256 == best["model_sha256"]
        comparison = read_comparison(model.with_suffix(".run") / "comparison.json")
        assert comparison is not None
        assert comparison.candidate.sha256 == spec.sha256
        looked.append(spec.metrics["test_readings"])
    assert (
        len(set(looked)) == 2
    )  # each network looked once, and holding it against another was no second look


@pytest.mark.long
def test_a_method_that_fails_is_told_and_the_others_go_on(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, encoder = tmp_path / "out", tmp_path / "encoder.safetensors"
    pretrained = ["pretrain", "--data", str(folder), "--method", "simclr", "--preset", "semc_tiny"]
    assert main([*pretrained, "--steps", "1", "--batch", "8", "--out", str(encoder)]) == 0
    typed = [*asked(folder, out, "sononet16,semc", "1"), "--encoder", str(encoder), "--against", "best"]
    capsys.readouterr()
    assert main([*typed, "--json"]) == 1
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert "sononet16, seed 1 failed: encoder.safetensors is of another network" in printed.err
    rows = {row["method"]: row for row in found["methods"]}
    assert "encoder.safetensors is of another network" in rows["sononet16"]["problem"]
    assert rows["sononet16"]["f1"] is None
    assert rows["semc"]["problem"] is None
    assert rows["semc"]["seeds"] == [1]
    assert found["against"] == "semc"
    assert not (out / "models").exists()
    # Another start is another comparison.
    assert main(asked(folder, out, "semc", "1")) == 2
    assert "results with other encoder, which cannot stand in one table" in capsys.readouterr().err
    assert main([*asked(folder, out, "semc", "1"), "--set", "batch=9"]) == 2
    assert "results with other batch, encoder, which" in capsys.readouterr().err


def test_a_second_command_with_the_same_out_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing_alone(tmp_path / "out"):
        assert main(asked(folder, tmp_path / "out")) == 2
    assert "Another command is writing to" in capsys.readouterr().err
    assert not (tmp_path / "out" / "plan.json").exists()


def test_pictures_of_nobody_knows_whom_are_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flat = tmp_path / "flat"
    for picture in folder.rglob("*.png"):
        to = flat / picture.relative_to(folder).parts[0] / f"{picture.parent.name}_{picture.name}"
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, to)
    assert main(asked(flat, tmp_path / "out")) == 2
    assert "Nothing says which pictures show the same patient" in capsys.readouterr().err
    alone = tmp_path / "alone"
    shutil.copytree(folder / "DISC" / "patient00000", alone / "DISC" / "patient00000")
    shutil.copytree(folder / "BAR" / "patient00001", alone / "BAR" / "patient00001")
    assert main(asked(alone, tmp_path / "out")) == 2
    assert "A training needs 3 patients or videos or more" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--methods", "semc,vgg"], "no method 'vgg'"),
        (["--seeds", "none"], "--seeds 'none' must be how many"),
        (["--more-seeds", "2"], "is not more than the 2 seeds"),
        (["--against", "sononet16"], "is none of the methods, semc, resnet"),
        (["--epochs", "2"], "--steps is not allowed with --epochs"),
        (["--set", "method=semc"], "--set method cannot be a choice of all methods alike"),
        (["--set", "minutes=3"], "--set minutes cannot be a choice"),
        (["--set", "batches=3"], "perhaps batch is meant"),
        (["--encoder", "nothing.safetensors"], "cannot be read as an encoder"),
    ],
)
def test_what_cannot_be_is_refused_before_the_work(
    more: list[str], said: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*asked(folder, tmp_path / "out"), *more]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out" / "work").exists()
