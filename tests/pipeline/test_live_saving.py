"""What a live scan saves, in a real folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from semc_core.errors import SemcError
from semc_core.pipeline.state import Phase
from semc_core.session.session import Session
from semc_core.session.sink import session_sink
from tests.pipeline.live_scans import WAITING, CountedSource, held, new_engine, phase_of, scripted
from tests.pipeline.scripted import probabilities


@pytest.mark.requirement("S1")
def test_a_held_plane_lies_in_a_folder_when_the_source_has_ended(tmp_path: Path) -> None:
    engine = new_engine(
        lambda: CountedSource(live=False, frames=120), scripted(held), session_sink(tmp_path), WAITING
    )
    assert phase_of(engine) is Phase.IDLE
    engine.start()
    assert engine.wait(30)
    assert phase_of(engine) is Phase.ENDED
    assert engine.state.message == ""
    saved = engine.take_saved()
    assert saved[-1].final
    assert {plane.hold_id for plane in saved} == {1}
    assert saved[-1].png is not None
    assert saved[-1].png.is_file()
    folder = saved[-1].png.parent
    assert {path.suffix for path in folder.iterdir() if path.is_file()} == {".json", ".png", ".sqlite"}
    with Session.open(folder) as session:
        (plane,) = session.planes()
        assert plane.clip is not None
        assert (folder / plane.clip).is_file()
        assert session.verify().ok
    assert engine.statistics().planes_saved == 1
    assert engine.take_saved() == []
    engine.stop()
    assert phase_of(engine) is Phase.ENDED, "stopping does not undo the end"


def test_stopping_makes_the_hold_final_and_saves_it(tmp_path: Path) -> None:
    source = CountedSource()
    engine = new_engine(lambda: source, scripted(lambda _: probabilities("A", 0.9)), session_sink(tmp_path))
    engine.start()
    for _ in range(40):
        source.go_on.release()
        engine.results.get()
    engine.stop()
    assert phase_of(engine) is Phase.STOPPED
    assert engine.take_saved()[-1].final
    engine.stop()
    with pytest.raises(SemcError, match="already started"):
        engine.start()


def test_saving_off_writes_nothing_but_tells_what_was_found(tmp_path: Path) -> None:
    settings = replace(WAITING, save=False)
    engine = new_engine(
        lambda: CountedSource(live=False, frames=90), scripted(held), session_sink(tmp_path), settings
    )
    engine.start()
    assert engine.wait(30)
    engine.stop()
    assert [plane.png for plane in engine.take_saved() if plane.final] == [None]
    assert list(tmp_path.iterdir()) == []


def test_a_frame_captured_by_hand_is_saved_with_its_label(tmp_path: Path) -> None:
    source = CountedSource()
    engine = new_engine(lambda: source, scripted(lambda _: probabilities("NSP", 0.9)), session_sink(tmp_path))
    assert not engine.capture_now()
    engine.start()
    source.go_on.release()
    engine.results.get()
    source.go_on.release()
    engine.results.get()
    assert engine.capture_now()
    engine.stop()
    (saved,) = engine.take_saved()
    assert (saved.plane, saved.by_hand, saved.final) == ("NSP", True, True)
    assert saved.png is not None
    assert saved.png.name.startswith("001_NSP_f00000")
    assert not engine.capture_now(), "the scan is over"
