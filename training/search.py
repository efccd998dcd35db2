"""The search for choices of a training: trial after trial, each judged on validation patients alone (Optuna).

What may vary is said by a TOML file whose keys are those of a training's configuration
(`training.config_file`); a value is a list of choices, or a range:

    optimiser = ["adamw", "sgd"]
    rate = {low = 1e-4, high = 1e-2, log = true}
    [losses]
    self_weight = {low = 0.0, high = 0.5}

Every trial learns from the training patients and is chosen by F1 on the validation patients. The test
patients are not read: the winner is judged on them once, afterwards, by `semc train` and `semc eval`.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import optuna
from optuna.trial import FrozenTrial, TrialState

from semc_core.errors import UsageError
from semc_core.io.atomic import write_atomically
from semc_core.io.documents import DocumentFault, reason
from training.config import TrainOptions, plain
from training.config_file import CONFIG, as_toml, changed, check_key, flat
from training.data.loading import Given
from training.run_folder import make_folder
from training.trainer.callbacks import Callback, FitState, Metrics
from training.trainer.semc import SemcModule
from training.trainer.trainer import BEST, LAST, Trainer

BEST_NAME: Final = "best.toml"
TABLE_NAME: Final = "trials.json"
_STUDY_NAME: Final = "study.db"
_STARTS: Final = 4
"""Trials that are drawn at random and never given up."""

Choices = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, both among them; whole ones where both are."""

    low: float
    high: float
    log: bool = False


Space = Mapping[str, Choices | Range]


