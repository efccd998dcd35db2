"""`semc model`: what a model file holds, whether it runs right here, and models from other programs.

`semc model list | use | rollback`: the user's models, and which of them is in use.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from semc_core.cli.arguments import IN_USE, count, model_file, new_file
from semc_core.errors import SemcError, UsageError
from semc_core.model.comparison import COMPARISON_NAME, Comparison, read_comparison, run_folder
from semc_core.model.file import read_spec
from semc_core.model.registry import SHIPPED, ModelRegistry, Version
from semc_core.model.spec import Architecture
from semc_core.text import counted

HELP = "show, verify and import models; choose the one in use"
_INFO = "show what a model file holds"
_VERIFY = "run a model file's stored inputs through every runtime and compare with its stored outputs"
_IMPORT = "make a model file of a checkpoint of the SEMC authors' code, or of a SonoNet"
_START = "make an untrained model file with the encoder of a torchvision ResNet, for semc train --encoder"
_QUANTISE = (
    "make a model file that runs in int8 on the CPU; it is written only if int8 nearly always says what "
    "float32 says (needs NNCF, from the extra train)"
)
_LIST = "list your models: which is in use, how each compared with the one before"
_USE = "use a model from now on: one of the list, or a model file that is no worse than the one in use"
_ROLLBACK = "go back to the model that was in use before"
_FIT_GATE = "fit the gate of a SEMC model to labelled pictures; the rest of it stays as it is"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One sub-command for each action."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    info = actions.add_parser("info", help=_INFO, description=_INFO)
    info.add_argument("file", type=model_file, nargs="?", default=IN_USE, help="default: the one in use")
    info.add_argument("--json", action="store_true", help="print JSON instead of a table")

    verify = actions.add_parser("verify", help=_VERIFY, description=_VERIFY)
    verify.add_argument("file", type=model_file, nargs="?", default=IN_USE, help="default: the one in use")
    verify.add_argument("--threads", type=count, help="most CPU threads to use")

    importing = actions.add_parser("import", help=_IMPORT, description=_IMPORT)
    importing.add_argument("checkpoint", type=Path, help="for example released.pth.tar or SonoNet16.pth")
    importing.add_argument("--out", type=new_file, required=True, help="model file to write (.safetensors)")
    importing.add_argument(
        "--classes", metavar="A,B,C", help="class names in the order of the outputs; needed for SEMC"
    )
    importing.add_argument(
        "--none-class",
        metavar="NAME",
        help='class that means "none of these" (default: NSP; SonoNet: Background)',
    )
    importing.add_argument(
        "--add-none", action="store_true", help='add NSP, never named, if no class means "none of these"'
    )

    fit = actions.add_parser("fit-gate", help=_FIT_GATE, description=_FIT_GATE)
    fit.add_argument("model", type=Path, help="model file of several experts")
    fit.add_argument(
        "folder", type=Path, help="a sub-folder per class, with pictures or a folder per patient"
    )
    fit.add_argument("--out", type=new_file, required=True, help="model file to write")
    fit.add_argument("--held-out", type=float, default=0.3, help="share of the pictures to measure on")
    fit.add_argument("--seed", type=int, default=0, help="of the choice of these")

    quantise = actions.add_parser("quantise", help=_QUANTISE, description=_QUANTISE)
    quantise.add_argument("file", type=Path, help="model file")
    quantise.add_argument("--out", type=new_file, required=True, help="model file to write")
    quantise.add_argument(
        "--data",
        default="simulated",
        metavar="DIR",
        help="a folder with a sub-folder per class, with pictures or a folder per patient "
        "(default: simulated, the simulated patients)",
    )
    quantise.add_argument("--threads", type=count, help="most CPU threads to use")

    start = actions.add_parser("start", help=_START, description=_START)
    start.add_argument("--preset", required=True, help="semc_r18, semc_r50 or semc_r50_paper")
    start.add_argument(
        "--resnet", required=True, metavar="FILE|download", help="its weights, or torchvision's own download"
    )
    start.add_argument("--classes", required=True, metavar="A,B,NSP", help="class names, NSP among them")
    start.add_argument("--out", type=new_file, required=True, help="model file to write")

    listing = actions.add_parser("list", help=_LIST, description=_LIST)
    listing.add_argument("--json", action="store_true", help="print JSON instead of a table")

    using = actions.add_parser("use", help=_USE, description=_USE)
    using.add_argument("model", metavar="NUMBER|FILE", help="0 is the model that came with the program")
    using.add_argument("--force", action="store_true", help="use a file that is worse or was not compared")

    actions.add_parser("rollback", help=_ROLLBACK, description=_ROLLBACK)


def run(args: argparse.Namespace) -> int:
    """Do one action. Returns the exit code: 1 where `verify` failed.

    Raises:
        SemcError: It could not be done, or what came out is not good enough to be written.
    """

    actions = {
        "list": show_list,
        "use": use,
        "rollback": rollback,
        "info": _info,
        "verify": _verify,
        "import": _import,
        "fit-gate": _fit_gate,
        "quantise": _quantise,
        "start": _start,
    }
    return actions[args.action](args)


def _info(args: argparse.Namespace) -> int:
    described = describe(args.file)
    if args.json:
        print(json.dumps(described, indent=2))
    else:
        _print_table(described)
    return 0


def _verify(args: argparse.Namespace) -> int:
    from semc_core.runtime.verify import verify

    verified = verify(args.file, args.threads)
    for one in verified:
        result = "pass" if one.passed else "FAIL"
        print(
            f"{result}  {one.runtime}: largest difference {one.difference:.1e} of the outputs' standard "
            f"deviation (at most {one.limit:.0e})"
            + ("" if one.same_classes else ", and another class in some picture")
        )
    return 0 if all(one.passed for one in verified) else 1


def _import(args: argparse.Namespace) -> int:
    from semc_core.model.importers import import_checkpoint

    classes = None if args.classes is None else args.classes.split(",")
    imported = import_checkpoint(args.checkpoint, args.out, classes, args.none_class, args.add_none)
    spec = imported.spec
    for part, held in imported.unused.items():
        print(f"left out, never used by the network: {part} ({counted(held, 'tensor')})")
    print(f"classes: {', '.join(spec.classes)}; none of these: {spec.none_class}")
    print(spec.notice)
    print(f"Wrote {args.out}.")
    return 0


def _fit_gate(args: argparse.Namespace) -> int:
    from rich.progress import Progress

    from semc_core.model.gate_fit import fit_gate_of_file

    with Progress(transient=True) as progress:
        task = progress.add_task("Looking at the pictures", total=None)
        result = fit_gate_of_file(
            args.model,
            args.folder,
            args.out,
            args.held_out,
            args.seed,
            lambda done, total: progress.update(task, completed=done, total=total),
        )
    fitted, measured = counted(result.fitted_on, "picture"), counted(result.held_out, "other")
    print(f"fitted on {fitted}, measured on {measured}")
    print(f"accuracy {result.accuracy_before:.1%} before, {result.accuracy_after:.1%} after")
    print(f"cross-entropy {result.loss_before:.3f} before, {result.loss_after:.3f} after")
    if not result.better:
        raise SemcError(
            f"The fitted gate is no better on the pictures held out, so {args.out.name} was not written; "
            "collect more pictures."
        )
    print(f"Wrote {args.out}.")
    return 0


def _start(args: argparse.Namespace) -> int:
    from semc_core.model.importers import write_started

    write_started(args.preset, args.classes.split(","), args.resnet, args.out)
    print(f"Wrote {args.out}. Train it with semc train --encoder {args.out} --preset {args.preset}.")
    return 0


def _quantise(args: argparse.Namespace) -> int:
    from rich.progress import Progress

    from semc_core.model.file import read_spec
    from semc_core.runtime.quantize import (
        LEAST_AGREEMENT,
        MOST_LOST,
        folder_pictures,
        quantize_file,
        require_nncf,
        simulated_pictures,
    )

    require_nncf()
    spec = read_spec(args.file)
    with Progress(transient=True) as progress:
        task = progress.add_task("Making the pictures", total=None)
        pictures = (
            simulated_pictures(spec) if args.data == "simulated" else folder_pictures(spec, Path(args.data))
        )
        progress.update(task, description="Quantising and measuring")
        result = quantize_file(args.file, args.out, pictures, args.threads)
    calibrated, measured = counted(result.calibrated_on, "picture"), counted(result.measured_on, "other")
    print(f"calibrated on {calibrated}, measured on {measured}")
    print(f"accuracy {result.accuracy_float32:.2%} in float32, {result.accuracy_int8:.2%} in int8")
    print(f"the same class in {result.agreement:.2%} of the pictures")
    if result.left_in_float32:
        print(f"left in float32: {', '.join(result.left_in_float32)}")
    if not result.accepted:
        raise SemcError(
            f"{args.out.name} was not written: int8 may lose at most {100 * MOST_LOST:.1f} points of "
            f"accuracy and must agree in {LEAST_AGREEMENT:.0%} of the pictures; keep the float32 model."
        )
    print(f"Wrote {args.out}.")
    return 0


def describe(path: Path) -> dict[str, Any]:
    """Everything about a model file as plain JSON values; the whole file is checked.

    Raises:
        ModelFileError: The file is missing, damaged, or not one of ours.
    """
    from semc_core.model.architecture import gflop, parameter_count
    from semc_core.model.file import NOVELTY, VERIFY, read_model

    spec, arrays = read_model(path)
    size = spec.preprocessing.height, spec.preprocessing.width
    plain: dict[str, Any] = json.loads(json.dumps(asdict(spec)))
    if spec.architecture.kind == "sononet":
        plain["architecture"] = {
            n: plain["architecture"][n] for n in ("kind", "preset", "width", "in_channels")
        }
    return {
        "file": path.name,
        "size_mb": round(path.stat().st_size / 1e6, 2),
        "parameters": parameter_count(spec.architecture, len(spec.classes)),
        "gflop_per_frame": round(gflop(spec.architecture, len(spec.classes), *size), 3),
        "gate": _gate_in_words(spec.architecture),
        "novelty": NOVELTY[0] in arrays,
        "can_be_verified": VERIFY[0] in arrays,
        **plain,
    }


def _gate_in_words(architecture: Architecture) -> str:
    if architecture.kind == "sononet":
        return "none, one network"
    if architecture.gate_input == "mean":
        return "none yet, every expert counts the same (fit one with semc model fit-gate)"
    return f"on the {architecture.gate_input} features"


def _print_table(described: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=str(described["file"]), show_header=False)
    table.add_column("what", style="bold", no_wrap=True)
    table.add_column("value", overflow="fold")
    for name, value in described.items():
        if name != "file":
            _add_rows(table.add_row, name, value)
    Console().print(table, markup=False)


def _add_rows(add_row: Any, name: str, value: Any) -> None:
    """One row per plain value; a group becomes one row per member."""
    if isinstance(value, dict):
        for inner, held in value.items():
            _add_rows(add_row, f"{name}.{inner}", held)
    elif isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        add_row(_escaped(name), _escaped(", ".join(_rounded(item) for item in value)))
    else:
        add_row(_escaped(name), _escaped("-" if value == "" else _rounded(value)))


def _rounded(value: Any) -> str:
    """Four digits say all that a metric or a temperature means; JSON has the rest."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _escaped(value: Any) -> str:
    """Text from a file must not be taken for rich's markup."""
    from rich.markup import escape

    return escape(str(value))


