"""What is installed may be used and passed on with the program, is named in THIRD_PARTY.md, and is pinned."""

from __future__ import annotations

import re
import sys
from importlib.metadata import distribution
from pathlib import Path

import av
import pytest
from packaging.requirements import Requirement

from tests.licences import EXTRAS, ROOT, asked_for, parts, pinned, plain, refused
from tests.licences_page import AV_LIBRARIES, OTHER_SYSTEMS, PAGE, fixed, row_of


def test_all_extras_are_looked_at() -> None:
    assert set(asked_for()) == {"", *EXTRAS}


@pytest.mark.requirement("P1")
def test_every_part_has_a_licence_of_the_allow_list() -> None:
    found = parts()
    assert {"av", "cryptography", "keyring", "numpy", "pyside6-essentials"} <= set(parts([""]))
    assert {"lightning", "rapidocr", "pytest", "sphinx"} <= set(found)
    assert {part.name: wrong for part in found.values() if (wrong := refused(part.licence))} == {}


@pytest.mark.parametrize(
    ("licence", "wrong"),
    [
        ("MIT", []),
        ("MIT AND BSD-3-Clause", []),
        ("LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only", []),
        ("GPL-3.0-only", ["GPL-3.0-only"]),
        ("GPL-3.0-only AND MIT", ["GPL-3.0-only"]),
        ("GPL-2.0-only OR AGPL-3.0-only", ["GPL-2.0-only"]),
        ("not said", ["not said"]),
    ],
)
def test_a_licence_outside_of_the_list_is_refused(licence: str, wrong: list[str]) -> None:
    assert refused(licence) == wrong


@pytest.mark.requirement("P1")
def test_every_part_is_pinned_at_the_version_that_is_installed() -> None:
    versions = pinned()
    # A build for some GPU says so behind a "+", which pip leaves aside as well.
    installed = {part.name: part.version.partition("+")[0] for part in parts().values()}
    others = {name: one for name, one in installed.items() if versions.get(name) != one}
    assert others == {}, "not what constraints.txt pins"


def test_each_is_pinned_once_and_in_order() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()[1:]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    names = [plain(line.partition("==")[0]) for line in lines]
    assert len(set(names)) == len(names)
    assert lines == sorted(lines, key=str.lower)


def test_the_page_names_what_is_installed_and_nothing_that_is_not_pinned() -> None:
    """`python -m tests.licences_page` writes it; other systems install a little more or less."""
    text = PAGE.read_text(encoding="utf-8")
    rows = set(text.splitlines())
    assert [part.name for part in parts().values() if row_of(part) not in rows] == []
    assert [each for each in fixed() if each not in text] == []
    named = re.findall(r"^\| ([\w-]+)(?: \(macOS, Windows\))? \| (\d[\w.+]*) \|", text, re.MULTILINE)
    assert len(named) >= len(OTHER_SYSTEMS) + len(parts([""]))
    versions = pinned()
    assert [name for name, version in named if versions.get(name) != version.partition("+")[0]] == []


@pytest.mark.skipif(sys.platform != "linux", reason="wheels for other systems name their libraries otherwise")
def test_the_page_names_every_library_in_pyavs_wheel() -> None:
    folder = Path(av.__file__).parents[1] / "av.libs"
    held = {re.split(r"-[0-9a-f]{8}", path.name)[0].removeprefix("lib") for path in folder.glob("lib*.so*")}
    assert held == {name for _, names in AV_LIBRARIES.values() for name in names}
    for name in ("x264", "x265"):
        assert "GPL" in AV_LIBRARIES[f"**{name}**"][0]


def test_what_is_asked_for_is_installed_in_a_version_that_is_allowed() -> None:
    for texts in asked_for().values():
        for requirement in map(Requirement, texts):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                assert distribution(requirement.name).version in requirement.specifier
