"""Draw the pictures of docs/phantom.md: `python docs/phantom/draw.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from semc_core.phantom.neighbours import WAYS, beside, offset_of
from semc_core.phantom.scan import SimulatedScan

_SEED: Final = 7
_SCREEN_FRAME: Final = 90
_OFFS: Final = (-15.0, -5.0, 0.0, 5.0, 15.0)


def main() -> None:
    """Write one picture per plane, one whole screen, and neighbours of a plane, beside this script."""
    folder = Path(__file__).parent
    scan = SimulatedScan(_SEED, width=480, height=360, furniture=False)
    pictures = {name: scan.at_pose(pose) for name, pose in scan.path.planes.items()}
    pictures["screen"] = SimulatedScan(_SEED, width=480, height=360).frame(_SCREEN_FRAME)
    small = SimulatedScan(_SEED, width=240, height=180, furniture=False)
    plane = small.path.planes["FHP1"]
    rows = [[small.at_pose(beside(plane, small.anatomy, offset_of(way, by))) for by in _OFFS] for way in WAYS]
    pictures["neighbours"] = np.vstack([np.hstack(row) for row in rows])
    for name, picture in pictures.items():
        if not cv2.imwrite(str(folder / f"{name}.png"), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9]):
            raise SystemExit(f"{name}.png could not be written: check that {folder} can be written to.")


if __name__ == "__main__":
    main()
