"""A little of what `make crash` does. The tests of each part kill it, too."""

from __future__ import annotations

import pytest

from tests.crash.__main__ import is_fine, main
from tests.crash.kinds import Kept
from tests.pacs.servers import needs_storescp


@pytest.mark.long
@needs_storescp
def test_what_is_killed_while_it_sends_arrives(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sendings", "--kills", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "| sendings | 1 | 0.00 | 0 | 0 | 0 |"


@pytest.mark.long
def test_what_is_killed_while_it_exports_leaves_nothing_for_the_next_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["exports", "--kills", "1", "--seed", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "| exports | 1 | 0.00 | 0 | 0 | 0 |"


@pytest.mark.parametrize(
    "kept", [Kept(1, lost_s=1.01), Kept(1, lost=1), Kept(1, left_over=1), Kept(1, bad=1)], ids=str
)
def test_what_costs_more_than_is_promised_is_not_fine(kept: Kept) -> None:
    assert not is_fine(kept)
    assert is_fine(Kept(1, lost_s=0.99))
