"""The training as a process of its own: started, found again, stopped and gone on with. No Qt here.

It runs at low priority and outlives the window. What it tells lies in files, so a window that is opened later
finds it again. The window never imports the training code.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import psutil

from app.train.plan import TrainPlan, plan_of
from app.train.presenter import ALIVE, Phase, RunEvents, RunState
from semc_core.errors import SaveError, UsageError
from semc_core.extras import installed, needed
from semc_core.io.atomic import save_error, write_atomically
from semc_core.io.documents import TOLERANT, Document, DocumentFault, configured
from semc_core.io.private import make_private_folder
from semc_core.io.process import own_command
from semc_core.io.rules import within
from semc_core.language import _
from semc_core.model.comparison import COMPARISON_NAME, Comparison, read_comparison

MODEL_NAME: Final = "model.safetensors"
_RUN_NAME: Final = "model.run"
_FACTS_NAME: Final = "run.json"
_OUTPUT_NAME: Final = "output.txt"
_PROGRESS_NAME: Final = "progress.jsonl"
_STOP_NAME: Final = "control/stop"
_FOLDER: Final = re.compile(r"\d{8}-\d{6}")
_KEPT: Final = 3
_NEEDED: Final = ("torch", "torchvision", "lightning", "torchmetrics", "tensorboard", "sklearn")


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is kept of a training beside its files.

    Attributes:
        arguments: Those of `semc train`; none before a training.
        pid: Of its process; 0 is no process of ours.
        created_s: When that process was made, seconds since 1970.
    """

    arguments: tuple[str, ...]
    pid: Annotated[int, within(0, 2**31 - 1)] = 0
    created_s: float = 0.0


RUN_FACTS: Final = Document(RunFacts)


def why_not() -> str:
    """Why nothing can be trained here, in a sentence; "" if it can."""
    missing = next((name for name in _NEEDED if not installed(name)), None)
    return needed(missing, _("Training"))


