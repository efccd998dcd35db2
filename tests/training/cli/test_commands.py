"""`semc pretrain` and `semc train` from the command line: recipes, data without labels, and faults."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from main import main
from semc_core.errors import UsageError
from semc_core.labels import NON_STANDARD
from semc_core.model.file import read_model, read_spec
from tests.training.toy_folder import write_toy_folder
from training.cli import train
from training.config import TrainOptions, train_recipe
from training.data.readers import open_data
from training.held_out.learned_from import known_groups, learned_from
from training.losses.config import LossOptions
from training.schedule import Budget
from training.trainer.loggers import PROGRESS_NAME, STOP_NAME

SHORT = ["--steps", "2", "--validations", "1", "--batch", "8", "--threads", "1", "--preset", "semc_tiny"]


@pytest.fixture(scope="module")
def partly_labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Discs and bars of twenty patients; what was no plane is not labelled."""
    folder = write_toy_folder(tmp_path_factory.mktemp("data") / "toy", 120)
    shutil.move(folder / NON_STANDARD, folder / "unlabelled")
    return folder


def progress_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / PROGRESS_NAME).read_text(encoding="utf-8").splitlines()]


@pytest.mark.long
def test_an_encoder_is_pretrained_on_all_frames_and_a_model_trained_on_the_labelled_ones(
    partly_labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder, model = tmp_path / "encoder.safetensors", tmp_path / "model.safetensors"
    data = ["--data", str(partly_labelled), *SHORT]
    assert main(["pretrain", "--method", "awcl", "--out", str(encoder), *data]) == 0
    said = capsys.readouterr().out
    assert "of them with an anatomy" in said
    assert " 100% of them" not in said
    more = ["--augment", "simclr", "--ultrasound", "gain,haze", "--encoder", str(encoder)]
    more += ["--recipe", "paper", "--second-task", "simclr", "--resume"]
    assert main(["train", "--out", str(model), *more, *data]) == 0
    said = capsys.readouterr().out
    assert "No checkpoint is there; it begins anew." in said
    assert any(line.startswith("step 2 ") and " F1 " in line for line in said.splitlines())
    spec = read_spec(model)
    assert spec.classes == ("BAR", "DISC", NON_STANDARD)  # "none of these" has no pictures
    assert spec.provenance["encoder"]["method"] == "awcl"
    assert spec.provenance["options"]["optimiser"] == "sgd"
    assert spec.provenance["options"]["ultrasound"] == ["gain", "haze"]
    assert spec.provenance["data"] == "toy"
    assert isinstance(spec.provenance["train_patients"], int)  # how many, and no name
    assert "has not been tested on others" in spec.notice
    events = [told["event"] for told in progress_of(tmp_path / "model.run")]
    assert events[0] == "started"
    assert events[-1] == "finished"
    assert {"validated", "calibrated"} < set(events)


@pytest.mark.long
def test_frames_without_labels_are_learned_from_too_and_their_patients_are_known(
    partly_labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = write_toy_folder(tmp_path / "others", 60, 10, seed=3)
    for patient in others.glob("*/*"):
        patient.rename(patient.with_name(f"other {patient.name}"))
    model = tmp_path / "model.safetensors"
    command = ["train", "--data", str(partly_labelled), "--out", str(model), *SHORT]
    assert main([*command, "--unlabelled", str(others)]) == 0
    assert "60 frames without labels are learned from as well." in capsys.readouterr().out
    log = (tmp_path / "model.run" / "log.csv").read_text(encoding="utf-8").splitlines()
    assert {"cross", "agreement", "mixed", "sure"} <= set(log[0].split(","))
    spec, arrays = read_model(model)
    assert spec.provenance["frames_without_labels"] == 60
    learned = learned_from(arrays)
    assert learned is not None
    index = open_data(others)
    assert known_groups(index, index.groups, learned, only_trained=True) == set(index.groups)


def test_a_fault_is_told_to_who_reads_the_progress(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "model.safetensors")]
    assert main(["train", "--data", str(tmp_path / "none"), *out]) == 2
    said = capsys.readouterr().err
    told = progress_of(tmp_path / "model.run")[-1]
    assert told["event"] == "failed"
    assert told["message"] in said


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--nice", "20"], "between 0 and 19"),
        (["--alpha", "much"], "neither a number"),
        (["--alpha", "2"], "within 0 and 1"),
        (["--recipe", "mine"], "no recipe"),
        (["--method", "vgg"], "no network"),
        (["--augment", "all"], "no recipe"),
        (["--batch", "8", "--accumulate", "8"], "two frames or more"),
        (["--contrast", "triplet"], "no loss"),
        (["--method", "resnet18", "--contrast", "supcon"], "says nothing to the network resnet18"),
        (["--method", "supcon", "--alpha", "0.3"], "says nothing to the network supcon"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    given: list[str], words: str, partly_labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = [
        "--out",
        str(tmp_path / "model.safetensors"),
        "--data",
        str(partly_labelled),
        "--preset",
        "semc_tiny",
    ]
    assert main(["train", *out, *given]) == 2
    assert words in capsys.readouterr().err


def test_the_recipes_are_those_of_the_paper_and_of_its_code() -> None:
    paper, released, live = (train_recipe(name).options for name in ("paper", "released", "live"))
    assert [train_recipe(name).epochs for name in ("paper", "released", "live")] == [200, 200, None]
    published = TrainOptions(
        Budget(steps=1), batch=16, optimiser="sgd", rate=1e-3, average=0.0, progressive=False,
        draws="shuffled", validations=200, last_rate=0.0, start="authors",
    )  # fmt: skip
    assert paper == replace(
        published, preset="semc_r50_paper", weight_decay=1e-4, warm_up=0.0, recipe="paper",
        losses=LossOptions(alpha=None, contrast="supcon", smoothing=0.0),
    )  # fmt: skip
    assert released == replace(
        published, preset="semc_r50", rate=5e-3, weight_decay=5e-4, warm_up=0.025, recipe="released",
        losses=LossOptions(
            alpha=None, contrast="gpaco", self_weight=0.0, smoothing=0.0, class_weights="inverse"
        ),
    )  # fmt: skip
    assert live == TrainOptions(
        Budget(steps=1), preset="semc_live", method="semc", batch=48, optimiser="adamw", rate=2e-3,
        weight_decay=0.02, warm_up=0.04, average=0.995, progressive=True, draws="balanced", recipe="live",
        non_standard_share=0.45, ambiguous_weight=0.25,
        losses=LossOptions(alpha=0.5, contrast="supcon", self_weight=0.1, smoothing=0.05),
    )  # fmt: skip


def test_what_the_user_gives_goes_before_the_recipe() -> None:
    args = train.TrainArguments(data=["x"], out=Path("y"), recipe="released", alpha="0.1", rate=0.5)
    options = train.chosen_options(args)
    assert (options.losses.alpha, options.rate, options.weight_decay) == (0.1, 0.5, 5e-4)
    assert options.losses.contrast == "gpaco"


CTRL_C_TWICE = """
import signal, sys
from pathlib import Path
from training.cli.common import stopping_on_signals

# A background job inherits that Ctrl+C is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
with stopping_on_signals(Path(sys.argv[1])) as signals:
    signal.raise_signal(signal.SIGINT)
    print("asked" if signals == [signal.SIGINT] else signals)
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        print("interrupted")
"""


def test_ctrl_c_asks_for_a_stop_and_a_second_one_interrupts(tmp_path: Path) -> None:
    # In a process of its own: the one that runs the tests may not bear it.
    command = [sys.executable, "-c", CTRL_C_TWICE, str(tmp_path)]
    said = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    assert said.split() == ["asked", "interrupted"]
    assert (tmp_path / STOP_NAME).exists()


def test_options_out_of_range_are_refused() -> None:
    for wrong in ({"batch": 1}, {"rate": 0.0}, {"warm_up": 1.0}, {"patience": 0}, {"draws": "all"}):
        with pytest.raises(UsageError):
            TrainOptions(Budget(steps=1), **wrong)
