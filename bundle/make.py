"""`make bundle`: the program and a Python in one folder, tried where there is no other, as a Debian package.

Writes build/bundle/semc-live (the folder) and build/bundle/semc-live_VERSION_amd64.deb.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
OUT: Final = ROOT / "build" / "bundle"
FOLDER: Final = OUT / "semc-live"
MOST_BYTES: Final = 350_000_000
_MIME: Final = (
    "application/dicom", "video/mp4", "video/quicktime", "video/x-matroska", "video/x-msvideo", "video/webm",
)  # fmt: skip

_DEPENDS: Final = (
    f"libc6 (>= {platform.libc_ver()[1]})", "libegl1", "libgl1", "libdbus-1-3", "libfontconfig1",
    "libfreetype6", "libglib2.0-0 | libglib2.0-0t64", "libx11-6", "libx11-xcb1", "libxkbcommon0",
    "libxkbcommon-x11-0",
    *(f"libxcb-{part}" for part in (
        "cursor0", "icccm4", "image0", "keysyms1", "randr0", "render0", "render-util0", "shape0", "shm0",
        "sync1", "xfixes0", "xkb1",
    )),
)  # fmt: skip
"""What a desktop has or gets: the libraries that show a window. A bundle's own would not fit all."""


def desktop_entry() -> str:
    """What menus show, and for which files "Open with" offers the program."""
    return "\n".join(
        (
            "[Desktop Entry]",
            "Type=Application",
            "Name=SEMC Live",
            "Comment=Finds ultrasound standard planes in live and recorded scans",
            "Exec=semc live %f",
            "Icon=semc-live",
            "Terminal=false",
            "Categories=Science;MedicalSoftware;",
            f"MimeType={';'.join(_MIME)};",
            "",
        )
    )


def control(version: str, size_kb: int) -> str:
    """What dpkg is told of the package."""
    return "\n".join(
        (
            "Package: semc-live",
            f"Version: {version}",
            "Architecture: amd64",
            "Maintainer: The authors of SEMC Live <semc-live@localhost>",
            f"Installed-Size: {size_kb}",
            f"Depends: {', '.join(_DEPENDS)}",
            "Section: science",
            "Priority: optional",
            "Description: finds ultrasound standard planes in live and recorded scans",
            " Research software, not a medical device. As a whole under the GPL, version 3:",
            " it holds FFmpeg linked with x264 and x265 (COPYING.md).",
            "",
        )
    )


def tree(folder: Path, root: Path, version: str) -> None:
    """Lay the package's files below `root`; the program's folder is moved there."""
    shutil.move(folder, root / "opt" / "semc-live")
    for place in ("usr/bin", "usr/share/applications", "usr/share/icons/hicolor/scalable/apps", "DEBIAN"):
        (root / place).mkdir(parents=True)
    (root / "usr/bin/semc").symlink_to("/opt/semc-live/semc")
    (root / "usr/share/applications/semc-live.desktop").write_text(desktop_entry())
    icon = root / "usr/share/icons/hicolor/scalable/apps/semc-live.svg"
    shutil.copy(ROOT / "assets" / "icons" / "semc.svg", icon)
    size_kb = sum(path.lstat().st_size for path in root.rglob("*")) // 1024
    (root / "DEBIAN/control").write_text(control(version, size_kb))


def run(*command: str | Path, **environment: str) -> None:
    """Run a program; ends this one where it fails."""
    if (code := subprocess.run(command, cwd=ROOT, env=environment or None, check=False).returncode) != 0:
        sys.exit(f"{Path(command[0]).name} ended with {code}.")


def try_out(folder: Path) -> None:
    """Start the bundle where no Python is to be found: a model is verified, and a window opened."""
    home = OUT / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    alone = {"HOME": str(home), "PATH": "/nowhere", "LANG": "C.UTF-8", "QT_QPA_PLATFORM": "offscreen"}
    run(folder / "semc", "model", "verify", **alone)
    run(folder / "semc", "live", "simulated:2007", "--seconds", "5", "--out", str(home / "out"), **alone)


def main() -> None:
    """Make, try, pack."""
    from semc_core.version import VERSION
    from tests.licence_texts import licence_texts

    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    work = OUT / "work"
    run(
        sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", "--distpath", OUT,
        "--workpath", work, ROOT / "bundle" / "semc.spec", **os.environ,
    )  # fmt: skip
    (FOLDER / "LICENCES.txt").write_text(licence_texts(), encoding="utf-8")
    try_out(FOLDER)
    if shutil.which("dpkg-deb") is None:
        sys.exit(f"The program is in {FOLDER}; dpkg-deb, which packs it, is not here.")
    root = OUT / "root"
    tree(FOLDER, root, VERSION)
    package = OUT / f"semc-live_{VERSION}_amd64.deb"
    run("dpkg-deb", "--root-owner-group", "-Zzstd", "-z9", "--build", root, package, **os.environ)
    shutil.move(root / "opt" / "semc-live", FOLDER)
    for each in (root, work, OUT / "home"):
        shutil.rmtree(each)
    size = package.stat().st_size
    print(f"{package}: {size / 1e6:.0f} MB")
    if size > MOST_BYTES:
        sys.exit(f"That is more than {MOST_BYTES / 1e6:.0f} MB.")


if __name__ == "__main__":
    main()
