"""What a person may say about a data set that can be read in several ways."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from semc_core.errors import UsageError


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a data set.

    Attributes:
        groups: Regular expression that finds the patient or video in a picture's name, relative to the data
            set; its first bracket, or all of it, names the group. "" where there is none.
        fine: Use the finer classes where there are some (the brain planes of FETAL_PLANES_DB).
        splits: Table that `semc data split` wrote; None for the one in the data set's folder.
        sequences: Use all frames of loops, not only the stills beside them (CAMUS).
        of: Planes that tell which sessions are meant, where a folder holds scans of more than one kind.
    """

    groups: str = ""
    fine: bool = False
    splits: Path | None = None
    sequences: bool = True
    of: tuple[str, ...] = ()

    def group_of(self, name: PurePosixPath) -> str | None:
        """The group that `groups` finds in a name; None if there is no expression.

        Raises:
            UsageError: It is no regular expression, or does not find anything in this name.
        """
        if not self.groups:
            return None
        try:
            found = re.search(self.groups, name.as_posix())
        except re.error as error:
            raise UsageError(f"--groups {self.groups!r} is no regular expression: {error}.") from error
        text = "" if found is None else found[1] if found.re.groups else found[0]
        if not text:
            raise UsageError(f"--groups {self.groups!r} finds no group in {name}; write it so that it does.")
        return text
