"""The package as a user meets it: installed by apt into a new Debian without Python, its window on a screen.

    python -m bundle.try_installed

Needs root, mmdebstrap (which makes the Debian below build/bundle/tree) and Xvfb. Ends with 1 and a sentence
where the package asks for too little, the program does not start, or its window shows nothing.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bundle.make import OUT

TREE: Final = OUT / "tree"
_HOOK: Final = "/usr/share/mmdebstrap/hooks/file-mirror-automount"
_USER: Final = "1000:1000"
_HOME: Final = "/tmp/home"
_LEAST_COLOURS: Final = 100
"""A window that drew nothing has a few."""


def new_debian(package: Path) -> None:
    """Make a Debian of what every Debian has, the package, and what that asks for."""
    shutil.rmtree(TREE, ignore_errors=True)
    sources = [*Path("/etc/apt").glob("sources.list"), *Path("/etc/apt/sources.list.d").glob("*.sources")]
    _run(
        "mmdebstrap", "--quiet", "--variant=essential", f"--hook-dir={_HOOK}", f"--include={package}",
        platform.freedesktop_os_release()["VERSION_CODENAME"], TREE, *sources,
    )  # fmt: skip
    if found := list(TREE.glob("usr/bin/python*")):
        sys.exit(f"There is a Python in the new Debian: {found[0]}.")


@contextmanager
def screen() -> Iterator[str]:
    """A screen without a monitor; its address."""
    told, tells = os.pipe()
    command = ("Xvfb", "-displayfd", str(tells), "-screen", "0", "1280x800x24", "-nolisten", "tcp")
    with subprocess.Popen(command, pass_fds=(tells,), stderr=subprocess.DEVNULL) as server:
        os.close(tells)
        with os.fdopen(told, encoding="ascii") as number:
            display = f":{number.readline().strip()}"
        try:
            yield display
        finally:
            server.terminate()


def semc(*arguments: str, display: str) -> None:
    """Run the installed program as a user."""
    alone = {"HOME": _HOME, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "DISPLAY": display}
    _run("chroot", f"--userspec={_USER}", TREE, "/usr/bin/semc", *arguments, environment=alone)


def _run(*command: str | Path, environment: dict[str, str] | None = None) -> None:
    if environment is not None:  # chroot itself is found by this program's own
        command = (shutil.which(str(command[0])) or command[0], *command[1:])
    if (code := subprocess.run(command, env=environment, check=False).returncode) != 0:
        sys.exit(f"{Path(command[0]).name} {' '.join(map(str, command[1:]))} ended with {code}.")


def main() -> None:
    """Install, start, look."""
    import cv2
    import numpy as np

    packages = list(OUT.glob("semc-live_*.deb"))
    if len(packages) != 1:
        sys.exit(f"There is no package in {OUT}; make it with `make bundle`.")
    new_debian(packages[0])
    home = TREE / _HOME[1:]
    home.mkdir()
    home.chmod(0o777)
    _run("mount", "--bind", "/proc", TREE / "proc")
    try:
        with screen() as display:
            semc("model", "verify", display=display)
            scan = ("live", "simulated:2007", "--seconds", "8", "--out", f"{_HOME}/out")
            semc(*scan, "--screenshot", f"{_HOME}/window.png", display=display)
    finally:
        _run("umount", "--lazy", TREE / "proc")
    shown = cv2.imread(str(home / "window.png"))
    if shown is None or len(np.unique(shown.reshape(-1, 3), axis=0)) < _LEAST_COLOURS:
        sys.exit(f"The window shows nothing: {home / 'window.png'}.")
    if "pyside6" not in (TREE / "opt" / "semc-live" / "LICENCES.txt").read_text(encoding="utf-8"):
        sys.exit("The texts of the licences are not in the package.")
    if not list(home.glob("out/*/session.sqlite")):
        sys.exit(f"No session was written below {home / 'out'}.")
    shutil.copy(home / "window.png", OUT / "window.png")
    shutil.rmtree(TREE)
    print(f"Installed and started in a Debian without a Python; its window: {OUT / 'window.png'}")


if __name__ == "__main__":
    main()
