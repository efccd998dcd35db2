"""What is packed beside the program: a menu entry that opens files, and a package that says its licence."""

from __future__ import annotations

import configparser
from pathlib import Path

from bundle.make import ROOT, control, desktop_entry, tree
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
