"""Packets of our own bytes for decoders."""

from __future__ import annotations

from typing import Any

import av


def packet_of(content: bytes) -> av.Packet[Any]:
    """A packet in FFmpeg's own memory.

    One in Python's memory is given back with Python's lock. A decoder's thread may hold the last of it while
    Python, with its lock, takes the decoder apart and waits for that thread: then both wait for ever.
    """
    packet: av.Packet[Any] = av.Packet(len(content))
    if content:
        packet.update(content)
    return packet
