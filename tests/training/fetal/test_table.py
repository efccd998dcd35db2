"""The table of the card says what was judged."""

from __future__ import annotations

from training.fetal.table import lines_of


def test_a_line_says_a_run_and_leaves_open_what_it_had_no_pictures_of() -> None:
    told = {
        "pictures": 732,
        "four planes": [0.8534, 0.7661, 0.9333],
        "by plane": {"brain": [0.92, 0.8, 1.0]},
        "calibration error": [0.0734, 0.05, 0.1],
        "without a fetus, at that level": [0.173, 0.09, 0.282],
    }
    *_, country, part = lines_of({"runs": {"Ghana": told, "part0": told}})
    assert country == (
        "| Ghana | 732 | 85.3 % (76.6 to 93.3) | - | 92.0 % | - | - | - | 0.073 | 17.3 % (9.0 to 28.2) |"
    )
    assert part.startswith("| Spain and HC18, fifth 1 |")
