"""`semc tap`: what a card or a stream sends, undecoded, as a file for whoever helps with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semc_core.cli.shared.options import PLACE, AsJson, print_json
from semc_core.cli.shared.tree import Commands
from semc_core.errors import SourceError, SourceInterrupted, UsageError

if TYPE_CHECKING:
    from semc_core.sources.base import FrameSource

app = Commands()
_LONGEST_S = 600.0
_FIRST_S = 15.0
"""So long the first picture may take: some cards need seconds."""
_SILENCE_S = 1.0
"""So much longer it may take until the picture that ends it has come."""


@app.add()
def tap(
    source: Annotated[
        str,
        typer.Argument(help="camera:0, camera:IDENTITY, or an address (rtsp://, udp://, http://, igtl://)"),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", click_type=PLACE, metavar="FILE", help="file to write: NAME.semctap"),
    ],
    seconds: Annotated[float, typer.Option("--seconds", help="how much")] = 10.0,
    mode: Annotated[
        str | None, typer.Option("--mode", metavar="1920x1080@60,mjpg", help="ask a camera for this")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Write what came in that time. It shows the pictures, and no names beside them."""
    if not 0 < seconds <= _LONGEST_S:
        raise UsageError(f"The length must be more than 0 and at most {_LONGEST_S:g} seconds.")
    from semc_core.sources.open import check_mode, open_source
    from semc_core.sources.raw.file import SUFFIX, write_tap
    from semc_core.sources.raw.tap import RawTap

    if out.suffix.lower() != SUFFIX:
        raise UsageError(f"A raw tap is a file called NAME{SUFFIX}; {out.name} is not.")
    check_mode(source, mode)
    kept = RawTap(seconds)
    opened = open_source(source, mode=mode, tap=kept)
    try:
        if not opened.info.live:
            raise SourceError("Only a camera, a capture card or a live stream can be tapped; choose one.")
        _read_for(opened, seconds)
        kept_now = kept.taken()
    finally:
        opened.interrupt()
        opened.close()
    write_tap(out, kept_now)
    told = {
        "file": str(out),
        "seconds": round(kept_now.seconds, 3),
        "pieces": len(kept_now.data),
        "bytes": out.stat().st_size,
        "codec": kept_now.data[-1].coding.codec,
        "notes": [note.words for note in kept_now.notes],
    }
    if as_json:
        print_json(told)
    else:
        print(
            f"Wrote {out} ({kept_now.seconds:.1f} s, {out.stat().st_size / 1e6:.1f} MB). It shows what the "
            "scanner showed, so also a name that stood in the picture: look at it with "
            f"`semc live tap:{out}` before you send it."
        )
    return 0


def _read_for(opened: FrameSource, seconds: float) -> None:
    """Read what comes in so long; less where nothing comes any more, as of a card that was unplugged, or
    where the user has enough (Ctrl+C)."""
    try:
        with _interrupted_after(opened, _FIRST_S):
            packet = first = opened.read()
        with _interrupted_after(opened, seconds + _SILENCE_S):
            while first is not None and packet is not None and packet.captured_s - first.captured_s < seconds:
                packet = opened.read()
    except (SourceInterrupted, KeyboardInterrupt):
        return


@contextmanager
def _interrupted_after(opened: FrameSource, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, opened.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
