"""Files that the system refuses even to look at: a sentence, never a traceback.

A name that is too long stands for them: it is refused to the administrator, too, whom no permission stops.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import main
from semc_core.errors import told_of_system
from semc_core.io.regular import is_file, is_folder, is_there
from semc_core.protocols.loader import load_protocols

TOO_LONG = "x" * 300


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "typed",
    [
        ["analyse", f"{TOO_LONG}.mp4", "--out", "results"],
        ["classify", f"{TOO_LONG}.png", "--out", "planes.csv"],
        ["export", TOO_LONG, "--out", "export"],
        ["export", "--check", TOO_LONG],
        ["inspect", f"{TOO_LONG}.mp4"],
        ["measure", f"{TOO_LONG}.png", "--out", "heads.csv"],
        ["model", "add", f"{TOO_LONG}.safetensors"],
        ["model", "use", f"{TOO_LONG}.safetensors"],
        ["protocols", "--check", f"{TOO_LONG}.toml"],
        ["replay", TOO_LONG],
        ["session", "list", TOO_LONG],
        ["session", "verify", TOO_LONG],
    ],
    ids=lambda typed: " ".join(typed[:2]).replace(TOO_LONG, "x"),
)
def test_a_name_that_the_system_refuses_is_told_in_a_sentence(
    typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main.main(typed)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0
    assert code in (1, 2)
    said = capsys.readouterr()
    assert "xxx" in said.out + said.err


def test_what_may_not_be_looked_at_counts_as_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too long"):
        (tmp_path / TOO_LONG).is_dir()
    for look in (is_folder, is_file, is_there):
        assert not look(tmp_path / TOO_LONG)
    assert is_folder(tmp_path)
    assert is_there(tmp_path)
    (tmp_path / "file").touch()
    assert is_file(tmp_path / "file")


def test_the_programs_protocols_are_there_where_ones_own_cannot_be_reached(tmp_path: Path) -> None:
    assert load_protocols(tmp_path / TOO_LONG).protocols


def test_what_the_system_refuses_names_the_file_and_the_reason() -> None:
    refused = PermissionError(13, "Permission denied", "/mnt/scans")
    words = "/mnt/scans cannot be used (permission denied); check its name and permissions."
    assert told_of_system(refused) == words
    assert told_of_system(OSError("the library's own words")) == ""
