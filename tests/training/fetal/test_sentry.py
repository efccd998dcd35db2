"""The sentry learns what shows a fetus, and what it costs is counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.labels import NON_STANDARD
from semc_core.model.architecture import SONONET16
from semc_core.model.spec import Calibration, ModelSpec
from semc_core.types import Thresholds
from training.fetal.labels import CLASSES
from training.fetal.sentry import Seen, fitted, judged_of, lines_of
from training.fetal.versions import Row

SPEC = ModelSpec(
    SONONET16.architecture, CLASSES, SONONET16.preprocessing, Calibration(1.0), Thresholds(enter=0.45)
)
WAYS = {"brain": 0, "Trans-thalamic": 0, "femur": 1, "cervix": 2, NON_STANDARD: 3}


def _pictures() -> tuple[list[Row], Seen]:
    """Each label has a way of its own in the features; half of what shows no fetus is called a femur."""
    rng = np.random.default_rng(4)
    rows, pooled, logits = [], [], []
    for label, way in WAYS.items():
        for number in range(120):
            country = "" if label == NON_STANDARD else ("Spain", "Ghana")[number % 2]
            source = country or ("pocovid", "aulid")[number % 2]
            rows.append(Row(label, source, country, f"{source} {number // 2}", f"{number}.png"))
            features = 0.05 * rng.random(64)
            features[way] += 1
            pooled.append(features * rng.uniform(0.2, 9))
            said = np.zeros(len(CLASSES))
            if label == NON_STANDARD:
                said[CLASSES.index("Femur" if number % 4 < 2 else NON_STANDARD)] = 6
            else:
                said[CLASSES.index("Femur" if label == "femur" else "Trans-thalamic")] = 6
            logits.append(said)
    return rows, Seen(np.array(logits, np.float32), np.array(pooled, np.float32))


def _splits(rows: list[Row]) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64]]:
    """What is learned from, other patients of Spain, and what is left out: Ghana and livers."""
    away = np.array([row.source in ("Ghana", "aulid") for row in rows])
    even = np.array([int(row.group.split()[1]) % 2 == 0 for row in rows])
    fetus = np.array([row.label != NON_STANDARD for row in rows])
    return even & ~away, ~even & ~away & fetus, np.flatnonzero(away)


def test_it_speaks_of_what_shows_no_fetus_though_it_never_saw_such_a_picture() -> None:
    rows, seen = _pictures()
    learned, known, _ = _splits(rows)
    sentry = fitted(seen, rows, learned, known)
    speaks = sentry.of(seen.pooled) > 1
    none = np.array([row.label == NON_STANDARD for row in rows])
    assert speaks[none].all()
    assert 0 < speaks[known].mean() <= 0.02
    other = replace(seen, pooled=np.where(none[:, None], 7.0, seen.pooled).astype(np.float32))
    np.testing.assert_array_equal(fitted(other, rows, learned, known).mean, sentry.mean)


def test_what_it_keeps_and_what_it_stops_is_counted_by_country_and_source() -> None:
    rows, seen = _pictures()
    learned, known, left_out = _splits(rows)
    found = judged_of(SPEC, seen, rows, left_out, fitted(seen, rows, learned, known))
    assert set(found["none"]) == {"aulid"}
    without, within = found["none"]["aulid"]["called at the enter level"]
    assert without[0] == pytest.approx(0.5)
    assert within[0] == pytest.approx(0.0)
    ghana = found["planes"]["Ghana"]
    assert ghana["pictures"] == 180, "cervix is none of the four planes"
    before, after = ghana["saved"]
    assert before[0] == pytest.approx(1.0)
    assert 1 - 2 * ghana["speaks"][0] - 0.02 <= after[0] <= 1.0
    assert ghana["speaks"][0] < 0.1


def test_a_line_says_each_country_and_each_source() -> None:
    one, two = [0.5, 0.25, 0.75], [0.125, 0.0, 0.5]
    told = {
        "limit": 0.4,
        "planes": {"Ghana": {"pictures": 75, "speaks": two, "saved": [one, two], "none called": [one, two]}},
        "none": {"aulid": {"pictures": 735, "speaks": one, "called at the enter level": [one, two]}},
    }
    lines = list(lines_of({"half1": told}))
    half, eighth = "50.0 % (25.0 to 75.0)", "12.5 % (0.0 to 50.0)"
    assert f"| Ghana | 75 | {eighth} | {half} | {eighth} | {half} | {eighth} |" in lines
    assert lines[-1] == f"| aulid | 735 | {half} | {half} | {eighth} |"
    assert all(line.count("|") == 8 for line in lines[:3])
