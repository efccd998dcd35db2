"""Sends numbered pictures by OpenIGTLink until it is killed. Typed after it: port, kind, first number."""

from __future__ import annotations

import sys
import time

import numpy as np
import pyigtl
from numpy.typing import NDArray

from tests.sources.capture_clips import numbered

RATE = 25
DEVICE = "Probe"
TRANSFORM = "ProbeToTracker"


def picture(number: int, kind: str) -> NDArray[np.uint8]:
    """uint8 (H, W), or (H, W, 3) whose colours differ."""
    gray = numbered(number % 256)
    return gray if kind == "gray" else np.stack([gray, gray // 2, 255 - gray], axis=2)


def placed(number: int) -> NDArray[np.float64]:
    """From pixels of a picture to millimetres, float (4, 4): 0.2 x 0.3 mm a pixel, and turned."""
    return turned(number, 10, -20, number) @ np.diag([0.2, 0.3, 1.0, 1.0])


def turned(number: int, *place_mm: float) -> NDArray[np.float64]:
    """A rotation about two axes, float (4, 4), and a place."""
    (s, c), (t, d) = ((np.sin(angle), np.cos(angle)) for angle in (number / 100, number / 70))
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, d, -t], [0, t, d]]
    )
    matrix[:3, 3] = place_mm
    return matrix


def send(port: int, kind: str, first: int) -> None:
    """Number after number, with poses between them, each stamped as if made at its own time."""
    server = pyigtl.OpenIGTLinkServer(port=port, local_server=True)
    begun_s, sent = time.time(), 0
    while True:
        time.sleep(1 / RATE)
        if not server.is_connected():
            continue
        stamp_s = begun_s + sent / RATE
        voxels = picture(first + sent, kind)[None]
        probe, place = turned(first + sent, 1, 2, 3), placed(first + sent)
        server.send_message(pyigtl.TransformMessage(probe, timestamp=stamp_s, device_name=TRANSFORM))
        server.send_message(pyigtl.ImageMessage(voxels, place, "ras", timestamp=stamp_s, device_name=DEVICE))
        sent += 1


if __name__ == "__main__":
    send(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
