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


def picture(number: int, kind: str) -> NDArray[np.uint8]:
    """uint8 (H, W), or (H, W, 3) whose colours differ."""
    gray = numbered(number % 256)
    return gray if kind == "gray" else np.stack([gray, gray // 2, 255 - gray], axis=2)


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
        server.send_message(pyigtl.TransformMessage(np.eye(4), timestamp=stamp_s, device_name="Pose"))
        server.send_message(pyigtl.ImageMessage(voxels, timestamp=stamp_s, device_name=DEVICE))
        sent += 1


if __name__ == "__main__":
    send(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