def read_space(path: Path) -> dict[str, Choices | Range]:
    """What may vary, by key.

    Raises:
        UsageError: It cannot be read, names what there is not, or nothing.
    """
    try:
        table = CONFIG.toml_table(path.read_bytes())
    except (OSError, DocumentFault) as error:
        raise UsageError(f"{path} cannot be read ({reason(error)}); name a TOML file.") from error
    found = {key: _varied(key, value) for key, value in flat(table, ends_at=_is_range)}
    for key in found:
        check_key(key, str(path))
    if not found:
        raise UsageError(f"{path} names nothing that may vary; write KEY = [ONE, ANOTHER].")
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_range(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and set(value) <= {"low", "high", "log"}


def _varied(key: str, value: Any) -> Choices | Range:
    if isinstance(value, list) and value and not any(isinstance(one, dict) for one in value):
        return tuple(tuple(one) if isinstance(one, list) else one for one in value)
    if isinstance(value, dict) and all(_is_number(value.get(name)) for name in ("low", "high")):
        found = Range(value["low"], value["high"], value.get("log") is True)
        if found.low < found.high and (found.low > 0 or not found.log):
            return found
    raise UsageError(
        f"{key!r} of the search is neither a list of choices nor a range; write {key} = [ONE, ANOTHER] or "
        f"{key} = {{low = 1, high = 9}}, with log = true only above 0."
    )


class Search:
    """Trials in a folder, which go on there after a kill.

    Args:
        folder: Of the study; made if missing.
        base: What does not vary, with the budget of each trial.
        space: What varies.
        data: Frames of the training and the validation patients.
        encoder: What every trial starts from; None from scratch.

    Raises:
        UsageError: The folder has a search of another base, space or data.
        SaveError: It cannot be written.
    """

    def __init__(
        self, folder: Path, base: TrainOptions, space: Space, data: Given, encoder: Path | None = None
    ) -> None:
        for key, varied in space.items():  # each value can be used at all
            ends = varied if isinstance(varied, tuple) else (_number(varied, 0), _number(varied, 1))
            for value in ends:
                changed(base, {key: value})
        self._folder, self._base, self._space, self._data, self._encoder = folder, base, space, data, encoder
        make_folder(folder)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._storage = optuna.storages.RDBStorage(f"sqlite:///{folder / _STUDY_NAME}")
        self.study = optuna.create_study(
            storage=self._storage, study_name="semc", direction="maximize", load_if_exists=True
        )
        self._check_same()
        for trial in self.study.get_trials(states=[TrialState.RUNNING]):
            # Of a search that was killed: it is tried anew, first.
            self.study.tell(trial.number, state=TrialState.FAIL)
            self.study.enqueue_trial(trial.params)
            shutil.rmtree(self._folder_of(trial.number), ignore_errors=True)

    @property
    def done(self) -> list[FrozenTrial]:
        """The trials that came to an end, given up or not."""
        return self.study.get_trials(states=[TrialState.COMPLETE, TrialState.PRUNED])

    @property
    def best(self) -> FrozenTrial | None:
        """The trial with the best F1, of those that were not given up."""
        complete = self.study.get_trials(states=[TrialState.COMPLETE])
        return max(complete, key=lambda trial: trial.value or 0.0, default=None)

    def run(self, count: int, callbacks: Callable[[], Callback], stops: Callable[[], bool]) -> None:
        """Go on until `count` trials are done, or `stops` says so.

        Args:
            count: Of all trials, those that were done before among them.
            callbacks: Gives who is told how a trial goes, for each.
            stops: Asked between trials.
        """
        while len(self.done) < count and not stops():
            self._set_sampler()
            trial = self.study.ask()
            settings = {key: _suggested(trial, key, varied) for key, varied in self._space.items()}
            try:
                score, pruned = self._train(trial, settings, callbacks())
            except UsageError as error:  # a loss that is no number, say: the next trial is another
                trial.set_user_attr("problem", str(error))
                self.study.tell(trial, state=TrialState.FAIL)
                if len(self.study.trials) > 2 * count:
                    raise
                continue
            if math.isnan(score):
                self.study.tell(trial, state=TrialState.FAIL)
                self.study.enqueue_trial(trial.params)
                return
            if pruned:  # its value is what it told last
                self.study.tell(trial, state=TrialState.PRUNED)
            else:
                self.study.tell(trial, score)
            self._write()

    def settings_of(self, trial: FrozenTrial) -> dict[str, Any]:
        """What varied, as it was in a trial, by key."""
        found: dict[str, Any] = {}
        for key, varied in self._space.items():
            value = trial.params[key]
            found[key] = varied[value] if isinstance(varied, tuple) else value
        return found

    def close(self) -> None:
        """Release the study's file."""
        self._storage.engine.dispose()

    def _set_sampler(self) -> None:
        # By the number of the trial: a search that goes on draws what it would have drawn.
        seed = self._base.seed + len(self.study.trials)
        self.study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_STARTS)
        self.study.pruner = optuna.pruners.MedianPruner(n_startup_trials=_STARTS, n_warmup_steps=1)

    def _train(self, trial: optuna.Trial, settings: Mapping[str, Any], told: Callback) -> tuple[float, bool]:
        """Its F1 and whether it was given up; NaN where somebody asked for a stop."""
        options = replace(changed(self._base, settings), budget=self._base.budget)
        module = SemcModule(options, self._data.train, self._data.validation, self._encoder)
        folder = self._folder_of(trial.number)
        trainer = Trainer(module, folder)
        pruning = _GivingUp(trial)
        ended = trainer.fit([pruning, told])
        for name in (LAST, BEST):  # the winner is trained anew, by its choices; the log stays
            (folder / name).unlink(missing_ok=True)
        if not ended and not pruning.given_up:
            return math.nan, False
        # Small pictures, of the first part of a training, are compared with no trial that came to its end.
        score = trainer.best_score if ended and trainer.best_score > -math.inf else pruning.best
        return score, pruning.given_up

    def _folder_of(self, number: int) -> Path:
        return self._folder / "trials" / f"{number:04d}"

    def _write(self) -> None:
        rows = [
            {"trial": trial.number, "f1": trial.value, "given_up": trial.state == TrialState.PRUNED}
            | {"settings": self.settings_of(trial)}
            for trial in self.done
        ]
        write_atomically(self._folder / TABLE_NAME, (json.dumps(rows, indent=2) + "\n").encode())
        if self.best is not None:
            best = changed(self._base, self.settings_of(self.best))
            write_atomically(self._folder / BEST_NAME, as_toml(best).encode())

    def _check_same(self) -> None:
        rows = [(row.group, row.frame, row.plane) for row in self._data.train.rows]
        own = json.dumps(
            {"base": plain(self._base), "space": {key: repr(value) for key, value in self._space.items()}}
            | {"frames": len(rows), "first": rows[0], "encoder": str(self._encoder)},
            sort_keys=True,
        )
        known = self.study.user_attrs.get("search")
        if known is None:
            self.study.set_user_attr("search", own)
        elif known != own:
            raise UsageError(
                f"{self._folder} has a search of other choices or data; give the same, or another --out."
            )


def _suggested(trial: optuna.Trial, key: str, varied: Choices | Range) -> Any:
    if isinstance(varied, tuple):
        # By its place: lists and words alike are then plain in the study.
        return varied[trial.suggest_categorical(key, tuple(range(len(varied))))]
    if isinstance(varied.low, int) and isinstance(varied.high, int):
        return trial.suggest_int(key, varied.low, varied.high, log=varied.log)
    return trial.suggest_float(key, varied.low, varied.high, log=varied.log)


def _number(varied: Range, end: int) -> float:
    return varied.high if end else varied.low


class _GivingUp(Callback):
    """Tells the study of each validation, and stops a trial that is worse than most were then."""

    def __init__(self, trial: optuna.Trial) -> None:
        self._trial, self._validations = trial, 0
        self.best, self.given_up = -math.inf, False

    def on_validation_end(self, state: FitState, row: Metrics) -> None:
        self._validations += 1
        score = row["validation_f1"]
        self.best = max(self.best, score)
        self._trial.report(score, self._validations)
        self.given_up = state.progress < 1 and self._trial.should_prune()

    def should_stop(self) -> bool:
        return self.given_up
