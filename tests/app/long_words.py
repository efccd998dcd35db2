"""What is shown in every state of the window: many planes, and names longer than anybody would think of."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from app.checklist.presenter import ChecklistRow, ChecklistView
from semc_core.protocols.checklist import Status
from semc_core.types import SavedPlane

LONG: Final = (
    "A name that is longer than anybody would have thought of, as the department of ultrasound of a large "
    "hospital gives it"
)
PLANES: Final = ("FHP1", "FHP2", "LLP", *(f"PLANE{number}" for number in range(1, 13)))


def planes(count: int) -> tuple[SavedPlane, ...]:
    """Saved planes of a scan."""
    small = np.full((60, 80), 90, np.uint8)
    return tuple(
        SavedPlane(
            i + 1, PLANES[i % len(PLANES)], 0.93, 10 * i, 61.5 * i, 60.0 * i, 62.0 * i, i % 3 > 0, i % 4 == 0,
            Path(f"{i:03d}.png") if i % 5 else None, small,
        )
        for i in range(count)
    )  # fmt: skip


def checklist(rows: int) -> ChecklistView:
    """A checklist with every status, and one item with a long name."""
    kinds = list(Status)
    items = tuple(
        ChecklistRow(f"i{i}", LONG[: 20 + 9 * i], kinds[i % len(kinds)], "93%", LONG) for i in range(rows)
    )
    return ChecklistView(
        f"Mid-trimester: {LONG}",
        f"3 / {rows}",
        0.4,
        "3 of them",
        items,
        "The model does not know two of them.",
    )


# The states, in the order in which they are shown.
