"""`semc model`: what a model file holds, whether it runs right here, and models from other programs.

`semc model list | add | use | rollback`: which models there are, and which of them is in use.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from semc_core.cli.shared.arguments import IN_USE
from semc_core.cli.shared.options import (
    COUNT,
    FOLDER,
    MODEL_FILE,
    NEW_FILE,
    PLACE,
    AsJson,
    Threads,
    print_json,
)
from semc_core.cli.shared.tree import Commands
from semc_core.errors import SemcError, UsageError
from semc_core.io.regular import is_file
from semc_core.model.comparison import COMPARISON_NAME, Comparison, read_comparison, run_folder
from semc_core.text import counted

if TYPE_CHECKING:
    from semc_core.model.registry import Version

_INFO = "show what a model file holds"
_VERIFY = "run a model file's stored inputs through every runtime and compare with its stored outputs"
_IMPORT = "make a model file of a checkpoint of the SEMC authors' code, or of a SonoNet"
_START = "make an untrained model file with the encoder of a torchvision ResNet, for semc train --encoder"
_QUANTISE = (
    "make a model file that runs in int8 on the CPU; it is written only if int8 nearly always says what "
    "float32 says (needs NNCF, from the extra train)"
)
_LIST = "list the models there are, the program's and your own: what each knows, from where, how good it is"
_ADD = "take a model file in, so that it can be chosen by its name; it is checked first"
_USE = "use a model from now on: one of the list, or a model file that is no worse than the one in use"
_ROLLBACK = "go back to the model that was in use before"
_EXPORT = (
    "write a model's network and calibration as ONNX, for other programs; it is written only if ONNX Runtime "
    "gives what this program gives (needs the extra onnx)"
)
_FIT_GATE = "fit the gate of a SEMC model to labelled pictures; the rest of it stays as it is"


_OR_IN_USE = Argument(click_type=MODEL_FILE, help="a model's name or file", show_default="the one in use")
_WRITTEN = Option("--out", click_type=NEW_FILE, metavar="FILE", help="model file to write (.safetensors)")
_JSON_TOO = "print JSON instead of sentences"

app = Commands()


@app.add("info", help=_INFO)
def info(file: Annotated[Path, _OR_IN_USE] = IN_USE, as_json: AsJson = False) -> int:
    """Print what a model file holds. Returns 0."""
    from semc_core.cli.model_description import describe, print_table

    described = describe(file)
    if as_json:
        print_json(described)
    else:
        print_table(described)
    return 0


@app.add("verify", help=_VERIFY)
def verify(
    file: Annotated[Path, _OR_IN_USE] = IN_USE,
    threads: Threads = None,
    as_json: Annotated[bool, Option("--json", help=_JSON_TOO)] = False,
) -> int:
    """Run a file's own check. Returns 1 where it fails."""
    from semc_core.runtime.verify import verify as run_everywhere

    verified = run_everywhere(file, threads)
    if as_json:
        print_json([{**asdict(one), "passed": one.passed} for one in verified])
    for one in () if as_json else verified:
        result = "pass" if one.passed else "FAIL"
        print(
            f"{result}  {one.runtime}: largest difference {one.difference:.1e} of the outputs' standard "
            f"deviation (at most {one.limit:.0e})"
            + ("" if one.same_classes else ", and another class in some picture")
        )
    return 0 if all(one.passed for one in verified) else 1


@app.add("import", help=_IMPORT)
def import_model(
    checkpoint: Annotated[
        Path, Argument(click_type=PLACE, help="for example released.pth.tar or SonoNet16.pth")
    ],
    out: Annotated[Path, _WRITTEN],
    classes: Annotated[
        str | None,
        Option("--classes", metavar="A,B,C", help="class names in the order of the outputs; needed for SEMC"),
    ] = None,
    none_class: Annotated[
        str | None,
        Option(
            "--none-class",
            metavar="NAME",
            help='class that means "none of these"',
            show_default="NSP; SonoNet: Background",
        ),
    ] = None,
    add_none: Annotated[
        bool, Option("--add-none", help='add NSP, never named, if no class means "none of these"')
    ] = False,
) -> int:
    """Write a model file of a checkpoint. Returns 0."""
    from semc_core.model.importers import import_checkpoint

    names = None if classes is None else classes.split(",")
    imported = import_checkpoint(checkpoint, out, names, none_class, add_none)
    spec = imported.spec
    for part, held in imported.unused.items():
        print(f"left out, never used by the network: {part} ({counted(held, 'tensor')})")
    print(f"classes: {', '.join(spec.classes)}; none of these: {spec.none_class}")
    print(spec.notice)
    print(f"Wrote {out}.")
    return 0


