"""A scan into a session in one call, for programs that use this one as a library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from semc_core.cli.results import ResultFolder
from semc_core.errors import SourceError, UsageError
from semc_core.paths import DEFAULT_MODEL
from semc_core.pipeline.batch import review
from semc_core.runtime.base import Runtime
from semc_core.runtime.load import load_runtime
from semc_core.session.analyse import analyse_source, origin_of
from semc_core.session.session import Session
from semc_core.sources.base import PacedSource
from semc_core.sources.open import open_source
from semc_core.sources.simulated import SimulatedSource
from tests.sources.capture_clips import write_video


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    """The shipped model."""
    loaded = load_runtime(DEFAULT_MODEL, "cpu", threads=1)
    yield loaded
    loaded.close()


@pytest.mark.long
def test_the_session_is_that_of_semc_analyse(runtime: Runtime, tmp_path: Path) -> None:
    with analyse_source(SimulatedSource(2007, 8.0), tmp_path / "library", runtime) as session:
        assert session.complete
        assert session.verify().ok
        planes, frames = session.planes(), session.frames()
    source = SimulatedSource(2007, 8.0)
    with ResultFolder(tmp_path / "command", origin_of(source, runtime, None)) as folder:
        for reviewed in review(source, runtime):
            folder.add(reviewed)
        folder.keep(source.info)
    with Session.open(tmp_path / "command", read_only=True) as session:
        assert [(plane.plane, plane.frame_index, plane.png_sha256) for plane in planes] == [
            (plane.plane, plane.frame_index, plane.png_sha256) for plane in session.planes()
        ]
        np.testing.assert_array_equal(frames.smoothed, session.frames().smoothed)
    assert planes
    assert len(frames) == 240


def test_a_file_is_known_by_its_hash_and_a_taken_name_gets_a_number(runtime: Runtime, tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 12)
    folders = []
    for _ in range(2):
        with analyse_source(open_source(str(clip)), tmp_path / "scan", runtime, path=clip) as session:
            folders.append(session.folder)
            assert session.source.path == str(clip)
            assert session.source.sha256 is not None
            assert session.frame_count == 12
    assert len(set(folders)) == 2


def test_a_live_source_is_refused_and_closed(runtime: Runtime, tmp_path: Path) -> None:
    source = PacedSource(SimulatedSource(3, 1.0, width=160, height=120))
    with pytest.raises(UsageError, match="is live"):
        analyse_source(source, tmp_path / "scan", runtime)
    with pytest.raises(SourceError, match="closed"):
        source.read()
    assert not (tmp_path / "scan").exists()
