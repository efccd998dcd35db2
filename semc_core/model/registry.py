"""The models of this user: numbered versions in the user's data folder, one of them in use. No PyTorch here.

A version is a copy of a model file, never changed, known by its SHA-256. `library.json` beside them says what
there is and what was in use in turn, so that one can go back. Number 0 is the model that came with the
program.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

from semc_core.errors import ModelFileError, SessionError, UsageError
from semc_core.io.atomic import save_error, write_atomically
from semc_core.io.documents import STRICT, TOLERANT, Document, DocumentFault, configured, reason
from semc_core.io.foreign_fields import with_foreign_fields
from semc_core.io.lock import WriterLock
from semc_core.io.regular import read_regular
from semc_core.io.rules import checked, empty_as_none, format_number, moment, within
from semc_core.language import N_, _
from semc_core.model.comparison import Comparison
from semc_core.paths import DEFAULT_MODEL, data_folder

SHIPPED: Final = 0
INDEX_NAME: Final = "library.json"
_LOCK_NAME: Final = "library.lock"
_SCHEMA: Final = 1
_NOT_COMPARED: Final = N_("The new model was not compared with the one in use.")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


def _check_plain_name(name: str) -> None:
    if Path(name).name != name:
        raise ValueError("must be the name of a file in the same folder")


def is_model_name(text: str) -> bool:
    """Whether a model may be called so: no digit first, as numbers are versions; no dot, as in files."""
    return _NAME.fullmatch(text) is not None


def _check_model_name(name: str) -> None:
    if name and not is_model_name(name):
        raise ValueError("must be letters, digits, hyphens and underscores, beginning with a letter")


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class Version:
    """A model of the user's.

    Attributes:
        number: From 1.
        file: Name of its file in the library's folder.
        sha256: Of the whole file.
        added_utc: When it was taken in, ISO 8601, seconds.
        note: Where it came from, in a few words.
        compared: What came out when it was held against the model in use then; None if it was not.
        forced: Whether it was taken although it was no better, or not compared.
        name: What it is called after `--model`; "" where nobody gave it a name.
    """

    number: Annotated[int, within(1)]
    file: Annotated[str, checked(_check_plain_name)]
    sha256: str
    added_utc: Annotated[str, moment()]
    note: str = ""
    compared: Annotated[Comparison | None, empty_as_none()] = None
    forced: bool = False
    name: Annotated[str, checked(_check_model_name)] = ""

    @property
    def title(self) -> str:
        """Its name, or "version-3"."""
        return self.name or f"version-{self.number}"

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values; without a name where there is none, so that earlier programs read the list."""
        plain = asdict(self) | {"compared": None if self.compared is None else self.compared.as_json()}
        return plain if self.name else {key: value for key, value in plain.items() if key != "name"}


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class _Index:
    """What `library.json` says: the versions in order, and the numbers in use in turn, the last one now."""

    versions: tuple[Version, ...]
    used: Annotated[tuple[int, ...], within(1)]
    schema: Annotated[int, format_number(_SCHEMA)]

    def __post_init__(self) -> None:
        """Raises ValueError if a version that was in use is not there."""
        if unknown := set(self.used) - {SHIPPED, *(each.number for each in self.versions)}:
            raise ValueError(f"its field 'used' names version {min(unknown)}, which it does not have")


INDEX: Final = Document(_Index)
_EMPTY: Final = _Index((), (SHIPPED,), _SCHEMA)


