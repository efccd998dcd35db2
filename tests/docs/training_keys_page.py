"""docs/training_keys.md, made of what may be chosen: `python -m tests.docs.training_keys_page` writes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from training.config import TRAIN_RECIPES
from training.config_file import ENDS, keys, values_of

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "training_keys.md"
_INTRODUCTION: Final = """\
# Every choice of a training

Written by `python -m tests.docs.training_keys_page` from `training/config.py`; a test holds it against that.

`semc train --config FILE` takes these keys from a TOML file, `--set KEY=VALUE` one of them, as in
`--set losses.temperature=0.1`. What neither names is the recipe's (`--recipe`); options of the command line
go before both. Each run keeps all of its own in `config.toml` of its folder, and that file with `--config`
repeats the run. A key with a dot stands in the table before the dot: `[losses]`, then `temperature = 0.1`.
"""


def page() -> str:
    """The whole page."""
    head = " | ".join(f"`{name}`" for name in TRAIN_RECIPES)
    table = f"| key | what it decides | {head} |\n|---|---|{'---|' * len(TRAIN_RECIPES)}"
    return "\n".join([_INTRODUCTION, table, *_rows()]) + "\n"


def _rows() -> Iterator[str]:
    recipes: list[dict[str, Any]] = [values_of(recipe.options) for recipe in TRAIN_RECIPES.values()]
    for key, text in keys().items():
        values = ["-" if key in ENDS else f"`{json.dumps(recipe[key])}`" for recipe in recipes]
        yield f"| `{key}` | {text} | {' | '.join(values)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
