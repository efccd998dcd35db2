"""`semc inspect`: what a file holds, how it is read, and its frames as pictures for anyone to judge."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from semc_core.cli.shared.options import FOLDER, PLACE, AsJson, PictureChoices, print_json
from semc_core.cli.shared.tree import Commands
from semc_core.errors import SaveError, SourceError, UsageError
from semc_core.picture_options import AS_IT_IS, PictureOptions, picture_options, to_text
from semc_core.text import counted, readable

if TYPE_CHECKING:
    from semc_core.types import Crop, FramePacket, SourceInfo

_EXAMPLES = """\b
Examples:
    semc inspect clip.avi
    semc inspect loop.dcm --json
    semc inspect clip.mp4 --frames pictures --random"""
_TABLE: Final = "frames.csv"
_SEED: Final = 7

app = Commands()


@app.add(epilog=_EXAMPLES)
def inspect(
    file: Annotated[Path, typer.Argument(click_type=PLACE, metavar="FILE", help="file, or folder of images")],
    picture: PictureChoices,
    frames: Annotated[
        Path | None,
        typer.Option(
            "--frames",
            click_type=FOLDER,
            metavar="DIR",
            help=f"write every undamaged frame there as a PNG, and {_TABLE}; a new or empty folder",
        ),
    ] = None,
    at_random: Annotated[
        bool, typer.Option("--random", help="read the frames in random order, as review does")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Print what was found. Returns 0, or 1 where the file broke off.

    Raises:
        SemcError: It cannot be opened, or the pictures cannot be written.
    """
    from semc_core.sources.describe import describe

    path = file.expanduser()
    if frames is not None:
        _prepare(frames)
    found = _Found()
    described = describe(path)
    read = _in_random_order if at_random else _in_sequence
    for packet in read(path, found, picture.options()):
        found.take(packet)
        if frames is not None:
            _write_picture(frames / f"{packet.index:06d}.png", packet)
    if frames is not None:
        _write_table(frames / _TABLE, found)
    report = _report(path, asdict(described), found)
    if as_json:
        print_json(report)
    else:
        _print(report)
    return 1 if found.problem else 0


@dataclass(slots=True)
class _Found:
    """What was read.

    Attributes:
        info: What is known of the source in the end.
        times_s: Of the undamaged frames, by number.
        damaged: The others.
        region: Where the picture of the first frame is that has any, and who says so.
        coloured: How many frames have colour over the picture.
        problem: Why reading broke off, or "".
    """

    info: SourceInfo | None = None
    times_s: dict[int, float] = field(default_factory=dict)
    damaged: set[int] = field(default_factory=set)
    region: Crop | None = None
    coloured: int = 0
    problem: str = ""

    def take(self, packet: FramePacket) -> None:
        """Remember a frame."""
        from semc_core.imaging.colour import is_coloured
        from semc_core.imaging.crop import find_crop
        from semc_core.types import Crop

        self.times_s[packet.index] = packet.pts_s
        if self.region is None and len(self.times_s) == 1:
            self.region = find_crop(packet.picture)
        whole = Crop(0, 0, packet.picture.width, packet.picture.height)
        self.coloured += is_coloured(packet.picture, self.region or whole)

    @property
    def notices(self) -> str:
        """What the user should know of the source and of its pictures, or ""."""
        told = "" if self.info is None else self.info.notice
        if self.coloured:
            share = f"{self.coloured} of {counted(len(self.times_s), 'frame')}"
            told += f" Colour Doppler: colour lies over the picture in {share}; no plane is named in them."
        return told.strip()

    @property
    def count(self) -> int:
        """Frames, damaged ones too."""
        return max([*self.times_s, *self.damaged], default=-1) + 1


