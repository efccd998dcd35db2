"""What is packed beside the program: a menu entry that opens files, and a package that says its licence."""

from __future__ import annotations

import configparser
import sys
from pathlib import Path

import pytest

from bundle.make import ROOT, control, desktop_entry, tree
from bundle.speed import compare
from semc_core.errors import SemcError
from semc_core.version import VERSION


def test_the_menu_entry_opens_dicom_and_video_with_a_command_that_there_is() -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(desktop_entry())
    entry = parser["Desktop Entry"]
    assert {"application/dicom", "video/mp4"} <= set(entry["MimeType"].rstrip(";").split(";"))
    assert entry["Exec"] == "semc live %f"


def test_the_package_has_icon_entry_program_and_licence_in_their_places(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "semc").write_text("program", encoding="utf-8")
    root = tmp_path / "root"
    tree(folder, root, VERSION)
    assert (root / "opt/semc-live/semc").read_text(encoding="utf-8") == "program"
    assert str((root / "usr/bin/semc").readlink()) == "/opt/semc-live/semc"
    assert (
        (root / "usr/share/icons/hicolor/scalable/apps/semc-live.svg")
        .read_text(encoding="utf-8")
        .startswith("<svg")
    )
    assert (root / "usr/share/applications/semc-live.desktop").is_file()
    about = (root / "DEBIAN/control").read_text(encoding="utf-8")
    assert f"Version: {VERSION}\n" in about
    assert "GPL, version 3" in control("1", 1)
    assert "GNU General Public License" in (ROOT / "bundle" / "COPYING.md").read_text(encoding="utf-8")


def opens(folder: Path, name: str, after_s: float) -> list[str]:
    """A program that tells after so many seconds that its window was painted."""
    path = folder / f"{name}.py"
    path.write_text(
        f"import sys, time\ntime.sleep({after_s})\n"
        f"with open({str(folder / 'starts')!r}, 'a', encoding='utf-8') as file:\n"
        f"    file.write(' '.join(sys.argv[1:]) + '\\n')\nprint(0.1, flush=True)\ntime.sleep(60)\n",
        encoding="utf-8",
    )
    return [sys.executable, str(path)]


@pytest.mark.long
def test_a_bundle_whose_window_opens_later_than_the_installed_one_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soon, late = opens(tmp_path, "soon", 0.0), opens(tmp_path, "late", 3.0)
    compare(soon, late, turns=1)
    assert "the quickest of 1 starts in turns" in capsys.readouterr().out
    with pytest.raises(SystemExit, match=r"more than 1\.25 times as long"):
        compare(late, soon, turns=1)
    begun = (tmp_path / "starts").read_text(encoding="utf-8").splitlines()
    assert len(begun) == 8, "each twice, the first time uncounted, and all of it twice"
    assert all(line.startswith("live --painted") for line in begun)


def test_a_bundle_that_does_not_open_is_told(tmp_path: Path) -> None:
    (tmp_path / "ends.py").write_text("", encoding="utf-8")
    ends = [sys.executable, str(tmp_path / "ends.py")]
    with pytest.raises(SemcError, match="The window did not open"):
        compare(ends, ends, turns=1)
