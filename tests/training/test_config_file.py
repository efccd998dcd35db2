"""Every choice of a training in a file: what is written is read back, and what there is not is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from main import main
from semc_core.errors import UsageError
from semc_core.model.file import read_model
from tests.training.toy_folder import write_toy_folder
from training.config import TRAIN_RECIPES, TrainOptions, train_recipe
from training.config_file import as_toml, budget_in, changed, keys, read_config, read_setting, values_of
from training.losses.config import LossOptions
from training.schedule import Budget

LIVE = train_recipe("live").options


@pytest.mark.parametrize("name", TRAIN_RECIPES)
def test_what_is_written_is_read_back(name: str, tmp_path: Path) -> None:
    options = replace(
        train_recipe(name).options,
        budget=Budget(minutes=2.5),
        ultrasound=("gain", "haze"),
        losses=replace(train_recipe(name).options.losses, alpha=None, gate_start=4.0, balance=0.01),
    )
    path = tmp_path / "config.toml"
    path.write_text(as_toml(options), encoding="utf-8")
    read = read_config(path)
    assert set(read) == set(keys()) - {"steps"}
    assert read["losses.alpha"] == "learned"
    found = replace(changed(LIVE, read), budget=budget_in(read) or LIVE.budget)
    assert found == options


def test_every_key_is_explained_above_it() -> None:
    lines = as_toml(LIVE).splitlines()
    for key in values_of(LIVE):
        (place,) = [n for n, line in enumerate(lines) if line.startswith(f"{key.rpartition('.')[2]} = ")][:1]
        assert lines[place - 1].startswith("# ")


def test_a_few_choices_leave_the_others_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('optimiser = "sgd"\n[losses]\nself_weight = 0.5\n', encoding="utf-8")
    settings = read_config(path) | dict(
        map(read_setting, ["losses.alpha=learned", "augment.scale=[0.9, 1.2]", "start=authors", "batch = 7"])
    )
    losses = replace(LIVE.losses, self_weight=0.5, alpha=None)
    augment = replace(LIVE.augment, scale=(0.9, 1.2))
    wanted = replace(LIVE, optimiser="sgd", losses=losses, augment=augment, start="authors", batch=7)
    assert changed(LIVE, settings) == wanted
    assert budget_in(settings) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("losses.temprature=0.1", r"no such key of a training; perhaps losses\.temperature is meant\."),
        ("temperature=0.1", r"perhaps losses\.temperature is meant\."),
        ("zzz=1", r"docs/training_keys\.md lists them"),
        ("batch", "is no setting; write KEY=VALUE"),
        ("batch=", "is no setting; write KEY=VALUE"),
        ("batch=many", "field 'batch' must be a valid integer"),
        ("losses.temperature=-1", "temperatures .* must be above 0"),
        ("optimiser=best", "no optimiser 'best'"),
        ("losses.weighing=free", "no weighing 'free'"),
        ("start=cold", "no start 'cold'"),
        ("last_rate=2", "last learning rate must lie within 0 and 1"),
    ],
)
def test_what_there_is_not_is_refused(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        changed(LIVE, dict([read_setting(text)]))


def test_an_end_that_is_none_is_refused() -> None:
    assert budget_in({"steps": 5}) == Budget(steps=5)
    with pytest.raises(UsageError, match="must be a number"):
        budget_in({"steps": "five"})
    with pytest.raises(UsageError, match="either a number of steps or of minutes"):
        budget_in({"steps": 5, "minutes": 1})


@pytest.mark.parametrize("content", [b"[losses", b"\xff", b"x = 1"], ids=["no TOML", "no text", "no key"])
def test_a_file_that_is_none_is_a_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"mine\.toml (cannot be read|names 'x', and there is no such key)"):
        read_config(path)
    with pytest.raises(UsageError, match=r"none\.toml cannot be read"):
        read_config(tmp_path / "none.toml")


@pytest.mark.long
def test_the_file_of_a_run_repeats_it_and_the_command_line_goes_before_it(tmp_path: Path) -> None:
    folder = write_toy_folder(tmp_path / "toy", 60, patients=10)
    given = ["train", "--data", str(folder), "--out"]
    first, again, other = (tmp_path / f"{name}.safetensors" for name in ("first", "again", "other"))
    own = ["--preset", "semc_tiny", "--steps", "3", "--validations", "1", "--batch", "8", "--threads", "1"]
    own += ["--seed", "7", "--set", "losses.balance=0.1", "--set", "losses.weighing=uncertainty"]
    assert main([*given, str(first), *own]) == 0
    config = first.with_suffix(".run") / "config.toml"
    assert read_config(config) == read_config(config) | {"seed": 7, "steps": 3, "losses.balance": 0.1}
    assert main([*given, str(again), "--config", str(config)]) == 0
    one, two = read_model(first)[1], read_model(again)[1]
    assert all((one[name] == two[name]).all() for name in one)
    assert main([*given, str(other), "--config", str(config), "--seed", "1"]) == 0
    third = read_model(other)[1]
    assert any((one[name] != third[name]).any() for name in one if name.startswith("conv1"))


def test_the_defaults_are_those_of_the_recipe() -> None:
    assert isinstance(LIVE, TrainOptions)
    assert LossOptions() == LIVE.losses
    assert changed(LIVE, {}) == LIVE
