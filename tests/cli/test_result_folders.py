"""The folders of results that inputs get: each tells which, whatever its name is."""

from __future__ import annotations

from pathlib import Path

import pytest

from semc_core.cli.shared.inputs import wanted_inputs


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("肝脏扫描.mp4", "肝脏扫描"),
        ("печень 1.mp4", "печень-1"),
        ("\N{GRINNING FACE}.mp4", "\N{GRINNING FACE}"),
        ("a b.mp4", "a-b"),
        ("!!!.mp4", "u0021-u0021-u0021"),
        ("con.mp4", "con_"),
        ("..\u202egpj.mp4", "gpj"),
    ],
)
def test_the_folder_of_results_tells_which_input(tmp_path: Path, name: str, folder: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    (wanted,) = wanted_inputs([str(tmp_path / name)])
    assert wanted.name == folder


def test_long_names_that_begin_alike_have_folders_of_their_own(tmp_path: Path) -> None:
    names = [f"{'肝' * 80}{end}.mp4" for end in "ab"] + ["A.mp4", "a.avi"]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    folders = [each.name for each in wanted_inputs([str(tmp_path / name) for name in names])]
    assert len({folder.casefold() for folder in folders}) == 4
    assert all(len(folder.encode()) <= 160 for folder in folders)
    assert "unnamed" not in folders
