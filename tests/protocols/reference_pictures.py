"""Makes the pictures of the protocols that come along: `python -m tests.protocols.reference_pictures DATA`.

Those of the liver are of the simulated patient, at the exact pose of each plane; those of the fetus are of
the data set FETAL_PLANES_DB, in the folders `fetal_planes` and `fetal_planes_db` of DATA. Without DATA only
the first are made. `assets/protocols/LICENCE.md` says whose each is.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.phantom.scan import SimulatedScan
from semc_core.phantom.trajectory import standard_poses
from semc_core.protocols.loader import SHIPPED

LIVER: Final = {
    "FHP1": "liver-first-porta-hepatis.jpg",
    "FHP2": "liver-second-porta-hepatis.jpg",
    "LLP": "liver-left-lobe.jpg",
    "RLP": "liver-right-lobe.jpg",
    "LPV-S": "liver-left-portal-vein.jpg",
    "HRP": "liver-hepatorenal.jpg",
}
"""By the name of the plane."""
FETAL: Final = {
    "fetal-head-thalami.jpg": "fetal_planes_db/Patient01238_Plane3_1_of_3.jpg",
    "fetal-head-cerebellum.jpg": "fetal_planes_db/Patient01377_Plane3_2_of_2.jpg",
    "fetal-four-chambers.jpg": "fetal_planes/Patient00305_Plane6_1_of_3.png",
    "fetal-abdomen.jpg": "fetal_planes_db/Patient00751_Plane2_1_of_1.jpg",
    "fetal-femur.jpg": "fetal_planes_db/Patient01060_Plane5_1_of_2.jpg",
    "fetal-cervix.jpg": "fetal_planes_db/Patient00098_Plane4_1_of_1.jpg",
}
"""Where each is in DATA."""
SEED: Final = 2007
_WIDTH: Final = 480
_QUALITY: Final = 82


def liver(plane: str) -> NDArray[np.uint8]:
    """Gray, uint8 (360, 480): a plane of the simulated patient, as it is stored."""
    scan = SimulatedScan(SEED, seconds=1.0, furniture=False)
    return scaled(scan.at_pose(standard_poses(scan.anatomy)[plane], noise_seed=1))


def scaled(gray: NDArray[np.uint8], width: int = 0, height: int = 0) -> NDArray[np.uint8]:
    """uint8 (h, 480): as large as it is stored; width and height in pixels are those that it had at first."""
    rows, columns = gray.shape
    high = round(_WIDTH * (height or rows) / (width or columns))
    return np.asarray(cv2.resize(gray, (_WIDTH, high), interpolation=cv2.INTER_AREA), np.uint8)


def _fetal(data: Path, name: str) -> NDArray[np.uint8]:
    folder, file = name.split("/")
    gray = cv2.imread(str(data / name), cv2.IMREAD_GRAYSCALE)
    if gray is None:
        raise SystemExit(f"{name} is not in {data}.")
    with (data / folder / "index.csv").open(encoding="utf-8", newline="") as index:
        row = next(each for each in csv.DictReader(index) if each["file"] == file)
    # Most pictures of this copy were stretched to a square.
    size = (int(row.get(f"original_{side}") or 0) for side in ("width", "height"))
    return scaled(np.asarray(gray, np.uint8), *size)


def _write(name: str, gray: NDArray[np.uint8]) -> None:
    done, content = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done
    (SHIPPED / name).write_bytes(content.tobytes())
    print(name, gray.shape, len(content))


def main() -> None:
    """Make them."""
    for plane, name in LIVER.items():
        _write(name, liver(plane))
    for data in map(Path, sys.argv[1:]):
        for name, where in FETAL.items():
            _write(name, _fetal(data, where))


if __name__ == "__main__":
    main()
