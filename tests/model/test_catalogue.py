"""What a name after `--model` means, and what stands beside a model in a list."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import main
from semc_core.cli.shared.arguments import model_file
from semc_core.errors import ModelFileError, UsageError
from semc_core.model import catalogue
from semc_core.model.catalogue import check_free, model_path, named_models
from semc_core.model.file import read_model, read_spec, write_model
from semc_core.model.registry import INDEX_NAME, ModelRegistry
from semc_core.model.summary import summary_of
from semc_core.paths import DEFAULT_MODEL


@pytest.fixture
def shipped(tmp_path: Path, tiny_model_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of `assets/models`, with two models."""
    folder = tmp_path / "assets"
    folder.mkdir()
    for name in ("semc_live", "semc_fetal"):
        shutil.copy(tiny_model_path, folder / f"{name}.safetensors")
    monkeypatch.setattr(catalogue, "SHIPPED_MODELS", folder)
    return folder


@pytest.mark.parametrize("name", ["fetal", "semc_fetal", "Fetal"])
def test_a_model_that_came_with_the_program_is_its_file_with_or_without_semc(
    name: str, shipped: Path
) -> None:
    assert model_path(name) == shipped / "semc_fetal.safetensors"
    assert model_file(name) == shipped / "semc_fetal.safetensors"


def test_what_ships_today_has_a_name() -> None:
    assert model_path("live") == DEFAULT_MODEL
    assert model_path("semc_live") == DEFAULT_MODEL


def test_a_file_goes_before_a_name_and_a_missing_one_is_said_by_who_reads_it(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fetal").write_bytes(b"here")
    assert model_path("fetal") == Path("fetal")
    assert model_path("none.safetensors") == Path("none.safetensors")
    assert model_path("below/fetal") == Path("below/fetal")


def test_ones_own_model_is_found_by_the_name_it_was_given_or_by_its_number(
    shipped: Path, models: list[Path]
) -> None:
    library = ModelRegistry()
    first, second = library.add(models[0], name="liver-2"), library.add(models[1])
    assert model_path("Liver-2") == library.path(first)
    assert model_path("version-2") == library.path(second)
    assert [each.name for each in named_models()] == ["fetal", "live", "liver-2", "version-2"]


def exit_code(command: list[str]) -> object:
    """Of the program; wrong usage of an option ends it."""
    try:
        return main.main(command)
    except SystemExit as end:
        return end.code


def test_an_unknown_name_gets_the_names_that_there_are(
    shipped: Path, models: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    ModelRegistry().add(models[0], name="liver-2")
    with pytest.raises(UsageError, match=r"no model 'heart'; .* one of: fetal, live, liver-2\."):
        model_path("heart")
    for command in (
        ["analyse", "x.mp4", "--out", "out", "--model", "heart"],
        ["live", "--offscreen", "--model", "heart"],
        ["classify", "x.png", "--out", "x.csv", "--model", "heart"],
        ["protocols", "--model", "heart"],
        ["model", "info", "heart"],
        ["model", "verify", "heart"],
        ["model", "use", "heart"],
        ["eval", "heart", "pictures", "--out", "report"],
        ["bench", "live", "--model", "heart"],
    ):
        assert exit_code(command) == 2, command
        assert "no model 'heart'" in capsys.readouterr().err, command


def test_a_changed_file_of_ones_own_is_not_used_by_its_name(models: list[Path], own_models: Path) -> None:
    version = ModelRegistry().add(models[0], name="mine")
    (own_models / version.file).write_bytes(b"changed")
    with pytest.raises(ModelFileError, match="version 1 was changed"):
        model_path("mine")


def test_a_damaged_list_of_ones_own_does_not_hide_what_ships(shipped: Path, own_models: Path) -> None:
    own_models.mkdir(parents=True)
    (own_models / INDEX_NAME).write_text("{", encoding="utf-8")
    assert model_path("fetal") == shipped / "semc_fetal.safetensors"
    with pytest.raises(ModelFileError, match="remove it to start again"):
        model_path("mine")


@pytest.mark.parametrize("name", ["fetal", "semc_Live", "in-use", "version-7", "3rd", "a b", "a.b", ""])
def test_no_model_of_ones_own_is_called_so(name: str, shipped: Path) -> None:
    with pytest.raises(UsageError, match="--name"):
        check_free(name)


def test_two_models_have_two_names_and_one_is_renamed_by_adding_it_again(models: list[Path]) -> None:
    library = ModelRegistry()
    library.add(models[0], name="mine")
    with pytest.raises(UsageError, match="version 1 is called mine already"):
        library.add(models[1], name="Mine")
    assert len(library.versions()) == 1
    library.add(models[0], name="ours")
    library.add(models[0], use=True)
    assert [each.name for each in library.versions()] == ["ours"]


def test_a_model_without_a_name_is_written_as_earlier_programs_read_it(
    models: list[Path], own_models: Path
) -> None:
    ModelRegistry().add(models[0])
    assert '"name"' not in (own_models / INDEX_NAME).read_text(encoding="utf-8")


def test_a_summary_is_what_the_file_says_of_itself(models: list[Path], tmp_path: Path) -> None:
    spec, arrays = read_model(models[0])
    said = replace(
        spec,
        provenance={"scanned": "Fetus,\tmid-trimester", "protocol": "fasp-20-week", "data": ["A", "B"]},
        metrics={"in_words": "four planes 98 %", "test": {"f1": 0.5, "frames": 3}},
    )
    write_model(tmp_path / "said.safetensors", said, arrays)
    summary = summary_of(read_spec(tmp_path / "said.safetensors"))
    assert (summary.scanned, summary.protocol) == ("Fetus, mid-trimester", "fasp-20-week")
    assert summary.line == "6 planes; A, B; four planes 98 %."


def test_a_summary_says_what_is_not_known(models: list[Path]) -> None:
    spec = read_spec(models[0])
    assert summary_of(spec).line == "6 planes; where from is not said; how good is not measured."
    odd = replace(spec, provenance={"data": {"a": 1}, "scanned": 3}, metrics={"test": [1], "in_words": None})
    assert summary_of(odd).line == summary_of(spec).line
    shipped = summary_of(read_spec(DEFAULT_MODEL))
    assert shipped.line == "6 planes; simulated scans of this program; F1 0.94 on 2309 pictures held out."