class ModelRegistry:
    """The versions in one folder. Several programs may use it at once.

    Args:
        folder: None for the user's own.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or data_folder() / "models"

    def versions(self) -> tuple[Version, ...]:
        """All of them, oldest first.

        Raises:
            ModelFileError: The library cannot be read.
        """
        return self._read().versions

    def current(self) -> Version | None:
        """The one in use; None is the model that came with the program.

        Raises:
            ModelFileError: The library cannot be read.
        """
        index = self._read()
        return _find(index, index.used[-1])

    def before(self) -> int | None:
        """The number that `rollback` goes back to; None if there is none."""
        used = self._read().used
        return used[-2] if len(used) > 1 else None

    def path(self, version: Version | None) -> Path:
        """The model file of a version; of None the one that came with the program.

        Raises:
            ModelFileError: It is gone, or no longer what was taken in.
        """
        if version is None:
            return DEFAULT_MODEL
        path = self.folder / version.file
        try:
            facts = path.stat()
            same = _hash_of(path, facts.st_size, facts.st_mtime_ns) == version.sha256
        except OSError as error:
            raise ModelFileError(
                _(
                    "The file of model version {number} is gone; go back with `semc model rollback`, "
                    "or choose another version with `semc model use`.",
                    number=version.number,
                )
            ) from error
        if not same:
            raise ModelFileError(
                _(
                    "The file of model version {number} was changed; go back with `semc model "
                    "rollback` or choose another version with `semc model use`.",
                    number=version.number,
                )
            )
        return path

    def add(
        self,
        model: Path,
        note: str = "",
        compared: Comparison | None = None,
        *,
        forced: bool = False,
        use: bool = False,
        name: str = "",
    ) -> Version:
        """Copy a model file into the library. One that is there already is not copied again.

        Args:
            model: The file.
            note: See `Version`, and so the next two.
            compared: See there.
            forced: See there.
            use: Whether to use it from now on.
            name: What it is called; "" leaves the name that it has.

        Raises:
            ModelFileError: It is no model of ours, or the copy is not the same.
            SaveError: Nothing can be written to the user's folder.
            UsageError: Another model has this name, or another program is changing the library right now.
        """
        sha256 = _sha256(model)
        with self._changing() as index:
            known = next((each for each in index.versions if each.sha256 == sha256), None)
            _check_not_taken(name, index, known)
            version = known or self._copied(model, sha256, 1 + len(index.versions))
            version = replace(
                version,
                note=note or version.note,
                compared=compared,
                forced=forced,
                name=name or version.name,
            )
            others = tuple(each for each in index.versions if each.number != version.number)
            versions = tuple(sorted((*others, version), key=lambda each: each.number))
            used = _in_use(index.used, version.number) if use else index.used
            self._write(replace(index, versions=versions, used=used))
        return version

    def refusal(self, sha256: str, comparison: Comparison | None) -> str:
        """Why a model must not replace the one in use, in a sentence; "" if it may.

        Args:
            sha256: Of its file.
            comparison: Of it with the model in use; None if there is none.

        Raises:
            ModelFileError: The library, or the model that came with the program, cannot be read.
        """
        if comparison is None:
            return _(_NOT_COMPARED)
        current = self.current()
        in_use = _sha256(DEFAULT_MODEL) if current is None else current.sha256
        return comparison.refusal(sha256, in_use)

    def promote(
        self, model: Path, comparison: Comparison | None, note: str = "", *, force: bool = False
    ) -> Version:
        """Take a model file in and use it from now on, if it may replace the one in use.

        Args:
            model: The file.
            comparison: Of this file with the model in use; None if there is none.
            note: See `Version`.
            force: Use it although it is worse, or was not compared.

        Raises:
            UsageError: It is refused, and the sentence says why.
            ModelFileError: It is no model of ours, or the one in use is gone.
            SaveError: Nothing can be written to the user's folder.
        """
        refusal = self.refusal(_sha256(model), comparison)
        if refusal and not force:
            raise UsageError(refusal)
        return self.add(model, note, comparison, forced=bool(refusal), use=True)

    def use(self, number: int) -> Version | None:
        """Use a version from now on; 0 is the model that came with the program.

        Raises:
            UsageError: There is no such version, or another program is changing the library right now.
            ModelFileError: Its file is gone or changed.
            SaveError: The choice cannot be written.
        """
        with self._changing() as index:
            version = _find(index, number)
            self.path(version)
            self._write(replace(index, used=_in_use(index.used, number)))
        return version

    def rollback(self) -> Version | None:
        """Go back to what was in use before; None is the model that came with the program.

        Raises:
            UsageError: There was nothing before, or another program is changing the library right now.
            ModelFileError: The file of what was before is gone or changed.
            SaveError: The choice cannot be written.
        """
        with self._changing() as index:
            if len(index.used) < 2:
                raise UsageError(_("There is no model to go back to: no other was in use before."))
            version = _find(index, index.used[-2])
            self.path(version)
            self._write(replace(index, used=index.used[:-1]))
        return version

    def _copied(self, model: Path, sha256: str, number: int) -> Version:
        name = f"{number:04d}_{sha256[:8]}.safetensors"
        try:
            content = read_regular(model)
        except OSError as error:
            raise ModelFileError(
                _("{name} can no longer be read; check the file.", name=model.name)
            ) from error
        write_atomically(self.folder / name, content)
        if _sha256(self.folder / name) != sha256:
            raise ModelFileError(_("{name} changed while it was copied; try again.", name=model.name))
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        return Version(number, name, sha256, now)

    @contextmanager
    def _changing(self) -> Iterator[_Index]:
        """What there is, while nobody else may change it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise save_error(self.folder, error) from error
        try:
            lock = WriterLock(self.folder, _LOCK_NAME)
        except SessionError as error:
            raise UsageError(_("Another program is changing the models right now; try again.")) from error
        try:
            yield self._read()
        finally:
            lock.release()

    def _read(self) -> _Index:
        try:
            return INDEX.read(self.folder / INDEX_NAME)
        except FileNotFoundError:
            return _EMPTY
        except (OSError, DocumentFault) as error:
            if isinstance(error, DocumentFault) and error.newer:
                raise ModelFileError(
                    _(
                        "{file} in {folder} is of a newer version of this program, and is left as it "
                        "is; update this one, or name a model's file.",
                        file=INDEX_NAME,
                        folder=self.folder,
                    )
                ) from error
            raise ModelFileError(
                _(
                    "{file} in {folder} cannot be read ({reason}); remove it to start again with the "
                    "model that came with the program.",
                    file=INDEX_NAME,
                    folder=self.folder,
                    reason=reason(error),
                )
            ) from error

    def _write(self, index: _Index) -> None:
        plain = {
            "schema": _SCHEMA,
            "versions": [version.as_json() for version in index.versions],
            "used": list(index.used),
        }
        whole = with_foreign_fields(self.folder / INDEX_NAME, plain)
        write_atomically(self.folder / INDEX_NAME, json.dumps(whole, indent=2).encode())


