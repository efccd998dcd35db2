"""Every command where the packages of the extras are not there: it works, or names the extra that it needs.

`python -m tests.without_extras FOLDER` hides these packages from this process, walks the table of commands in
the folder, and ends with 1 where one did neither; with `--lacking` it leaves out those that work, which take
half a minute. `make smoke` runs it where the packages are truly not there.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.metadata import Distribution, DistributionFinder
from pathlib import Path
from types import ModuleType
from typing import Final

import main
import tests.own_data  # noqa: F401 - the user's models are not touched
from semc_core.extras import OPTIONAL, needed
from semc_core.paths import DEFAULT_MODEL
from tests.cli.commands import all_commands

_PYTORCH, _NNCF = needed("torch"), needed("nncf", "Quantising")
_ONNX = needed("onnx")
_FHIR = needed("fhir", "FHIR")
_HTTP = needed("uvicorn")
_WEB = needed("dicomweb_client", "DICOMweb")
_RAY = "An archive needs "


class Hidden(MetaPathFinder):
    """Finds what another finder finds, but for some packages: as if they were not installed."""

    def __init__(self, behind: MetaPathFinder, names: Sequence[str]) -> None:
        self._behind, self._names = behind, names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """None for what is hidden."""
        if fullname.partition(".")[0] in self._names:
            return None
        return self._behind.find_spec(fullname, path, target)

    def find_distributions(self, context: DistributionFinder.Context) -> Iterator[Distribution]:
        """Of `importlib.metadata`: without those that are hidden."""
        find = getattr(self._behind, "find_distributions", None)  # not every finder has it
        hidden = {name.lower() for name in self._names}
        for each in () if find is None else find(context):
            if each.metadata["Name"].lower() not in hidden:
                yield each


@dataclass(frozen=True)
class Step:
    """One command line, the code with which it must end, and a part of what it must say."""

    typed: str
    code: int = 0
    says: str = ""


STEPS: Final = (
    Step("phantom render --seconds 0.5 --width 320 --height 240 --out scan.mp4", says="scan.mp4"),
    Step("phantom dataset --patients 1 --frames 2 --size 64 --processes 1 --out patients", 1, _PYTORCH),
    Step("live simulated:2007 --offscreen --seconds 2 --device cpu --out out"),
    Step("live simulated:2007 --offscreen --device torch-cpu --out none", 1, "PyTorch: pip install"),
    Step("session list out"),
    Step("session show SESSION"),
    Step("session verify SESSION"),
    Step("replay SESSION --log-only"),
    Step("export SESSION --out exported --no-clips --no-frames --anyway"),
    Step("export SESSION --out none --fhir --anyway", 1, _FHIR),
    Step("dataset nothing --format coco --out planes", 2, "is no session"),
    Step("session label SESSION nothing.json", 2, "cannot be read"),
    Step("session compare SESSION nothing", 2, "is no session"),
    Step("session merge SESSION nothing --out merged", 1),
    Step("session forget SESSION"),
    Step("session delete-recording SESSION", says="no recording"),
    Step("session retain out --older-than 1 --dry-run"),
    Step("analyse scan.mp4 --device cpu --out analysed"),
    Step("classify scan.mp4 --device cpu --every 5 --out planes.csv"),
    Step("measure out/screenshot.png --out heads.csv --mm-per-pixel 0.2"),
    Step("inspect scan.mp4 --frames frames"),
    Step("tap nothing.txt --out tapped.semctap", 1, "was not found"),
    Step("devices"),
    Step("protocols"),
    Step("plugins"),
    Step("pacs add HERE 127.0.0.1 9 ANY"),
    Step("pacs servers", says="HERE"),
    Step("pacs echo HERE", 1),
    Step("pacs send nothing --to HERE", 1),
    Step("pacs run"),
    Step("http --port 0", 1, _HTTP),
    Step("pacs worklist HERE", 1),
    Step("pacs find HERE --patient-id 1", 1),
    Step("pacs get HERE 1.2.3 --out prior", 1),
    Step("pacs list"),
    Step("pacs retry"),
    Step("pacs cancel 9", 1),
    Step("pacs remove HERE"),
    Step("pacs add-web CLOUD http://127.0.0.1:9/dicom-web"),
    Step("pacs servers", says="CLOUD"),
    Step("pacs echo CLOUD", 1, _WEB),
    Step("pacs find CLOUD --patient-id 4711", 1, _WEB),
    Step("pacs get CLOUD 1.2 --out got", 1, _WEB),
    Step("pacs remove CLOUD"),
    Step("model info"),
    Step("model list"),
    Step("model verify", says="pass"),
    Step("model add MODEL --name mine"),
    Step("model use mine --force", says="in use"),
    Step("model rollback", says="in use"),
    Step("model import scan.mp4 --classes A,NSP --out new.st", 1, _PYTORCH),
    Step("model fit-gate MODEL patients --out new.safetensors", 1, _PYTORCH),
    Step("model start --preset semc_r18 --resnet download --classes A,NSP --out new.st", 1, _PYTORCH),
    Step("model quantise MODEL --out new.safetensors", 2, _NNCF),
    Step("model export live --out new.onnx", 1, _ONNX),
    Step("search --data patients --space none.toml --out found", 1, _PYTORCH),
    Step("bench live --seconds 1"),
    Step("bench analyse scan.mp4"),
    Step("bench window --runs 1 --seconds 1"),
    Step("bench glass nothing", 1),
    Step("bench network --presets semc_live", 1, _PYTORCH),
    Step("bench --presets semc_live", 1, _PYTORCH),
    Step("data check patients", 1, _PYTORCH),
    Step("data split patients --anew", 1, _PYTORCH),
    Step("data get"),
    Step("trim"),
    Step("update"),
    Step("analyse scan.mp4 --cluster local --out archive", 2, _RAY),
    Step("train --data patients --out new.safetensors", 1, _PYTORCH),
    Step("label-next patients --budget 2 --device cpu", 1, _PYTORCH),
    Step("pretrain --data patients --out new.safetensors", 1, _PYTORCH),
    Step("eval MODEL patients --out judged", 1, _PYTORCH),
    Step("calibrate MODEL patients --out new.safetensors", 1, _PYTORCH),
    Step("ablate --data patients --out ablated", 1, _PYTORCH),
    Step("compare --data patients --out compared", 1, _PYTORCH),
)
"""In this order: what one writes the next may read."""
LACKING: Final = tuple(step for step in STEPS if step.says in (_PYTORCH, _NNCF, _ONNX, _RAY, _HTTP))
"""Those that cannot work, with nothing to work on; they take no time."""


def wrong(steps: Sequence[Step]) -> Iterator[str]:
    """Run the help of every command, and steps in the present folder; says what came out wrong."""
    every = {name.removeprefix("semc ") for name in all_commands() if name.startswith("semc ")}
    for name in sorted(every):
        code, text = run([*name.split(), "--help"])
        if code != 0 or "usage" not in text.lower():
            yield f"semc {name} --help ended with {code}: {text[-300:]}"
    tried = " | ".join(step.typed for step in STEPS)
    groups = {name for name in every if any(other.startswith(f"{name} ") for other in every)}
    yield from (f"semc {name} is not tried" for name in sorted(every - groups) if name not in tried)
    for step in steps:
        code, text = run(_filled(step.typed))
        if code != step.code or step.says not in text:
            yield f"semc {step.typed} ended with {code}: {text[-600:]}"


def run(arguments: list[str]) -> tuple[int, str]:
    """The exit code of a command, and what it printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            code = main.main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, printed.getvalue()


def _filled(typed: str) -> list[str]:
    sessions = sorted(path.parent for path in Path("out").glob("*/session.sqlite")) or [Path("out")]
    known = {"SESSION": str(sessions[0]), "MODEL": str(DEFAULT_MODEL)}
    return [known.get(word, word) for word in typed.split()]


def hide() -> None:
    """From now on this process finds no optional package."""
    assert not set(OPTIONAL) & set(sys.modules)
    sys.meta_path[:] = [Hidden(finder, OPTIONAL) for finder in sys.meta_path]  # type: ignore[arg-type]


if __name__ == "__main__":
    hide()
    with contextlib.chdir(sys.argv[1]):
        found = list(wrong(LACKING if "--lacking" in sys.argv else STEPS))
    print("\n".join(found) or "Every command works, or names its extra.")
    sys.exit(bool(found))
