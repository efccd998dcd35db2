"""Whether there is a newer version: asked of pip, and only where a user asks."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

import main
from semc_core.errors import SemcError
from semc_core.io import pip
from semc_core.io.pip import newest_version, update_sentence
from semc_core.version import VERSION


def test_the_newest_version_is_that_which_pip_finds_where_it_is_set_up_to_look(tmp_path: Path) -> None:
    name = "semc_live-9.1-py3-none-any.whl"
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr(
            "semc_live-9.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: semc-live\nVersion: 9.1\n"
        )
    own = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    own |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    assert newest_version(own) == "9.1"
    (tmp_path / name).unlink()
    assert newest_version(own) == ""


@pytest.mark.parametrize(
    ("newest", "says"),
    [
        ("999.0", "Version 999.0 is there"),
        (VERSION, "there is no newer one"),
        (f"{VERSION}.0", "there is no newer one"),
        ("0.0.9", "there is no newer one"),
        ("", "no version is offered"),
    ],
)
def test_what_is_told_of_it(newest: str, says: str) -> None:
    assert says in update_sentence(newest)


def test_no_answer_is_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def slow(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("pip", 60)

    monkeypatch.setattr(subprocess, "run", slow)
    assert main.main(["update"]) == 1
    assert "check the network" in capsys.readouterr().err
    monkeypatch.setattr(pip, "has_pip", lambda: False)
    with pytest.raises(SemcError, match="look where you got the program"):
        newest_version()
