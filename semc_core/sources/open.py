"""Decides by what the user typed which source it is; the only place that does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from semc_core.errors import SourceError, UsageError
from semc_core.io.regular import is_folder
from semc_core.language import _
from semc_core.picture_options import AS_IT_IS, PictureOptions
from semc_core.sources.base import FrameSource
from semc_core.sources.seek.base import SeekableSource

if TYPE_CHECKING:
    from semc_core.sources.accelerated import Decode
    from semc_core.sources.devices.base import CaptureDevice, DeviceSystem
    from semc_core.sources.raw.tap import RawTap

Images = Literal["auto", "stills", "loop"]
STREAM_SCHEMES: Final = ("udp", "rtp", "rtsp", "rtsps", "http", "https", "tcp", "srt", "rtmp", "igtl")


def open_source(
    text: str,
    *,
    seconds: float | None = None,
    width: int | None = None,
    height: int | None = None,
    frame_rate: float | None = None,
    images: Images = "auto",
    mode: str | None = None,
    options: PictureOptions = AS_IT_IS,
    tap: RawTap | None = None,
    decode: Decode = "auto",
) -> FrameSource:
    """Open what `text` names.

    Args:
        text: "simulated", "simulated:SEED", "camera", "camera:INDEX", "camera:IDENTITY", "camera:NAME",
            "camera:simulated", "camera:simulated:SCRIPT" (see docs/capture.md), an address such as
            "udp://:5000", "NAME://ADDRESS" of a plug-in, "pipe:" (standard input), "tap:FILE" (what a raw
            tap wrote), a folder of images, or a file.
        seconds: Length of a simulated scan; None never ends.
        width: Wanted of a camera or the simulated scan, pixels; None leaves it to them.
        height: As `width`.
        frame_rate: Wanted of a camera, the simulated scan or a folder of images, frames per second.
        images: What images without a frame rate are: "loop", the frames of one scan; "stills", pictures that
            have nothing to do with each other; or "auto": by their names and sizes, see
            `images.are_stills`.
        mode: Wanted of a camera, as `modes.parse_wish` reads it; goes before width, height and rate.
        options: How its pictures are read.
        tap: Takes what comes of a camera or a stream as well, undecoded.
        decode: What decodes a video file, see `accelerated.open_to_decode`.

    Raises:
        UsageError: The mode cannot be read.
        SourceError: It cannot be opened; the message says why.
    """
    word, _colon, rest = text.partition(":")
    if word == "simulated":
        return _simulated(rest, seconds, (width or 640, height or 480, frame_rate or 30.0), options)
    if word == "camera":
        from semc_core.sources.devices.modes import Wish, parse_wish
        from semc_core.sources.live.camera import CameraSource

        wish = Wish(width, height, frame_rate) if mode is None else parse_wish(mode)
        which, system = _card(rest)
        return CameraSource(which, wish, options, system=system, tap=tap)
    if "://" in text:
        if word.lower() not in STREAM_SCHEMES:
            from semc_core.sources.plugged import open_plugged

            if (plugged := open_plugged(text, options)) is not None:
                return plugged
            known = ", ".join(STREAM_SCHEMES)
            raise SourceError(
                _(
                    "Addresses that begin with {word}:// are not supported; use one of {known}.",
                    word=word,
                    known=known,
                )
            )
        from semc_core.sources.live.stream import StreamSource

        return StreamSource(text, options, tap=tap)
    if text == "pipe:":
        from semc_core.sources.live.stream import STANDARD_INPUT, StreamSource

        return StreamSource(STANDARD_INPUT, options, tap=tap)
    if word == "tap":
        from semc_core.sources.raw.replay import TapSource

        return TapSource(Path(rest).expanduser(), options)
    return _from_disk(Path(text).expanduser(), frame_rate, images, options, decode)


def check_mode(text: str, mode: str | None) -> None:
    """Before anything is opened: whether what `text` names can be asked for this mode, None for none.

    Raises:
        UsageError: It is no camera, or the mode cannot be read.
    """
    if mode is None:
        return
    from semc_core.sources.devices.modes import parse_wish

    parse_wish(mode)
    if text.partition(":")[0] != "camera":
        raise UsageError("Only a camera or capture card has modes; leave --mode out, or choose camera:0.")


def path_of(text: str) -> Path | None:
    """The file or folder that `text` names, absolute; None where it names anything else."""
    if text.partition(":")[0] in ("simulated", "camera", "tap") or "://" in text or text == "pipe:":
        return None
    return Path(text).expanduser().absolute()


def find_card(text: str) -> tuple[CaptureDevice, DeviceSystem] | None:
    """The camera or capture card that `text` names, and where it is; None where it names something else.

    Nothing is opened.

    Raises:
        SourceError: No such device, or several.
    """
    word, _colon, rest = text.partition(":")
    if word != "camera":
        return None
    from semc_core.sources.devices.find import find_device

    which, system = _card(rest)
    return find_device(which, system), system


def remembered_by(text: str) -> str:
    """Under what the choices for the card or stream that `text` names are kept; "" of anything else.

    A card's identity; a stream's address without user name, password and query.

    Raises:
        SourceError: No such device, or several; or no address.
    """
    if "://" in text:
        from semc_core.sources.live.address import public_name

        return public_name(text)
    found = find_card(text)
    return "" if found is None else found[0].identity


def _card(rest: str) -> tuple[str, DeviceSystem]:
    """What a device is named by, and the machine that has it."""
    from semc_core.sources.devices.find import this_system

    word, _colon, script = rest.partition(":")
    if word != "simulated":
        return rest, this_system()
    from semc_core.sources.devices.script import ONE_CARD, read_script
    from semc_core.sources.devices.simulated import SimulatedDevices

    machine = read_script(Path(script).expanduser()) if script else ONE_CARD
    return machine.device[0].identity, SimulatedDevices(machine)


def _simulated(
    seed: str, seconds: float | None, form: tuple[int, int, float], options: PictureOptions
) -> FrameSource:
    from semc_core.sources.simulated import SimulatedSource

    if seed and not seed.isdecimal():
        raise SourceError(
            _("The simulated patient's number must be a whole number, not {seed}.", seed=repr(seed))
        )
    return SimulatedSource(int(seed or 7), seconds, *form, options=options)


def _from_disk(
    path: Path, frame_rate: float | None, images: Images, options: PictureOptions, decode: Decode
) -> FrameSource:
    from semc_core.sources.images import open_images
    from semc_core.sources.kinds import kind_of

    if is_folder(path):
        return open_images(path, frame_rate, images, options)
    kind = kind_of(path)
    if kind == "tap":
        from semc_core.sources.raw.replay import TapSource

        return TapSource(path, options)
    if kind == "dicom":
        from semc_core.sources.dicom import DicomSource

        return DicomSource(path, options)
    if kind == "picture":
        return open_images(path, frame_rate, images, options)
    from semc_core.sources.video import VideoSource

    return VideoSource(path, options, decode)


def open_seekable(
    path: Path,
    frame_rate: float | None = None,
    images: Images = "auto",
    options: PictureOptions = AS_IT_IS,
) -> SeekableSource:
    """Open a video, a DICOM loop, a folder of images or one image for reading at random.

    Args:
        path: The file or folder.
        frame_rate: Of a folder of images, frames per second.
        images: See `open_source`.
        options: How its pictures are read.

    Raises:
        SourceError: It cannot be opened; the message says why.
    """
    from semc_core.sources.dicom import DicomSource
    from semc_core.sources.images import StoredPictures
    from semc_core.sources.seek.stills import SeekableLoop
    from semc_core.sources.seek.video import SeekableVideo
    from semc_core.sources.video import VideoSource

    path = path.expanduser().absolute()
    source = open_source(str(path), frame_rate=frame_rate, images=images, options=options)
    if isinstance(source, DicomSource | StoredPictures):
        return SeekableLoop(source)
    info = source.info
    source.close()
    if not isinstance(source, VideoSource):
        raise SourceError(
            _("{name} cannot be reviewed; choose a video, a DICOM file or images.", name=info.source_id)
        )
    return SeekableVideo(path, info, options=options)
