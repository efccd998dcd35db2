"""One loop of an archive: what is found in it, as plain values, and what it is known by. Knows no cluster."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

from semc_core.errors import SourceError
from semc_core.io.regular import is_folder
from semc_core.picture_options import PictureOptions, to_text
from semc_core.pipeline.batch import review
from semc_core.runtime.base import Runtime
from semc_core.sources.accelerated import Decode
from semc_core.sources.open import Images, open_source
from semc_core.types import Crop, HoldEvent, SourceInfo


class OutOfReach(Exception):
    """A file cannot be read now; a file server may be away for a while."""


@dataclass(frozen=True, slots=True)
class How:
    """How every loop is analysed.

    Attributes:
        batch: Frames per call of the model.
        images: What a folder of pictures is.
        options: How pictures are read.
        crop: Region of interest; None finds it.
        decode: What decodes videos.
    """

    batch: int = 8
    images: Images = "auto"
    options: PictureOptions = field(default_factory=PictureOptions)
    crop: Crop | None = None
    decode: Decode = "auto"

    def text(self) -> str:
        """What of it changes the results."""
        crop = "" if self.crop is None else ",".join(str(side) for side in asdict(self.crop).values())
        # The graphics card's decoder finds less damage.
        by = " decode=gpu" if self.decode == "gpu" else ""
        return f"images={self.images} crop={crop} {to_text(self.options)}{by}"


@dataclass(frozen=True, slots=True)
class State:
    """What a file or a folder of pictures looks like from outside, to know it again and to see it change.

    Attributes:
        files: How many.
        size: Bytes of all.
        modified_ns: When the newest was changed.
    """

    files: int
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Plane:
    """A standard plane in a loop; as in planes.json of `semc analyse`."""

    plane: str
    confidence: float
    frame_index: int
    time_s: float
    hold_start_s: float
    hold_end_s: float


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a loop once it was read to its end.

    Attributes:
        content: SHA-256 of its content.
        state: When it was read.
        kind: "video", "dicom" or "images".
        notice: What was assumed or left out.
        width: Columns of its first picture; 0 if unknown.
        height: Rows.
        frames: How many it has.
        seconds: That the analysis took.
        planes: In their order.
    """

    content: str
    state: State
    kind: str
    notice: str
    width: int
    height: int
    frames: int
    seconds: float
    planes: tuple[Plane, ...]


def analyse_loop(path: Path, runtime: Runtime, how: How) -> Found:
    """Read a loop to its end.

    Raises:
        OutOfReach: It cannot be reached.
        SourceError: It cannot be read, or changed meanwhile.
        RuntimeFault: The model could not be run.
        UsageError: The region of interest lies outside.
    """
    begun_s = time.perf_counter()
    before = state_of(path)
    content = content_of(path)
    planes: dict[int, Plane] = {}
    frames = 0
    source = open_source(str(path), images=how.images, options=how.options, decode=how.decode)
    with closing(source), closing(review(source, runtime, batch=how.batch, crop=how.crop)) as steps:
        for reviewed in steps:
            frames += len(reviewed.results)
            planes.update((event.hold_id, _plane(event)) for event in reviewed.events if event.final)
    if state_of(path) != before:
        raise SourceError(f"{path.name} was changed while it was read; analyse it when nobody writes it.")
    return _found(content, before, source.info, frames, time.perf_counter() - begun_s, tuple(planes.values()))


def state_of(path: Path) -> State:
    """What a file or folder looks like now.

    Raises:
        OutOfReach: It cannot be reached.
        SourceError: It is not there, though what lies beside it is.
    """
    try:
        each = [one.stat() for one in _files(path)]
    except FileNotFoundError as error:
        if _is_gone(path):
            raise SourceError(f"{path.name} is not there; check the path.") from error
        raise OutOfReach(path.name) from error
    except OSError as error:
        raise OutOfReach(path.name) from error
    return State(
        len(each), sum(one.st_size for one in each), max((one.st_mtime_ns for one in each), default=0)
    )


def content_of(path: Path) -> str:
    """SHA-256 of a file; of a folder of those of its files with their names. Raises OutOfReach."""
    try:
        if not is_folder(path):
            return _sha256(path).hexdigest()
        whole = hashlib.sha256()
        for each in _files(path):
            whole.update(each.name.encode("utf-8", "surrogateescape") + b"\0" + _sha256(each).digest())
        return whole.hexdigest()
    except OSError as error:
        raise OutOfReach(path.name) from error


def key_of(content: str, model_sha256: str, version: str, how: How) -> str:
    """What a result is known by: the same content, model, program and options give the same, once."""
    return hashlib.sha256("\n".join((content, model_sha256, version, how.text())).encode()).hexdigest()


def _is_gone(path: Path) -> bool:
    """Whether its folder is there without it; of a file server that is away an empty folder is left."""
    try:
        return any(path.parent.iterdir())
    except OSError:
        return False


def _files(path: Path) -> Iterator[Path]:
    if is_folder(path):
        yield from sorted(each for each in path.iterdir() if each.is_file())
    else:
        yield path


def _sha256(path: Path) -> hashlib._Hash:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256")


def _plane(event: HoldEvent) -> Plane:
    packet = event.best.packet
    return Plane(event.plane, float(event.confidence), packet.index, packet.pts_s, event.start_s, event.end_s)


def _found(
    content: str, state: State, info: SourceInfo, frames: int, seconds: float, planes: tuple[Plane, ...]
) -> Found:
    return Found(
        content, state, info.kind, info.notice, info.width or 0, info.height or 0, frames, seconds, planes
    )