@app.add("fit-gate", help=_FIT_GATE)
def fit_gate(
    model: Annotated[
        Path, Argument(click_type=MODEL_FILE, help="name or file of a model of several experts")
    ],
    folder: Annotated[
        Path,
        Argument(click_type=FOLDER, help="a sub-folder per class, with pictures or a folder per patient"),
    ],
    out: Annotated[Path, _WRITTEN],
    held_out: Annotated[float, Option("--held-out", help="share of the pictures to measure on")] = 0.3,
    seed: Annotated[int, Option("--seed", help="of the choice of these")] = 0,
) -> int:
    """Fit the gate, and write the file if it is better. Returns 0."""
    from semc_core.cli.shared.progress import passing_bar
    from semc_core.model.gate_fit import fit_gate_of_file

    with passing_bar() as progress:
        task = progress.add_task("Looking at the pictures", total=None)
        result = fit_gate_of_file(
            model,
            folder,
            out,
            held_out,
            seed,
            lambda done, total: progress.update(task, completed=done, total=total),
        )
    fitted, measured = counted(result.fitted_on, "picture"), counted(result.held_out, "other")
    print(f"fitted on {fitted}, measured on {measured}")
    print(f"accuracy {result.accuracy_before:.1%} before, {result.accuracy_after:.1%} after")
    print(f"cross-entropy {result.loss_before:.3f} before, {result.loss_after:.3f} after")
    if not result.better:
        raise SemcError(
            f"The fitted gate is no better on the pictures held out, so {out.name} was not written; "
            "collect more pictures."
        )
    print(f"Wrote {out}.")
    return 0


@app.add("quantise", help=_QUANTISE)
def quantise(
    file: Annotated[Path, Argument(click_type=MODEL_FILE, help="a model's name or file")],
    out: Annotated[Path, _WRITTEN],
    data: Annotated[
        str,
        Option(
            "--data",
            metavar="DIR",
            help="a folder with a sub-folder per class, with pictures or a folder per patient; or simulated, "
            "the simulated patients",
        ),
    ] = "simulated",
    threads: Threads = None,
) -> int:
    """Write an int8 version, if it says nearly the same. Returns 0."""
    from semc_core.cli.shared.progress import passing_bar
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
    spec = read_spec(file)
    with passing_bar() as progress:
        task = progress.add_task("Making the pictures", total=None)
        pictures = simulated_pictures(spec) if data == "simulated" else folder_pictures(spec, Path(data))
        progress.update(task, description="Quantising and measuring")
        result = quantize_file(file, out, pictures, threads)
    calibrated, measured = counted(result.calibrated_on, "picture"), counted(result.measured_on, "other")
    print(f"calibrated on {calibrated}, measured on {measured}")
    print(f"accuracy {result.accuracy_float32:.2%} in float32, {result.accuracy_int8:.2%} in int8")
    print(f"the same class in {result.agreement:.2%} of the pictures")
    if result.left_in_float32:
        print(f"left in float32: {', '.join(result.left_in_float32)}")
    if not result.accepted:
        raise SemcError(
            f"{out.name} was not written: int8 may lose at most {100 * MOST_LOST:.1f} points of "
            f"accuracy and must agree in {LEAST_AGREEMENT:.0%} of the pictures; keep the float32 model."
        )
    print(f"Wrote {out}.")
    return 0


