"""What is fuzzed: how a mutated file is opened, and that only errors of our own tree come of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from semc_core.errors import SemcError
from tests.fuzz import taps
from tests.fuzz.mutate import mutated

_FRAMES: Final = 6


@dataclass(frozen=True, slots=True)
class Target:
    """A kind of file.

    Attributes:
        pattern: Its files in the corpus.
        open_it: Opens the mutated file. What it raises beside SemcError is a find.
        change: Makes the mutated file's content of a whole one's, with parts of other whole ones.
    """

    pattern: str
    open_it: Callable[[Path], object]
    change: Callable[[bytes, Sequence[bytes], Random], bytes] = mutated


def _scan(path: Path) -> None:
    from semc_core.sources.open import open_seekable, open_source

    try:
        source = open_source(str(path))
        with closing(source):
            for _ in range(_FRAMES):
                packet = source.read()
                if packet is None:
                    break
                _ = packet.pixels, packet.picture.gray
    except SemcError:
        pass
    with closing(open_seekable(path)) as loop:
        for index in (0, loop.info.frame_count or 1, 1):
            try:
                _ = loop.frame(index).pixels
            except (SemcError, IndexError):
                continue


def _tap(path: Path) -> None:
    from semc_core.picture_options import AS_IT_IS, PictureOptions
    from semc_core.sources.raw.replay import TapSource

    for options in (AS_IT_IS, PictureOptions(deinterlace="on", range="limited")):
        with closing(TapSource(path, options)) as source:
            while (packet := source.read()) is not None:
                _ = packet.pixels, packet.gray, source.info
            _ = source.notes


def _model(path: Path) -> None:
    from semc_core.model.file import read_model, read_spec

    read_spec(path)
    read_model(path)


def _protocol(path: Path) -> None:
    from semc_core.protocols.loader import check_protocol, read_protocol

    check_protocol(path)
    read_protocol(path)


def _session(path: Path) -> None:
    from semc_core.session.session import Session

    folder = path.with_name("session")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    path.rename(folder / "session.sqlite")
    with Session.open(folder, read_only=True) as session:
        _ = session.planes(), session.exports(), session.verify()


def _bundle(path: Path) -> None:
    from semc_core.export.manifest import check_bundle
    from semc_core.pacs.bundle import exported_objects

    check_bundle(path)
    exported_objects(path)


def _queue(path: Path) -> None:
    from semc_core.pacs.queue import SendQueue
    from semc_core.pacs.queue_store import QueueStore

    folder = path.with_name("queue")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    path.rename(folder / "queue.sqlite")
    with closing(QueueStore(folder)) as store:
        queue = SendQueue(store)
        _ = queue.jobs(), store.items("1", ())


def _settings(path: Path) -> None:
    from PySide6.QtCore import QSettings

    from app.settings import Settings

    settings = Settings(QSettings(str(path), QSettings.Format.IniFormat))
    for name, value in vars(Settings).items():
        if isinstance(value, property):
            getattr(settings, name)


TARGETS: Final = {
    "video": Target("*.video.*", _scan),
    "dicom": Target("*.dcm", _scan),
    "picture": Target("*.picture.*", _scan),
    "tap": Target("*.semctap", _tap, taps.changed),
    "model": Target("*.safetensors", _model),
    "protocol": Target("*.toml", _protocol),
    "session": Target("*.session", _session),
    "bundle": Target("*.zip", _bundle),
    "queue": Target("*.queue", _queue),
    "settings": Target("*.ini", _settings),
}
