"""One command at a time writes to a folder, wishes to stop are heard, and what cannot be written is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from main import main
from semc_core.errors import SaveError, UsageError
from semc_core.model.file import read_spec
from semc_core.paths import DEFAULT_MODEL
from tests.training.toys import options, toy, toy_trainer
from training.cli.common import telling_failure
from training.data.frame_set import shard_path, write_shard
from training.model_card import write_card
from training.run_folder import writing_alone
from training.trainer.loggers import (
    CSV_NAME,
    PROGRESS_NAME,
    STOP_NAME,
    TENSORBOARD_NAME,
    RunLogger,
    ask_to_stop,
)
from training.trainer.semc import SemcModule
from training.trainer.trainer import LAST, Trainer


def short_training(folder: Path) -> Trainer[SemcModule]:
    return toy_trainer(options(3, batch=8), folder)


def test_a_second_training_with_the_same_out_is_refused_and_tells_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "model.run"
    with telling_failure(folder) as progress:
        assert progress is not None
        progress.tell("started")
        given = ["train", "--data", str(tmp_path), "--out", str(tmp_path / "model.safetensors")]
        assert main(given) == 2
        assert "Another command is writing to" in capsys.readouterr().err
        assert "failed" not in (folder / PROGRESS_NAME).read_text(encoding="utf-8")
    with telling_failure(folder):
        pass


def test_a_second_ablation_with_the_same_out_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["ablate", "--data", str(tmp_path / "set"), "--out", str(tmp_path / "out")]
    with writing_alone(tmp_path / "out"):
        assert main(given) == 2
        assert "choose another --out" in capsys.readouterr().err
        assert main([*given, "--list"]) == 0  # only looks
    assert not (tmp_path / "set").exists()


def test_a_wish_to_stop_that_comes_before_the_first_step_is_heard(tmp_path: Path) -> None:
    training = short_training(tmp_path)
    ask_to_stop(tmp_path)  # as Ctrl+C does, or the window while the pictures are read
    assert not training.fit()
    assert training.step == 1


def test_a_wish_to_stop_of_a_run_before_is_forgotten(tmp_path: Path) -> None:
    ask_to_stop(tmp_path)
    with telling_failure(tmp_path):
        assert not (tmp_path / STOP_NAME).exists()
        assert short_training(tmp_path).fit()


def test_a_run_whose_folder_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(SaveError, match="Nothing could be written to"):
        short_training(tmp_path / "file").fit()
    (tmp_path / LAST).mkdir()
    with pytest.raises(SaveError, match="Nothing could be written to"):
        short_training(tmp_path).fit()


@pytest.mark.parametrize("name", [CSV_NAME, TENSORBOARD_NAME])
def test_a_log_that_cannot_be_begun_says_so(name: str, tmp_path: Path) -> None:
    if name == CSV_NAME:
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_text("in the way", encoding="utf-8")
    with pytest.raises(SaveError, match="Nothing could be written to"):
        RunLogger(tmp_path, ("step", "loss"))


def test_who_writes_alone_makes_the_folder_or_says_why_not(tmp_path: Path) -> None:
    with writing_alone(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()
        with pytest.raises(UsageError), writing_alone(tmp_path / "a" / "b"):
            pass
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(SaveError), writing_alone(tmp_path / "file"):
        pass


def test_pictures_and_cards_that_cannot_be_written_say_so(tmp_path: Path) -> None:
    data = toy(0, 6, seed=1)
    shard_path(tmp_path, 0).mkdir()
    with pytest.raises(SaveError, match="Nothing could be written to"):
        write_shard(tmp_path, 0, data.frames.numpy(), data.rows)
    with pytest.raises(SaveError, match="Nothing could be written to"):
        write_card(tmp_path / "none" / "model.md", read_spec(DEFAULT_MODEL))
