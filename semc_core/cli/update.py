"""`semc update`: whether there is a newer version. The program asks only where a user does."""

from __future__ import annotations

from semc_core.cli.shared.tree import Commands

app = Commands()


@app.add()
def update() -> int:
    """Ask, and say. Returns 0.

    Raises:
        SemcError: There is no answer.
    """
    from semc_core.io.pip import newest_version, update_sentence

    print(update_sentence(newest_version()))
    return 0
