"""Temperature, novelty and NSP's share, against the equations written out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semc_core.errors import RuntimeFault
from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import new_spec
from semc_core.model.spec import Calibration
from semc_core.runtime.calibration import Calibrator, RawOutput

NOVELTY = {
    "novelty.mean": np.array([[0, 0, 0], [10, 0, 0]], np.float32),
    "novelty.whiten": np.array([[1, 0], [0, 2], [0, 0]], np.float32),
    "novelty.limit": np.array(4, np.float32),
}


def calibrator(temperature: float = 1.0, slope: float = 0.0) -> Calibrator:
    spec = replace(new_spec("semc_tiny", LIVER_CLASSES), calibration=Calibration(temperature, slope))
    return Calibrator(spec, NOVELTY)


def output(pooled: list[float], first_logit: float = 2.0) -> RawOutput:
    logits = np.zeros((1, 7), np.float32)
    logits[0, 0] = first_logit
    return RawOutput(
        logits,
        np.full((1, 3), 1 / 3, np.float32),
        np.zeros((1, 7, 2, 2), np.float32),
        np.array([pooled], np.float32),
    )


def test_novelty_is_the_distance_from_the_nearest_centre_over_the_limit() -> None:
    measured = calibrator()
    assert measured.novelty(np.array([3, 0, 9], np.float32)) == pytest.approx(3 / 4)
    assert measured.novelty(np.array([9, 1, 0], np.float32)) == pytest.approx(np.sqrt(1 + 4) / 4)


def test_of_a_direction_the_length_does_not_count() -> None:
    calibration = Calibration(novelty_direction=True)
    centres = {**NOVELTY, "novelty.mean": np.array([[1, 0, 0]], np.float32)}
    measured = Calibrator(replace(new_spec("semc_tiny", LIVER_CLASSES), calibration=calibration), centres)
    for length in (0.1, 1.0, 50.0):
        assert measured.novelty(np.array([length, 0, 0], np.float32)) == pytest.approx(0)
        across = measured.novelty(np.array([0, length, 0], np.float32))
        assert across == pytest.approx(np.sqrt(1 + 4) / 4)
    assert measured.novelty(np.zeros(3, np.float32)) == pytest.approx(1 / 4), "nothing has no direction"


def test_of_a_plane_that_the_novelty_was_not_learned_of_it_says_nothing() -> None:
    calibration = Calibration(novelty_slope=50.0, novelty_planes=LIVER_CLASSES[1:3])
    spec = replace(new_spec("semc_tiny", LIVER_CLASSES), calibration=calibration)
    (prediction,) = Calibrator(spec, NOVELTY).predictions(output([100, 0, 0]))
    assert prediction.novelty == 0
    assert prediction.probabilities.argmax() == 0
    spec = replace(spec, calibration=replace(calibration, novelty_planes=LIVER_CLASSES[:1]))
    (prediction,) = Calibrator(spec, NOVELTY).predictions(output([100, 0, 0]))
    assert prediction.novelty == pytest.approx(90 / 4)
    assert prediction.probabilities[6] == pytest.approx(1)


def test_temperature_softens_and_without_a_slope_nothing_is_moved() -> None:
    (prediction,) = calibrator(temperature=2.0).predictions(output([100, 0, 0]))
    expected = np.e / (np.e + 6)
    assert prediction.probabilities[0] == pytest.approx(expected, abs=1e-6)
    assert prediction.novelty == pytest.approx(90 / 4)


def test_at_the_limit_half_of_every_plane_goes_to_nsp() -> None:
    (prediction,) = calibrator(slope=8.0).predictions(output([4, 0, 0]))
    plain = np.exp(2) / (np.exp(2) + 6)
    assert prediction.novelty == pytest.approx(1)
    assert prediction.probabilities[0] == pytest.approx(plain / 2, abs=1e-6)
    assert prediction.probabilities.sum() == pytest.approx(1, abs=1e-6)
    other = (1 - plain) / 6
    assert prediction.probabilities[6] == pytest.approx(other + (1 - other) / 2, abs=1e-6)


@pytest.mark.parametrize("slope", [0.5, 3.0])
@pytest.mark.parametrize("away", [2.4, 5.2])
def test_beside_the_limit_the_share_that_goes_to_nsp_is_the_logistic_functions(
    slope: float, away: float
) -> None:
    (prediction,) = calibrator(temperature=1.6, slope=slope).predictions(output([away, 0, 0]))
    plain = np.exp(2 / 1.6) / (np.exp(2 / 1.6) + 6)
    kept = 1 - 1 / (1 + np.exp(-slope * (min(away, 10 - away) / 4 - 1)))
    assert prediction.probabilities[0] == pytest.approx(plain * kept, abs=1e-6)
    assert prediction.probabilities[6] == pytest.approx(1 - kept * (1 - (1 - plain) / 6), abs=1e-6)


def test_a_model_without_novelty_measures_none_and_predictions_cannot_be_changed() -> None:
    without = Calibrator(new_spec("semc_tiny", LIVER_CLASSES), {})
    (prediction,) = without.predictions(output([100, 0, 0]))
    assert prediction.novelty == 0
    for values in (prediction.probabilities, prediction.maps, prediction.expert_weights):
        assert not values.flags.writeable


def test_far_away_everything_is_nsp() -> None:
    (prediction,) = calibrator(slope=8.0).predictions(output([-400, 0, 0], first_logit=50.0))
    assert prediction.probabilities[6] == pytest.approx(1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_a_fault(value: float) -> None:
    with pytest.raises(RuntimeFault, match="not finite"):
        calibrator().predictions(output([value, 0, 0]))


def test_a_calibration_that_leads_to_no_finite_probability_is_a_fault() -> None:
    with np.errstate(all="ignore"), pytest.raises(RuntimeFault, match="not finite"):
        calibrator(temperature=1e-310).predictions(output([0, 0, 0]))
