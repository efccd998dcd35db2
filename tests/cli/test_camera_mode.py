"""`--mode` as a user types it: what is none, what the card has not, and what has no modes at all."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import main
from tests.app.live.test_controller import run_command

CARD = 'version = 1\n[[device]]\nmodes = ["320x240@50,mjpg", "160x120@50,yuyv"]\ncontent = "count"\n'
COMMANDS = (
    ("live", "{source}", "--offscreen"),
    ("tap", "{source}", "--out", "{folder}/a.semctap"),
    ("bench", "glass", "{source}"),
)


@pytest.fixture
def card(tmp_path: Path) -> str:
    (tmp_path / "card.toml").write_text(CARD, encoding="utf-8")
    return f"camera:simulated:{tmp_path / 'card.toml'}"


def typed(command: tuple[str, ...], source: str, folder: Path, mode: str) -> list[str]:
    return [*(word.format(source=source, folder=folder) for word in command), "--mode", mode]


def status(arguments: list[str]) -> int:
    """What the program ends with."""
    try:
        return main.main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("mode", ["nonsense", "1920x", "0x0", "1280x720@0", "@nan"])
def test_what_is_no_mode_is_refused_before_anything_is_opened(
    command: tuple[str, ...], mode: str, card: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(typed(command, card, tmp_path, mode)) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "A mode looks like 1920x1080@60,mjpg" in said or "more than 0 frames per second" in said
    assert "Traceback" not in said
    assert not (tmp_path / "a.semctap").exists()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("source", ["simulated:7", "loop.mp4", "rtsp://host/live", "pipe:"])
def test_what_has_no_modes_is_not_asked_for_one_in_silence(
    command: tuple[str, ...], source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(typed(command, source, tmp_path, "1280x720")) == 2
    assert "Only a camera or capture card has modes" in " ".join(capsys.readouterr().err.split())


SAYS = "Camera 0 has no mode 800x600; it has 320x240@50,mjpg, 160x120@50,yuyv."


def test_a_mode_that_the_card_has_not_is_told_with_those_that_it_has(
    card: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(typed(COMMANDS[1], card, tmp_path, "800x600")) == 1
    assert SAYS in " ".join(capsys.readouterr().err.split())


@pytest.mark.skipif(sys.platform != "linux", reason="only there a machine may have no display")
def test_a_scan_in_a_mode_that_the_card_has_not_ends_with_that_sentence(
    card: str, tmp_path: Path, tiny_model_path: Path
) -> None:
    given = (card, "--mode", "800x600", "--model", str(tiny_model_path), "--out", str(tmp_path / "out"))
    done = run_command(*given, home=tmp_path)
    assert done.returncode == 1
    assert SAYS in done.stderr
    assert not list((tmp_path / "out").glob("*/session.sqlite"))