def show_list(args: argparse.Namespace) -> int:
    """Print all versions. Returns 0."""
    from rich.console import Console
    from rich.table import Table

    library = ModelRegistry()
    versions, current = library.versions(), library.current()
    in_use = SHIPPED if current is None else current.number
    if args.json:
        plain = {"in_use": in_use, "versions": [asdict(version) for version in versions]}
        print(json.dumps(plain, indent=2))
        return 0
    table = Table("", "number", "added", "F1", "against the one before", "note", title="Models")
    table.add_row("in use" if in_use == SHIPPED else "", str(SHIPPED), "", "", "", "came with the program")
    for version in versions:
        mark = "in use" if version.number == in_use else ""
        table.add_row(
            mark, str(version.number), version.added_utc[:16].replace("T", " "), *_compared(version)
        )
    Console().print(table, markup=False)
    return 0


def use(args: argparse.Namespace) -> int:
    """Use a version, or take a model file in and use it. Returns 0.

    Raises:
        SemcError: There is no such model, or it is refused.
    """
    library = ModelRegistry()
    if args.model.isdecimal():
        print(in_words(library.use(int(args.model))))
        return 0
    path = Path(args.model)
    if not path.is_file():
        raise UsageError(
            f"There is no model file {path}; name one, or a version's number as in `semc model list`."
        )
    comparison = comparison_of(path)
    version = promoted(path, comparison, "taken in by hand", force=args.force)
    if comparison is not None:
        print(comparison.sentence)
    print(in_words(version))
    return 0


