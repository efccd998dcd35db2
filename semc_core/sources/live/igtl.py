"""A connection with a sender of OpenIGTLink, as PLUS and 3D Slicer are: its pictures as they come."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import unquote, urlsplit

import numpy as np

from semc_core.errors import SourceError
from semc_core.language import _, joined
from semc_core.picture_options import PictureOptions
from semc_core.pose import Pose
from semc_core.sources.frames.live_frames import Received
from semc_core.sources.live.igtl_messages import (
    HEAD_BYTES,
    IMAGE,
    DamagedMessage,
    Head,
    NotOpenIgtLink,
    RawPicture,
    UnusablePicture,
    read_head,
    read_picture,
)
from semc_core.sources.live.igtl_poses import KINDS, MOST_BYTES, Poses, as_shown
from semc_core.sources.raw.packet_decoder import PacketDecoder
from semc_core.sources.raw.records import Coding, Raw
from semc_core.sources.raw.tap import RawTap

SCHEME: Final = "igtl"
_PORT: Final = 18944
_CHUNK: Final = 1 << 16
_MOST_DAMAGED: Final = 100
"""Messages, one after the other, before the sender counts as broken."""
_MOST_PASSED: Final = 5
"""Kinds of messages that are remembered, to tell what came in the place of pictures."""
_MESSAGE_S: Final = 5.0
"""How long one message may take to come, from its first byte on."""
_UNUSABLE_S: Final = 1.0
"""So long after a picture that cannot be shown another is waited for at the beginning."""
_TICK: Final = (1, 1_000_000)
_FORMATS: Final = {1: "gray", 3: "rgb24"}
_MOST_OFF_S: Final = 5.0


class IgtlConnection:
    """An open connection. Used by one thread.

    Pictures of one device are taken: that which the address names, "igtl://host:port/DEVICE", or the first
    that sends one. Poses go along with its pictures (`igtl_poses`); all other messages are passed over.

    Attributes:
        rate: None: a sender does not announce it.
        has_end: False: a live picture has none.
        told: What the user should know of its pictures, or "".
    """

    rate = None
    has_end = False

    def __init__(
        self,
        url: str,
        name: str,
        timeouts_s: tuple[float, float],
        options: PictureOptions,
        tap: RawTap | None = None,
    ) -> None:
        """Open it; as `connection.Connection`.

        Raises:
            SourceError: It cannot be opened; the sentence says why.
        """
        self._name, (self._open_s, self._silence_s) = name, timeouts_s
        self._options, self._tap = options, tap
        self._opening = 0 if tap is None else tap.opening()
        self._decoder: PacketDecoder | None = None
        self._coding: Coding | None = None
        self._clock = StampClock()
        self._base_s = 0.0
        self._began = False
        self._poses = Poses()
        self._posed: dict[float, tuple[tuple[Pose, ...], tuple[int, int]]] = {}
        self._passed: set[str] = set()
        self._unusable = ""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or _PORT
        except ValueError as error:
            raise SourceError(
                _("The address {name} is none; type such as igtl://HOST:{port}.", name=name, port=_PORT)
            ) from error
        if not host:
            raise SourceError(
                _(
                    "The address {name} names no computer; type such as igtl://HOST:{port}.",
                    name=name,
                    port=_PORT,
                )
            )
        self._device = unquote(parts.path.strip("/"))
        try:
            self._socket = socket.create_connection((host, port), self._open_s)
        except OSError as error:
            raise SourceError(_why_not_opened(name, host, error, self._open_s)) from None

    @property
    def told(self) -> str:
        """See the class."""
        unusable = ""
        if self._unusable:
            unusable = _("{name} sends {kinds}; those are left out.", name=self._name, kinds=self._unusable)
        decoded = "" if self._decoder is None else self._decoder.told
        return joined((unusable, decoded))

    def received(self) -> Iterator[Received | None]:
        """Pictures as they come, and None where a message gave none; ends where the sender ends.

        Raises:
            SourceError: It broke off, or sends nothing that can be shown; the sentence says why.
        """
        damaged, until_s = 0, time.monotonic() + self._open_s
        while (head := self._head()) is not None:
            try:
                picture = self._picture(head)
                damaged = 0
            except DamagedMessage:
                damaged, picture = damaged + 1, None
                if damaged == _MOST_DAMAGED:
                    raise SourceError(
                        _("{name} sends damaged data; check the sender.", name=self._name)
                    ) from None
            except UnusablePicture as unusable:
                picture = None
                if not self._unusable:
                    self._unusable = f"pictures {unusable}"
                if self._coding is None:
                    until_s = min(until_s, time.monotonic() + _UNUSABLE_S)
            if picture is not None:
                yield from self._shown(picture, head)
                until_s = time.monotonic() + self._silence_s
            elif time.monotonic() > until_s:
                raise SourceError(self._why_nothing() if self._coding is None else _no_more(self._name))
            yield None

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def _head(self) -> Head | None:
        """The next one; None where the sender ended."""
        content = bytearray(HEAD_BYTES)
        if not self._fill(content, self._open_s if self._coding is None else self._silence_s):
            return None
        self._began = True
        try:
            return read_head(content)
        except NotOpenIgtLink:
            raise SourceError(
                _(
                    "{name} sends something else than OpenIGTLink's messages; check port and sender.",
                    name=self._name,
                )
            ) from None

    def _picture(self, head: Head) -> RawPicture | None:
        """That of a message; None where it is another message."""
        if head.kind != IMAGE or (self._device and head.device != self._device):
            if len(self._passed) < _MOST_PASSED:
                self._passed.add(head.kind if head.kind != IMAGE else f"IMAGE of {head.device}")
            self._take_pose(head)
            return None
        body = bytearray(head.size)
        if not self._fill(body, _MESSAGE_S):
            raise SourceError(_ended_within(self._name))
        picture = read_picture(head, body)
        self._device = self._device or head.device
        return picture

    def _take_pose(self, head: Head) -> None:
        """That of a message, if it has one."""
        if head.kind not in KINDS or head.size > MOST_BYTES:
            if head.kind in KINDS:
                self._poses.left_out("its message is too long")
            self._pass_over(head.size)
            return
        body = bytearray(head.size)
        if not self._fill(body, _MESSAGE_S):
            raise SourceError(_ended_within(self._name))
        self._poses.take(head, body, time.monotonic())

    def _shown(self, picture: RawPicture, head: Head) -> Iterator[Received]:
        now_s = time.monotonic()
        time_s = self._clock.time_of(head.stamp_s, now_s)
        coding = Coding(
            kind="packet", codec="rawvideo", width=picture.width, height=picture.height, time_base=_TICK,
            pixel_format=_FORMATS[picture.channels], opening=self._opening,
        )  # fmt: skip
        if self._decoder is None or coding != self._coding:
            self._coding, self._decoder = coding, PacketDecoder(coding, self._options)
            # A decoder that was made anew counts from its own first picture.
            self._base_s = time_s
        pts = round(time_s * _TICK[1])
        raw = Raw(coding, now_s, np.frombuffer(picture.data, np.uint8), key=True, pts=pts, dts=pts)
        if self._tap is not None:
            self._tap.keep(raw)
        posed = self._poses.with_picture(picture, head, now_s), (picture.width, picture.height)
        # A picture without combs comes out one later than it came in.
        self._posed = {**dict(list(self._posed.items())[-1:]), now_s: posed}
        for received in self._decoder.pictures(raw):
            yield replace(received, pts_s=self._base_s + received.pts_s, poses=self._poses_of(received))

    def _poses_of(self, received: Received) -> tuple[Pose, ...]:
        poses, sent = self._posed.get(received.captured_s, ((), (1, 1)))
        shown = received.picture.width, received.picture.height
        return as_shown(poses, sent, shown, self._options.flip)

    def _fill(self, content: bytearray, limit_s: float) -> bool:
        """Read so many bytes. Returns False where the sender ended before the first.

        Raises:
            SourceError: It ended or fell silent, or they do not come in time.
        """
        rest, until_s = memoryview(content), time.monotonic() + limit_s
        while rest:
            got = self._receive(rest, until_s)
            if not got:
                if len(rest) == len(content):
                    return False
                raise SourceError(_ended_within(self._name))
            if len(rest) == len(content):
                until_s = time.monotonic() + _MESSAGE_S
            rest = rest[got:]
        return True

    def _pass_over(self, size: int) -> None:
        """Read what is not wanted. Raises SourceError as `_fill`."""
        scratch, until_s = memoryview(bytearray(min(size, _CHUNK))), time.monotonic() + _MESSAGE_S
        while size:
            got = self._receive(scratch[:size], until_s)
            if not got:
                raise SourceError(_ended_within(self._name))
            size -= got

    def _receive(self, place: memoryview, until_s: float) -> int:
        left_s = until_s - time.monotonic()
        try:
            if left_s <= 0:
                raise TimeoutError
            self._socket.settimeout(left_s)
            return self._socket.recv_into(place)
        except TimeoutError:
            if not self._began:
                raise SourceError(
                    _(
                        "{name} accepts the connection and sent nothing within {seconds} s; start the "
                        "picture on the sender.",
                        name=self._name,
                        seconds=f"{self._open_s:g}",
                    )
                ) from None
            raise SourceError(
                _(
                    "{name} broke off: nothing whole has come for seconds; check the sender and the network.",
                    name=self._name,
                )
            ) from None
        except OSError:
            raise SourceError(
                _("{name} broke off; check the sender and the network.", name=self._name)
            ) from None

    def _why_nothing(self) -> str:
        if self._unusable:
            return _(
                "{name} sends {kinds}; let the sender send pictures of 8 bits, gray or RGB, of one slice.",
                name=self._name,
                kinds=self._unusable,
            )
        if not self._passed:
            return _(
                "{name} sends nothing whole, and no picture that is wanted; check what the sender sends.",
                name=self._name,
            )
        return _(
            "{name} sends {messages}, and no picture that is wanted; check what the sender sends.",
            name=self._name,
            messages=", ".join(sorted(self._passed)),
        )


class StampClock:
    """Times of pictures by their sender's stamps, as long as those go along with their arrival."""

    def __init__(self) -> None:
        self._begun_s: float | None = None
        self._ahead_s = self._last_s = 0.0

    def time_of(self, stamp_s: float, now_s: float) -> float:
        """Seconds since the first picture, never fewer than before; by arrival where a stamp makes no sense.

        Args:
            stamp_s: By the sender's clock.
            now_s: When it came, `time.monotonic()`.
        """
        if self._begun_s is None:
            self._begun_s, self._ahead_s = now_s, stamp_s
        came_s = now_s - self._begun_s
        time_s = stamp_s - self._ahead_s
        if not (stamp_s and abs(time_s - came_s) < _MOST_OFF_S and (time_s > self._last_s or not came_s)):
            time_s, self._ahead_s = came_s, stamp_s - came_s
        self._last_s = max(self._last_s, time_s)
        return self._last_s


def _no_more(name: str) -> str:
    return _(
        "{name} broke off: no picture has come for seconds, only other messages; check the sender.", name=name
    )


def _ended_within(name: str) -> str:
    return _("{name} ended within a message; check the sender and the network.", name=name)


def _why_not_opened(name: str, host: str, error: OSError, timeout_s: float) -> str:
    if isinstance(error, ConnectionRefusedError):
        return _(
            "{name} refuses the connection; check that the sender is on and the port is right.", name=name
        )
    if isinstance(error, socket.gaierror):
        return _(
            "No computer is called {host} in this network; check the address of {name}.", host=host, name=name
        )
    if isinstance(error, TimeoutError):
        return _(
            "Nothing came from {name} within {seconds} s; check that the sender is on.",
            name=name,
            seconds=f"{timeout_s:g}",
        )
    return _("{name} cannot be reached; check the address and the network.", name=name)
