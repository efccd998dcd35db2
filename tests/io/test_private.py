"""Who may read what the program keeps: its owner alone, whatever the umask."""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings

from app.settings import Settings
from semc_core.export.dicom.uids import load_key
from semc_core.export.masks import Device, MaskBook
from semc_core.export.staging import Staging
from semc_core.imaging.heatmap import HeatStyle
from semc_core.io.atomic import write_atomically
from semc_core.io.log import log_file
from semc_core.io.private import close_folder_to_others, make_private_folder
from semc_core.io.video_quality import Quality
from semc_core.pacs.destinations import Destination, DestinationBook
from semc_core.pacs.queue_store import QueueStore
from semc_core.picture import Picture
from semc_core.session.files import write_plane
from semc_core.session.recording.parts import PartWriter
from semc_core.session.session import Session
from semc_core.types import Crop
from tests.session.killed_writer import event, origin
from tests.session.sessions import frame, new_session

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes")


@pytest.fixture(params=[0o000, 0o777], ids=["everybody", "nobody"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """The widest umask, and one that takes even from the owner."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def modes(folder: Path) -> dict[str, int]:
    """The modes of a folder and of all that is in it, by name."""
    return {path.relative_to(folder.parent).as_posix(): mode(path) for path in (folder, *folder.rglob("*"))}


def check_private(folder: Path, *names: str) -> None:
    """All in there is for the owner alone, and `names` are there."""
    found = modes(folder)
    assert set(names) <= {Path(name).name for name in found}
    wrong = {
        name: oct(each)
        for name, each in found.items()
        if each != (0o700 if (folder.parent / name).is_dir() else 0o600)
    }
    assert not wrong


@pytest.mark.requirement("K4")
def test_a_session_and_its_recording_are_for_their_owner_alone(umask: int, tmp_path: Path) -> None:
    root = tmp_path / "scans"
    with new_session(root / "scan") as session:
        session.add_frames([frame(0)])
        write_plane(session.folder, event(1, 3), *origin().entries())
        part = PartWriter(session.folder, 64, 48, gray=True, quality=Quality.COMPACT)
        part.write(replace(frame(0).packet, picture=Picture(np.zeros((48, 64), np.uint8))))
        part.close()
        check_private(
            root, "session.sqlite", "session.sqlite-wal", "session.lock", "recording.mkv", "recording.csv"
        )
        assert len(list(session.folder.glob("*.png"))) == len(list(session.folder.glob("001*.json"))) == 1
    check_private(root)


def test_an_old_session_is_closed_to_others_when_it_is_opened_for_writing_only(tmp_path: Path) -> None:
    new_session(tmp_path / "scan").close()
    folder = tmp_path / "scan"
    (folder / "clips").mkdir()
    (folder / "clips" / "001.mkv").touch()
    outside = tmp_path / "outside"
    outside.touch()
    (folder / "link").symlink_to(outside)
    opened = {path: 0o755 if path.is_dir() else 0o644 for path in (folder, *folder.rglob("*"), outside)}
    for path, wide in opened.items():
        if not path.is_symlink():
            path.chmod(wide)
    Session.open(folder, read_only=True).close()
    assert mode(folder) == 0o755
    Session.open(folder).close()
    (folder / "link").unlink()
    check_private(folder, "session.sqlite", "001.mkv")
    assert mode(outside) == 0o644


@pytest.mark.requirement("K4")
def test_keys_masks_servers_and_the_queue_are_for_their_owner_alone(umask: int, tmp_path: Path) -> None:
    data = tmp_path / "above" / "data"
    load_key(data / "export.key")
    MaskBook(data).remember(Device("video", 64, 48), [Crop(0, 0, 8, 8)])
    DestinationBook(data).put(Destination("archive", "localhost", 104, "PACS"))
    QueueStore(data / "pacs").close()
    check_private(
        tmp_path / "above", "export.key", "masks.json", "destinations.json", "queue.sqlite", "objects"
    )


def test_a_key_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    key = tmp_path / "export.key"
    known = load_key(key)
    key.chmod(0o644)
    assert load_key(key) == known
    assert mode(key) == 0o600


def test_the_log_is_for_its_owner_alone_also_after_it_was_begun_anew(umask: int, tmp_path: Path) -> None:
    folder = tmp_path / "log"
    with log_file(folder):
        logger = logging.getLogger("semc_core.test")
        for _line in range(2):
            logger.warning("%s", "a" * 600_000)
    check_private(folder, "semc.log", "semc.log.1")


def test_a_log_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir(mode=0o755)
    (folder / "semc.log").touch(0o644)
    with log_file(folder):
        check_private(folder, "semc.log")


def test_settings_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "settings.ini"
    path.write_text("[view]\n", encoding="utf-8")
    path.chmod(0o644)
    settings = Settings(QSettings(str(path), QSettings.Format.IniFormat))
    settings.heat_style = HeatStyle.TINT
    settings.write()
    assert "heat_map" in path.read_text(encoding="utf-8")
    assert mode(path) == 0o600


def test_an_export_keeps_the_umask_but_nobody_looks_into_it_before_it_is_whole(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with Staging(tmp_path / "export") as staging:
            staging.write("planes.csv", b"a")
            assert [mode(path) for path in tmp_path.iterdir()] == [0o700]
            staging.publish(lambda: None)
        write_atomically(tmp_path / "table.csv", b"a")
    finally:
        os.umask(before)
    assert modes(tmp_path / "export") == {"export": 0o755, "export/planes.csv": 0o644}
    assert mode(tmp_path / "table.csv") == 0o644


def test_folders_that_were_there_above_a_private_one_stay_as_they_are(tmp_path: Path) -> None:
    above = tmp_path / "above"
    above.mkdir(mode=0o755)
    make_private_folder(above / "between" / "mine")
    assert [mode(path) for path in (above, above / "between", above / "between" / "mine")] == [
        0o755,
        0o700,
        0o700,
    ]


def test_closing_a_folder_goes_no_deeper_than_the_folders_in_it(tmp_path: Path) -> None:
    deep = tmp_path / "scan" / "clips" / "theirs"
    deep.mkdir(parents=True)
    (deep / "file").touch(0o644)
    (tmp_path / "scan" / "tool").touch()
    (tmp_path / "scan" / "tool").chmod(0o755)
    close_folder_to_others(tmp_path / "scan")
    assert mode(deep / "file") == 0o644
    assert mode(tmp_path / "scan" / "tool") == 0o700
