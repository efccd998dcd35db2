"""Decides which kind of frames a DICOM file holds, and holds what its header counts against what is there."""

from __future__ import annotations

import numpy as np
from pydicom.uid import UID

from semc_core.errors import SourceError
from semc_core.language import _, plural
from semc_core.sources.dicom.codestream import codestream_of
from semc_core.sources.dicom.elements import Elements
from semc_core.sources.dicom.fragments import Span, frame_spans, read_fragments, read_spans
from semc_core.sources.dicom.frames import CompressedFrames, NativeFrames, StoredFrames
from semc_core.sources.dicom.header import OpenedFile, PixelData
from semc_core.sources.dicom.pixel_format import Tell, pixel_format
from semc_core.sources.dicom.video import VideoFrames, is_video

_LOOKED_AT = 4096
_MOST_FRAMES = 2_000_000


def frames_of(opened: OpenedFile, tell: Tell) -> StoredFrames | VideoFrames:
    """Open the frames; what had to be assumed is told.

    Raises:
        SourceError: There are none that can be read; its message continues the file's name.
    """
    elements, pixels = opened.elements, opened.pixels
    expected = elements.whole("NumberOfFrames")
    expected = expected if expected and expected > 0 else None
    beginning = _beginning(pixels)
    frames: StoredFrames | VideoFrames
    if pixels.wrapped or _is_bare(opened.syntax, beginning):
        frames = _wrapped(opened, expected, tell)
    else:
        if opened.syntax is not None and opened.syntax.is_compressed:
            tell(
                _(
                    "The header says that the pictures are compressed ({compression}), but they are not.",
                    compression=opened.syntax.name,
                )
            )
        form = pixel_format(elements, None, tell)
        frames = NativeFrames(pixels, form, opened.little, expected, tell)
    if opened.syntax is None:
        tell(
            _(
                "The header does not say in a known way how the file is coded (Transfer Syntax); its "
                "data tells."
            )
        )
    if frames.count > _MOST_FRAMES:
        raise SourceError(
            _(
                "holds {count} frames, more than {most}; export it in parts",
                count=frames.count,
                most=_MOST_FRAMES,
            )
        )
    _compare(frames.count, expected, "NumberOfFrames" in elements, tell)
    return frames


def _is_bare(syntax: UID | None, beginning: bytes) -> bool:
    """Whether a compressed picture lies there without the fragments that it should be in."""
    return syntax is not None and syntax.is_compressed and codestream_of(beginning) is not None


def _wrapped(opened: OpenedFile, expected: int | None, tell: Tell) -> StoredFrames | VideoFrames:
    pixels = opened.pixels
    if not pixels.wrapped:
        tell(_("The compressed picture is not divided into fragments, as it should be; it is read as one."))
        spans: list[list[Span]] = [[(pixels.start, pixels.length)]]
        wrong = False
    else:
        fragments = read_fragments(pixels)
        if not fragments.spans:
            raise SourceError(_("ends before its first picture; copy it again"))
        first = read_spans(pixels, [fragments.spans[0]])
        if is_video(opened.syntax, first[:16]) and codestream_of(first) is None:
            return VideoFrames(read_spans(pixels, list(fragments.spans)), expected)
        spans, wrong = frame_spans(fragments, _extended(opened.elements), expected)
        if fragments.cut:
            tell(_("The file ends within a frame; it was probably not copied completely."))
    if wrong:
        tell(_("The file's table of where its frames begin is wrong; they were found without it."))
    form = pixel_format(opened.elements, opened.syntax or UID("1.2.840.10008.1.2.4.50"), tell)
    if form.planar:
        tell(
            _("The header's order of colours (Planar Configuration 1) does not apply to compressed pictures.")
        )
    return CompressedFrames(pixels, spans, form, opened.syntax, tell)


def _extended(elements: Elements) -> list[int]:
    """The Extended Offset Table."""
    data = elements.data("ExtendedOffsetTable")
    return [int(one) for one in np.frombuffer(data[: len(data) // 8 * 8], "<u8")]


def _beginning(pixels: PixelData) -> bytes:
    return read_spans(pixels, [(pixels.start, min(pixels.length, _LOOKED_AT))])


def _compare(count: int, expected: int | None, said: bool, tell: Tell) -> None:
    """Tell of a number of frames that is missing or wrong."""
    holds = plural("{count} frame", "{count} frames", count)
    if expected is None and said:
        tell(
            _(
                "The header's number of frames cannot be read; the file holds {holds}, and all are read.",
                holds=holds,
            )
        )
    elif expected is None and count > 1:
        tell(
            _(
                "The header does not say how many frames there are; the file holds {holds}, and all are "
                "read.",
                holds=holds,
            )
        )
    elif expected is not None and expected != count:
        tell(
            _(
                "The header counts {expected} frames, the file holds {count}; these are read.",
                expected=expected,
                count=count,
            )
        )
