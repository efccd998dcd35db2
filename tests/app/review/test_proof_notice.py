"""Who opens a session in review is told how it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.review.session import ReviewRequest, open_review, proof_notice
from semc_core.paths import DEFAULT_MODEL
from semc_core.session.records import Proof, Verification
from semc_core.session.session import Session
from tests.session.sessions import filled_session, tamper


def opened(folder: Path) -> tuple[str, str]:
    """The sentence above the picture, and the one in the status line."""
    review = open_review(ReviewRequest(folder, DEFAULT_MODEL, "cpu", folder.parent))
    review.close()
    return review.notice, review.greeting


def test_a_session_that_this_machine_proves_is_greeted_so(tmp_path: Path) -> None:
    filled_session(tmp_path / "s").close()
    notice, greeting = opened(tmp_path / "s")
    assert greeting == "Taken up again: s, proven by this machine"
    assert "as it was written" not in notice


def test_of_one_that_was_changed_it_is_said_what_and_where(tmp_path: Path) -> None:
    filled_session(tmp_path / "s").close()
    tamper(tmp_path / "s", "UPDATE planes SET plane = 'B' WHERE plane_id = 1")
    (tmp_path / "s" / "added.png").write_bytes(b"?")
    notice, greeting = opened(tmp_path / "s")
    assert notice.startswith("This session is not as it was written: The database is damaged, or its tables")
    assert "more findings) Put a copy of its folder back" in notice
    assert "semc " not in notice
    assert "proven" not in greeting


def test_who_may_only_look_is_told_how_it_stands_too(tmp_path: Path) -> None:
    filled_session(tmp_path / "s").close()
    with Session.open(tmp_path / "s"):
        assert opened(tmp_path / "s")[1] == "For looking only: s, proven by this machine"
        (tmp_path / "s" / "added.png").write_bytes(b"?")
        notice, greeting = opened(tmp_path / "s")
    assert "This session is not as it was written: added.png" in notice
    assert "proven" not in greeting


def test_one_of_an_older_program_is_said_to_be_unsigned() -> None:
    found = Verification(Proof.CONSISTENT, 3, why="an older program wrote it, which signed nothing")
    assert proof_notice(found) == (
        "This session is consistent but unsigned: an older program wrote it, which signed nothing."
    )
    assert proof_notice(Verification(Proof.PROVEN, 3)) == proof_notice(None) == ""


@pytest.mark.parametrize(
    ("problems", "said"), [(("It is cut.",), "It is cut."), (("A.", "B."), "A. (1 more")]
)
def test_one_finding_is_told_and_more_are_counted(problems: tuple[str, ...], said: str) -> None:
    notice = proof_notice(Verification(Proof.CHANGED, 3, problems))
    assert notice.startswith(f"This session is not as it was written: {said}")
