"""What settings are called that belong to a source, a device or a card."""

from __future__ import annotations

from urllib.parse import quote


def scale_key(source: str, width: int, height: int) -> str:
    """Where a scale that was drawn in the pictures of a source is kept."""
    return f"scale/{quote(source, safe='')}_{width}x{height}"


def crop_key(kind: str, width: int, height: int, device: str = "") -> str:
    """Where the region of a device, by `SourceInfo.known_by`, or of a kind of source is kept."""
    return (
        f"crop/{kind}_{quote(device, safe='')}_{width}x{height}"
        if device
        else f"crop/{kind}_{width}x{height}"
    )


def card_key(identity: str, what: str) -> str:
    """Where what was chosen for a card, by its identity, is kept."""
    return f"card/{quote(identity, safe='')}_{what}"
