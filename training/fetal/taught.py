"""What each run taught, in a file of its own: teaching takes minutes, and what is done is not done again."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.io.atomic import write_atomically
from semc_core.model.file import Arrays
from semc_core.model.weights import network_arrays
from training.fetal.runs import split_of
from training.fetal.teach import Teaching, answers, teach
from training.fetal.versions import Prepared

_SEED: Final = 0


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """One run.

    Attributes:
        places: int64 (M,), of the pictures that were left out.
        logits: float32 (M, K), what the network says of them.
        network: Its tensors.
    """

    places: NDArray[np.int64]
    logits: NDArray[np.float32]
    network: Arrays


def teach_run(
    folder: Path,
    run: str,
    prepared: Prepared,
    published: Arrays,
    tell: Callable[[int, int], None],
    teaching: Teaching | None = None,
) -> None:
    """Teach without what the run leaves out, ask about that, and write both into the folder.

    Raises:
        UsageError: There is no such run.
        SaveError: The folder cannot be written.
    """
    split = split_of(run, prepared.rows)
    network = teach(prepared, split.train, published, _SEED, tell, teaching)
    places = np.flatnonzero(split.test)
    logits = answers(network, prepared.inputs, places).numpy()
    file = io.BytesIO()
    tensors = {f"network.{name}": each for name, each in network_arrays(network).items()}
    np.savez(file, allow_pickle=False, places=places, logits=logits, **tensors)
    path = _path(folder, run)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, file.getvalue())


def is_taught(folder: Path, run: str) -> bool:
    """Whether the run was taught."""
    return _path(folder, run).exists()


def read_taught(folder: Path, run: str) -> Taught:
    """What `teach_run` wrote.

    Raises:
        UsageError: It did not, or the file is damaged.
    """
    try:
        with np.load(_path(folder, run)) as file:
            network = {
                name.removeprefix("network."): file[name] for name in file if name.startswith("network.")
            }
            return Taught(file["places"], file["logits"], network)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"The run {run} was not taught; teach it first.") from error


def _path(folder: Path, run: str) -> Path:
    return folder / "taught" / f"{run}.npz"
