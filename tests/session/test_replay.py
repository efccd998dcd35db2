"""The same planes again, from the log and from the recording."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import main
from semc_core.errors import SessionError
from semc_core.io.video_quality import Quality
from semc_core.model.file import read_model, write_model
from semc_core.pipeline.live import LivePipeline
from semc_core.pipeline.state import PipelineSettings
from semc_core.runtime.load import load_runtime
from semc_core.session.audit_log import Hold
from semc_core.session.correcting.changes import Reject, Relabel
from semc_core.session.recording.parts import RecordedSource
from semc_core.session.replay import compare, replay_log, replay_pictures
from semc_core.session.session import Session
from semc_core.session.sink import session_sink
from semc_core.sources.simulated import SimulatedSource
from semc_core.types import Thresholds

EASY = Thresholds(enter=0.155, leave=0.14, min_hold_s=0.2, smoothing_s=0.05, merge_gap_s=0.1)


@pytest.fixture(scope="module")
def easy_model(tiny_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The untrained model with thresholds so low that it finds something."""
    spec, tensors = read_model(tiny_model_path)
    path = tmp_path_factory.mktemp("easy") / "model.safetensors"
    write_model(path, replace(spec, thresholds=EASY), tensors)
    return path


def scan(root: Path, model: Path, quality: Quality | None, *, paced: bool, by_hand: bool = False) -> Path:
    """Two seconds of a simulated scan, live: with `paced`, frames may be dropped. Returns the session."""
    engine = LivePipeline(
        lambda: SimulatedSource(4, 2.0, 160, 120),
        lambda: load_runtime(model, "cpu", 1),
        session_sink(root),
        PipelineSettings(paced=paced, record=quality),
    )
    engine.start()
    if by_hand:
        engine.results.get()
        assert engine.capture_now()
    assert engine.wait(60)
    engine.stop()
    assert engine.state.message == ""
    (folder,) = root.iterdir()
    return folder


