"""Step 2 of an export: de-identify. The one place that decides what may leave, before anything is written.

Pixels outside the region of interest and under masks are blanked, text inside is looked for, the names of
patient and source are replaced, dates removed or moved, what persons typed is left out. Where the user keeps
identity, that is decided here as well. Nobody after this step sees anything else (`deidentified`).
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SourceError
from semc_core.export.annotated import of_plane
from semc_core.export.checklist import Checklist, export_checklist
from semc_core.export.collect import AFTER_S, BEFORE_S, CollectedPlane, CollectedScan, named
from semc_core.export.deidentified import (
    DeidentifiedClip,
    DeidentifiedFrame,
    DeidentifiedPlane,
    DeidentifiedScan,
)
from semc_core.export.dicom.header import is_of, study_of_dicom, study_of_nothing
from semc_core.export.dicom.lossy import after, lossy_of_source
from semc_core.export.dicom.study import StudyContext
from semc_core.export.dicom.uids import UidMaker
from semc_core.export.found_text import FoundText, TextFinding
from semc_core.export.masks import blanked, shared_region
from semc_core.export.ocr import TextFound, not_looked
from semc_core.export.options import ExportOptions
from semc_core.export.pose_names import PoseNames
from semc_core.export.text_search import NO_TEXT, ClipLook, Settled, TextSearch, TextSeen
from semc_core.export.watch import Watch
from semc_core.language import N_, _, joined
from semc_core.pose import FramePoses
from semc_core.session.annotations import Annotation
from semc_core.session.folder import safe_name
from semc_core.session.records import FrameTable, MeasurementEntry, RegionEntry
from semc_core.types import Crop

_LOOKING: Final = N_("Looking at pictures and clips")
NO_FRAME: Final = N_("the loop has no frame of that time in the size of the picture")
NO_REGION: Final = N_(
    "the region of interest moved meanwhile, so no part of the picture was inside it all through the clip"
)
"""Why a plane has no clip."""
TEXTS_LEFT_OUT: Final = N_(
    "Texts on pictures were left out: they are free text and may name somebody. Arrows and body marks stay."
)
AS_THEY_ARE: Final = N_("These pictures hold text and were exported as they are: {names}.")
HELD: Final = N_(
    "Left out until somebody answers: {names}. What looks like text there may be tissue: look, and have it "
    "blackened or kept."
)
_SAID: Final = {
    "masked": N_("Text was masked in the pictures of {names}."),
    "kept": AS_THEY_ARE,
    "held": HELD,
}
"""What is said of planes whose pictures hold text, by what became of it."""
OTHER_PATIENT: Final = N_(
    "Another patient ID was given than that of the scan's examination: its accession number and study were "
    "left out."
)

OTHER_PATIENT_OF_FILE: Final = N_(
    "Another patient ID was given than that of the DICOM file: its accession number and study were left out."
)


def deidentify(
    scan: CollectedScan, options: ExportOptions, uids: UidMaker, search: TextSearch, watch: Watch
) -> DeidentifiedScan:
    """What of `scan` may leave the machine.

    Args:
        scan: As it was collected; its context stays open as long as the result is read.
        options: The user's choices.
        uids: Makes the identifiers that replace the old ones.
        search: Looks for text.
        watch: Told of each plane.

    Raises:
        TextFound: Pictures hold text, and `options.text` is "stop".
        ExportCancelled: The user has had enough.
        ExportError: A picture is not what was saved, text could not be masked, or the patient that the user
            gave cannot be written.
        SemcError: Something could not be read.
    """
    return _Deidentification(scan, options, uids, search, watch).run()


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """How a plane is shown: what of its pictures is kept, and what text is in there.

    Attributes:
        plane: As it was collected.
        crop: What is kept of its picture; None keeps all.
        region: What is kept of each frame of its clip; None keeps all.
        masks: What is blanked in all of them.
        size: (height, width) of its clip's frames; None if there is no clip.
        coloured: Whether a frame of the clip has colour.
        why_no_clip: Why there is none although clips are wanted; or "".
        seen: Text that is still to be seen.
    """

    plane: CollectedPlane
    crop: Crop | None
    masks: tuple[Crop, ...]
    region: Crop | None = None
    size: tuple[int, ...] | None = None
    coloured: bool = False
    why_no_clip: str = ""
    seen: TextSeen = NO_TEXT

    def pixels(self) -> NDArray[np.uint8]:
        """The picture as it may leave the machine."""
        return blanked(self.plane.pixels(), self.crop, self.masks)


class _Deidentification:
    """One run of the step: what its parts share."""

    def __init__(
        self, scan: CollectedScan, options: ExportOptions, uids: UidMaker, search: TextSearch, watch: Watch
    ) -> None:
        self._scan = scan
        self._options = options
        self._uids = uids
        self._search = search
        self._watch = watch
        self._notices: list[str] = []
        self._names = PoseNames(options.deidentify)

    def run(self) -> DeidentifiedScan:
        """All of it."""
        scan, options = self._scan, self._options
        shown = self._settle_text(self._look_at_all())
        looked = self._search.reads and not any(each.seen.found for each in shown)
        study = self._study(text_left=not looked)
        self._say_what_is_missing(shown)
        found = {entry.plane for entry in (*(each.entry for each in scan.planes), *scan.not_chosen)}
        known = (name for name in scan.model.classes if name != scan.model.none_class)
        return DeidentifiedScan(
            deidentified=options.deidentify,
            looked_for_text=self._search.reads,
            parts=options.parts,
            jpeg=options.jpeg,
            obgyn=options.obgyn,
            masks=len(scan.masks),
            source=study.patient.patient_id if options.deidentify else scan.source.source_id,
            source_kind=scan.source.kind,
            source_size=(scan.source.width, scan.source.height),
            study=study,
            model=scan.model,
            table=scan.table,
            poses=self._poses,
            planes=tuple(self._cleared(each, study) for each in shown),
            not_found=tuple(name for name in known if name not in found),
            regions=tuple(map(self._region, scan.regions)),
            measurements=_measurements(scan, shown),
            annotations=self._annotations(shown),
            age=scan.age,
            note=scan.note if options.free_text else "",
            checklist=self._checklist(shown),
            notices=tuple(self._notices),
            entries=scan.entries,
            head=scan.head,
            rejected=scan.rejected,
            not_chosen=len(scan.not_chosen),
        )

    # Pixels.

    def _look_at_all(self) -> list[_Shown]:
        """Look for text in each plane's picture and clip."""
        total, made = len(self._scan.planes), []
        for number, plane in enumerate(self._scan.planes):
            self._watch.check()
            self._watch.progress(_LOOKING, number, total)
            made.append(self._look_at(plane))
        self._watch.progress(_LOOKING, total, total)
        return made

    def _look_at(self, plane: CollectedPlane) -> _Shown:
        shown = _Shown(plane, plane.entry.crop if self._options.deidentify else None, self._scan.masks)
        pictures = []
        if self._search.reads:
            pictures.append(blanked(plane.pixels(), shown.crop, ()))
        if self._options.clips:
            shown, of_clip = self._look_at_clip(shown)
            pictures += of_clip
        return replace(shown, seen=self._search.look(pictures, shown.masks))

    def _look_at_clip(self, shown: _Shown) -> tuple[_Shown, list[NDArray[np.uint8]]]:
        """Whether there is a clip, and a few pictures made of it in which text would be seen."""
        plane, region = shown.plane, None
        if self._options.deidentify:
            region = _region_of_clip(plane, self._scan.table)
            if region is None:
                return replace(shown, why_no_clip=_(NO_REGION)), []
        size, coloured = None, False
        look = ClipLook(lambda pixels: blanked(pixels, region, shown.masks))
        for packet in plane.frames():
            self._watch.check()
            size = packet.pixels.shape[:2]
            coloured = coloured or packet.pixels.ndim == 3
            if self._search.reads:
                look.add(packet.pixels)
            elif coloured:
                break
        why = "" if size is not None else plane.why_no_loop or _(NO_FRAME)
        shown = replace(shown, region=region, size=size, coloured=coloured, why_no_clip=why)
        return shown, [blanked(pixels, region, ()) for pixels in look.pictures()]

    def _settle_text(self, shown: list[_Shown]) -> list[_Shown]:
        """Do with pictures that hold text what the user wants. Returns the planes that stay."""
        if self._options.deidentify and not self._search.reads:
            self._notices.append(not_looked())
        with_text = [each for each in shown if each.seen.found]
        if not with_text:
            return shown
        names = _names(with_text)
        if self._options.text == "stop":
            raise TextFound([_finding(each, each.seen.found) for each in with_text])
        if self._options.text == "keep":
            self._notices.append(_(AS_THEY_ARE, names=names))
            return shown
        if self._options.text == "leave out":
            self._notices.append(_("Left out because their pictures hold text: {names}.", names=names))
            return [each for each in shown if not each.seen.found]
        settled = {}
        for number, each in enumerate(with_text):
            self._watch.progress(N_("Masking text"), number, len(with_text))
            settled[each.plane.entry.plane_id] = each, self._settled(each)
        said = {kind: [one for one, to in settled.values() if to.kind == kind] for kind in _SAID}
        said["masked"] = [one for one, to in settled.values() if to.kind != "held" and to.masks != one.masks]
        self._notices += [_(_SAID[kind], names=_names(of)) for kind, of in said.items() if of]
        self._search.held += [_finding(one, to.doubtful) for one, to in settled.values() if to.kind == "held"]
        stays = {
            number: replace(one, masks=to.masks, seen=NO_TEXT if to.kind == "masked" else one.seen)
            for number, (one, to) in settled.items()
            if to.kind != "held"
        }
        return [stays.get(each.plane.entry.plane_id, each) for each in shown if each not in said["held"]]

    def _settled(self, shown: _Shown) -> Settled:
        """What becomes of the text in a plane's pictures."""
        entry, search = shown.plane.entry, self._search
        if self._options.text == "mask":
            return Settled("masked", search.masks_over(shown.seen, shown.masks, named(entry)))
        answer = dict(self._options.answers).get(entry.plane_id)
        return search.settle(shown.seen, shown.masks, named(entry), answer)

    # Names, dates and words.

    def _study(self, text_left: bool) -> StudyContext:
        """The study of the DICOM source, if its file is still there; else one of nothing."""
        scan, options = self._scan, self._options
        if scan.dicom_file is not None:
            # A source that cannot be read any more: the objects are made from nothing, as for a video.
            with contextlib.suppress(SourceError):
                study = study_of_dicom(scan.dicom_file, self._uids, options, text_left)
                self._notices += [_(OTHER_PATIENT_OF_FILE)] if study.other_patient else []
                return study
        lossy = lossy_of_source(scan.source)
        asked = scan.examination
        if asked is not None and not options.deidentify and not is_of(options.patient, asked):
            self._notices.append(_(OTHER_PATIENT))
        return study_of_nothing(
            scan.source.kind, scan.name, scan.began, self._uids, options, text_left, lossy, asked
        )

    def _region(self, region: RegionEntry) -> RegionEntry:
        """A marked stretch of time; the name of a class says nothing of who was examined."""
        if self._options.free_text:
            return region
        known = region.label in self._scan.model.classes
        return replace(region, label=region.label if known else "", note="")

    def _annotations(self, shown: Sequence[_Shown]) -> tuple[Annotation, ...]:
        """Those on the planes that are exported: arrows and body marks name nobody, texts may."""
        drawn = self._scan.annotations
        # Once, where two planes have one frame.
        there = tuple(dict.fromkeys(each for one in shown for each in of_plane(drawn, one.plane.entry)))
        if self._options.free_text:
            return there
        kept = tuple(each for each in there if each.kind != "text")
        if len(kept) < len(there):
            self._notices.append(_(TEXTS_LEFT_OUT))
        return kept

    def _checklist(self, shown: Sequence[_Shown]) -> Checklist | None:
        scan, protocol = self._scan, self._options.followed
        if protocol is None:
            return None
        free_text = self._options.free_text
        words = [each if free_text else replace(each, reason="") for each in scan.items]
        return export_checklist(
            protocol, scan.model, [each.plane.entry for each in shown], words, scan.fetuses
        )

    def _cleared(self, shown: _Shown, study: StudyContext) -> DeidentifiedPlane:
        """The plane as the writers see it. What it gives is read only when they ask."""
        plane, entry = shown.plane, shown.plane.entry
        return DeidentifiedPlane(
            entry=replace(
                entry, png=None, png_sha256=None, clip=None, clip_sha256=None, reason="",
                note=entry.note if self._options.free_text else "",
            ),
            stem=f"{entry.plane_id:03d}_{safe_name(entry.plane)}_f{entry.frame_index:06d}",
            pixels=shown.pixels,
            poses=self._names.of(plane.poses),
            lossy=after(study.lossy, plane.picture_lost),
            clip=None if shown.size is None else DeidentifiedClip(
                frames=lambda: self._frames(shown),
                height=shown.size[0],
                width=shown.size[1],
                coloured=shown.coloured,
                of_source=self._scan.source.kind == "dicom" and plane.own_frames,
                lossy=after(study.lossy, plane.clip_lost),
            ),
        )  # fmt: skip

    def _poses(self) -> Iterator[FramePoses]:
        known = set(self._scan.table.index.tolist())
        return ((index, self._names.of(poses)) for index, poses in self._scan.poses() if index in known)

    def _frames(self, shown: _Shown) -> Iterator[DeidentifiedFrame]:
        for packet in shown.plane.frames():
            self._watch.check()
            pixels = blanked(packet.pixels, shown.region, shown.masks)
            yield DeidentifiedFrame(packet.index, packet.pts_s, pixels)

    # What the user should know.

    def _say_what_is_missing(self, shown: Sequence[_Shown]) -> None:
        if not shown:
            self._notices.append(
                _("No plane is exported: there are no pictures, clips and DICOM objects in this export.")
            )
        for why, without in Counter(each.why_no_clip for each in shown if each.why_no_clip).items():
            self._notices.append(_no_clip(why, without, len(shown)))
        whole = [each for each in shown if _is_whole(each.plane)]
        if self._options.deidentify and whole:
            self._notices.append(
                _(
                    "In {count} of {total} plane the region of interest is the whole picture: nothing "
                    "round it could be blanked.",
                    count=len(whole),
                    total=len(shown),
                )
                if len(shown) == 1
                else _(
                    "In {count} of {total} planes the region of interest is the whole picture: nothing "
                    "round it could be blanked.",
                    count=len(whole),
                    total=len(shown),
                )
            )
        if not self._options.free_text and self._has_free_text():
            self._notices.append(
                _("Notes and reasons were left out: they are free text and may name somebody.")
            )

    def _has_free_text(self) -> bool:
        scan, protocol = self._scan, self._options.followed
        written = [scan.note, *(each.entry.note for each in scan.planes)]
        written += [each.note for each in scan.regions]
        if protocol is not None:
            written += [word.reason for word in scan.items if word.protocol_id == protocol.id]
        return any(written)


