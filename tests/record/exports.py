"""Exports of a session that never changes (`tests.old_files`): every member, without times."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pydicom

from tests.old_files.places import unpack
from tests.record import pdf
from tests.record.pictures import digest, picture, png, video
from tests.record.running import Place

_LEFT_OUT: Final = (
    "audit", "versions", "files", "sha256", "png_sha256", "clip_sha256", "signature", "signer",
)  # fmt: skip
_WAYS: Final[dict[str, tuple[str, ...]]] = {
    "folder": ("--dicom", "--text", "keep", "--protocol", "lp2025-liver"),
    "names.zip": ("--identified", "--dicom", "--jpeg", "--patient-name", "Doe^Jane", "--patient-id", "4711",
                  "--birth-date", "19800102", "--sex", "F"),
    "plain": ("--notes", "--dicom", "--dates", "shifted", "--no-clips", "--no-report", "--no-frames",
              "--text", "keep", "--mask", "60,50,20,20"),
}  # fmt: skip
QUICK: Final = ("folder",)


def record(place: Place, *, quick: bool) -> dict[str, Any]:
    """For each way to export, each file of the bundle."""
    session = unpack("sessions", place.folder) / "scan"
    unpack("data", place.folder)
    (place.folder / "data").rename(place.folder / "xdg")
    found = {}
    for name in QUICK if quick else _WAYS:
        target = place.folder / name
        place.semc(("export", session, "--out", target, *_WAYS[name]), ("export", "--check", target))
        if target.suffix == ".zip":
            zipfile.ZipFile(target).extractall(target.with_suffix(""))
            target = target.with_suffix("")
        found[name] = _bundle(target)
    return found


def _bundle(folder: Path) -> dict[str, Any]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _member(path) for path in files}


def _member(path: Path) -> Any:
    reader = _READERS.get(path.suffix)
    return video(path) if reader is None else reader(path.read_bytes())


def _without(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {name: _without(value) for name, value in plain.items() if name not in _LEFT_OUT}
    return [_without(value) for value in plain] if isinstance(plain, list) else plain


class _Visible(HTMLParser):
    """Collects the text that a reader sees."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note whether a style sheet begins."""
        self._style = tag == "style"

    def handle_data(self, data: str) -> None:
        """Keep words."""
        if data.strip() and not self._style:
            self.lines.append(" ".join(data.split()))


def _html(text: str) -> dict[str, Any]:
    page = _Visible()
    page.feed(text)
    whole = _CHANGING.sub("*", text)
    return {"text": [_CHANGING.sub("*", line) for line in page.lines], "page_here": digest(whole.encode())}


_CHANGING: Final = re.compile(
    r"[0-9a-f]{64}|[0-9a-f]{16,}(?=\W)|\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(\+00:00)?|\b\d+ entries"
)
"""Hashes of the log and times."""


def _pdf(content: bytes) -> dict[str, Any]:
    found = pdf.report(content)
    return {**found, "words": [_CHANGING.sub("*", word) for word in found["words"]]}


def _dicom(content: bytes) -> dict[str, Any]:
    """Its elements, with identifiers numbered as they come, and its pixels."""
    dataset = pydicom.dcmread(io.BytesIO(content))
    known: dict[str, str] = {}

    def numbered(found: re.Match[str]) -> str:
        return known.setdefault(found[0], f"uid{len(known) + 1}")

    now = _NOW if dataset.Modality == "SR" else ()
    lines = [_UID.sub(numbered, line) for line in (*_lines(dataset.file_meta), *_lines(dataset, now))]
    found: dict[str, Any] = {"study": str(dataset.StudyInstanceUID), "elements": lines}
    if "PixelData" in dataset:
        pixels = dataset.pixel_array
        found["pixels"] = picture(pixels[0] if "NumberOfFrames" in dataset else pixels)
        found["pixels_here"] = digest(pixels.tobytes())
    return found


_UID: Final = re.compile(r"\b2\.25\.\d{20,}")
_NOW: Final = ("ContentDate", "ContentTime")
"""When a structured report was made; of pictures it is when the scan was."""


def _lines(dataset: pydicom.Dataset, now: Sequence[str] = (), indent: str = "") -> Iterator[str]:
    """A line for each element; those of sequences below it, further in."""
    for element in dataset:
        if element.VR == "SQ":
            yield f"{indent}{element.tag}"
            for item in element.value:
                yield from _lines(item, (), f"{indent}>")
        elif element.keyword != "PixelData":
            value = "*" if element.keyword in now else element.value
            yield f"{indent}{element.tag} {element.VR} {value}"


_READERS: Final[dict[str, Callable[[bytes], Any]]] = {
    ".json": lambda content: _without(json.loads(content)),
    ".csv": lambda content: list(csv.reader(io.StringIO(content.decode()))),
    ".gz": lambda content: digest(gzip.decompress(content)),
    ".png": png,
    ".html": lambda content: _html(content.decode()),
    ".pdf": _pdf,
    ".dcm": _dicom,
}
