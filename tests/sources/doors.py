"""Tries each door through which pictures come that are no capture card's, with a sender of its kind.

`python -m tests.sources.doors` needs FFmpeg's program, and GStreamer's for one line (Debian: ffmpeg,
gstreamer1.0-tools, gstreamer1.0-plugins-good). Prints the table of docs/capture.md: which command sent, which
source was opened, and what came in eight seconds. Only the sender's own card is replaced, by a test picture.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from semc_core.sources.open import open_source

_ROOT: Final = Path(__file__).resolve().parents[2]
_SECONDS: Final = 8.0
_PICTURE: Final = ("-re", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30")
_FFMPEG: Final = ("ffmpeg", "-hide_banner", "-loglevel", "error", *_PICTURE)
_GSTREAMER: Final = (
    *(
        "gst-launch-1.0",
        "-q",
        "videotestsrc",
        "is-live=true",
        "!",
        "video/x-raw,width=1280,height=720,framerate=30/1",
    ),
    *("!", "jpegenc", "!", "matroskamux", "streamable=true", "!", "fdsink"),
)
_RAW: Final = (
    "import sys, time\nwhile True:\n    sys.stdout.buffer.write(bytes(640 * 480))\n    time.sleep(0.05)"
)
"""As a program does that gets single gray frames from a probe's own interface."""


@dataclass(frozen=True, slots=True)
class Door:
    """One way in: what sends, through which programs it goes, and what is opened."""

    name: str
    source: str
    programs: tuple[tuple[str, ...], ...]
    first: bool = True
    """Whether the sender must be there before the source is opened."""


_TS: Final = ("-c:v", "mpeg2video", "-q:v", "3", "-g", "15", "-f", "mpegts")
DOORS: Final = (
    Door(
        "a card that FFmpeg knows, by a pipe",
        "pipe:",
        ((*_FFMPEG, "-c:v", "mjpeg", "-q:v", "2", "-f", "matroska", "-"),),
    ),
    Door("a card that GStreamer knows, by a pipe", "pipe:", (_GSTREAMER,)),
    Door(
        "single frames of a program, by a pipe",
        "pipe:",
        (
            (sys.executable, "-c", _RAW),
            (
                *("ffmpeg", "-loglevel", "error", "-f", "rawvideo"),
                *("-pixel_format", "gray", "-video_size", "640x480"),
                *("-framerate", "20", "-i", "-", "-c:v", "ffv1", "-f", "matroska", "-"),
            ),
        ),
    ),
    Door(
        "an encoder that sends UDP",
        "udp://127.0.0.1:5000",
        ((*_FFMPEG, *_TS, "udp://127.0.0.1:5000"),),
        first=False,
    ),
    Door(
        "an encoder that waits for TCP",
        "tcp://127.0.0.1:5001",
        ((*_FFMPEG, *_TS, "tcp://127.0.0.1:5001?listen=1"),),
    ),
    Door(
        "an encoder that offers HTTP",
        "http://127.0.0.1:5002/",
        ((*_FFMPEG, *_TS, "-listen", "1", "http://127.0.0.1:5002/"),),
    ),
    Door(
        "an encoder that waits for SRT, through FFmpeg and a pipe",
        "pipe:",
        (
            (*_FFMPEG, *_TS, "srt://127.0.0.1:5003?mode=listener"),
            (
                *("ffmpeg", "-nostdin", "-loglevel", "error", "-i", "srt://127.0.0.1:5003"),
                *("-c", "copy", "-f", "mpegts", "-"),
            ),
        ),
    ),
)


def main() -> None:
    """Try all, or (`count`) read from one source and print what came."""
    if sys.argv[1:2] == ["count"]:
        count(sys.argv[2])
        return
    print("| door | source | came in 8 s |\n|---|---|---|")
    for door in DOORS:
        print(f"| {door.name} | `{door.source}` | {tried(door)} |", flush=True)


def count(source_name: str) -> None:
    """Read for eight seconds, and print what came."""
    source = open_source(source_name)
    begun_s, frames = time.monotonic(), 0
    while time.monotonic() < begun_s + _SECONDS and source.read() is not None:
        frames += 1
    info = source.info
    print(json.dumps({"frames": frames, "size": f"{info.width}x{info.height}"}), flush=True)
    source.interrupt()
    source.close()


def tried(door: Door) -> str:
    """What came of it."""
    missing = [program[0] for program in door.programs if shutil.which(program[0]) is None]
    if missing:
        return f"not tried: {missing[0]} is not here"
    running: list[subprocess.Popen[bytes]] = []
    ours = (sys.executable, "-m", "tests.sources.doors", "count", door.source)
    try:
        if not door.first:
            running.append(subprocess.Popen(ours, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        given = None
        for program in door.programs:
            running.append(
                subprocess.Popen(program, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            )
            given = running[-1].stdout
        if door.first:
            time.sleep(1.0)
            running.append(
                subprocess.Popen(ours, cwd=_ROOT, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            )
        reader = running[-1] if door.first else running[0]
        out, errors = reader.communicate(timeout=60)
    finally:
        for process in running:
            process.kill()
            process.wait()
    if reader.returncode or not out:
        return errors.decode(errors="replace").strip().splitlines()[-1][:120]
    came = json.loads(out)
    return f"{came['frames']} pictures of {came['size']}"


if __name__ == "__main__":
    main()
