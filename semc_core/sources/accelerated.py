"""Decoding by the graphics card, where the user asks for it and there is one that can.

The CPU stays the default. Its decoders mark what is damaged; those of graphics cards mend it without a word,
so a frame that is wrong there would pass as whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import av
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.container import InputContainer

from semc_core.language import _
from semc_core.sources.containers import open_container, picture_stream

Decode = Literal["auto", "cpu", "gpu"]

_KINDS: Final = ("cuda", "videotoolbox", "d3d11va", "vaapi", "qsv", "drm")
"""Ways to a decoder, the most capable first; which of them there are, the video library says."""


def open_to_decode(path: Path, decode: Decode) -> tuple[InputContainer, str]:
    """Open a video file, with a decoder of the graphics card where one is wanted.

    Args:
        path: The file.
        decode: "gpu" takes the graphics card; "auto" and "cpu" the CPU.

    Returns:
        The container, and what was done instead of what was asked for: a sentence, or "".

    Raises:
        SourceError: It is not there, or no video.
    """
    plain = open_container(path)
    if decode != "gpu":
        return plain, ""
    try:
        codec = picture_stream(plain, path.name).codec_context.name
    except BaseException:
        plain.close()
        raise
    for kind in (each for each in _KINDS if each in hwdevices_available()):
        found = _with(path, kind)
        if found is not None:
            plain.close()
            return found, _("Decoded by the graphics card: damaged frames are not found out there.")
    return plain, _("No graphics card that decodes {codec} is there: the CPU decodes.", codec=codec)


def _with(path: Path, kind: str) -> InputContainer | None:
    """The file with a decoder of this kind; None if there is none for it."""
    try:
        container = open_container(path, HWAccel(kind, allow_software_fallback=False))
    except (av.FFmpegError, OSError, ValueError, RuntimeError, NotImplementedError):
        return None
    if container.streams.video[0].codec_context.is_hwaccel:
        return container
    container.close()
    return None
