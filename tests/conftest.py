"""Fixtures that more than one part uses."""

from __future__ import annotations

import os

# Before anything imports Qt, wherever a test stands: on a machine without a display Qt ends the program.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
# Whatever the desktop of who runs the tests speaks.
os.environ["SEMC_LANGUAGE"] = "en"
# Before anything imports PyTorch: threads that wait must not keep a core from the tests beside them, and
# where workers run side by side, each (and each program that it starts) has one core.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Ray would take the place of what tells where a process crashed, for the rest of that process.
os.environ["RAY_DISABLE_FAILURE_SIGNAL_HANDLER"] = "1"
# Beside other tests its workers, of the lowest rank otherwise, would hardly run, and meet limits of time.
os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - as Ray spells it
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import tests.own_data  # noqa: F401 - only to be there
from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import new_spec, random_weights, stage_channels
from semc_core.model.file import write_model
from tests.skips import (
    pytest_collection_modifyitems,
    pytest_make_collect_report,
    pytest_runtest_makereport,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)

__all__ = [
    "pytest_collection_modifyitems",
    "pytest_make_collect_report",
    "pytest_runtest_makereport",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
]


@pytest.fixture(scope="session")
def tiny_model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file of the preset `semc_tiny`: untrained, all its weights different, with a novelty."""
    spec = replace(new_spec("semc_tiny", LIVER_CLASSES), notice="Untrained, for tests only.")
    features = stage_channels(spec.architecture)[3]
    rng = np.random.default_rng(1)
    tensors: dict[str, NDArray[np.float32]] = {
        **random_weights(spec.architecture, len(spec.classes)),
        "novelty.mean": rng.standard_normal((2, features)).astype(np.float32),
        "novelty.whiten": rng.standard_normal((features, 4)).astype(np.float32),
        "novelty.limit": np.array(30.0, np.float32),
    }
    path = tmp_path_factory.mktemp("model") / "semc_tiny.safetensors"
    write_model(path, spec, tensors)
    return path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    try:
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("no file system can be mounted here")
    except FileNotFoundError:
        pytest.skip("there is no program mount here")
    yield place
    # Lazily: after a failed test a file on it may still be open, and it must go all the same.
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """A tiny network gains nothing from threads, and they wait for each other on busy machines."""
    import torch  # most tests do without it

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def own_log_folder(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No test writes to the user's log."""
    folder = tmp_path_factory.getbasetemp() / "log"
    monkeypatch.setattr("main.log_folder", lambda: folder)
    return folder


@pytest.fixture(autouse=True)
def own_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No test sees or changes the user's models. Returns the folder in place of the user's."""
    folder = tmp_path / "user-data"
    monkeypatch.setattr("semc_core.model.registry.data_folder", lambda: folder)
    return folder / "models"


@pytest.fixture(autouse=True)
def no_right_of_way() -> Iterator[None]:
    """A test leaves the processor to the others.

    The AV1 encoder, run by root, gives the thread that calls it the right of way (SCHED_FIFO, 99) for good.
    """
    yield
    if hasattr(os, "sched_setscheduler") and os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """A thread that a test started and did not end fails the test."""
    before = set(threading.enumerate())
    yield
    leaked = [
        thread
        for thread in set(threading.enumerate()) - before
        # Threads that Python did not start (a library's pool) show up as dummies and cannot be joined.
        if not isinstance(thread, threading._DummyThread)
    ]
    for thread in leaked:
        thread.join(30)
    assert not [thread.name for thread in leaked if thread.is_alive()], "threads were left running"
