"""What exported pixels lost on their way: DICOM wants every lossy compression said, and by how much.

What a source lost comes first; then the recording or the saved clip, if this program took the picture from
there. Where nobody can know (a capture card, a stream, a file that is gone) it is None, and nothing is said.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import av
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID

from semc_core.export.dicom.pixels import Lossy, LossyStep
from semc_core.session.records import SourceEntry

_JPEG: Final = "ISO_10918_1"
_JPEG_2000: Final = "1.2.840.10008.1.2.4.91"
_OF_SYNTAX: Final = {
    "1.2.840.10008.1.2.4.50": _JPEG,
    "1.2.840.10008.1.2.4.51": _JPEG,
    "1.2.840.10008.1.2.4.81": "ISO_14495_1",
    _JPEG_2000: "ISO_15444_1",
}
_OF_CODEC: Final = {
    "h264": "ISO_14496_10", "hevc": "ISO_23008_2", "mpeg2video": "ISO_13818_2", "mpeg1video": "ISO_11172_2",
    "mpeg4": "ISO_14496_2", "mjpeg": _JPEG, "jpeg2000": "ISO_15444_1",
}  # fmt: skip
_KNOWN: Final = frozenset((*_OF_SYNTAX.values(), *_OF_CODEC.values(), "ISO_15444_15"))
_LOSSLESS_CODECS: Final = frozenset((
    "ffv1", "ffvhuff", "huffyuv", "utvideo", "magicyuv", "rawvideo", "v210", "v408", "png", "apng", "qtrle",
    "bmp", "tiff", "gif", "zlib", "zmbv", "msrle", "flashsv", "lagarith",
))  # fmt: skip
_JPEG_SUFFIXES: Final = frozenset((".jpg", ".jpeg"))
_SIZES: Final = ("Rows", "Columns", "SamplesPerPixel", "NumberOfFrames")
# A ratio beyond this is none.
_LARGEST_RATIO: Final = 1000.0


def after(before: Lossy, then: Lossy) -> Lossy:
    """All that was lost, `before` of it first."""
    steps = (*(before or ()), *(then or ()))
    # What is known is said, also where there may have been more.
    return None if not steps and (before is None or then is None) else steps


def lossy_of_source(source: SourceEntry) -> Lossy:
    """What the pictures of a source lost that is not DICOM."""
    if source.kind == "simulated":
        return ()
    path = None if source.path is None else Path(source.path)
    if path is None or not path.exists():
        return None
    if source.kind == "video":
        return lossy_of_video(path)
    return _of_images(path, source.width * source.height) if source.kind == "images" else None


def lossy_of_header(header: Dataset, file_bytes: int) -> tuple[LossyStep, ...]:
    """What a DICOM source's pixels lost, from its header and its transfer syntax.

    Args:
        header: With the transfer syntax in its `file_meta`.
        file_bytes: Size of the file, from which a ratio is reckoned that the header does not give.

    Raises:
        ValueError: A number of the header is none.
    """
    syntax = UID(str(header.file_meta.get("TransferSyntaxUID", "")))
    said = str(header.get("LossyImageCompression", "") or "")
    if said != "01" and (syntax not in _OF_SYNTAX or (syntax == _JPEG_2000 and said == "00")):
        return ()
    own = _OF_SYNTAX.get(syntax, _JPEG)
    ratios = [float(str(one)) for one in _many(header.get("LossyImageCompressionRatio"))]
    methods = [str(one) for one in _many(header.get("LossyImageCompressionMethod"))]
    if not ratios or not all(1 <= ratio <= _LARGEST_RATIO for ratio in ratios):
        return (LossyStep(own, _ratio(_raw_bytes(header), file_bytes)),)
    methods += [own] * (len(ratios) - len(methods))
    pairs = zip(methods, ratios, strict=False)
    return tuple(LossyStep(method if method in _KNOWN else own, ratio) for method, ratio in pairs)


def _raw_bytes(header: Dataset) -> int:
    sizes = [int(header.get(name, 1) or 1) for name in _SIZES]
    return math.prod(sizes) * (int(header.get("BitsAllocated", 8) or 8) // 8)


def lossy_of_video(path: Path) -> Lossy:
    """What the pictures of a video lost when it was encoded."""
    try:
        with av.open(f"file:{path}") as container:
            stream = container.streams.video[0]
            codec = stream.codec_context.name
            seconds = container.duration / av.time_base if container.duration else 0.0
            frames = stream.frames or round(seconds * float(stream.average_rate or 0))
            raw = stream.codec_context.width * stream.codec_context.height * 3 * max(1, frames)
    except (av.FFmpegError, IndexError):
        return None
    if codec in _LOSSLESS_CODECS:
        return ()
    method = _OF_CODEC.get(codec, codec.upper()[:16])
    return (LossyStep(method, _ratio(raw, path.stat().st_size)),)


def _of_images(path: Path, pixels: int) -> tuple[LossyStep, ...]:
    files = [path] if path.is_file() else sorted(path.iterdir())
    sizes = [file.stat().st_size for file in files if file.suffix.lower() in _JPEG_SUFFIXES]
    return (LossyStep(_JPEG, _ratio(pixels * 3 * len(sizes), sum(sizes))),) if sizes else ()


def _ratio(raw: int, packed: int) -> float:
    return min(_LARGEST_RATIO, max(1.0, raw / max(1, packed)))


def _many(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, pydicom.multival.MultiValue) else [value]
