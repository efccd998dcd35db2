"""What is not tested on this machine, said in one place; on a machine for continuous integration it fails.

A test that needs a program or a system that is not here skips, with its reason. A test of real pictures,
`@pytest.mark.real_data("cine/lung")`, is left out where the folder `shared/data` beside the project, which
only its developers have, does not hold them. The last line of a run counts both.

With SEMC_CI set nothing may be skipped but what needs a GPU: whoever changes the program must not be shown
less than the whole. Tests that take several seconds each and whose parts have tests of their own,
`@pytest.mark.long`, are run by `make test-all` and there.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.order import in_order

REAL_DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data"
SHORT: Final = "not long"
"""What the Makefile asks pytest for by `-m`, where not all is tested."""
_LEFT_OUT: Final = pytest.StashKey[int]()
_DIED: Final = pytest.StashKey[list[str]]()
_GPU: Final = "NVIDIA GPU"
_HOW: Final = {
    "dcmtk": "apt-get install dcmtk",
    "dicom3tools": "apt-get install dicom3tools",
    "Orthanc's DICOMweb": "apt-get install orthanc orthanc-dicomweb",
    "Orthanc": "apt-get install orthanc",
    "curl": "apt-get install curl",
    "poppler": "apt-get install poppler-utils",
    "openssl": "apt-get install openssl",
    "extra `ocr`": 'pip install -c constraints.txt -e ".[ocr]"',
    "extra `web`": 'pip install -c constraints.txt -e ".[web]"',
    "extra `fhir`": 'pip install -c constraints.txt -e ".[fhir]"',
    "NNCF": 'pip install -c constraints.txt -e ".[train]"',
    _GPU: "a machine with one",
}
"""For a word in a reason: how to get what is missing."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests whose real pictures are not here, and order the files of the others."""
    here: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        mark = item.get_closest_marker("real_data")
        there = mark is None or (REAL_DATA / str(mark.args[0])).exists()
        (here if there else left_out).append(item)
    items[:] = in_order(here)
    config.stash[_LEFT_OUT] = len(left_out)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes tells the first, which prints, how many tests it left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(_LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Hear it: all of them collect the same tests. Of one that died, hear by what: xdist does not tell."""
    told = getattr(node, "workeroutput", {}).get("left_out", 0)
    node.config.stash[_LEFT_OUT] = max(told, node.config.stash.get(_LEFT_OUT, 0))
    if error:
        code = node.gateway._io.popen.wait(60)
        by = f"by {signal.Signals(-code).name}" if code < 0 else f"with {code}"
        node.config.stash.setdefault(_DIED, []).append(f"The process {node.gateway.id} ended {by}.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """On a machine for continuous integration a skipped test has failed, unless it needs a GPU."""
    report = yield
    _fail_if_skipped(report)  # type: ignore[arg-type]
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    """The same for a whole file."""
    report = yield
    _fail_if_skipped(report)  # type: ignore[arg-type]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line: what was not tested, and how to have it tested. One more for a process that died."""
    for sentence in config.stash.get(_DIED, []):
        terminalreporter.write_line(sentence)
    skipped = terminalreporter.stats.get("skipped", [])
    missing = Counter(_short(_reason(report)) for report in skipped)
    parts = [f"{count} ({reason})" for reason, count in missing.most_common()]
    if left_out := config.stash.get(_LEFT_OUT, 0):
        parts.append(f"{left_out} (real pictures: ../shared/data is not here)")
    if config.option.markexpr == SHORT:
        parts.append("whole trainings and other long tests (make test-all)")
    if parts:
        terminalreporter.write_line("Not tested here: " + "; ".join(parts) + ".")


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("SEMC_CI") and report.skipped and _GPU not in _reason(report):
        if hasattr(report, "wasxfail"):
            return
        report.outcome = "failed"
        report.longrepr = f"Skipped, and here nothing may be: {_reason(report)}"


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)


def _short(reason: str) -> str:
    words = reason.removeprefix("Skipped: ")
    how = next((how for word, how in _HOW.items() if word in words), None)
    return words if how is None else f"{words}; {how}"
