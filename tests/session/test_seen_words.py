"""What is taken back is said in the window's words: by a plane's name and time, never by its number."""

from __future__ import annotations

import pytest

from semc_core.session.correcting.sentences import seen_words

TIMES = {3: 51.13, 4: 2.0}


@pytest.mark.parametrize(
    ("logged", "seen"),
    [
        ("Added plane 1001 (Profile) at 51.13 s", "Added Profile at 0:51.1"),
        ("Added plane 1001 (Brain(Tv)) at 51.13 s", "Added Brain(Tv) at 0:51.1"),
        ("Rejected plane 3 (Brain(Tv))", "Rejected Brain(Tv) at 0:51.1"),
        ("Rejected plane 3 (No plane)", "Rejected the capture at 0:51.1"),
        ("Restored plane 9 (FHP1)", "Restored FHP1"),
        ("Chose frame 12 for plane 3 (FHP1)", "Chose frame 12 for FHP1 at 0:51.1"),
        ("Confirmed plane 3 as Brain(Tv)", "Confirmed the plane at 0:51.1 as Brain(Tv)"),
        ("Plane 4 is Brain(Tv), not Lips", "The plane at 0:02.0 is Brain(Tv), not Lips"),
        ("Changed the note of plane 3", "Changed the note of the plane at 0:51.1"),
        ("Changed the note of the session", "Changed the note of the session"),
        ("Plane 4 is not possible", "Plane 4 is not possible"),
        ("Right lobe is not possible", "Right lobe is not possible"),
        ("Moved the distance 1", "Moved the distance 1"),
    ],
)
def test_a_plane_is_told_by_name_and_time(logged: str, seen: str) -> None:
    assert seen_words(logged, TIMES.get) == seen
