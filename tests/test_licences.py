"""What is installed to run the program may be used with it: no part is under the GPL alone."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement


def needed(name: str, found: dict[str, Distribution]) -> None:
    """The distributions that running the program needs, with theirs; extras are left out."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in found:
        return
    try:
        found[key] = distribution(name)
    except PackageNotFoundError:
        return  # of another system
    for text in found[key].requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            needed(requirement.name, found)


def is_gpl_alone(licence: str) -> bool:
    """Whether none of the licences to choose from is another than the GPL."""
    choices = re.split(r"\s+OR\s+", licence)
    return all(re.search(r"(?<![LA])GPL|(?<!Lesser )General Public License", one) for one in choices)


def licences_of(one: Distribution) -> list[str]:
    """As its metadata state them: the expression, or else the classifiers, or else the free text."""
    said = one.metadata
    if "License-Expression" in said:
        return [said["License-Expression"]]
    named = [each for each in said.get_all("Classifier") or [] if each.startswith("License :: ")]
    free = said["License"].partition("\n")[0] if "License" in said else ""
    return named or [free]


def test_no_part_that_runs_is_under_the_gpl_alone() -> None:
    found: dict[str, Distribution] = {}
    needed("semc-live", found)
    assert {"av", "numpy", "pyside6-essentials", "python-gdcm"} <= set(found)
    refused = {
        name: licences
        for name, one in found.items()
        if (licences := licences_of(one)) and all(is_gpl_alone(each) for each in licences)
    }
    assert refused == {}


def test_the_gpl_is_told_from_the_lesser_one() -> None:
    assert is_gpl_alone("GPL V3.0")
    assert is_gpl_alone("License :: OSI Approved :: GNU General Public License v3 (GPLv3)")
    assert not is_gpl_alone("LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only")
    assert not is_gpl_alone("License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)")
    assert not is_gpl_alone("BSD-3-Clause")
