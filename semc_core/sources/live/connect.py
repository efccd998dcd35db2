"""Connections with senders of network streams, by the kind of their address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol
from urllib.parse import urlsplit

from semc_core.picture_options import PictureOptions
from semc_core.sources.frames.live_frames import Received
from semc_core.sources.live.connection import Connection
from semc_core.sources.live.igtl import SCHEME, IgtlConnection
from semc_core.sources.raw.tap import RawTap


class StreamConnection(Protocol):
    """What a network stream is read from; see `connection.Connection`."""

    @property
    def rate(self) -> float | None:
        """Frames per second that the sender announces."""
        ...

    @property
    def has_end(self) -> bool:
        """Whether it is no live picture."""
        ...

    @property
    def told(self) -> str:
        """What the user should know of its pictures, or ""."""
        ...

    def received(self) -> Iterator[Received | None]:
        """Pictures as they come."""
        ...

    def close(self) -> None:
        """End it."""
        ...


def connect(
    url: str,
    name: str,
    timeouts_s: tuple[float, float],
    options: PictureOptions,
    tap: RawTap | None = None,
) -> StreamConnection:
    """Open one; as `connection.Connection`, whose errors it raises."""
    if urlsplit(url).scheme.lower() == SCHEME:
        return IgtlConnection(url, name, timeouts_s, options, tap)
    return Connection(url, name, timeouts_s, options, tap)
