"""What a simulated capture device does, as a small TOML file says it. See docs/capture.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from semc_core.errors import SourceError, UsageError
from semc_core.io.documents import STRICT, Document, DocumentFault, configured, reason
from semc_core.io.regular import read_regular
from semc_core.io.rules import format_number, within
from semc_core.sources.devices.modes import Mode, parse_wish

_MOST_BYTES: Final = 100_000
_LONGEST_S: Final = 3600
_LONGEST_DELAY_S: Final = 20
_MOST_PIXELS: Final = 7680 * 4320
"""Of one picture: it is drawn anew for each frame."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens when a device has given so many frames.

    Attributes:
        at_frame: Before which frame, counted from 0 over all the times that the device was opened.
        what: "unplug": it is gone, and back after `seconds` under `number`. "hang": its driver answers
            nothing for `seconds`. "fail": `read` gives nothing for `seconds`. "freeze": the picture stands
            still for `seconds`. "no_signal": the card sends a picture of its own for `seconds`. "size": its
            pictures have another size, `mode`, from then on. "sleep": the machine sleeps for `seconds`, which
            takes no time, as clocks of programs stand still meanwhile.
        seconds: How long.
        number: The device's number after it comes back; None keeps it.
        card: What the card sends without a signal: "blue", "black" or "bars".
        text: What is written on that.
        mode: What it sends after "size", "1280x720@30,mjpg".
    """

    at_frame: Annotated[int, within(0)]
    what: Literal["unplug", "hang", "fail", "no_signal", "freeze", "size", "sleep"]
    seconds: Annotated[float, within(0, _LONGEST_S)] = 1.0
    number: Annotated[int, within(0, 63)] | None = None
    card: Literal["blue", "black", "bars"] = "blue"
    text: str = ""
    mode: str = ""


@dataclass(frozen=True, slots=True)
class ScriptedDevice:
    """One device.

    Attributes:
        name: As a driver would say it.
        identity: What it is known by.
        place: See `CaptureDevice`.
        number: Its number at first.
        bus_mbps: Speed of its bus, Mbit/s; None for one that is not known.
        modes: As they are typed, "1920x1080@60,mjpg"; the first is in force when it is opened.
        tells_modes: Whether its driver tells them.
        refuses: What `set` refuses: "format", "size", "rate".
        gives: The mode that it really sends, whatever it was asked for and says; "" is the one in force.
        open_s: How long opening takes, seconds.
        set_s: How long each `set` takes.
        read_s: How long each `read` takes beside waiting for the frame.
        trouble: Why it cannot be opened; "" if it can.
        content: "scan" is a simulated scan in a scanner's screen; "count" a picture that tells its number;
            "ramp" every level from black to white; "circle" a ring; "sweep" an upright bar that moves;
            "clock" the clock of bars (`imaging.bar_clock`) at the time at which the picture was taken.
        content_rate: New pictures per second; a device that sends more repeats them. 0 for as many.
        patient: Of the scan.
        levels: "limited": the scanner's black comes as 16, its white as 235. Uncompressed pictures are
            taken for limited, compressed ones for full, as cards and back ends do.
        screen: Shape of the scanner's screen, "4:3" or "16:9", whatever the mode's is; "" for the mode's.
        buffers: How its driver hands pictures over: "plain"; with unused pixels behind each row ("padded");
            or gray in 16 bits ("gray16").
        interlaced: Whether every second line is of half a frame later.
        delay_s: How old a picture is when it is handed over, seconds: what card and driver take.
        stamps: What the driver says of when a picture was taken: "right"; nothing ("none"); by a clock that
            began with the stream ("other_clock"); or always the same ("still").
        events: What happens to it.
    """

    name: str = "Simulated card"
    identity: str = "simulated-card@port-1"
    place: str = "simulated port 1"
    number: Annotated[int, within(0, 63)] = 0
    bus_mbps: Annotated[float, within(1, 1e6)] | None = 5000.0
    modes: tuple[str, ...] = ("1920x1080@30,mjpg",)
    tells_modes: bool = True
    refuses: tuple[Literal["format", "size", "rate"], ...] = ()
    gives: str = ""
    open_s: Annotated[float, within(0, _LONGEST_S)] = 0.0
    set_s: Annotated[float, within(0, _LONGEST_S)] = 0.0
    read_s: Annotated[float, within(0, _LONGEST_S)] = 0.0
    trouble: Literal["", "missing", "busy", "forbidden", "unknown"] = ""
    content: Literal["scan", "count", "ramp", "circle", "sweep", "clock"] = "scan"
    content_rate: Annotated[float, within(0, 1000)] = 0.0
    patient: Annotated[int, within(0)] = 2007
    levels: Literal["full", "limited"] = "full"
    screen: Literal["", "4:3", "16:9"] = ""
    buffers: Literal["plain", "padded", "gray16"] = "plain"
    interlaced: bool = False
    delay_s: Annotated[float, within(0, _LONGEST_DELAY_S)] = 0.0
    stamps: Literal["none", "right", "other_clock", "still"] = "none"
    events: tuple[Event, ...] = ()


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class Script:
    """The devices of a simulated machine.

    Attributes:
        device: The first is the one that `camera:simulated:SCRIPT` opens.
        version: Of the file's form; 1.
    """

    device: tuple[ScriptedDevice, ...]
    version: Annotated[int, format_number(1)] = 1


ONE_CARD: Final = Script((ScriptedDevice(),))
"""A card of 1920x1080 at 30 frames/s that works."""

SCRIPT: Final = Document(Script, most_bytes=_MOST_BYTES)


def read_script(path: Path) -> Script:
    """The script in a file.

    Raises:
        SourceError: It cannot be read, or is none.
    """
    try:
        script = SCRIPT.parse_toml(read_regular(path))
        for device in script.device:
            changed = [event.mode for event in device.events if event.what == "size"]
            for text in (*device.modes, *([device.gives] if device.gives else []), *changed):
                mode_of(text)
    except (OSError, DocumentFault, UsageError) as error:
        why = str(error) if isinstance(error, UsageError) else reason(error)
        raise SourceError(f"The script {path.name} cannot be used ({why}); see docs/capture.md.") from error
    if not script.device or not all(device.modes for device in script.device):
        raise SourceError(f"The script {path.name} needs a [[device]], and that at least one mode.")
    if len({device.identity for device in script.device}) < len(script.device):
        raise SourceError(f"The script {path.name} has two devices of one identity; give each its own.")
    return script


def mode_of(text: str) -> Mode:
    """The whole mode that `text` says.

    Raises:
        UsageError: It is no mode, leaves something open, or no picture of it can be made.
    """
    wish = parse_wish(text)
    if wish.width is None or wish.height is None or wish.rate is None or wish.fourcc is None:
        raise UsageError(f"a mode of a device needs size, rate and format, not only {text!r}")
    if wish.width * wish.height > _MOST_PIXELS:
        raise UsageError(f"a mode of a simulated device has at most 7680x4320 pixels, not {text!r}")
    if wish.fourcc == "YUYV" and wish.width % 2:
        raise UsageError(f"two pixels of yuyv share their colour: its width is even, not {text!r}")
    return Mode(wish.width, wish.height, wish.rate, wish.fourcc)
