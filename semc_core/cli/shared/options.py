"""Options that several commands have, each declared once; and the types of what is typed after them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import click
import typer
from click.shell_completion import CompletionItem

from semc_core.cli.shared.arguments import IN_USE, count, model_file, new_file, positive, seed
from semc_core.errors import SemcError
from semc_core.picture_options import PICTURE_HELP, PictureOptions, choices, picture_options
from semc_core.runtime.load import DEVICES, PRECISIONS
from semc_core.text import readable

if TYPE_CHECKING:
    from semc_core.runtime.base import RawRuntime


class Value(click.ParamType):  # type: ignore[type-arg]  # generic to type checkers only
    """A value that a function of `cli.arguments` reads; what it refuses is wrong usage of the option."""

    def __init__(self, name: str, read: Callable[[str], Any], *, completes: str = "") -> None:
        """`name` stands in the help for the value; `completes` is what a shell may offer: "file" or "dir"."""
        self.name = name
        self._read = read
        self._completes = completes

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read what was typed; a default as if it had been typed."""
        try:
            return self._read(str(value))
        except SemcError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Leave it to the shell to offer files or folders."""
        return [CompletionItem(incomplete, type=self._completes)] if self._completes else []


class _DeviceChoice(click.Choice):  # type: ignore[type-arg]  # generic to type checkers only
    """A device; the help names the program's own, and what a plug-in brings is taken as well."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As it is, where there is such a device."""
        return value if value in DEVICES else super().convert(value, param, ctx)


COUNT: Final = Value("n", count)
POSITIVE: Final = Value("number", positive)
SEED: Final = Value("n", seed)
MODEL_FILE: Final = Value("name", model_file, completes="file")
"""A model by its name or its file."""
NEW_FILE: Final = Value("file", new_file, completes="file")
PLACE: Final = Value("path", Path, completes="file")
"""A file or folder that may not be there: what reads or writes it says so, in a sentence."""
FOLDER: Final = Value("dir", Path, completes="dir")

AsJson = Annotated[bool, typer.Option("--json", help="print JSON instead of a table")]
Threads = Annotated[int | None, typer.Option("--threads", click_type=COUNT, help="most CPU threads to use")]
Device = Annotated[
    str, typer.Option("--device", click_type=_DeviceChoice(DEVICES), help="where the model runs")
]
Precision = Annotated[
    str,
    typer.Option(
        "--precision",
        click_type=click.Choice(PRECISIONS),
        help="what the network computes in; auto: what the device and the model file are made for",
    ),
]
Groups = Annotated[
    str,
    typer.Option(
        "--groups",
        metavar="REGEX",
        help="regular expression that finds the patient in a file name, if nothing does",
        show_default=False,
    ),
]
Of = Annotated[
    str,
    typer.Option(
        "--of",
        metavar="PLANES",
        help="of a folder with scans of several kinds, those with these planes, as 4CH or LLP,RLP",
        show_default=False,
    ),
]
ModelOrInUse = Annotated[
    Path,
    typer.Argument(
        click_type=MODEL_FILE, metavar="MODEL", help=f"a model's name or file, or {IN_USE} for the one in use"
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeOptions:
    """Which model a command runs, and on what."""

    model: Annotated[
        Path,
        typer.Option(
            "--model",
            click_type=MODEL_FILE,
            metavar="FILE",
            help="a model's name, or its file; see semc model list",
            show_default="the one in use",
        ),
    ] = IN_USE
    device: Device = "auto"
    precision: Precision = "auto"
    threads: Threads = None

    def load(self) -> RawRuntime:
        """The model, ready to classify.

        Raises:
            SemcError: See `runtime.load.load_runtime`.
        """
        from semc_core.runtime.load import load_runtime

        return load_runtime(self.model, self.device, self.threads, self.precision)


def _picture_option(name: str, text: str) -> Any:
    return typer.Option(f"--{name}", click_type=click.Choice(choices(name)), help=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureChoices:
    """How pictures are read; see `types.PictureOptions`."""

    range: Annotated[str, _picture_option("range", PICTURE_HELP["range"])] = "auto"
    aspect: Annotated[str, _picture_option("aspect", PICTURE_HELP["aspect"])] = "auto"
    deinterlace: Annotated[str, _picture_option("deinterlace", PICTURE_HELP["deinterlace"])] = "auto"
    flip: Annotated[str, _picture_option("flip", PICTURE_HELP["flip"])] = "none"

    def options(self) -> PictureOptions:
        """The same as the sources take them."""
        return picture_options(asdict(self))


def print_json(value: Any) -> None:
    """What `--json` prints: one document, nothing else on standard output."""
    print(json.dumps(_readable(value), indent=2))


def _readable(value: Any) -> Any:
    """The same with names of files as JSON may hold them."""
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, dict):
        return {_readable(name): _readable(each) for name, each in value.items()}
    return [_readable(each) for each in value] if isinstance(value, list | tuple) else value


def planes_of(text: str) -> tuple[str, ...]:
    """The names after `--of`."""
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)
