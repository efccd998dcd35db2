"""What is said of long work where there is no terminal for a bar."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from semc_core.cli.shared.progress import ProgressLines, passing_bar


def test_without_a_terminal_a_line_every_few_seconds_says_how_far_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    times = [0.0]
    lines = ProgressLines(lambda: times[0])
    for now_s in range(14):
        times[0] = float(now_s)
        lines.show("Pictures and clips", now_s, 20)
    lines.show("Verifying", 0, 0)
    assert capsys.readouterr().err.splitlines() == [
        "Pictures and clips: 5 of 20",
        "Pictures and clips: 10 of 20",
    ]
    times[0] = 60.0
    lines.show("Verifying", 0, 0)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "Verifying\n")


@pytest.mark.parametrize("terminal", [False, True])
def test_a_bar_that_passes_leaves_no_line_where_there_is_no_terminal(terminal: bool) -> None:
    out = io.StringIO()
    with passing_bar(Console(file=out, force_terminal=terminal, width=60)) as bar:
        bar.update(bar.add_task("Measuring", total=2), completed=2)
    assert ("Measuring" in out.getvalue()) is terminal
    assert terminal or out.getvalue() == ""
    with passing_bar(Console(file=(hidden := io.StringIO()), force_terminal=terminal), hidden=True) as bar:
        bar.add_task("Measuring", total=2)
    assert hidden.getvalue() == ""
