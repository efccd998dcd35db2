"""What a file says of itself: container, codec, colours, frames by its header. Nothing is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from semc_core.errors import SourceError
from semc_core.io.regular import is_folder
from semc_core.language import _
from semc_core.sources.kinds import kind_of


@dataclass(frozen=True, slots=True)
class Description:
    """What was found; "" and None where the file does not say.

    Attributes:
        container: The file's format.
        codec: How pictures are coded.
        frames_in_header: How many frames it says that it has.
        stored_width: Pixels, before pixels are made square and the picture upright.
        stored_height: Pixels.
        pixel_aspect: Width of a stored pixel over its height.
        pixel_format: Channels and bits.
        colour_range: "full", "limited", or "".
        colour_matrix: The matrix from RGB to light and colour, or "".
    """

    container: str = ""
    codec: str = ""
    frames_in_header: int | None = None
    stored_width: int | None = None
    stored_height: int | None = None
    pixel_aspect: float = 1.0
    pixel_format: str = ""
    colour_range: str = ""
    colour_matrix: str = ""


def describe(path: Path) -> Description:
    """What the file, or folder of images, at `path` says of itself.

    Raises:
        SourceError: It cannot be opened.
    """
    if is_folder(path):
        return Description(container="folder of images")
    kind = kind_of(path)
    if kind == "tap":
        return Description(container="raw tap")
    if kind == "dicom":
        return _of_dicom(path)
    return _of_picture(path) if kind == "picture" else _of_video(path)


def _of_video(path: Path) -> Description:
    from semc_core.sources.containers import open_container, picture_stream
    from semc_core.sources.frames.upright import pixel_aspect

    with open_container(path) as container:
        stream = picture_stream(container, path.name)
        context = stream.codec_context
        return Description(
            container=container.format.name,
            codec=context.name,
            frames_in_header=stream.frames or None,
            stored_width=context.width,
            stored_height=context.height,
            pixel_aspect=float(pixel_aspect(stream.sample_aspect_ratio)),
            pixel_format=context.pix_fmt or "",
            colour_range={1: "limited", 2: "full"}.get(int(context.color_range), ""),
            colour_matrix=_MATRICES.get(int(context.colorspace), ""),
        )


_MATRICES = {0: "RGB", 1: "BT.709", 4: "FCC", 5: "BT.470", 6: "BT.601", 7: "SMPTE 240M", 9: "BT.2020"}
"""By the numbers of ITU-T H.273."""


def _of_picture(path: Path) -> Description:
    from semc_core.sources.pictures import PictureFile

    picture = PictureFile(path)
    try:
        return Description(
            container=picture.format,
            codec=picture.format,
            frames_in_header=picture.count,
            stored_width=picture.size[0],
            stored_height=picture.size[1],
            pixel_format=picture.mode,
        )
    finally:
        picture.close()


def _of_dicom(path: Path) -> Description:
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        data = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        syntax = getattr(getattr(data, "file_meta", None), "TransferSyntaxUID", None)
        count = str(data.get("NumberOfFrames", "") or "")
        return Description(
            container="DICOM",
            codec="" if syntax is None else str(syntax.name),
            frames_in_header=int(count) if count.isdecimal() else None,
            stored_width=int(data.get("Columns", 0) or 0) or None,
            stored_height=int(data.get("Rows", 0) or 0) or None,
            pixel_format=f"{data.get('PhotometricInterpretation', '')} {data.get('BitsStored', '')}".strip(),
        )
    except (InvalidDicomError, OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise SourceError(_("{name} has a damaged header; export it again.", name=path.name)) from error
