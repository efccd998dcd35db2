"""What a file is, by what is in it, and by its name where that does not tell."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from semc_core.errors import SourceError
from semc_core.language import _
from semc_core.sources.containers import check_file, is_video
from semc_core.sources.dicom_head import HEAD_BYTES, is_dicom_head
from semc_core.sources.pictures import SUFFIXES, is_picture
from semc_core.sources.raw.records import MARK

Kind = Literal["dicom", "picture", "tap", "video"]
VIDEO_SUFFIXES: Final = (
    *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpeg", ".mpg", ".wmv", ".gif", ".asf", ".vob"),
    *(".mts", ".m2ts", ".ts", ".mjpeg", ".mjpg", ".dv", ".mxf", ".flv", ".ogv", ".3gp"),
)
DICOM_SUFFIXES: Final = (".dcm", ".dicom", ".ima")


def kind_of(path: Path) -> Kind:
    """How a file is to be opened; "video" also where nobody knows it: opening it says so.

    Raises:
        SourceError: It is not there, is no file, is empty, or may not be read.
    """
    head, suffix = head_of(path), path.suffix.lower()
    if head.startswith(MARK):
        return "tap"
    if is_dicom_head(head):
        return "dicom"
    if is_picture(head):
        # A file of JPEG pictures, one after the other, begins as one picture does.
        return "video" if suffix in VIDEO_SUFFIXES else "picture"
    if suffix in (*SUFFIXES, *DICOM_SUFFIXES) and not is_video(path):
        return "picture" if suffix in SUFFIXES else "dicom"
    return "video"


def is_known(path: Path) -> bool:
    """Whether a file is one that can be opened, by its name or by what is in it."""
    try:
        kind = kind_of(path)
    except SourceError:
        # It is named to the source where its name promises something, which says why it cannot be read.
        return path.suffix.lower() in (*VIDEO_SUFFIXES, *DICOM_SUFFIXES)
    return kind != "video" or path.suffix.lower() in VIDEO_SUFFIXES or is_video(path)


def head_of(path: Path) -> bytes:
    """The bytes that tell what a file is.

    Raises:
        SourceError: See `kind_of`.
    """
    check_file(path)
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except FileNotFoundError as error:
        raise SourceError(_("{name} was not found; check the name.", name=path.name)) from error
    except OSError as error:
        raise SourceError(_("{name} may not be read; check its permissions.", name=path.name)) from error
    if not head:
        raise SourceError(_("{name} is empty; it was probably not copied completely.", name=path.name))
    return head
