"""Draw the pictures of docs/phantom.md: `python docs/phantom/draw.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2

from semc_core.phantom.scan import SimulatedScan

_SEED: Final = 7
_SCREEN_FRAME: Final = 90


def main() -> None:
    """Write one picture per plane, and one whole screen, beside this script."""
    folder = Path(__file__).parent
    scan = SimulatedScan(_SEED, width=480, height=360, furniture=False)
    pictures = {name: scan.at_pose(pose) for name, pose in scan.path.planes.items()}
    pictures["screen"] = SimulatedScan(_SEED, width=480, height=360).frame(_SCREEN_FRAME)
    for name, picture in pictures.items():
        if not cv2.imwrite(str(folder / f"{name}.png"), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9]):
            raise SystemExit(f"{name}.png could not be written: check that {folder} can be written to.")


if __name__ == "__main__":
    main()
