"""Nonsense on the command line is refused in a sentence before anything is done."""

from pathlib import Path

import pytest

from main import main

NONSENSE = {
    "live": ["simulated", "--seconds", "nan"],
    "train": ["--data", "x", "--out", "x.safetensors", "--batch", "0"],
    "eval": ["model.safetensors", "--processes", "0"],
}


@pytest.mark.parametrize("command", NONSENSE)
def test_a_value_that_makes_no_sense_is_wrong_usage(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, *NONSENSE[command]])
    assert ended.value.code == 2
    assert "must be a" in capsys.readouterr().err


def test_a_result_that_could_not_be_written_is_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["eval", "model.safetensors", "--out", str(tmp_path / "none" / "result.json")])
    assert "make it first" in capsys.readouterr().err


def test_wrong_usage_found_later_has_the_same_exit_code(tmp_path: Path) -> None:
    out = tmp_path / "model.safetensors"
    assert main(["train", "--data", str(tmp_path), "--out", str(out), "--alpha", "7"]) == 2


def test_ctrl_c_while_the_program_starts_has_the_exit_code_of_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("main.command_line", interrupted)
    assert main(["devices"]) == 130


def test_ctrl_c_while_a_command_works_ends_it_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("semc_core.sources.devices.find.this_system", interrupted)
    assert main(["devices"]) == 130
    assert capsys.readouterr() == ("", "")