@app.add("export", help=_EXPORT)
def export(
    file: Annotated[Path, Argument(click_type=MODEL_FILE, help="a model's name or file")],
    out: Annotated[
        Path, Option("--out", click_type=NEW_FILE, metavar="FILE", help="ONNX file to write (.onnx)")
    ],
    licence: Annotated[
        str | None,
        Option(
            "--licence",
            metavar="TEXT",
            help="licence of the weights, written into the file",
            show_default="as the model file says",
        ),
    ] = None,
    batch: Annotated[
        int, Option("--batch", click_type=COUNT, help="pictures that the graph takes at once")
    ] = 1,
) -> int:
    """Write the ONNX file, if it says the same. Returns 0."""
    from semc_core.runtime.onnx.export import export_onnx, sentence

    done = export_onnx(file, out, licence, batch)
    for name, shape in done.outputs.items():
        print(f"{name}: {' x '.join(map(str, shape))}")
    print(f"Licence of the weights: {done.metadata['licence']}.")
    print(sentence(done))
    print(f"Wrote {out}.")
    return 0


@app.add("start", help=_START)
def start(
    preset: Annotated[str, Option("--preset", metavar="NAME", help="semc_r18, semc_r50 or semc_r50_paper")],
    resnet: Annotated[
        str, Option("--resnet", metavar="FILE|download", help="its weights, or torchvision's own download")
    ],
    classes: Annotated[str, Option("--classes", metavar="A,B,NSP", help="class names, NSP among them")],
    out: Annotated[Path, _WRITTEN],
) -> int:
    """Write an untrained model file. Returns 0."""
    from semc_core.model.importers import write_started

    write_started(preset, classes.split(","), resnet, out)
    print(f"Wrote {out}. Train it with semc train --encoder {out} --preset {preset}.")
    return 0


@app.add("list", help=_LIST)
def list_models(as_json: AsJson = False) -> int:
    """Print all models. Returns 0."""
    from semc_core.cli.model_list import plain_list, print_list
    from semc_core.model.registry import ModelRegistry
    from semc_core.protocols.loader import load_protocols
    from semc_core.protocols.models import listed_models

    found = listed_models(ModelRegistry(), load_protocols())
    if as_json:
        print_json(plain_list(found))
    else:
        print_list(found)
    return 0


@app.add("add", help=_ADD)
def add(
    place: Annotated[
        Path, Argument(click_type=PLACE, metavar="FILE|FOLDER", help="model file, or a folder of them")
    ],
    name: Annotated[
        str | None,
        Option("--name", metavar="NAME", help="what it is called", show_default="as its file"),
    ] = None,
) -> int:
    """Take model files in, each after its own check. Returns 1 if one was refused.

    Raises:
        SemcError: There is nothing to take in, or nothing can be written.
    """
    from semc_core.cli.model_list import add_models

    return add_models(place, name)


@app.add("use", help=_USE)
def use(
    model: Annotated[
        str,
        Argument(
            metavar="NUMBER|FILE",
            help="number or name, of semc model list, or a file; 0 is the model that came with the program",
        ),
    ],
    force: Annotated[bool, Option("--force", help="use a file that is worse or was not compared")] = False,
) -> int:
    """Use a version, or take a model file in and use it. Returns 0.

    Raises:
        SemcError: There is no such model, or it is refused.
    """
    if model.isdecimal():
        from semc_core.model.registry import ModelRegistry

        print(in_words(ModelRegistry().use(int(model))))
        return 0
    from semc_core.model.catalogue import find_model, model_path

    named = None if is_file(Path(model)) else find_model(model)
    if named is not None and named.version is not None:
        from semc_core.model.registry import ModelRegistry

        print(in_words(ModelRegistry().use(named.version.number)))
        return 0
    path = model_path(model)
    if not is_file(path):
        raise UsageError(
            f"There is no model file {path}; name one, or a version's number as in `semc model list`."
        )
    comparison = comparison_of(path)
    version = promoted(path, comparison, "taken in by hand", force=force)
    if comparison is not None:
        print(comparison.sentence)
    print(in_words(version))
    return 0


@app.add("rollback", help=_ROLLBACK)
def rollback() -> int:
    """Go back. Returns 0.

    Raises:
        SemcError: There is nothing to go back to.
    """
    from semc_core.model.registry import ModelRegistry

    print(in_words(ModelRegistry().rollback()))
    return 0


def promoted(model: Path, comparison: Comparison | None, note: str, *, force: bool) -> Version:
    """Use a model file from now on, if it may replace the one in use; see `ModelRegistry.promote`.

    Raises:
        SemcError: It is refused, and the sentence says why and what can be done; or it cannot be written.
    """
    from semc_core.model.file import read_spec
    from semc_core.model.registry import ModelRegistry

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
