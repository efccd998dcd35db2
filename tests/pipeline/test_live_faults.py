"""What a live scan says and keeps when something breaks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.errors import ModelFileError, RuntimeFault, SourceError
from semc_core.model.architecture import new_spec
from semc_core.pipeline.state import Phase
from semc_core.runtime.base import Runtime
from semc_core.session.sink import session_sink
from semc_core.sources.base import FrameSource
from semc_core.sources.video import VideoSource
from semc_core.types import FramePacket
from tests.pipeline.live_scans import (
    WAITING,
    CountedSource,
    assert_nothing_lost,
    held,
    new_engine,
    phase_of,
    scripted,
)
from tests.pipeline.scripted import probabilities
from tests.sources.capture_clips import write_video


def missing_file() -> FrameSource:
    raise SourceError("scan.mp4 does not exist; choose another file.")


def missing_model() -> Runtime:
    raise ModelFileError("model.safetensors does not exist; choose another model.")


def test_what_cannot_be_opened_is_told_in_its_own_words() -> None:
    for source, runtime, sentence in (
        (missing_file, scripted(held), "scan.mp4 does not exist"),
        (CountedSource, missing_model, "model.safetensors does not exist"),
    ):
        engine = new_engine(source, runtime, None)
        engine.start()
        assert engine.wait(60)
        engine.stop()
        assert phase_of(engine) is Phase.FAULT
        assert sentence in engine.state.message


def test_a_fault_of_the_model_ends_the_scan_and_keeps_what_was_found(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(index: int) -> NDArray[np.float32]:
        if index == 50:
            raise RuntimeFault("The model gave numbers that are not finite; choose another model.")
        return probabilities("A", 0.9)

    source = CountedSource(live=False, frames=200)
    engine = new_engine(lambda: source, scripted(answer), session_sink(tmp_path), WAITING)
    engine.start()
    assert engine.wait(30)
    engine.stop()
    assert phase_of(engine) is Phase.FAULT
    assert "not finite" in engine.state.message
    assert "RuntimeFault" in caplog.text
    assert engine.take_saved()[-1].final
    assert source.closed.is_set()
    counted = engine.statistics()
    assert_nothing_lost(counted)
    assert (counted.classified, counted.in_flight) == (50, 0)


def test_an_unexpected_fault_is_logged_and_shown(caplog: pytest.LogCaptureFixture) -> None:
    def answer(index: int) -> NDArray[np.float32]:
        raise ZeroDivisionError

    engine = new_engine(lambda: CountedSource(live=False), scripted(answer), None, WAITING)
    engine.start()
    assert engine.wait(60)
    engine.stop()
    assert "ZeroDivisionError" in engine.state.message
    assert "Traceback" in caplog.text


def test_a_source_that_breaks_keeps_what_was_found() -> None:
    class Breaking(CountedSource):
        def read(self) -> FramePacket | None:
            if self._index == 40:
                raise SourceError("The camera was unplugged; plug it in and start again.")
            return super().read()

    engine = new_engine(lambda: Breaking(live=False), scripted(held), None, WAITING)
    engine.start()
    assert engine.wait(60)
    engine.stop()
    assert engine.state.message.startswith("The camera was unplugged")
    assert [plane.plane for plane in engine.take_saved() if plane.final] == ["A"]


def test_damage_found_while_a_file_is_read_is_told(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 100)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    source = VideoSource(path)
    engine = new_engine(lambda: source, scripted(lambda _: probabilities("NSP", 0.9)), None, WAITING)
    assert "damaged" not in source.info.notice
    engine.start()
    assert engine.wait(30)
    engine.stop()
    assert phase_of(engine) is Phase.ENDED
    info = engine.source_info
    assert info is not None
    assert "damaged" in info.notice


def test_a_model_without_the_class_for_nothing_is_refused() -> None:
    spec = new_spec("semc_tiny", ("A", "B"))
    engine = new_engine(lambda: CountedSource(live=False), scripted(held, spec), None, WAITING)
    engine.start()
    assert engine.wait(60)
    engine.stop()
    assert "no class NSP" in engine.state.message
