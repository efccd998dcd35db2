"""Opening video files: nothing but files, and nothing that a file may name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.video.stream import VideoStream

from semc_core.errors import SourceError
from semc_core.io.regular import special_kind
from semc_core.language import _

# Only containers, and only this file: a play list named .mp4 must not make us fetch other files or addresses,
# nor may a text file be drawn as a picture.
CONTAINERS: Final = (
    "mov,mp4,matroska,webm,avi,mpeg,mpegvideo,mpegts,gif,asf,flv,ogg,h264,hevc,m4v,mjpeg,apng,dv,mxf,nut,ivf,"
    "yuv4mpegpipe,vc1,rm,obu,av1"
)
MOST_PIXELS: Final = 1 << 26
"""Of a picture: a decoder holds several, and a file of a few kilobytes can ask for gigabytes."""
_OPTIONS: Final = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}


def check_file(path: Path) -> None:
    """See that `path` is a file: what is none could be waited for without end.

    Raises:
        SourceError: It is not there, may not be looked at, or is something else.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise SourceError(_("{name} was not found; check the name.", name=path.name)) from error
    except (OSError, ValueError) as error:
        raise SourceError(
            _("{name} may not be read; check its name and permissions.", name=path.name)
        ) from error
    what = special_kind(mode)
    if what:
        # Translators: {what} is "a folder", "a pipe", "a socket" or "a device".
        raise SourceError(_("{name} is {what}, not a file; choose a file.", name=path.name, what=_(what)))


def open_container(path: Path, accelerated: HWAccel | None = None) -> InputContainer:
    """Open a video file, and nothing that it may name.

    Args:
        path: The file.
        accelerated: A decoder of the graphics card; errors of its are FFmpeg's.

    Raises:
        SourceError: It is not there, or no video.
    """
    check_file(path)
    try:
        # Else a name with a colon would be taken for an address.
        return av.open(f"file:{path}", options=_OPTIONS, hwaccel=accelerated)
    except FileNotFoundError as error:
        raise SourceError(_("{name} was not found; check the name.", name=path.name)) from error
    except PermissionError as error:
        if accelerated is not None:
            raise
        raise SourceError(_("{name} may not be read; check its permissions.", name=path.name)) from error
    except (av.FFmpegError, OSError, ValueError) as error:
        if accelerated is not None:
            raise
        raise SourceError(
            _(
                "{name} cannot be opened as a video; it is damaged, cut short, or in another format.",
                name=path.name,
            )
        ) from error


def picture_stream(container: InputContainer, name: str) -> VideoStream:
    """The stream of pictures that is shown.

    Raises:
        SourceError: There is none, or its pictures are larger than any that are shown.
    """
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream):
        raise SourceError(_("{name} holds no pictures, only sound or text; choose a video.", name=name))
    try:
        known = stream.codec_context is not None and bool(stream.codec_context.name)
    except (av.FFmpegError, AttributeError, ValueError):
        known = False
    if not known:
        raise SourceError(
            _("{name} holds pictures in a coding that is not known here; export it as MP4.", name=name)
        )
    if stream.width * stream.height > MOST_PIXELS:
        raise SourceError(
            _(
                "{name} holds pictures of {width} x {height}, more than {millions} million pixels; "
                "export it smaller.",
                name=name,
                width=stream.width,
                height=stream.height,
                millions=MOST_PIXELS // 10**6,
            )
        )
    return stream


def is_video(path: Path) -> bool:
    """Whether a file, by what is in it, is a container with pictures."""
    try:
        with open_container(path) as container:
            picture_stream(container, path.name)
    except SourceError:
        return False
    return True
