"""Pages of the interface for the site, from the docstrings: one a package, a heading a module."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER: Final = "docs/api"
PACKAGES: Final = ("semc_core", "training", "app")
BY_MODULE: Final = ("app", "semc_core.cli", "training.cli")
"""Only the modules of these are told: the window, and commands, which docs/commands.md lists."""


def write_api_pages(root: Path) -> None:
    """Write the pages into `docs/api`, and take away those of packages that are no more."""
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    pages = {
        f"{_name(root, file.parent)}.rst": _page(root, file.parent)
        for package in PACKAGES
        for file in sorted((root / package).rglob("__init__.py"))
    }
    for stale in {path.name for path in folder.iterdir()} - pages.keys():
        (folder / stale).unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _page(root: Path, package: Path) -> str:
    name = _name(root, package)
    members = not any(f"{name}.".startswith(f"{each}.") for each in BY_MODULE)
    parts = [_heading(name, "="), _automodule(name, members=False)]
    if inner := sorted(file.parent for file in package.glob("*/__init__.py")):
        names = "".join(f"   {_name(root, folder)}\n" for folder in inner)
        parts.append(f".. toctree::\n   :maxdepth: 1\n\n{names}")
    for module in sorted(package.glob("[!_]*.py")):
        parts += [_heading(_name(root, module), "-"), _automodule(_name(root, module), members)]
    return "\n".join(parts)


def _name(root: Path, path: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts)


def _heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n"


def _automodule(name: str, members: bool) -> str:
    return f".. automodule:: {name}\n" + ("   :members:\n   :show-inheritance:\n" if members else "")
