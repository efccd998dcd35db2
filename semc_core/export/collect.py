"""Step 1 of an export: collect what of a session goes into it, as it is. Nothing of this leaves the machine.

Pictures and frames are read when `deidentify` asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import ExportError, FrameDamaged, SemcError, SessionError
from semc_core.export.dicom.lossy import lossy_of_video
from semc_core.export.dicom.pixels import Lossy
from semc_core.export.masks import MaskBook, device_of
from semc_core.export.options import ExportOptions
from semc_core.labels import short_name
from semc_core.language import N_, _, english
from semc_core.measure.gestation import GestationalAge
from semc_core.pose import FramePoses, Pose
from semc_core.review.loop import loop_place, recorded_videos
from semc_core.session.annotations import Annotation
from semc_core.session.correcting.changes import FRAME_CHOSEN, PLANE_ADDED
from semc_core.session.examination import Examination
from semc_core.session.files import read_png
from semc_core.session.recording.parts import part_videos
from semc_core.session.records import (
    FrameTable,
    ItemEntry,
    MeasurementEntry,
    ModelEntry,
    PlaneEntry,
    RegionEntry,
    SourceEntry,
    file_sha256,
)
from semc_core.session.session import Session
from semc_core.session.whose import is_of_another
from semc_core.sources.open import open_source
from semc_core.sources.seek.base import SeekableSource
from semc_core.text import scan_time
from semc_core.types import Crop, FramePacket

BEFORE_S: Final = 2.0
AFTER_S: Final = 1.0
"""How much of the scan round a plane is in its clip."""

LOOP_GONE: Final = N_("the loop that was analysed is no longer there, or was changed")
"""Why a plane has no clip."""
_NOT_RECORDED: Final = (
    N_("the recording of this scan holds no frame that can be shown"),
    N_("the recording of this scan is gone; put its files back into the session's folder"),
    N_("this scan was not recorded"),
)
"""What else may be the reason: the sentences of `review.loop` as the ends of others, for the catalogues."""


@dataclass(frozen=True, slots=True, eq=False)
class CollectedPlane:
    """A plane, with its picture and the frames round it as they were saved.

    Attributes:
        entry: As it stands in the session.
        folder: Of the session.
        loop: The frames of the whole session; None where they are nowhere, or not needed.
        why_no_loop: Why that is nowhere, the end of a sentence; or "".
        picture_lost: Lossy compressions between the source and its picture; None where they are not known.
        clip_lost: The same of its frames.
        own_frames: Whether its frames and their indices are those of the source's file.
        poses: Where its picture was in space; none where no sender said so.
    """

    entry: PlaneEntry
    folder: Path
    loop: SeekableSource | None
    why_no_loop: str
    picture_lost: Lossy = ()
    clip_lost: Lossy = ()
    own_frames: bool = False
    poses: tuple[Pose, ...] = ()

    def pixels(self) -> NDArray[np.uint8]:
        """Its picture, uint8 (H, W) or (H, W, 3), read-only.

        Raises:
            ExportError: It has none.
            SaveError: It is missing, damaged, or not what was saved.
        """
        plane = self.entry
        if plane.png is None:
            raise ExportError(
                _(
                    "{plane} has no picture; choose a frame for it, or reject it.",
                    plane=named(plane),
                )
            )
        return read_png(self.folder / plane.png, plane.png_sha256)

    def frames(self) -> Iterator[FramePacket]:
        """The frames of its clip in order, all of one size; none if there is no clip.

        Raises:
            ExportError: The saved clip is not what was saved.
            SemcError: It cannot be read.
        """
        plane, size = self.entry, (self.entry.height, self.entry.width)
        if plane.clip is not None:
            near, size = _saved_frames(plane, self.folder / plane.clip), (0, 0)
        elif self.loop is not None:
            near = cut(self.loop, plane.time_s - BEFORE_S, plane.time_s + AFTER_S)
        else:
            return
        for packet in near:
            # A recording may change its size; what is cut from it has the plane's.
            size = size if any(size) else packet.pixels.shape[:2]
            if packet.pixels.shape[:2] == size:
                yield packet


@dataclass(frozen=True, slots=True, eq=False)
class CollectedScan:
    """What of a session goes into an export.

    Attributes:
        source: Where its frames came from.
        dicom_file: The file, if it is DICOM and still the one that was analysed; else None.
        model: What classified the frames.
        name: Names the scan: the hash of its log's first entry.
        began: When it was analysed, local time.
        table: What was concluded from each frame.
        poses: Gives where frames were in space, anew each time.
        planes: Those that are wanted, in the order of time; none is rejected.
        not_chosen: The others that are not rejected.
        rejected: How many are.
        regions: Stretches of time that a person marked.
        items: A person's words on items of a protocol.
        measurements: Oldest first.
        age: Of the pregnancy by its dates, or None.
        fetuses: Letters of the fetuses; none where there is one only.
        annotations: What a person wrote and drew on frames.
        note: On the whole scan, or "".
        examination: That the scan belongs to, as a worklist named it, or None.
        masks: Rectangles that are blanked in every picture: the user's, and those remembered for the device.
        entries: How many the log had.
        head: Hash of its last entry then.
    """

    source: SourceEntry
    dicom_file: Path | None
    model: ModelEntry
    name: str
    began: datetime
    table: FrameTable
    poses: Callable[[], Iterator[FramePoses]]
    planes: tuple[CollectedPlane, ...]
    not_chosen: tuple[PlaneEntry, ...]
    rejected: int
    regions: tuple[RegionEntry, ...]
    items: tuple[ItemEntry, ...]
    measurements: tuple[MeasurementEntry, ...]
    age: GestationalAge | None
    fetuses: tuple[str, ...]
    annotations: tuple[Annotation, ...]
    note: str
    examination: Examination | None
    masks: tuple[Crop, ...]
    entries: int
    head: str


@contextmanager
def collect(session: Session, options: ExportOptions, data: Path) -> Iterator[CollectedScan]:
    """Look up what of `session` is wanted. Its frames can be read until the end of the context.

    Args:
        session: Whose planes.
        options: The user's choices.
        data: Where masks are kept.

    Raises:
        SaveError: The masks that were remembered cannot be read.
        ExportError: There are frames to cut clips from, and they cannot be read; or the file is of another
            patient than the examination that was chosen; or a plane is chosen that is not there.
        SemcError: Something else could not be read.
    """
    # At one moment, before what takes long: what is changed meanwhile does not belong to this export.
    entries, head = session.head
    whole, table, regions = session.planes(rejected=True), session.frames(), session.regions()
    there = [plane for plane in whole if not plane.rejected]
    planes, not_chosen = _divided(there, options.planes)
    items, note, source = session.items(), session.note, session.source
    measurements, age, fetuses = session.measurements(), session.age(), session.fetuses().letters
    annotations = session.annotations.items
    dicom_file = _unchanged_dicom(source)
    examination = _examination(session, dicom_file, options)
    masks = MaskBook(data).masks(device_of(source)) if options.deidentify else ()
    losses = _Losses(session) if options.dicom else None
    with ExitStack() as opened:
        loop, why = None, ""
        if options.clips and any(plane.clip is None for plane in planes):
            loop, why = _open_loop(session, dicom_file)
            if loop is not None:
                opened.callback(loop.close)
        wanted = {plane.frame_index for plane in planes}
        poses = {index: each for index, each in session.poses() if index in wanted}
        collected = [
            CollectedPlane(plane, session.folder, loop, why, poses=poses.get(plane.frame_index, ()))
            for plane in planes
        ]
        yield CollectedScan(
            source=source,
            dicom_file=dicom_file,
            model=session.model,
            name=next(session.audit()).hash,
            began=datetime.fromisoformat(session.created_utc).astimezone(),
            table=table,
            poses=session.poses,
            planes=tuple(collected if losses is None else map(losses.added_to, collected)),
            not_chosen=tuple(not_chosen),
            rejected=len(whole) - len(there),
            regions=regions,
            items=items,
            measurements=measurements,
            age=age,
            fetuses=fetuses,
            annotations=annotations,
            note=note,
            examination=examination,
            masks=(*options.masks, *masks),
            entries=entries,
            head=head,
        )


def _divided(
    there: Sequence[PlaneEntry], chosen: Sequence[int] | None
) -> tuple[list[PlaneEntry], list[PlaneEntry]]:
    """The planes that are chosen, and the others.

    Raises:
        ExportError: A number is of no plane that can be exported.
    """
    if chosen is None:
        return list(there), []
    known = {plane.plane_id for plane in there}
    for number in chosen:
        if number not in known:
            raise ExportError(
                _("There is no plane {number} to export, or it is rejected; choose others.", number=number)
            )
    wanted = set(chosen)
    return (
        [plane for plane in there if plane.plane_id in wanted],
        [plane for plane in there if plane.plane_id not in wanted],
    )


def named(plane: PlaneEntry) -> str:
    """What a sentence calls the plane: as the window does, by name and time."""
    return _("{plane} at {time}", plane=_(short_name(plane.plane)), time=scan_time(plane.time_s))


def cut(source: SeekableSource, start_s: float, end_s: float) -> Iterator[FramePacket]:
    """The frames of a loop or a recording from `start_s` to `end_s`, one at a time, but for damaged ones.

    Raises:
        SemcError: The file cannot be read.
    """
    first = int(np.searchsorted(source.times_s, start_s))
    after = int(np.searchsorted(source.times_s, end_s, "right"))
    for index in range(first, after):
        try:
            packet = source.frame(index)
        except FrameDamaged:
            continue
        yield packet


def _saved_frames(plane: PlaneEntry, path: Path) -> Iterator[FramePacket]:
    """The frames of a clip that was saved with its plane."""
    try:
        changed = file_sha256(path) != plane.clip_sha256
    except OSError as error:
        raise ExportError(
            _(
                "The clip of {plane} cannot be read; put it back, or export without clips.",
                plane=named(plane),
            )
        ) from error
    if changed:
        raise ExportError(
            _(
                "The clip of {plane} was changed since it was saved; put the old one back, or export without "
                "clips.",
                plane=named(plane),
            )
        )
    with closing(open_source(str(path))) as source:
        while (packet := source.read()) is not None:
            yield packet


def _open_loop(session: Session, known: Path | None) -> tuple[SeekableSource | None, str]:
    """The frames of the whole session, if they are there; else why not."""
    try:
        place = loop_place(session, known)
        return (None, _why_gone(session)) if place.path is None else (place.seekable(), "")
    except SemcError as error:
        raise ExportError(
            _("{problem} To export without them, leave out the clips.", problem=error)
        ) from error


def _why_gone(session: Session) -> str:
    """Why there is no loop. A file's name may tell who was examined: it stays out of the bundle."""
    if session.source.path is not None:
        return _(LOOP_GONE)
    missing = english(loop_place(session).missing)
    return _(missing[:1].lower() + missing[1:].rstrip("."))


