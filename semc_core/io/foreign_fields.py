"""What a newer version of the program wrote into a file that this one changes: it is kept as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from semc_core.io.documents import STRICT, Document, DocumentFault
from semc_core.io.rules import PlainObject

FIELDS: Final[Document[dict[str, Any]]] = Document(PlainObject, config=STRICT)


def with_foreign_fields(path: Path, plain: Mapping[str, Any]) -> dict[str, Any]:
    """`plain`, which is to be written, and the fields of the JSON file `path` that it does not have."""
    try:
        before = FIELDS.read(path)
    except (OSError, DocumentFault):
        return dict(plain)  # not there yet; whether it may be replaced was decided before
    return dict(plain) | {name: value for name, value in before.items() if name not in plain}