class TrainingProcess:
    """The newest training below a folder. Called by one thread; nothing here waits.

    Args:
        root: Below it each training has a folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._child: subprocess.Popen[bytes] | None = None
        self._stop_wanted = False
        self.folder: Path | None = None
        self.events = RunEvents()
        self._read_bytes = 0
        self._facts = RunFacts(())
        self._find()

    @property
    def model(self) -> Path | None:
        """The file of the new model, once it is there."""
        path = None if self.folder is None else self.folder / MODEL_NAME
        return path if path is not None and path.is_file() else None

    @property
    def plan(self) -> TrainPlan | None:
        """What it was asked to do; None where there is no training, or nobody knows."""
        return plan_of(self._facts.arguments)

    @property
    def alive(self) -> bool:
        """Whether the process works."""
        if self._child is not None:
            return self._child.poll() is None
        try:
            process = psutil.Process(self._facts.pid)
            # Another process may have got the number since.
            same = abs(process.create_time() - self._facts.created_s) < 1.0
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False

    def start(self, plan: TrainPlan) -> None:
        """Begin a training.

        Raises:
            UsageError: One is under way, or there is nothing to learn from.
            SaveError: Its folder cannot be written.
        """
        self._refuse_second()
        folder = self._root / time.strftime("%Y%m%d-%H%M%S")
        arguments = plan.arguments(folder / MODEL_NAME)
        try:
            make_private_folder(folder, exist_ok=False)
        except OSError as error:
            raise save_error(self._root, error) from error
        self._use(folder)
        self._facts = RunFacts(tuple(arguments))
        self._launch(arguments)
        self._remove_old()

    def resume(self) -> None:
        """Go on with the training that was stopped or cut off.

        Raises:
            UsageError: There is none, or one is under way.
            SaveError: Its folder cannot be written.
        """
        self._refuse_second()
        if self.folder is None or not self._facts.arguments:
            raise UsageError(_("There is no training to go on with; start one."))
        self._launch([*self._facts.arguments, "--resume"])

    def stop(self) -> None:
        """Ask the training to stop after its step; it can go on later.

        Raises:
            SaveError: The wish cannot be written.
        """
        self._stop_wanted = True
        self._ask_to_stop()

    def release(self) -> None:
        """The program ends; the training goes on without it."""
        if self._child is not None and self._child.poll() is None:
            self._child.returncode = 0  # it is nobody's child any more, and nobody waits for it
        self._child = None

    def poll(self) -> RunState:
        """Read what is new. Returns where the training is."""
        if self.folder is None:
            return RunState()
        alive = self.alive  # before the reading: what it wrote at its end is then read, too
        self._read()
        state = self.events.state(alive, self._stop_wanted, "" if alive else self._last_words())
        if state.phase is Phase.STOPPING:
            self._ask_to_stop()  # one that only begins to run clears wishes from before
        if state.phase not in ALIVE:
            self._stop_wanted = False
        return state

    def comparison(self) -> Comparison | None:
        """The new model held against the one in use; None if that was not done.

        Raises:
            UsageError: It cannot be read.
        """
        return None if self.folder is None else read_comparison(self.folder / _RUN_NAME / COMPARISON_NAME)

    def _find(self) -> None:
        """The newest training there is."""
        folders = sorted(path for path in self._root.glob("*") if _FOLDER.fullmatch(path.name))
        for folder in reversed(folders):
            try:
                facts = RUN_FACTS.read(folder / _FACTS_NAME)
            except (OSError, DocumentFault):
                continue  # killed while it was being started
            self._use(folder)
            self._facts = facts
            return

    def _use(self, folder: Path) -> None:
        self.folder, self.events, self._read_bytes = folder, RunEvents(), 0
        self._facts, self._child, self._stop_wanted = RunFacts(()), None, False

    def _refuse_second(self) -> None:
        if self.alive:
            raise UsageError(_("A training is under way; stop it first, or wait for its end."))

    def _launch(self, arguments: Sequence[str]) -> None:
        assert self.folder is not None
        self._stop_wanted = False
        try:
            with (self.folder / _OUTPUT_NAME).open("ab") as output:
                self._child = subprocess.Popen(
                    [*own_command(), "train", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self.folder,
                    **_detached(),
                )
        except OSError as error:
            raise SaveError(
                _("The training could not be started ({reason}); try again.", reason=error.strerror)
            ) from error
        self._facts = replace(self._facts, pid=self._child.pid, created_s=_created_s(self._child.pid))
        write_atomically(self.folder / _FACTS_NAME, json.dumps(asdict(self._facts), indent=2).encode())

    def _ask_to_stop(self) -> None:
        assert self.folder is not None
        path = self.folder / _RUN_NAME / _STOP_NAME
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        except OSError as error:
            raise save_error(self.folder, error) from error

    def _read(self) -> None:
        """Take whole lines only: the last one may be half written."""
        assert self.folder is not None
        try:
            with (self.folder / _RUN_NAME / _PROGRESS_NAME).open("rb") as file:
                if file.seek(0, os.SEEK_END) < self._read_bytes:  # begun anew
                    self.events, self._read_bytes = RunEvents(), 0
                file.seek(self._read_bytes)
                content = file.read()
        except OSError:
            return  # not there yet
        whole = content[: content.rfind(b"\n") + 1]
        self._read_bytes += len(whole)
        for line in whole.decode("utf-8", "replace").splitlines():
            self.events.add(line)

    def _last_words(self) -> str:
        """The last line of what the process wrote."""
        assert self.folder is not None
        try:
            text = (self.folder / _OUTPUT_NAME).read_bytes()[-4000:].decode("utf-8", "replace")
        except OSError:
            return ""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1] if lines else ""

    def _remove_old(self) -> None:
        """Keep the last trainings only: each has a checkpoint."""
        folders = sorted(path for path in self._root.glob("*") if _FOLDER.fullmatch(path.name))
        for folder in folders[:-_KEPT]:
            shutil.rmtree(folder, ignore_errors=True)


def _detached() -> dict[str, Any]:
    """So that the process outlives the window and the terminal."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        return {"creationflags": flags | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def _created_s(pid: int) -> float:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0  # it is over already
