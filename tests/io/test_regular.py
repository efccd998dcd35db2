"""What is no file, in the place of each kind of file that the program reads: refused at once."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from semc_core.errors import SemcError
from semc_core.export.dicom.uids import load_key
from semc_core.export.masks import Device, MaskBook
from semc_core.model.comparison import read_comparison
from semc_core.model.file import read_model, read_spec
from semc_core.pacs.destinations import DestinationBook
from semc_core.protocols.loader import check_protocol, read_protocol
from semc_core.session.files import read_png
from semc_core.session.session import Session
from semc_core.sources.devices.script import read_script
from semc_core.sources.open import open_seekable, open_source

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")


def _problems_of(path: Path) -> None:
    protocol, problems = check_protocol(path)
    assert protocol is None
    raise SemcError(problems[0])


def _masks(path: Path) -> None:
    path.rename(path.with_name("masks.json"))
    MaskBook(path.parent).masks(Device("video", 64, 48))


def _servers(path: Path) -> None:
    path.rename(path.with_name("destinations.json"))
    DestinationBook(path.parent).all()


def _session(path: Path) -> None:
    path.rename(path.with_name("session.sqlite"))
    Session.open(path.parent, read_only=True)


DOORS: dict[str, Callable[[Path], object]] = {
    "a model": read_model,
    "a model's words": read_spec,
    "a protocol": read_protocol,
    "a protocol that is checked": _problems_of,
    "masks": _masks,
    "servers": _servers,
    "a session": _session,
    "a key": load_key,
    "a script of devices": read_script,
    "a comparison": read_comparison,
    "a saved plane": read_png,
    "a scan": lambda path: open_source(str(path)),
    "a loop in review": open_seekable,
}


@pytest.fixture(params=["pipe", "socket", "device", "folder"])
def special(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Something that is no file, by a name of a file."""
    place = tmp_path / "place"
    place.mkdir()
    path = place / "file.mp4"
    with socket.socket(socket.AF_UNIX) as server:
        if request.param == "pipe":
            os.mkfifo(path)
        elif request.param == "socket":
            server.bind(str(path))
        elif request.param == "device":
            path.symlink_to("/dev/zero")
        else:
            path.mkdir()
        yield path


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_what_is_no_file_is_refused_at_once(special: Path, door: Callable[[Path], object]) -> None:
    with pytest.raises(SemcError) as told:
        door(special)
    assert str(told.value).endswith((".", "not a file", "folder"))