def _examination(session: Session, dicom_file: Path | None, options: ExportOptions) -> Examination | None:
    """That of the session; None of a DICOM file, which says itself whose study it is.

    Raises:
        ExportError: It would name another patient than the examination that was chosen for its scan.
    """
    chosen = session.examination
    if session.source.kind != "dicom":
        return chosen
    by_file = not options.deidentify and options.patient is None
    if by_file and dicom_file is not None and chosen is not None and is_of_another(dicom_file, chosen):
        raise ExportError(
            _(
                "The DICOM file is of another patient than the examination that was chosen for its scan; "
                "name the patient, or export de-identified."
            )
        )
    return None


def _unchanged_dicom(source: SourceEntry) -> Path | None:
    """A DICOM source's file, if it is the one that was analysed: another one may be of another patient."""
    if source.kind != "dicom" or source.path is None:
        return None
    path = Path(source.path)
    try:
        return path if source.sha256 is None or file_sha256(path) == source.sha256 else None
    except OSError:
        return None


class _Losses:
    """What pictures and clips lost in this program's own videos, between the source and the export."""

    def __init__(self, session: Session) -> None:
        """Look which pictures came from the session's recording."""
        self._folder = session.folder
        self._recording = _recording(session.folder)
        self._from_review = set() if self._recording is None else _chosen_in_review(session)

    def added_to(self, plane: CollectedPlane) -> CollectedPlane:
        """The plane, with what it lost.

        Live, pictures are saved as they come; those chosen in review are frames of the recording.
        """
        taken = self._recording if plane.entry.png_sha256 in self._from_review else None
        # The video into which this program encoded the clip's frames; None where they are the source's own.
        encoded = self._recording if plane.entry.clip is None else self._folder / plane.entry.clip
        return replace(
            plane,
            picture_lost=() if taken is None else lossy_of_video(taken),
            clip_lost=() if encoded is None else lossy_of_video(encoded),
            own_frames=encoded is None,
        )


def _recording(folder: Path) -> Path | None:
    """A part of the session's recording, all of which are encoded alike; None if nothing was recorded."""
    try:
        videos = recorded_videos(folder)
    except SessionError:
        # No clip can be cut from it any more, but pictures may have been taken from it before.
        videos = part_videos(folder)
    return videos[0] if videos else None


def _chosen_in_review(session: Session) -> set[str]:
    """SHA-256 of each picture that a person took from the session's loop."""
    return {
        edit["after"]["png_sha256"]
        for entry in session.audit()
        if entry.kind in (PLANE_ADDED, FRAME_CHOSEN)
        for edit in entry.payload.get("edits", ())
        if "png_sha256" in edit["after"]
    }
