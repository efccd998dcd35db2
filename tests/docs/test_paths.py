"""Every file, module and script that the documents name is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENTS: Final = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "docs/decisions/*.md", "assets/models/*.md")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"  # tells of files that are no more
)
_ROOMS: Final = ("app", "assets", "docs", "semc_core", "tests", "training")
_PATH: Final = re.compile(rf"(?<![\w/.:-])(?:(?:{'|'.join(_ROOMS)})/[\w./-]*|[\w/-]+\.py)(?![\w*<{{])")
_MODULE: Final = re.compile(rf"(?<![\w/.])(?:{'|'.join(_ROOMS)})(?:\.\w+)+")
_FILES: Final = (".md", ".py", ".toml", ".cff")
_ADDRESS: Final = re.compile(r"https?://\S+")
_MADE: Final = "docs/api"
"""Written by `make docs`."""
_ANY: Final = "NAME"
"""In a path: whatever the reader calls his file."""


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _paths(text: str) -> set[str]:
    found = {each.rstrip("./") for each in _PATH.findall(_ADDRESS.sub("", text))}
    return {each for each in found if not each.startswith(_MADE) and _ANY not in each}


def _missing(paths: set[str], files: frozenset[str]) -> list[str]:
    """Those that are neither in the checkout nor, without their first folders, the end of a file's name."""
    return sorted(
        path
        for path in paths
        if not (ROOT / path).exists() and not any(file.endswith(f"/{path}") for file in files)
    )


def _unknown(modules: set[str]) -> list[str]:
    """Dotted names that lead to no module, or to nothing that is named so in it."""
    names = {module for module in modules if not module.endswith(_FILES)}
    return sorted(module for module in names if not _leads_somewhere(module.split(".")))


def _leads_somewhere(parts: list[str]) -> bool:
    for length in range(len(parts), 0, -1):
        base = ROOT.joinpath(*parts[:length])
        for file in (base.with_suffix(".py"), base / "__init__.py"):
            if file.is_file():
                text = file.read_text(encoding="utf-8")
                return all(re.search(rf"\b{name}\b", text) for name in parts[length:])
    return False


@pytest.fixture(scope="module")
def files() -> frozenset[str]:
    """All scripts of the checkout, relative to it."""
    rooms = (ROOT / room for room in _ROOMS)
    return frozenset(f"/{_name(file)}" for room in rooms for file in room.rglob("*.py"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_what_a_document_names_is_there(document: Path, files: frozenset[str]) -> None:
    text = document.read_text(encoding="utf-8")
    assert _missing(_paths(text), files) == []
    assert _unknown(set(_MODULE.findall(text))) == []


def test_the_ways_are_told_by_many_files() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert len(_paths(text)) > 80


def test_a_file_that_is_not_there_is_noticed(files: frozenset[str]) -> None:
    told = "`semc_core/engine/live.py`, tests/capture, `semc_core/pipeline/live.py`, `dicom/uids.py`, main.py"
    assert _missing(_paths(told), files) == ["semc_core/engine/live.py", "tests/capture"]
    assert _unknown(
        set(_MODULE.findall("semc_core.engine.live, `semc_core.pipeline.live.LivePipeline`"))
    ) == ["semc_core.engine.live"]


def test_every_floor_of_the_contracts_is_in_the_architecture() -> None:
    import tomllib

    plain = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = plain["tool"]["importlinter"]["contracts"]
    floors = next(each for each in contracts if each["name"].startswith("the floors"))["layers"]
    rooms = [room.strip() for floor in floors for room in re.split(r"[|:]", floor)]
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.partition("## Rooms and floors")[2].partition("\n## ")[0]
    named = [room.replace(".", "/") for room in rooms]
    assert len(named) > 15
    assert [room for room in named if f"`{room}/`" not in table and f"`{room}.py`" not in table] == []
    order = [table.index(f"| `{room}/`") for room in named if f"| `{room}/`" in table]
    assert order == sorted(order), "from the roof down"
