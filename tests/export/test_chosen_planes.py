"""Which planes are handed over: the others stay at home, and everything says how many they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from main import main
from semc_core.errors import ExportError
from semc_core.export import bundle
from semc_core.export.bundle import export_session
from semc_core.export.manifest import MANIFEST_NAME, check_bundle
from semc_core.export.options import ExportOptions, stayed_out
from semc_core.session.correcting.changes import Reject
from semc_core.session.session import Session
from tests.export.scans import video_session


@pytest.fixture(autouse=True)
def nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "load_text_finder", lambda: None)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with video_session(tmp_path / "scan") as made:
        yield made


def test_only_what_was_chosen_is_handed_over_and_the_rest_is_counted(
    session: Session, tmp_path: Path
) -> None:
    options = ExportOptions(dicom=True, clips=False, planes=(2,))
    done = export_session(session, tmp_path / "out", options, data=tmp_path)
    assert (done.planes, done.rejected, done.not_chosen) == (1, 0, 1)
    assert done.stayed_out == "1 plane that was not chosen stayed out."
    written = [path.name for path in done.target.rglob("*") if path.is_file()]
    assert [name for name in written if name.startswith("002")]
    assert not [name for name in written if name.startswith("001")]
    manifest = json.loads((done.target / MANIFEST_NAME).read_text(encoding="utf-8"))
    assert (manifest["planes"], manifest["planes_rejected"], manifest["planes_not_chosen"]) == (1, 0, 1)
    assert check_bundle(done.target).ok
    (entry,) = session.exports()
    assert entry.sha256 == done.manifest_sha256
    logged = [each.payload for each in session.audit() if "chosen_planes" in str(each.payload)]
    assert logged, "the log says what was chosen"


def test_a_plane_that_was_not_chosen_is_not_said_to_be_not_found(session: Session, tmp_path: Path) -> None:
    done = export_session(session, tmp_path / "out", ExportOptions(clips=False, planes=(2,)), data=tmp_path)
    page = (done.target / "report.html").read_text(encoding="utf-8")
    assert "1; not found: FHP2 (Second porta hepatis). 1 plane that was not chosen stayed out." in page


def test_rejected_planes_are_counted_apart(session: Session, tmp_path: Path) -> None:
    session.apply(Reject(1, "blurred"))
    done = export_session(session, tmp_path / "out", ExportOptions(clips=False), data=tmp_path)
    assert (done.planes, done.rejected, done.not_chosen) == (1, 1, 0)
    page = (done.target / "report.html").read_text(encoding="utf-8")
    assert "1 rejected plane stayed out." in page
    assert "not chosen" not in page
    with pytest.raises(ExportError, match="no plane 1"):
        export_session(session, tmp_path / "other", ExportOptions(planes=(1, 2)), data=tmp_path)
    assert not (tmp_path / "other").exists()


def test_without_a_choice_nothing_is_said(session: Session, tmp_path: Path) -> None:
    done = export_session(session, tmp_path / "out", ExportOptions(clips=False), data=tmp_path)
    assert done.stayed_out == ""
    assert "stayed out" not in (done.target / "report.html").read_text(encoding="utf-8")
    assert stayed_out(2, 3) == "2 rejected planes stayed out. 3 planes that were not chosen stayed out."


def test_what_was_not_chosen_is_not_read(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Counts:
        seen = 0

        def find(self, pixels: object) -> tuple[()]:
            del pixels
            Counts.seen += 1
            return ()

        glance = find

    monkeypatch.setattr(bundle, "load_text_finder", Counts)
    export_session(session, tmp_path / "one", ExportOptions(clips=False, planes=(2,)), data=tmp_path / "a")
    one, Counts.seen = Counts.seen, 0
    export_session(session, tmp_path / "both", ExportOptions(clips=False), data=tmp_path / "b")
    assert 0 < one < Counts.seen


def test_the_command_takes_numbers(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session.close()
    monkeypatch.setattr("semc_core.export.bundle.data_folder", lambda: tmp_path / "data")

    def run(planes: str, name: str) -> int:
        out = str(tmp_path / name)
        return main(["export", str(session.folder), "--out", out, "--no-clips", "--planes", planes])

    assert run("2", "out") == 0
    said = capsys.readouterr().out
    assert "1 plane that was not chosen stayed out." in said
    assert "De-identified: 1 plane," in said
    assert run("1, 2", "both") == 0
    assert "stayed out" not in capsys.readouterr().out
    assert run("7", "none") == 1
    assert "no plane 7" in capsys.readouterr().err
    for typed in ("", "one", "1;2", "1,-2"):
        assert run(typed, "wrong") == 2
        assert "--planes takes numbers" in capsys.readouterr().err
    assert not (tmp_path / "wrong").exists()
