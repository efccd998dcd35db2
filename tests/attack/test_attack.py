"""100 random attacks on a session and all of those on purpose are found. `make attack` makes 2,000."""

from __future__ import annotations

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


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.requirement("K2")
def test_an_attack_on_purpose_is_found(attacked: Attacked, name: str) -> None:
    outcome = attacked.attack(name, NAMED[name], 1)
    assert outcome.found, outcome


@pytest.mark.long
@pytest.mark.requirement("K2")
def test_100_random_attacks_are_found(attacked: Attacked) -> None:
    outcomes = list(attacked.at_random(100, 1))
    assert {each.name for each in outcomes} == set(AT_RANDOM)
    assert [each for each in outcomes if not each.found] == []