def _in_sequence(path: Path, found: _Found, options: PictureOptions) -> Iterator[FramePacket]:
    from semc_core.sources.base import BaseSource
    from semc_core.sources.open import open_source

    with closing(open_source(f"{path.parent}/{path.name}", options=options)) as source:
        found.region = source.hinted_crop
        try:
            while (packet := source.read()) is not None:
                yield packet
        except SourceError as error:
            found.problem = str(error)
        found.info = source.info
        if isinstance(source, BaseSource):
            found.damaged.update(source.damaged)
    # A container's header may promise more than there is; of frames stored one by one the count is known.
    stored = found.info.frame_count if found.info.kind in ("dicom", "images") else None
    found.damaged.update(set(range(max(found.count, stored or 0))) - set(found.times_s))


def _in_random_order(path: Path, found: _Found, options: PictureOptions) -> Iterator[FramePacket]:
    from semc_core.sources.open import open_seekable

    with closing(open_seekable(path, options=options)) as source:
        # What the packets promise may be more than there is; that is learnt where a frame is not found.
        times_s = None
        while times_s is not source.times_s:
            times_s = source.times_s
            for index in range(len(times_s)):
                _frame_of(source, index)
        order = list(range(source.count))
        random.Random(_SEED).shuffle(order)
        for index in order:
            packet = _frame_of(source, index)
            if packet is None:
                found.damaged.add(index)
            else:
                yield packet
        found.info = source.info
    found.times_s = dict(sorted(found.times_s.items()))


def _frame_of(source: Any, index: int) -> FramePacket | None:
    try:
        packet: FramePacket = source.frame(index)
    except SourceError:
        return None
    return packet


def _prepare(folder: Path) -> None:
    from semc_core.io.atomic import save_error

    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = any(folder.iterdir())
    except OSError as error:
        raise save_error(folder, error) from error
    if occupied:
        raise UsageError(f"{folder.name} is not empty; choose a new or empty folder for the pictures.")


def _write_picture(path: Path, packet: FramePacket) -> None:
    import cv2

    from semc_core.io.atomic import write_atomically

    pixels = packet.pixels
    whole, data = cv2.imencode(".png", pixels if pixels.ndim == 2 else pixels[:, :, ::-1])
    if not whole:
        raise SaveError(f"{path.name} could not be made.")
    write_atomically(path, data.tobytes())


def _write_table(path: Path, found: _Found) -> None:
    import io

    from semc_core.io.atomic import write_atomically

    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("frame", "time_s", "damaged"))
    for number in range(found.count):
        time_s = found.times_s.get(number)
        table.writerow((number, "" if time_s is None else f"{time_s:.6f}", int(time_s is None)))
    write_atomically(path, text.getvalue().encode())


def _report(path: Path, described: dict[str, Any], found: _Found) -> dict[str, Any]:
    info, times_s = found.info, list(found.times_s.values())
    region = found.region
    return {
        "file": readable(path.name),
        "kind": "" if info is None else info.kind,
        **described,
        "width": None if info is None else info.width,
        "height": None if info is None else info.height,
        "frame_rate": None if info is None else info.frame_rate,
        "frames": found.count,
        "damaged": sorted(found.damaged),
        "first_s": min(times_s, default=None),
        "last_s": max(times_s, default=None),
        "region": None if region is None else [region.left, region.top, region.width, region.height],
        "picture_options": None if info is None else asdict(info.picture_options or AS_IT_IS),
        "notices": found.notices,
        "problem": found.problem,
    }


def _print(report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from semc_core.sources.left_out import spans

    shown = {
        **report,
        "pixel_aspect": f"{report['pixel_aspect']:g}",
        "picture_options": to_text(picture_options(report["picture_options"] or {})),
        "damaged": spans(report["damaged"]) or "none",
        "region": "none found" if report["region"] is None else ", ".join(map(str, report["region"])),
    }
    table = Table(show_header=False)
    for name, value in shown.items():
        if value not in ("", None):
            table.add_row(name.replace("_", " "), str(value))
    Console().print(table, markup=False)
