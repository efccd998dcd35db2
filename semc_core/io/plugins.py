"""Plug-ins: what other installed packages add, found by their entry points.

A plug-in is code of somebody else that runs inside the program and may do whatever the program may. It is
found by its package's metadata alone; nothing of it is imported before it is asked for by its name. What goes
wrong in it becomes a sentence that names it; the log has the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, Literal, TypeVar, cast, get_args

from semc_core.errors import SemcError
from semc_core.text import readable

Kind = Literal["source", "exporter", "runtime"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_LONGEST: Final = 200
_log = logging.getLogger(__name__)

T = TypeVar("T")


class PluginError(SemcError):
    """A plug-in cannot be loaded, or did what it must not."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plug-in that is installed.

    Attributes:
        kind: What it adds.
        name: By which it is asked for.
        package: Of whom it is; "" where its metadata do not say.
        version: Of the package.
        place: Module and function, "module:function".
    """

    kind: Kind
    name: str
    package: str
    version: str
    place: str

    @property
    def called(self) -> str:
        """In a sentence."""
        return f"The plug-in {self.name} of {self.package or 'an unknown package'}"

    def load(self) -> Callable[..., Any]:
        """Import it: from here on its code runs.

        Raises:
            PluginError: It cannot be imported, or is nothing that can be called.
        """
        entry = EntryPoint(self.place, self.place, group_of(self.kind))
        loaded = guarded(self, "be loaded", entry.load)
        if not callable(loaded):
            raise PluginError(f"{self.called} is no function ({self.place}); update or uninstall it.")
        return cast("Callable[..., Any]", loaded)


def group_of(kind: Kind) -> str:
    """The group of entry points in which a package names its plug-ins of this kind."""
    return f"semc_live.{kind}s"


def plugins(kind: Kind) -> tuple[Plugin, ...]:
    """Those of one kind that are installed, by name. Nothing of them is imported."""
    found = {
        (each.name, each.value): Plugin(
            kind,
            each.name,
            "" if each.dist is None else str(each.dist.name),
            "" if each.dist is None else str(each.dist.version),
            each.value,
        )
        for each in entry_points(group=group_of(kind))
    }
    return tuple(found[key] for key in sorted(found))


def find_plugin(kind: Kind, name: str) -> Plugin | None:
    """The one of this name; None if there is none.

    Raises:
        PluginError: Two packages have one.
    """
    named = [each for each in plugins(kind) if each.name == name]
    if len(named) > 1:
        packages = " and ".join(each.package or each.place for each in named)
        raise PluginError(f"{packages} both bring the {kind} {name}; uninstall one of them.")
    return named[0] if named else None


def guarded(plugin: Plugin, what: str, call: Callable[..., T], *given: Any) -> T:
    """Call code of a plug-in. Its own sentences (`SemcError`) pass; anything else becomes one.

    Args:
        plugin: Whose.
        what: What it should do: "be loaded".
        call: The code.
        given: Its arguments.

    Raises:
        SemcError: It could not.
    """
    try:
        return call(*given)
    except SemcError:
        raise
    except (Exception, SystemExit) as error:  # a boundary: the code is not the program's
        _log.exception("%s could not %s", plugin.called, what)
        said = readable(f"{type(error).__name__}: {error}")[:_LONGEST].replace("\n", " ").rstrip(". ")
        raise PluginError(f"{plugin.called} could not {what} ({said}); update or uninstall it.") from error
