"""Which loops are meant by files and folders: real ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.batch.finding import loops_in, may_be_several
from tests.session.sessions import filled_session


@pytest.fixture
def folder(tmp_path: Path, cine_loop: Path) -> Path:
    """Two loops, one of them deeper, a file that is none, and a session."""
    made = tmp_path / "study"
    (made / "second").mkdir(parents=True)
    shutil.copy(cine_loop, made / "first.mkv")
    shutil.copy(cine_loop, made / "second" / "no name that says it")
    (made / "notes.txt").write_text("nothing", encoding="utf-8")
    filled_session(made / "session").close()
    return made


def pictures(folder: Path) -> Path:
    folder.mkdir()
    for number in range(3):
        Image.fromarray(np.full((8, 8), number, np.uint8)).save(folder / f"{number}.png")
    return folder


def test_a_folder_of_loops_is_searched_but_not_its_sessions(folder: Path) -> None:
    assert may_be_several([folder])
    assert loops_in([folder]) == [folder / "first.mkv", folder / "second" / "no name that says it"]


def test_files_that_were_named_are_loops_whatever_is_in_them_and_each_once(folder: Path) -> None:
    named = [folder / "notes.txt", folder / "gone.mp4", folder / "first.mkv", folder / "notes.txt"]
    assert may_be_several(named)
    assert loops_in(named) == named[:3]
    assert loops_in([folder / "first.mkv", folder])[0] == folder / "first.mkv"
    assert len(loops_in([folder / "first.mkv", folder])) == 2


def test_a_folder_of_pictures_is_one_loop(tmp_path: Path) -> None:
    stills = pictures(tmp_path / "stills")
    pictures(stills / "more")
    assert loops_in([stills]) == [stills]
    assert loops_in([tmp_path]) == [stills, stills / "more"]


def test_one_file_one_session_or_an_address_needs_no_search(folder: Path) -> None:
    for path in (folder / "first.mkv", folder / "session", Path("rtsp://nobody"), Path("/not/there")):
        assert not may_be_several([path])
    assert loops_in([folder / "session"]) == []
    assert loops_in([]) == []