def promoted(model: Path, comparison: Comparison | None, note: str, *, force: bool) -> Version:
    """Use a model file from now on, if it may replace the one in use; see `ModelRegistry.promote`.

    Raises:
        SemcError: It is refused, and the sentence says why and what can be done; or it cannot be written.
    """
    library = ModelRegistry()
    refusal = "" if force else library.refusal(read_spec(model).sha256, comparison)
    if refusal:
        # A file that `semc calibrate` or `semc model fit-gate` wrote has no training to go on with.
        more = (
            "Its `semc train` command with --resume compares it again"
            if run_folder(model).is_dir()
            else "`semc eval` tells how good it is"
        )
        raise UsageError(
            f"{refusal} {model.name} is kept and not used. {more}; `semc model use` with --force uses it all "
            "the same."
        )
    return library.promote(model, comparison, note, force=force)


def rollback(args: argparse.Namespace) -> int:
    """Go back. Returns 0.

    Raises:
        SemcError: There is nothing to go back to.
    """
    print(in_words(ModelRegistry().rollback()))
    return 0


def comparison_of(model: Path) -> Comparison | None:
    """What the training that made a model file found when it compared it; None if it did not.

    Raises:
        UsageError: It cannot be read.
    """
    return read_comparison(run_folder(model) / COMPARISON_NAME)


def in_words(version: Version | None) -> str:
    """Which model is in use now, in a sentence."""
    if version is None:
        return "The model that came with the program is in use."
    return f"Model version {version.number} is in use ({version.sha256[:8]})."


def _compared(version: Version) -> tuple[str, str, str]:
    """F1, difference, and note of a version."""
    found = version.compared or {}
    from rich.markup import escape

    note = escape(f"{version.note} (forced)" if version.forced else version.note)
    if not found:
        return "", "not compared", note
    f1 = f"{found['candidate']['f1']:.3f}"
    if found["difference"] is None:
        return f1, "not compared", note
    return f1, f"{found['difference']:+.3f} ({found['verdict']})", note