@pytest.fixture(scope="module")
def lossless(easy_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session with a lossless recording, by a live scan that may have dropped frames."""
    return scan(tmp_path_factory.mktemp("lossless"), easy_model, Quality.LOSSLESS, paced=True, by_hand=True)


@pytest.mark.requirement("K3")
def test_the_log_gives_the_identical_planes(lossless: Path) -> None:
    with Session.open(lossless, read_only=True) as session:
        replay = replay_log(session)
        by_hand = [plane for plane in session.planes() if plane.by_hand]
    assert replay.identical
    assert len(replay.logged) >= 1
    assert replay.logged == replay.again
    assert len(by_hand) == 1, "what a person captured is no plane that the model found"


def test_a_lossless_recording_gives_the_identical_planes_and_probabilities(
    lossless: Path, easy_model: Path
) -> None:
    runtime = load_runtime(easy_model, "cpu", 1)
    source = RecordedSource(lossless)
    done: list[int] = []
    with Session.open(lossless, read_only=True) as session:
        again = replay_pictures(session, source, runtime, batch=1, on_progress=done.append)
        frames = session.frame_count
    source.close()
    runtime.close()
    assert again.replay.identical
    assert again.replay.logged == again.replay.again
    assert (again.missing, again.largest_difference, again.agreement) == (0, 0.0, 1.0)
    assert 0 < again.classified <= frames
    assert done[-1] == frames


def test_corrections_do_not_touch_what_the_model_found(easy_model: Path, tmp_path: Path) -> None:
    folder = scan(tmp_path, easy_model, None, paced=False)
    with Session.open(folder) as session:
        before = replay_log(session)
        planes = session.planes()
        session.apply(Relabel(planes[0].plane_id, "FHP3"))
        session.apply(Reject(planes[0].plane_id, "too dark"))
        after = replay_log(session)
    assert after == before
    assert after.identical


def test_the_command_tells_and_exits_with_0_or_1(
    lossless: Path, easy_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["replay", str(lossless), "--model", str(easy_model), "--device", "cpu"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert told.count("the identical list of") == 2
    assert "largest difference of a probability 0," in told


def test_a_compact_recording_is_measured(
    easy_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = scan(tmp_path, easy_model, Quality.COMPACT, paced=False)
    arguments = ["replay", str(folder), "--model", str(easy_model), "--device", "cpu", "--threads", "1"]
    assert main.main(arguments) in (0, 1)
    told = " ".join(capsys.readouterr().out.split())
    assert "From the log: the identical list of" in told
    assert "60 frames classified again: largest difference of a probability 0.0" in told


def test_frames_that_are_not_in_the_recording_are_told(
    easy_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = scan(tmp_path, easy_model, Quality.LOSSLESS, paced=False)
    table = folder / "recording.csv"
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join(lines[:-5]), encoding="utf-8")
    (folder / "recording-2.mkv").write_bytes(b"")
    (folder / "recording-2.csv").write_text("".join([lines[0], *lines[-5:]]), encoding="utf-8")
    assert main.main(["replay", str(folder), "--model", str(easy_model), "--device", "cpu"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    found = re.search(r"(\d+) classified frames not in the recording", told)
    # The recording of a scan that is not paced may have lost some of its own.
    assert found is not None
    assert int(found[1]) >= 5
    assert "recording-2.mkv, a part of the recording, cannot be read" in told


def test_another_model_is_refused(lossless: Path, tiny_model_path: Path) -> None:
    runtime = load_runtime(tiny_model_path, "cpu", 1)
    source = RecordedSource(lossless)
    with (
        Session.open(lossless, read_only=True) as session,
        pytest.raises(SessionError, match="not the model"),
    ):
        replay_pictures(session, source, runtime)
    source.close()
    runtime.close()


def test_a_reviewed_file_is_classified_again_while_it_is_the_same(
    easy_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], new_video: Callable[[Path], None]
) -> None:
    video, out = tmp_path / "scan.mkv", tmp_path / "out"
    new_video(video)
    analyse = ["analyse", str(video), "--out", str(out), "--model", str(easy_model), "--device", "cpu"]
    assert main.main([*analyse, "--batch", "1", "--threads", "1"]) == 0
    replay = ["replay", str(out / "scan"), "--model", str(easy_model), "--device", "cpu", "--threads", "1"]
    capsys.readouterr()
    assert main.main(replay) == 0
    assert capsys.readouterr().out.count("the identical list of") == 2
    with video.open("ab") as file:
        file.write(b"more")
    assert main.main(replay) == 0
    assert "was changed since" in capsys.readouterr().out
    video.unlink()
    assert main.main(replay) == 0
    assert "no longer where it was" in capsys.readouterr().out


@pytest.fixture
def new_video() -> Callable[[Path], None]:
    """Writes a simulated scan as a video file."""

    def write(path: Path) -> None:
        from semc_core.io.video_encoder import VideoWriter

        source = SimulatedSource(4, 1.5, 160, 120)
        with VideoWriter(path, 160, 120, gray=True, quality=Quality.LOSSLESS) as writer:
            while (packet := source.read()) is not None:
                writer.write(packet.pixels, round(packet.pts_s * 1000))
        source.close()

    return write


HOLD = Hold("A", 10, 1.0, 0.9, 0.8, 1.4, True)


def test_any_difference_is_told() -> None:
    assert compare([HOLD], [HOLD], [HOLD], exact=True).identical
    for changed in (
        replace(HOLD, plane="B"),
        replace(HOLD, frame_index=11),
        replace(HOLD, start_s=0.9),
        replace(HOLD, confidence=0.90001),
    ):
        replay = compare([HOLD], [changed], [changed], exact=True)
        assert len(replay.differences) == 2
        assert replay.same == (changed.plane == "A")
    assert compare(
        [HOLD], [replace(HOLD, confidence=0.8)], [replace(HOLD, confidence=0.8)], exact=False
    ).identical
    assert not compare([], [HOLD], [HOLD], exact=True).identical
    assert not compare([HOLD], [], [], exact=True).identical


def test_a_hold_that_a_kill_left_open_must_have_been_announced() -> None:
    left = replace(HOLD, final=False)
    later = replace(HOLD, frame_index=14, end_s=2.0)
    assert compare([left], [later], [left, later], exact=True).identical
    assert not compare([left], [later], [later], exact=True).identical


def test_many_differences_are_summed_up() -> None:
    many = [replace(HOLD, frame_index=number) for number in range(40)]
    replay = compare(many, [], [], exact=True)
    assert len(replay.differences) == 6
    assert replay.differences[-1] == "And 35 more differences."
    assert compare(many[:6], [], [], exact=True).differences[-1] == "And 1 more difference."
