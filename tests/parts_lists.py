"""`make sbom`: what the program consists of, as CycloneDX lists, and the licences of it all with their texts.

Writes into build/parts, of what is installed and pinned: semc-live.cdx.json (what pip installs to run the
program), semc-live-bundle.cdx.json (the same with the Python that the bundle holds), and LICENCES.txt.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from typing import Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement

from semc_core.version import VERSION
from tests.licence_texts import licence_texts
from tests.licences import ROOT, Part, parts, plain
from tests.licences_page import AV_LIBRARIES

OUT: Final = ROOT / "build" / "parts"


def bill_of_materials(*, bundle: bool) -> Bom:
    """The list for the program as pip installs it, or as the bundle holds it."""
    licences = LicenseFactory()
    found = parts([""])
    made = {name: _component(part, licences) for name, part in found.items()}
    program = Component(
        name="semc-live", version=VERSION, type=ComponentType.APPLICATION, bom_ref="semc-live",
        licenses=[licences.make_from_string("Apache-2.0")],
    )  # fmt: skip
    bom = Bom(components=[*made.values(), *_models()])
    bom.metadata.component = program
    if bundle:
        python = Component(
            name="CPython", version=platform.python_version(), type=ComponentType.PLATFORM, bom_ref="cpython",
            licenses=[licences.make_from_string("PSF-2.0")],
        )  # fmt: skip
        bom.components.add(python)
    bom.register_dependency(program, list(bom.components))
    for name, component in made.items():
        bom.register_dependency(component, [made[each] for each in _needed_by(name) if each in made])
    return bom


def as_json(bom: Bom) -> str:
    """As a file holds it: CycloneDX 1.6."""
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _component(part: Part, licences: LicenseFactory) -> Component:
    version = part.version.partition("+")[0]
    held: list[Component] = []
    if part.name == "av":
        # Libraries in its wheel, one of them under the GPL, would else be seen by nobody.
        held = [
            Component(name=name.strip("*"), bom_ref=f"av/{name.strip('*')}", description=licence)
            for name, (licence, _) in AV_LIBRARIES.items()
        ]
    return Component(
        name=part.name, version=version, bom_ref=f"{part.name}@{version}", components=held,
        purl=PackageURL("pypi", None, part.name, version),
        licenses=[licences.make_from_string(part.licence)],
    )  # fmt: skip


def _models() -> Iterator[Component]:
    """The networks that come with the program, with their hashes."""
    for path in sorted((ROOT / "assets").glob("*/*.safetensors")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        yield Component(
            name=path.relative_to(ROOT).as_posix(), type=ComponentType.MACHINE_LEARNING_MODEL,
            version=VERSION, bom_ref=path.name, hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        )  # fmt: skip


def _needed_by(name: str) -> Iterator[str]:
    for text in distribution(name).requires or ():
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            yield plain(needed.name)


def main() -> None:
    """Write all three."""
    OUT.mkdir(parents=True, exist_ok=True)
    for name, bundle in (("semc-live", False), ("semc-live-bundle", True)):
        (OUT / f"{name}.cdx.json").write_text(as_json(bill_of_materials(bundle=bundle)), encoding="utf-8")
    (OUT / "LICENCES.txt").write_text(licence_texts(), encoding="utf-8")
    sys.stdout.write(f"Wrote {OUT}.\n")


if __name__ == "__main__":
    main()
