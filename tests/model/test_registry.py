"""The user's models: versions, the one in use, and the way back."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from main import main
from semc_core.cli.model import comparison_of
from semc_core.errors import ModelFileError, UsageError
from semc_core.model.comparison import (
    COMPARISON_NAME,
    Comparison,
    Measured,
    read_comparison,
)
from semc_core.model.file import read_spec
from semc_core.model.registry import ModelRegistry, check_known, current_model
from semc_core.paths import DEFAULT_MODEL


def compared(candidate: Path, current: Path, difference: float | None) -> Comparison:
    """A comparison of two files that came out so."""
    old = None if difference is None else Measured(read_spec(current).sha256, 0.9, 0.8, 0.1)
    new = Measured(read_spec(candidate).sha256, 0.9, 0.8 + (difference or 0), 0.1)
    known = None if difference is None else difference
    return Comparison(new, old, read_spec(current).sha256, known, known, known, "test", 50, 6, "they differ.")


def test_the_model_that_came_with_the_program_is_used_at_first(own_models: Path) -> None:
    library = ModelRegistry()
    assert library.folder == own_models
    assert library.current() is None
    assert library.before() is None
    assert current_model() == DEFAULT_MODEL
    with pytest.raises(UsageError, match="no model to go back to"):
        library.rollback()


@pytest.mark.requirement("M3")
def test_versions_are_copies_and_one_can_go_back_through_them(models: list[Path]) -> None:
    library = ModelRegistry()
    first = library.add(models[0], "first", use=True)
    models[0].unlink()
    second = library.add(models[1], use=True)
    assert [version.number for version in library.versions()] == [1, 2]
    assert read_spec(current_model()).notice == "Number 1"
    assert library.before() == 1
    assert library.rollback() == first
    assert read_spec(current_model()).notice == "Number 0"
    assert library.rollback() is None
    assert current_model() == DEFAULT_MODEL
    assert library.use(2) == second
    assert library.use(0) is None
    assert library.before() == 2


def test_the_same_file_is_one_version(models: list[Path], own_models: Path) -> None:
    library = ModelRegistry()
    first = library.add(models[0])
    again = library.add(models[0], "said later", use=True)
    assert (again.number, again.sha256, again.note) == (first.number, first.sha256, "said later")
    assert len(list(own_models.glob("*.safetensors"))) == 1


def test_what_is_no_model_is_not_taken_in(tmp_path: Path, own_models: Path) -> None:
    wrong = tmp_path / "wrong.safetensors"
    wrong.write_bytes(b"nothing")
    with pytest.raises(ModelFileError, match="cannot be used as a model"):
        ModelRegistry().add(wrong, use=True)
    assert not list(own_models.glob("*"))
    assert current_model() == DEFAULT_MODEL


def test_a_changed_or_lost_file_is_said_and_one_can_go_back(models: list[Path], own_models: Path) -> None:
    library = ModelRegistry()
    library.add(models[0], use=True)
    version = library.add(models[1], use=True)
    path = own_models / version.file
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="version 2 was changed; go back"):
        current_model()
    path.unlink()
    with pytest.raises(ModelFileError, match="version 2 is gone; go back"):
        current_model()
    library.rollback()
    assert read_spec(current_model()).notice == "Number 0"
    with pytest.raises(ModelFileError, match="is gone"):
        library.use(2)
    assert read_spec(current_model()).notice == "Number 0"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{NaN",
        "{}",
        '{"schema": 1, "versions": [], "used": []}',
        '{"schema": 1, "versions": [], "used": [3]}',
        '{"schema": 1, "versions": [{"number": 1, "file": "../x", "sha256": "", "added_utc": ""}],'
        ' "used": [1]}',
    ],
)
def test_a_damaged_library_is_said(content: str, own_models: Path) -> None:
    own_models.mkdir(parents=True)
    (own_models / "library.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelFileError, match="remove it to start again"):
        current_model()
    with pytest.raises(ModelFileError, match=r"^library\.json in .* cannot be read"):
        check_known(own_models / "library.json")  # as the window names the model in use then


def test_a_library_of_a_newer_program_is_left_as_it_is(own_models: Path, models: list[Path]) -> None:
    own_models.mkdir(parents=True)
    newer = '{"schema": 2, "shelves": [], "used": [0]}'
    (own_models / "library.json").write_text(newer, encoding="utf-8")
    with pytest.raises(ModelFileError, match=r"newer version of this program, and is left as it is; update"):
        current_model()
    with pytest.raises(ModelFileError, match="newer version"):
        ModelRegistry().add(models[0], use=True)
    assert (own_models / "library.json").read_text(encoding="utf-8") == newer


def test_a_field_that_a_newer_program_wrote_is_kept(own_models: Path, models: list[Path]) -> None:
    library = ModelRegistry()
    library.add(models[0], use=True)
    index = own_models / "library.json"
    index.write_text(
        json.dumps(json.loads(index.read_text(encoding="utf-8")) | {"shelves": {"a": [1]}}), encoding="utf-8"
    )
    library.rollback()
    assert json.loads(index.read_text(encoding="utf-8"))["shelves"] == {"a": [1]}
    assert library.current() is None


def test_two_programs_that_add_at_once_lose_nothing(models: list[Path]) -> None:
    def add(path: Path) -> None:
        while True:
            try:
                ModelRegistry().add(path, use=True)
                return
            except UsageError:
                continue  # the other one is writing

    threads = [threading.Thread(target=add, args=(path,)) for path in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    versions = ModelRegistry().versions()
    assert {version.sha256 for version in versions} == {read_spec(path).sha256 for path in models}
    assert [version.number for version in versions] == [1, 2, 3]


@pytest.mark.requirement("M2")
def test_a_worse_or_uncompared_model_is_refused_unless_forced(models: list[Path]) -> None:
    library = ModelRegistry()
    for comparison, sentence in (
        (compared(models[0], DEFAULT_MODEL, -0.1), "is worse than the one in use: F1 0.700 against 0.800"),
        (compared(models[0], DEFAULT_MODEL, None), "was not compared: they differ"),
        (compared(models[1], DEFAULT_MODEL, 0.1), "not the one that was compared"),
        (compared(models[0], models[1], 0.1), "compared with another than the one in use now"),
        (None, "was not compared with the one in use"),
    ):
        with pytest.raises(UsageError, match=sentence):
            library.promote(models[0], comparison)
        assert library.current() is None
        assert library.versions() == ()
    version = library.promote(models[0], compared(models[0], DEFAULT_MODEL, -0.1), "trained", force=True)
    assert version.forced
    assert library.current() == version


@pytest.mark.parametrize("difference", [0.0, 0.05])
def test_a_model_that_is_no_worse_is_used(difference: float, models: list[Path]) -> None:
    library = ModelRegistry()
    version = library.promote(models[0], compared(models[0], DEFAULT_MODEL, difference), "trained")
    assert not version.forced
    assert library.current() == version
    assert version.compared is not None
    assert version.compared.difference == difference
    after = compared(models[1], models[0], difference)
    assert library.promote(models[1], after).number == 2


def test_a_comparison_is_read_as_it_was_written(models: list[Path], tmp_path: Path) -> None:
    comparison = compared(models[0], models[1], 0.02)
    path = tmp_path / COMPARISON_NAME
    path.write_text(json.dumps(comparison.as_json()), encoding="utf-8")
    assert read_comparison(path) == comparison
    assert read_comparison(tmp_path / "none.json") is None
    path.write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match="compare the models again"):
        read_comparison(path)
    path.write_text('{"candidate": {}}', encoding="utf-8")
    with pytest.raises(UsageError, match=r"'candidate\.sha256' is missing\); compare the models again"):
        read_comparison(path)


def test_the_command_lists_uses_and_goes_back(models: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "use", str(models[0])]) == 2
    refused = capsys.readouterr().err
    assert "was not compared" in refused
    assert "`semc eval` tells how good it is; `semc model use` with --force uses it all the same." in refused
    assert main(["model", "use", "absent.safetensors"]) == 2
    assert "There is no model file absent.safetensors" in capsys.readouterr().err
    run = models[0].with_suffix(".run")
    run.mkdir()
    assert main(["model", "use", str(models[0])]) == 2
    assert "--resume compares it again; `semc model use`" in capsys.readouterr().err, "it was trained"
    (run / COMPARISON_NAME).write_text(
        json.dumps(compared(models[0], DEFAULT_MODEL, 0.1).as_json()), encoding="utf-8"
    )
    assert comparison_of(models[0]) is not None
    assert main(["model", "use", str(models[0])]) == 0
    assert "better than the one in use" in capsys.readouterr().out
    assert main(["model", "use", str(models[1]), "--force"]) == 0
    assert main(["model", "list", "--json"]) == 0
    out = capsys.readouterr().out
    listed = json.loads(out[out.index("{") :])
    assert listed["in_use"] == 2
    assert [version["forced"] for version in listed["versions"]] == [False, True]
    assert main(["model", "list"]) == 0
    assert main(["model", "info"]) == 0
    assert "Number 1" in capsys.readouterr().out
    assert main(["model", "rollback"]) == 0
    assert main(["model", "use", "0"]) == 0
    assert main(["model", "use", "7"]) == 2
    assert current_model() == DEFAULT_MODEL


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("compared", {"f1": 0.9}, r"'versions\[0\]\.compared\.candidate' is missing"),
        ("compared", {"candidate": 3}, r"'versions\[0\]\.compared\.candidate' must be"),
        ("compared", [], r"'versions\[0\]\.compared' must be"),
        ("added_utc", "yesterday", r"'versions\[0\]\.added_utc' must be a time"),
        ("added_utc", "0001-01-01T00:00:00+00:00", r"'versions\[0\]\.added_utc' must be a time"),
    ],
)
def test_a_library_that_says_something_else_is_told_by_its_field(
    models: list[Path], field: str, value: object, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    library = ModelRegistry()
    library.promote(models[0], compared(models[0], DEFAULT_MODEL, 0.05))
    index = library.folder / "library.json"
    plain = json.loads(index.read_text(encoding="utf-8"))
    plain["versions"][0][field] = value
    index.write_text(json.dumps(plain), encoding="utf-8")
    with pytest.raises(ModelFileError, match=words):
        library.versions()
    assert main(["model", "list"]) == 1
    assert field in capsys.readouterr().err


def test_a_version_that_was_not_compared_is_read_as_earlier_programs_wrote_it(models: list[Path]) -> None:
    library = ModelRegistry()
    version = library.add(models[0])
    index = library.folder / "library.json"
    index.write_text(
        index.read_text(encoding="utf-8").replace('"compared": null', '"compared": {}'), encoding="utf-8"
    )
    assert '"compared": {}' in index.read_text(encoding="utf-8")
    assert library.versions() == (version,)
    assert version.compared is None
