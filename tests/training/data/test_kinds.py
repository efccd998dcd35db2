"""Corrections of fetuses and of livers never come into one training set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from main import main
from semc_core.errors import UsageError
from semc_core.export.bundle import export_session
from semc_core.export.options import ExportOptions
from semc_core.labels import NON_STANDARD
from semc_core.session.session import Session
from tests.session.kinds import FETAL, LIVER, corrected_session, mixed_sessions
from tests.training.data.data_sets import picture
from training.data.loading import load_index
from training.data.readers import ReadOptions, open_data, open_many

BOTH = r"holds scans of 2 kinds.*LLP, RLP and those with 3VV, 4CH"


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    return mixed_sessions(tmp_path / "sessions")


def test_a_mixed_folder_is_refused_with_both_named_and_read_one_kind_at_a_time(mixed: Path) -> None:
    with pytest.raises(UsageError, match=BOTH):
        open_data(mixed)
    livers, fetuses = (open_data(mixed, ReadOptions(of=(name,))) for name in ("RLP", "4CH"))
    assert livers.classes == (*LIVER, NON_STANDARD)
    assert fetuses.classes == (*FETAL, NON_STANDARD)
    assert (len(livers.groups), len(fetuses.groups)) == (2, 1)
    assert {sample.label for sample in livers.samples} == set(LIVER)
    assert {sample.label for sample in fetuses.samples} == set(FETAL)
    assert any("something else was scanned" in note for note in livers.notes)
    with pytest.raises(UsageError, match="no scans with PLAX"):
        open_data(mixed, ReadOptions(of=("PLAX",)))


def test_what_nobody_corrected_does_not_make_a_folder_mixed(tmp_path: Path) -> None:
    corrected_session(tmp_path / "all" / "1", LIVER)
    corrected_session(tmp_path / "all" / "2", FETAL, corrected=False)
    assert open_data(tmp_path / "all").classes == (*LIVER, NON_STANDARD)


def test_corrections_are_not_joined_with_what_shows_something_else(tmp_path: Path) -> None:
    fetus = corrected_session(tmp_path / "fetus", FETAL)
    liver = corrected_session(tmp_path / "liver", LIVER)
    picture(tmp_path / "pictures" / "FHP1" / "p1" / "1.png", 1)
    picture(tmp_path / "own" / "SPLEEN" / "p1" / "1.png", 1)
    for other in (liver, tmp_path / "pictures"):
        with pytest.raises(UsageError, match=r"holds corrections of scans with .*3VV, 4CH"):
            open_many([other, fetus])
    assert "FHP1" in open_many([liver, tmp_path / "pictures"]).classes
    assert "SPLEEN" in open_many([liver, tmp_path / "own"]).classes, "a plane that nobody else knows"


def test_exports_of_both_are_refused_too(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for name, planes in (("fetus", FETAL), ("liver", LIVER)):
        with Session.open(corrected_session(tmp_path / "sessions" / name, planes)) as session:
            export_session(
                session, tmp_path / "out" / name, ExportOptions(text="keep"), data=tmp_path / "key"
            )
    with pytest.raises(UsageError, match=r"fetus with 3VV, 4CH, liver with LLP, RLP"):
        open_data(tmp_path / "out")
    with pytest.raises(UsageError, match="holds corrections of scans with"):
        open_many([tmp_path / "out" / "fetus", tmp_path / "sessions" / "liver"])


@pytest.mark.parametrize(
    "command",
    [
        ("train", "--out", "new.safetensors", "--data"),
        ("pretrain", "--out", "new.safetensors", "--data"),
        ("data", "check"),
        ("data", "split"),
        ("dataset", "--format", "coco", "--out", "planes"),
    ],
    ids=lambda words: words[0],
)
def test_every_command_refuses_a_mixed_folder(
    command: tuple[str, ...],
    mixed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*command, str(mixed)]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "3VV, 4CH" in said
    assert "LLP, RLP" in said
    assert not (tmp_path / "planes").exists()
    assert not (tmp_path / "new.safetensors").exists()


def test_a_data_set_for_other_programs_is_of_the_kind_that_is_chosen(mixed: Path, tmp_path: Path) -> None:
    given = ["dataset", str(mixed), "--format", "coco", "--text", "keep", "--of", "3VV"]
    assert main([*given, "--out", str(tmp_path / "planes")]) == 0
    path = tmp_path / "planes" / "annotations" / "instances_train.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    assert [each["name"] for each in document["categories"]] == list(FETAL)
    assert len(document["annotations"]) == 4, "also of the session that nobody corrected"


def test_sessions_are_dealt_under_the_kind_that_is_chosen(mixed: Path) -> None:
    for name in ("5", "6", "7"):
        corrected_session(mixed / name, LIVER)
    index = load_index([str(mixed)], seed=1, of=("LLP",))
    assert {sample.split for sample in index.samples} == {"train", "validation", "test"}
    assert set(index.classes) == {*LIVER, NON_STANDARD}
