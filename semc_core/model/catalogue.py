"""Which models there are, and what a name after `--model` means: the one place that makes a file of a name.

A model that came with the program is called as its file in `assets/models` is, with or without `semc_` before
it. A model of the user's is called as it was when it was added, or else `version-3`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from semc_core.errors import UsageError
from semc_core.io.regular import is_file
from semc_core.language import _
from semc_core.model.registry import ModelRegistry, Version, is_model_name
from semc_core.paths import SHIPPED_MODELS

_PREFIX: Final = "semc_"
_SUFFIX: Final = ".safetensors"
_RESERVED: Final = ("in-use",)
_NUMBERED: Final = re.compile(r"version-\d+")


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model that can be chosen by its name.

    Attributes:
        name: What is typed for it.
        path: Its file; whether that is what it was is not known yet: see `file_of`.
        version: Of the user's models; None for one that came with the program.
    """

    name: str
    path: Path
    version: Version | None = None


def shipped_models() -> tuple[NamedModel, ...]:
    """Those that came with the program, by name."""
    paths = sorted(SHIPPED_MODELS.glob(f"*{_SUFFIX}"))
    return tuple(NamedModel(path.stem.removeprefix(_PREFIX), path) for path in paths)


def named_models(registry: ModelRegistry | None = None) -> tuple[NamedModel, ...]:
    """All of them: those that came with the program, then the user's, oldest first.

    Args:
        registry: None for the user's own.

    Raises:
        ModelFileError: The list of the user's models cannot be read.
    """
    own = registry or ModelRegistry()
    return (
        *shipped_models(),
        *(NamedModel(each.title, own.folder / each.file, each) for each in own.versions()),
    )


def find_model(name: str, registry: ModelRegistry | None = None) -> NamedModel | None:
    """The model of this name; None if there is none. Upper and lower case are the same.

    Raises:
        ModelFileError: The list of the user's models cannot be read.
    """
    wanted = name.casefold()
    # What came with the program is found without the user's list, which may be damaged.
    for one in shipped_models():
        if wanted in (one.name.casefold(), one.path.stem.casefold()):
            return one
    return next((one for one in named_models(registry) if one.name.casefold() == wanted), None)


def model_path(text: str, registry: ModelRegistry | None = None) -> Path:
    """The model file that is meant: a file, or a model by its name.

    A file goes first; and what cannot be a name, for a dot or a slash in it, is one, be it there or not.

    Raises:
        UsageError: It is no file, and no model has this name; the message lists the names.
        ModelFileError: The file of this model of the user's is gone or changed.
    """
    path = Path(text).expanduser()
    if not is_model_name(text) or is_file(path):
        return path
    found = find_model(text, registry)
    if found is None:
        names = ", ".join(one.name for one in named_models(registry))
        raise UsageError(
            _(
                "There is no model {text}; name a model file, or one of: {names}.",
                text=repr(text),
                names=names,
            )
        )
    return file_of(found, registry)


def file_of(model: NamedModel, registry: ModelRegistry | None = None) -> Path:
    """Its file, which for one of the user's is still what was taken in.

    Raises:
        ModelFileError: It is gone or changed.
    """
    if model.version is None:
        return model.path
    return (registry or ModelRegistry()).path(model.version)


def check_free(name: str) -> None:
    """Whether a model of the user's may have this name.

    Raises:
        UsageError: It is no name, means something else, or one that came with the program has it.
    """
    if not is_model_name(name):
        raise UsageError(
            _(
                "{name} cannot be a model's name; take up to 64 letters, digits, hyphens and "
                "underscores, beginning with a letter. Say it with --name.",
                name=repr(name),
            )
        )
    if name.casefold() in _RESERVED or _NUMBERED.fullmatch(name.casefold()):
        raise UsageError(_("{name} means another model; say another name with --name.", name=name))
    if any(name.casefold() in (one.name.casefold(), one.path.stem.casefold()) for one in shipped_models()):
        raise UsageError(
            _("A model that came with the program is called {name}; say another name with --name.", name=name)
        )