def _names(shown: Sequence[_Shown]) -> str:
    return joined((named(each.plane.entry) for each in shown), ", ")


def _finding(shown: _Shown, found: tuple[FoundText, ...]) -> TextFinding:
    return TextFinding(shown.plane.entry.plane_id, named(shown.plane.entry), found)


def _no_clip(why: str, without: int, planes: int) -> str:
    """That so many of the planes have no clip."""
    if planes == 1:
        return _("The plane has no clip: {why}.", why=why)
    one, many = (
        N_("{count} of {total} planes has no clip: {why}."),
        N_("{count} of {total} planes have no clip: {why}."),
    )
    return _(one if without == 1 else many, count=without, total=planes, why=why)


def _measurements(scan: CollectedScan, shown: Sequence[_Shown]) -> tuple[MeasurementEntry, ...]:
    """What was measured, but for planes that are not exported."""
    exported = {None, *(each.plane.entry.plane_id for each in shown)}
    return tuple(each for each in scan.measurements if each.plane_id in exported)


def _region_of_clip(plane: CollectedPlane, table: FrameTable) -> Crop | None:
    """What was inside the region of interest all through the clip: the screen may have changed."""
    near = table.between(plane.entry.time_s - BEFORE_S, plane.entry.time_s + AFTER_S)
    return shared_region([plane.entry.crop, *(Crop(*map(int, row)) for row in np.unique(near.crop, axis=0))])


def _is_whole(plane: CollectedPlane) -> bool:
    """Whether the region of interest is the whole picture."""
    entry = plane.entry
    return (entry.crop.width, entry.crop.height) == (entry.width, entry.height)
