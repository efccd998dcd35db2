"""Packets for decoders lie in FFmpeg's memory: else taking a decoder apart can wait for ever."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import semc_core
from semc_core.io.packets import packet_of

ROOM = Path(semc_core.__file__).parent
MAKERS = ("Packet", "av.Packet", "av.packet.Packet")


@pytest.mark.parametrize("content", [b"", b"\0", bytes(range(256)) * 40])
def test_a_packet_holds_what_it_was_made_of(content: bytes) -> None:
    packet = packet_of(content)
    assert packet.size == len(content)
    assert bytes(packet) == content


def test_no_packet_is_made_of_bytes_anywhere_else() -> None:
    """A frame thread gives Python's memory back with Python's lock: a hang in one of some hundred runs."""
    made = {
        path.relative_to(ROOM).as_posix()
        for path in ROOM.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in MAKERS
    }
    assert made == {"io/packets.py"}
