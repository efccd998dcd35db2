"""`make screens`: every page, dialog and state of the window on sheets to be looked at.

They are drawn at every size, in every theme, and in every language; `python -m tests.app.contact_sheets
light de` draws some. The pictures are those of `tests/app/test_any_window.py` and
`tests/app/test_any_language.py`. Of each size there is a sheet with all states, named and small; at the size
of a picture they lie beside it.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.app.conftest import THEME
from tests.app.own_process import ALONE
from tests.app.test_any_language import MIRRORED
from tests.languages import OTHERS

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "build" / "screens"
_WIDE_PX: Final = 480
_MOST_HIGH_PX: Final = 420
_GAP_PX: Final = 12
_NAME_PX: Final = 26
_COLUMNS: Final = 5
_GROUND: Final = (48, 48, 48)
_INK: Final = (235, 235, 235)
_ALL: Final = "tests/app/test_any_window.py::test_nothing_is_at_any_size"
_FEW: Final = "tests/app/test_any_window.py::test_nothing_is_cut_outside_over_another_part_or_faint"
_SPOKEN: Final = "tests/app/test_any_language.py::test_nothing_is_cut_in_any_language"
SHEETS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "single": (_ALL, {"QT_SCALE_FACTOR": "1"}),
    "double": (_ALL, {"QT_SCALE_FACTOR": "2"}),
    "light": (_FEW, {THEME: "light"}),
    "contrast": (_FEW, {THEME: "contrast"}),
    **{code: (f"{_SPOKEN}[{code}]", {}) for code in (*OTHERS, MIRRORED)},
}
"""By the name of their folder: the test that draws them, and what it is told."""


def main() -> int:
    """Draw all, write the sheets, and say where. Returns what the tests of the drawn window returned."""
    worst = 0
    chosen = sys.argv[1:] or list(SHEETS)
    for name in chosen:
        test, told = SHEETS[name]
        pictures = FOLDER / name
        shutil.rmtree(pictures, ignore_errors=True)
        pictures.mkdir(parents=True)
        drawn = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "", test],
            cwd=ROOT,
            env=os.environ
            | {ALONE: "1", "SEMC_LOOKS_PICTURES": str(pictures), "QT_QPA_PLATFORM": "offscreen"}
            | told,
            check=False,
        )
        worst = max(worst, drawn.returncode)
        for sheet in write_sheets(pictures, FOLDER):
            print(sheet.relative_to(ROOT))
    return worst


def write_sheets(pictures: Path, folder: Path) -> list[Path]:
    """A sheet of each size of which there are pictures.

    Args:
        pictures: Folder of PNG files, each named after its state and size: "start_full 960x600.png".
        folder: Where the sheets go, each named after its size and the folder of the pictures.
    """
    of_size: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(pictures.glob("*.png")):
        of_size[path.stem.rpartition(" ")[2]].append(path)
    written = []
    for size, paths in of_size.items():
        written.append(folder / f"{pictures.name} {'smallest' if size == '0x0' else size}.png")
        cv2.imwrite(str(written[-1]), sheet([(path.stem.rpartition(" ")[0], _read(path)) for path in paths]))
    return written


def sheet(named: list[tuple[str, NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    """Pictures, uint8 (H, W, 3), in rows, each under its name, none larger than it is: uint8 (H, W, 3)."""
    small = [(name, _shrunk(picture)) for name, picture in named]
    columns = min(_COLUMNS, len(small))
    rows = [small[first : first + columns] for first in range(0, len(small), columns)]
    heights = [max(picture.shape[0] for _, picture in row) + _NAME_PX + _GAP_PX for row in rows]
    whole = np.full((sum(heights) + _GAP_PX, columns * (_WIDE_PX + _GAP_PX) + _GAP_PX, 3), _GROUND, np.uint8)
    top = _GAP_PX
    for row, high in zip(rows, heights, strict=True):
        for column, (name, picture) in enumerate(row):
            left = _GAP_PX + column * (_WIDE_PX + _GAP_PX)
            cv2.putText(whole, name, (left, top + 18), cv2.FONT_HERSHEY_SIMPLEX, 0.55, _INK, 1, cv2.LINE_AA)
            tall, wide = picture.shape[:2]
            whole[top + _NAME_PX : top + _NAME_PX + tall, left : left + wide] = picture
        top += high
    return whole


def _shrunk(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    tall, wide = picture.shape[:2]
    share = min(1.0, _WIDE_PX / wide, _MOST_HIGH_PX / tall)
    size = (max(1, math.floor(wide * share)), max(1, math.floor(tall * share)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _read(path: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert picture is not None, f"{path} was not drawn"
    return np.asarray(picture, np.uint8)


if __name__ == "__main__":
    sys.exit(main())
