"""How well the quality score judges: `python -m training.quality pictures|scans|time`.

* pictures: real planes, made worse by known amounts. Does the score fall at every step, and is the first
  reason at the worst the right one?
* scans: simulated scans, whose distance from the planes is known. Does the score tell standard frames?
* time: processor time of a frame.

docs/quality.md has what it said.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.groups.bootstrap import GroupDraws, area_under_roc
from semc_core.imaging.preprocess import whole
from semc_core.imaging.region.find import Region, find_region
from semc_core.imaging.score.measures import measure, shrink
from semc_core.imaging.score.parts import (
    ASIDE,
    BLURRED,
    BRIGHT,
    CUT,
    DARK,
    MOTION,
    PALE,
    SHADOW,
    SMALL,
    Reason,
    Score,
    score,
)

Gray = NDArray[np.uint8]
DATA: Final = Path("..") / "shared" / "data" / "fetal_planes"


def gain(gray: Gray, amount: float) -> Gray:
    """Every gray level times `amount`, cut at white."""
    return cast("Gray", np.clip(gray.astype(np.float32) * amount, 0, 255).astype(np.uint8))


def too_much_gain(gray: Gray, amount: float) -> Gray:
    """So much gain that the brightest hundredth of the picture is `amount` times white.

    By a fixed factor a dark picture would only become a better one.
    """
    return gain(gray, amount * 255 / max(1.0, float(np.percentile(gray, 99))))


def blurred(gray: Gray, amount: float) -> Gray:
    """A Gaussian blur; `amount` is its standard deviation as a share of the longer side."""
    return cv2.GaussianBlur(gray, (0, 0), amount * max(gray.shape)).astype(np.uint8)


def paler(gray: Gray, amount: float) -> Gray:
    """Gray levels nearer to their mean: `amount` is how much of the difference is left."""
    level = gray.astype(np.float32)
    return cast("Gray", np.clip(level.mean() + (level - level.mean()) * amount, 0, 255).astype(np.uint8))


def shifted(gray: Gray, amount: float) -> Gray:
    """Moved to the right, out of the picture, by a share of its width; black comes after it."""
    moved = np.array([[1, 0, amount * gray.shape[1]], [0, 1, 0]], np.float32)
    return cv2.warpAffine(gray, moved, gray.shape[::-1]).astype(np.uint8)


def zoomed(gray: Gray, amount: float) -> Gray:
    """Larger (`amount` above 1, cut at the edges) or smaller (black round it), about the middle."""
    height, width = gray.shape
    around = cv2.getRotationMatrix2D((width / 2, height / 2), 0, amount)
    method = cv2.INTER_AREA if amount < 1 else cv2.INTER_LINEAR
    return cv2.warpAffine(gray, around, (width, height), flags=method).astype(np.uint8)


def shaded(gray: Gray, amount: float) -> Gray:
    """A shadow from near the probe to the bottom, there as wide as `amount` of the picture."""
    height, width = gray.shape
    light = np.ones(gray.shape, np.float32)
    middle, half = 0.4 * width, amount * width / 2
    corners = [[-half / 2, 0.1], [half / 2, 0.1], [half, 1.0], [-half, 1.0]]
    wedge = np.array([[middle + across, down * height] for across, down in corners], np.int32)
    cv2.fillPoly(light, [wedge], 0.1)
    return (gray * cv2.GaussianBlur(light, (0, 0), 0.01 * width)).astype(np.uint8)


def swept(gray: Gray, amount: float) -> Gray:
    """Moved by a share of its width while the frame was taken: smeared over the way, and elsewhere after."""
    way = max(1, round(amount * gray.shape[1]))
    return shifted(cv2.blur(gray, (way, 1)).astype(np.uint8), amount)


@dataclass(frozen=True, slots=True)
class Degradation:
    """A way in which a picture gets worse.

    Attributes:
        name: For the table.
        make: Of the picture and an amount.
        amounts: Step by step worse.
        reasons: Any of these is the right one.
        follows: The undegraded picture is the frame before.
    """

    name: str
    make: Callable[[Gray, float], Gray]
    amounts: tuple[float, ...]
    reasons: tuple[Reason, ...]
    follows: bool = False


DEGRADATIONS: Final = (
    Degradation("gain down", gain, (0.45, 0.3, 0.18), (DARK,)),
    Degradation("gain up", too_much_gain, (1.25, 1.7, 2.2), (BRIGHT,)),
    Degradation("blur", blurred, (0.004, 0.008, 0.014), (BLURRED,)),
    Degradation("contrast", paler, (0.4, 0.25, 0.12), (PALE,)),
    Degradation("shift", shifted, (0.1, 0.2, 0.35), (ASIDE, CUT)),
    Degradation("zoom in", zoomed, (1.3, 1.7, 2.3), (CUT,)),
    Degradation("zoom out", zoomed, (0.75, 0.55, 0.4), (SMALL,)),
    Degradation("shadow", shaded, (0.15, 0.3, 0.5), (SHADOW,)),
    Degradation("motion", swept, (0.01, 0.025, 0.05), (MOTION,), follows=True),
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of one picture under one degradation.

    Attributes:
        values: The score of the picture as it is, then step by step worse.
        reason: The first at the worst, or "".
        named: Whether that is a right one.
    """

    values: tuple[float, ...]
    reason: str
    named: bool

    @property
    def falls(self) -> bool:
        """Whether the score falls at every step, by at least a hundredth."""
        steps = np.diff(np.round(self.values, 2))
        return bool((steps < 0).all())


