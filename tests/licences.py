"""What is installed to run the program, and under which licences, from the metadata of what is installed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

ROOT: Final = Path(__file__).resolve().parents[1]
EXTRAS: Final = ("cuda", "train", "ocr", "cluster", "onnx", "fhir", "search", "http", "web", "dev", "docs")
"""Of pyproject.toml, those that add to what the program does first; a test holds them against it."""

ALLOWED: Final = frozenset((
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0",
    "CC0-1.0", "ISC", "LGPL-3.0-only", "LicenseRef-BSD", "LicenseRef-LGPL", "LicenseRef-NVIDIA-Proprietary",
    "LicenseRef-Public-Domain", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib",
))  # fmt: skip
"""By their SPDX names; "BSD" and "LGPL" where a part does not say which of them.

The LGPL and the MPL ask that their part can be replaced, which pip lets everybody do. NVIDIA's is that of the
libraries which PyTorch brings for its GPUs: they may be used, and we pass none on.
"""

_FREE_TEXT: Final = {
    "2-clause bsd license": "BSD-2-Clause", "bsd 2-clause license": "BSD-2-Clause",
    "3-clause bsd license": "BSD-3-Clause", "bsd 3-clause license": "BSD-3-Clause",
    "bsd": "LicenseRef-BSD", "bsd license": "LicenseRef-BSD",
    "apache": "Apache-2.0", "apache 2.0": "Apache-2.0", "isc license": "ISC", "mit license": "MIT",
    "nvidia proprietary software": "LicenseRef-NVIDIA-Proprietary", "psfl": "PSF-2.0",
}  # fmt: skip
_CLASSIFIERS: Final = {
    "Apache Software License": "Apache-2.0", "BSD License": "LicenseRef-BSD", "ISC License (ISCL)": "ISC",
    "MIT License": "MIT", "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0", "Public Domain": "LicenseRef-Public-Domain",
    "GNU Library or Lesser General Public License (LGPL)": "LicenseRef-LGPL",
}  # fmt: skip
_READ: Final = {
    # Says nothing; it only names others of NVIDIA's.
    "cuda-toolkit": "LicenseRef-NVIDIA-Proprietary",
    # Tells of the GPL for one file for an editor, which is not among what is installed.
    "docutils": "LicenseRef-Public-Domain AND BSD-2-Clause AND PSF-2.0",
}
"""Licences that the metadata do not say rightly."""

_NO_LICENCES: Final = ("OSI Approved", "DFSG approved")


@dataclass(frozen=True, slots=True)
class Part:
    """Something that pip installs.

    Attributes:
        name: In lower case, with hyphens.
        version: As it is installed.
        licence: SPDX names, with AND and OR; what the metadata say where no such is known.
        needed_by: The first of "" (the program itself) and the extras that needs it.
    """

    name: str
    version: str
    licence: str
    needed_by: str


def plain(name: str) -> str:
    """A package's name as all its spellings are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def asked_for() -> dict[str, list[str]]:
    """The requirements of pyproject.toml: of the program itself under "", of each extra under its name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"": project["dependencies"], **project["optional-dependencies"]}


def pinned() -> dict[str, str]:
    """Name to version of constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {plain(name): version for name, version in pairs}


def parts(groups: Iterable[str] = ("", *EXTRAS)) -> dict[str, Part]:
    """What these groups of requirements install here, by name. What is of other systems is left out.

    Raises:
        PackageNotFoundError: One of them is not installed.
    """
    found: dict[str, Part] = {}
    requirements = asked_for()
    for group in groups:
        seen: set[tuple[str, str]] = set()
        for text in requirements[group]:
            for one in _installed(Requirement(text), seen):
                name = plain(one.metadata["Name"])
                found.setdefault(name, Part(name, one.version, licence_of(one), group))
    return dict(sorted(found.items()))


def _installed(requirement: Requirement, seen: set[tuple[str, str]]) -> Iterator[Distribution]:
    """The distribution and all that it needs."""
    for extra in ("", *requirement.extras):
        key = (plain(requirement.name), extra)
        if key in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(key)
        try:
            one = distribution(requirement.name)
        except PackageNotFoundError as error:
            raise PackageNotFoundError(
                f'{requirement.name}: pip install -e ".[{",".join(EXTRAS)}]"'
            ) from error
        yield one
        for text in one.requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                needed.marker = None
                yield from _installed(needed, seen)


def licence_of(one: Distribution) -> str:
    """The licence as SPDX names it, of the expression, the short text or the classifiers in the metadata."""
    name, said = plain(one.metadata["Name"]), one.metadata
    if name in _READ:
        return _READ[name]
    if "License-Expression" in said:
        return str(said["License-Expression"])
    text = str(said["License"]).strip().partition("\n")[0] if "License" in said else ""
    short = _FREE_TEXT.get(text.lower(), text)
    if short and not refused(short):
        return short
    classifiers = [each for each in said.get_all("Classifier") or [] if each.startswith("License ::")]
    names = [each.rpartition(" :: ")[2] for each in classifiers]
    known = [_CLASSIFIERS.get(each, each) for each in names if each not in _NO_LICENCES]
    return " AND ".join(known) or text or "not said"


def refused(licence: str) -> list[str]:
    """What of a licence is not in the allow-list; of several to choose from, one that is in it is enough.

    Args:
        licence: SPDX names with AND and OR; AND binds closer, and there are no brackets.
    """
    choices = [
        [one for one in choice.split(" AND ") if one not in ALLOWED] for choice in licence.split(" OR ")
    ]
    return min(choices, key=len)
