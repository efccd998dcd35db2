"""What every command does alike: help, completion, wrong usage in one sentence, shortened options."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import main
from app import cli
from tests.cli.commands import all_commands

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "openvino", "cv2", "pydicom", "numpy", "rich", "PySide6")


def semc(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "main.py", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
    )


def loaded_after(code: str, *names: str) -> list[str]:
    """Which of the packages `names` a new interpreter has loaded after `code`."""
    program = (
        f"import json, sys\n{code}\nprint(json.dumps([name for name in {names!r} if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def after_help(*command: str) -> str:
    return f"import main\ntry: main.main([*{command!r}, '--help'])\nexcept SystemExit: pass"


@pytest.mark.parametrize("name", [name for name in all_commands() if name.startswith("semc")])
def test_help_loads_nothing_that_is_slow(name: str) -> None:
    assert loaded_after(after_help(*name.split()[1:]), *HEAVY) == []


def test_the_list_of_commands_loads_none_of_them() -> None:
    modules = {entry.place.partition(":")[0] for entry in main.COMMANDS.values()}
    assert len(modules) == len(main.COMMANDS)
    assert loaded_after(after_help(), *sorted(modules)) == []


@pytest.mark.parametrize("typed", [[], ["live"], ["live", "simulated:2007", "--record", "--no-clips"]])
def test_the_window_opens_without_typer(typed: list[str], tmp_path: Path) -> None:
    """`run_window` is where the window is shown and the program waits."""
    code = (
        "import main, app.application\n"
        "def look(*_, **__):\n"
        "    print([name for name in ('typer', 'click', 'rich', 'shellingham') if name in sys.modules])\n"
        "    sys.stdout.flush()\n"
        "    os._exit(0)\n"
        "app.application.run_window = look\n"
        f"main.main({typed!r})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", "import os, sys\n" + code],
        cwd=ROOT,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)},  # where a scan begins
        capture_output=True,
        encoding="utf-8",
    )
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr


def test_wrong_usage_is_one_sentence_on_standard_error() -> None:
    for typed, words in (
        (["analise"], "No such command 'analise'. Did you mean 'analyse'?"),
        (["model", "lsit"], "Did you mean 'list'?"),
        (["live", "--secnds", "3"], "'--seconds'"),
        (["analyse", "x.mp4"], "Missing option '--out'"),
        (["export", "--dates", "never"], "is not one of 'removed', 'shifted'"),
        (["session", "verify"], "Missing argument 'SESSION...'"),
        (["pacs"], "Missing command"),
        (["train", "--out", "--data", "x"], "'--out' requires an argument"),
        (["bench", "--rounds", "0"], "at least 1"),
        (["pacs", "cancel", "first"], "'first' is not a valid int"),
    ):
        done = semc(*typed)
        assert done.returncode == 2, typed
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert words in line
        assert re.search(r" See: semc[a-z -]* --help$", line)


def test_an_option_may_be_shortened_as_far_as_it_is_clear(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["devices", "--no", "--js"]) == 0
    assert capsys.readouterr().out.startswith("[")
    with pytest.raises(SystemExit):
        main.main(["export", "x", "--no"])
    said = capsys.readouterr().err
    assert "'--no-clips'" in said
    assert "'--notes'" in said
    # What follows an option is its value, and what follows -- is none.
    with pytest.raises(SystemExit):
        main.main(["protocols", "--", "--json", "--che"])
    assert "unexpected extra argument" in capsys.readouterr().err


def test_help_and_version_end_well_and_go_to_standard_output() -> None:
    for typed in (
        ["--help"],
        ["-h"],
        ["--version"],
        ["live", "--help"],
        ["live", "-h"],
        ["model", "use", "-h"],
    ):
        done = semc(*typed)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout


@pytest.mark.parametrize("surroundings", [{}, {"TERM": "dumb"}, {"COLUMNS": "40"}, {"FORCE_COLOR": "1"}])
def test_help_is_plain_text_whatever_the_terminal(surroundings: dict[str, str]) -> None:
    for typed in (["--help"], ["train", "--help"], ["export", "--help"]):
        shown = semc(*typed, **surroundings).stdout
        assert shown.isascii()
        assert "\x1b" not in shown
        assert max(map(len, shown.splitlines())) < 80


def test_what_is_piped_holds_no_escape_codes(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    for typed in (["model", "list"], ["protocols"], ["devices", "--no-probe"], ["session", "list"]):
        done = semc(*typed, **home, TERM="xterm-256color")
        assert done.returncode == 0
        assert done.stdout
        assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of Windows tell it otherwise")
@pytest.mark.parametrize("typed", [("--version",), ("session", "list", "--json"), ("protocols",)])
def test_who_stops_reading_what_is_printed_ends_the_program_without_a_word(
    typed: tuple[str, ...], tmp_path: Path
) -> None:
    homes = dict.fromkeys(("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "main.py", *typed],
        cwd=ROOT, env=os.environ | homes, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as program:  # fmt: skip
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()
        assert program.stderr.read() == b""
        assert program.wait() in (1, 141)


def test_the_help_has_headings_examples_and_what_is_used_without_a_value() -> None:
    shown = semc("export", "--help", COLUMNS="120").stdout
    assert "The patient, only with --identified:\n" in shown
    assert "    semc export FOLDER --out study.zip --dicom\n" in shown
    assert "[default: removed]" in shown
    top = semc("--help").stdout
    for entry in main.COMMANDS.values():
        assert f"{entry.section}:" in top


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_is_told_what_could_stand_next(shell: str) -> None:
    def offered(*words: str) -> str:
        typed = " ".join(words)
        words_so_far = {"COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)}
        others = {"_TYPER_COMPLETE_ARGS": typed, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
        return semc(_SEMC_COMPLETE=f"complete_{shell}", **words_so_far, **others).stdout

    assert {"train", "eval", "live"} <= set(re.findall(r"\w+", offered("semc", "")))
    assert "analyse" in offered("semc", "an")
    assert "rollback" in offered("semc", "model", "ro")
    assert "--identified" in offered("semc", "export", "--id")
    assert "lossless" in offered("semc", "live", "--record", "l")
    assert "torch-cpu" in offered("semc", "replay", "--device", "to")


def test_the_completion_of_a_shell_is_shown_and_installed(tmp_path: Path) -> None:
    by_name = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1", "HOME": str(tmp_path)}
    shown = semc("--show-completion", "bash", **by_name)
    assert shown.returncode == 0
    assert "_SEMC_COMPLETE" in shown.stdout
    installed = semc("--install-completion", "bash", **by_name)
    assert installed.returncode == 0, installed.stderr
    assert any("semc" in path.name for path in tmp_path.rglob("*") if path.is_file())


TYPED: tuple[list[str], ...] = (
    [],
    ["clip.mp4"],
    ["--record"],
    ["clip.mp4", "--record", "lossless", "--device", "cpu"],
    ["--record", "--seconds", "2.5", "simulated:3"],
    ["--record=lossless", "--model=a.safetensors", "--out", "folder", "--no-clips"],
    ["--size", "800x600", "--measure", "x.json", "--offscreen", "--json", "--protocol", "adult-echo"],
)


@pytest.mark.parametrize("typed", TYPED)
def test_the_window_reads_the_same_by_itself_and_among_the_other_commands(typed: list[str]) -> None:
    by_itself = cli.parse(typed)
    assert by_itself is not None
    context = cli.command().make_context("live", list(typed))
    assert context.params == vars(by_itself)


@pytest.mark.parametrize("typed", [["--record", "clip.mp4"], ["--bogus"], ["a", "b"], ["--seconds"], ["-h"]])
def test_what_the_window_cannot_read_is_left_to_the_command_that_explains_itself(typed: list[str]) -> None:
    assert cli.parse(typed) is None