def judge(gray: Gray, how: Degradation) -> Judged:
    """The score of a picture, and of what a degradation makes of it.

    The region of interest is found anew at each step, as of a still; where one frame follows another, it is
    kept, as in a scan.
    """
    region = _region(gray)
    values, worst = [_score(gray, region).value], None
    for amount in how.amounts:
        worse = how.make(gray, amount)
        seen = region if how.follows else _region(worse)
        worst = _score(worse, seen, gray if how.follows else None)
        values.append(worst.value)
    first = worst.reasons[0] if worst is not None and worst.reasons else None
    return Judged(tuple(values), "" if first is None else first.name, first in how.reasons)


def _region(gray: Gray) -> Region:
    return find_region(gray) or Region(whole(gray))


def _score(gray: Gray, region: Region, before: Gray | None = None) -> Score:
    last = None if before is None else shrink(before, region.box)
    height, width = gray.shape
    return score(measure(shrink(gray, region.box), (height, width), region.outline, last))


def real_planes(data: Path, count: int, seed: int = 1) -> Iterator[tuple[str, Gray]]:
    """At most `count` real planes, each patient's first ones: the patient and the picture."""
    with next(data.glob("*.csv")).open(newline="", encoding="utf-8") as table:
        rows = [row for row in csv.DictReader(table) if row["label"] != "other"]
    for place in np.random.default_rng(seed).permutation(len(rows))[:count]:
        path = next(data.rglob(rows[place]["file"]), None)
        gray = None if path is None else cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if gray is not None:
            yield rows[place]["group"], gray.astype(np.uint8)


def pictures(data: Path, count: int) -> None:
    """Judge real planes under every degradation."""
    if not data.is_dir():
        print(f"There are no pictures in {data}; nothing is measured.")
        return
    planes = list(real_planes(data, count))
    draws = GroupDraws([group for group, _ in planes])
    print(f"{len(planes)} pictures of {draws.count} patients")
    for how in DEGRADATIONS:
        judged = [judge(gray, how) for _, gray in planes]
        medians = " ".join(f"{value:.0f}" for value in np.median([one.values for one in judged], axis=0))
        falls = _share([one.falls for one in judged], draws)
        named = _share([one.named for one in judged], draws)
        print(f"{how.name:10}  falls {falls}  named {named}  medians {medians}", flush=True)


def _share(true: list[bool], draws: GroupDraws) -> str:
    return str(draws.share(np.array(true), np.ones(len(true), np.bool_)))


def scans(patients: int, seconds: float) -> None:
    """How well the score tells frames within the tolerance, with the shipped model and without."""
    from semc_core.model.catalogue import shipped_models
    from semc_core.phantom.scan import SimulatedScan
    from semc_core.picture import Picture
    from semc_core.pipeline.stages import PreparationStage, classify
    from semc_core.runtime.load import load_runtime
    from semc_core.types import FramePacket

    runtime = load_runtime(shipped_models()[0].path, "cpu", 1)
    known = np.array([name != runtime.spec.none_class for name in runtime.spec.classes])
    groups, standard, values, without = [], [], [], []
    for seed in range(2000, 2000 + patients):
        scan = SimulatedScan(seed, seconds)
        stage = PreparationStage(runtime.spec.preprocessing)
        for index in range(0, round(seconds * scan.frame_rate), 5):
            packet = FramePacket("scan", index, index / scan.frame_rate, 0.0, Picture(scan.frame(index)))
            prepared = stage.look(packet)
            if prepared.inputs is None or prepared.measured is None:
                continue
            (prediction,) = classify(runtime, [prepared])
            assert prediction is not None
            groups.append(str(seed))
            standard.append(scan.truth(index).distance <= 1)
            probability = float(prediction.probabilities[known].max())
            measures = prepared.measured.measures()
            values.append(score(measures, probability).value)
            without.append(score(measures).value)
    runtime.close()
    draws, is_standard = GroupDraws(groups), np.array(standard)
    print(f"{len(groups)} frames of {draws.count} patients, {is_standard.mean():.0%} within the tolerance")
    for name, found in (("with the model's doubt", values), ("of the picture alone", without)):
        area = draws.estimate(*area_under_roc(np.array(found), is_standard, draws))
        print(f"area under the curve {name}: {area}")


def times() -> None:
    """Processor time of a score at several sizes of the frame, one core."""
    from semc_core.phantom.scan import SimulatedScan

    cv2.setNumThreads(1)
    for width, height in ((640, 480), (1280, 720), (1920, 1080)):
        scan = SimulatedScan(3, width=width, height=height)
        before, gray = scan.frame(0), scan.frame(1)
        region = _region(gray)
        last = shrink(before, region.box)
        taken = []
        for _ in range(200):
            began = time.process_time()
            measures = measure(shrink(gray, region.box), (height, width), region.outline, last)
            score(measures, 0.9)
            taken.append(time.process_time() - began)
        print(f"{width}x{height}: median {1000 * cast('float', np.median(taken)):.2f} ms")


def main() -> int:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("pictures", "scans", "time"))
    parser.add_argument("--data", type=Path, default=DATA, help="real planes with their table")
    parser.add_argument("--count", type=int, default=300, help="pictures")
    parser.add_argument("--patients", type=int, default=8, help="simulated patients")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each scan")
    given = parser.parse_args()
    if given.what == "pictures":
        pictures(given.data, given.count)
    elif given.what == "scans":
        scans(given.patients, given.seconds)
    else:
        times()
    return 0


if __name__ == "__main__":
    sys.exit(main())
