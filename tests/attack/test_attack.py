"""100 random attacks on a session and all of those on purpose are found. `make attack` makes 2,000."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from semc_core.session.records import Proof
from semc_core.session.session import Session
from tests.attack.changes import AT_RANDOM, NAMED
from tests.attack.running import Attacked


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    return Attacked(tmp_path_factory.mktemp("attack") / "scan")


def test_the_session_that_is_attacked_is_proven_before(attacked: Attacked) -> None:
    with Session.open(attacked.folder, read_only=True) as session:
        assert session.verify().proof is Proof.PROVEN


def test_after_an_attack_the_session_that_is_put_back_is_proven_and_the_next_is_found_by_itself(
    attacked: Attacked,
) -> None:
    assert attacked.attack("relabel", NAMED["relabel"], 1).found
    attacked.put_back()
    with Session.open(attacked.folder, read_only=True) as session:
        assert session.verify().proof is Proof.PROVEN


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.requirement("K2")
def test_an_attack_on_purpose_is_found(attacked: Attacked, name: str) -> None:
    outcome = attacked.attack(name, NAMED[name], 1)
    assert outcome.found, outcome


def test_what_is_told_beside_the_picture_that_a_person_chose_is_not_changed_unnoticed(
    attacked: Attacked,
) -> None:
    def other_version(folder: Path, _: Random) -> None:
        (told,) = folder.glob("001_B_f*.json")
        told.write_bytes(told.read_bytes().replace(b'"av"', b'"!v"'))

    # Opened for writing it was taken for a correction that a kill had left without its entry.
    assert attacked.attack("edit a JSON", other_version, 1).found


@pytest.mark.long
@pytest.mark.requirement("K2")
def test_100_random_attacks_are_found(attacked: Attacked) -> None:
    outcomes = list(attacked.at_random(100, 1))
    assert {each.name for each in outcomes} == set(AT_RANDOM)
    assert [each for each in outcomes if not each.found] == []
