"""Bring the catalogues up to date with the source, and make what the program reads."""

from __future__ import annotations

from semc_core.language import CATALOGUES, LANGUAGES
from tests.languages import OTHERS, as_mo, as_po, forms, in_source, read, updated


def main() -> None:
    """See `tests.languages`."""
    source = in_source()
    for code in OTHERS:
        (CATALOGUES / f"{code}.po").write_bytes(as_po(updated(code, source)))
        catalogue = read(code)
        (CATALOGUES / f"{code}.mo").write_bytes(as_mo(catalogue))
        missing = sum(not all(strings) for _, strings in forms(catalogue))
        print(f"{LANGUAGES[code]}: {len(catalogue)} texts, {missing} without a translation")


main()