def current_model() -> Path:
    """The model file that is used unless another is named.

    Raises:
        ModelFileError: The version in use is gone or changed, or the library cannot be read.
    """
    library = ModelRegistry()
    return library.path(library.current())


def check_known(model: Path) -> None:
    """What the list of the models says where it stands for the model in use, as one that cannot be read does.

    Raises:
        ModelFileError: It cannot be read; the message names it, and what is wrong in it.
    """
    if model.name == INDEX_NAME:
        ModelRegistry(model.parent).versions()


def _sha256(model: Path) -> str:
    """Of a model file. Raises ModelFileError."""
    from semc_core.model.file import read_spec  # the window opens without the network's description

    return read_spec(model).sha256


def _check_not_taken(name: str, index: _Index, known: Version | None) -> None:
    for each in index.versions:
        if name and each is not known and each.title.casefold() == name.casefold():
            raise UsageError(
                _(
                    "Model version {number} is called {title} already; say another name with --name.",
                    number=each.number,
                    title=each.title,
                )
            )


def _find(index: _Index, number: int) -> Version | None:
    if number == SHIPPED:
        return None
    for version in index.versions:
        if version.number == number:
            return version
    raise UsageError(
        _("There is no model version {number}; `semc model list` shows those there are.", number=number)
    )


def _in_use(used: tuple[int, ...], number: int) -> tuple[int, ...]:
    return used if used[-1] == number else (*used, number)


@functools.lru_cache(maxsize=16)
def _hash_of(path: Path, size: int, changed_ns: int) -> str:
    """SHA-256 of a file; one that was not touched since is not read again."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
