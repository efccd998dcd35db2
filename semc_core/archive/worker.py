"""What runs on each worker of the cluster: the model, loaded once, and one loop after the other."""

from __future__ import annotations

import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from semc_core.archive.loop import Found, How, OutOfReach, analyse_loop, state_of
from semc_core.errors import SemcError
from semc_core.io.private import new_private_file
from semc_core.runtime.base import RawRuntime
from semc_core.runtime.load import load_runtime
from semc_core.version import VERSION

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is nothing of a loop.

    Attributes:
        problem: A sentence for the user.
        out_of_reach: Whether it may be there again later.
    """

    problem: str
    out_of_reach: bool = False


@dataclass(frozen=True, slots=True)
class About:
    """What a worker runs: program, Python's process, and the device of the model."""

    version: str
    process: int
    device: str


class LoopWorker:
    """One at a time, for one model. Its methods are called from elsewhere."""

    def __init__(self, model: bytes, device: str, threads: int, precision: str, how: How) -> None:
        """Load the model.

        Args:
            model: Content of its file: a worker needs none of its own, and all have the same.
            device: See `load_runtime`.
            threads: CPU threads of the model.
            precision: See `load_runtime`.
            how: How loops are analysed.

        Raises:
            SemcError: It cannot be run here.
        """
        with tempfile.TemporaryDirectory(prefix="semc-worker-") as folder:
            path = Path(folder) / "model.safetensors"
            with os.fdopen(new_private_file(path), "wb") as file:
                file.write(model)
            self._runtime: RawRuntime = load_runtime(path, device, threads, precision)
        self._how = how

    def about(self) -> About:
        """What is running here."""
        return About(VERSION, os.getpid(), self._runtime.device_name)

    def analyse(self, path: str) -> Found | Failed:
        """Analyse one loop; whatever is wrong with it is told, not raised.

        Raises:
            MemoryError: There was not enough for it. This process may not be as it was any more.
        """
        loop = Path(path)
        try:
            return analyse_loop(loop, self._runtime, self._how)
        except OutOfReach:
            return _out_of_reach(loop)
        except SemcError as error:
            return _out_of_reach(loop) if _went_away(loop) else Failed(str(error))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - the boundary of one loop
            _log.error("A loop could not be analysed: %s", type(error).__name__)
            return Failed(
                f"It could not be analysed ({type(error).__name__}); check the file, or export it again."
            )


def _out_of_reach(loop: Path) -> Failed:
    problem = f"{loop.name} cannot be reached; check the path, and whether its server is there."
    return Failed(problem, out_of_reach=True)


def _went_away(loop: Path) -> bool:
    """Whether it could not be read because its place is not there any more."""
    try:
        state_of(loop)
    except OutOfReach:
        return True
    except SemcError:
        return False
    return False
