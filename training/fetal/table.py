"""The figures of the runs as the table of the model's card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from training.fetal.pictures import COUNTRIES

_PLANES: Final = ("abdomen", "brain", "thorax", "femur")
_HEAD: Final = (
    "left out", "pictures", "four planes named right", *_PLANES, "three brain planes",
    "calibration error", "none called a plane",
)  # fmt: skip


def lines_of(figures: dict[str, Any]) -> Iterator[str]:
    """Lines in Markdown of what `publish.tell_of` gives."""
    yield _line(_HEAD)
    yield _line(["---"] * len(_HEAD))
    for run, told in figures["runs"].items():
        yield _line(
            (
                run if run in COUNTRIES else f"Spain and HC18, fifth {int(run[-1]) + 1}",
                str(told["pictures"]),
                _with_interval(told["four planes"]),
                *(_share(told["by plane"].get(plane)) for plane in _PLANES),
                _with_interval(told.get("three brain planes")),
                f"{told['calibration error'][0]:.3f}",
                _with_interval(told["without a fetus, at that level"]),
            )
        )


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _share(estimate: list[float] | None) -> str:
    return "-" if estimate is None else f"{100 * estimate[0]:.1f} %"


def _with_interval(estimate: list[float] | None) -> str:
    if estimate is None:
        return "-"
    value, low, high = (100 * each for each in estimate)
    return f"{value:.1f} % ({low:.1f} to {high:.1f})"
