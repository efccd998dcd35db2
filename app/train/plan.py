"""What a training is asked to do: as arguments of `semc train`, read back, and in words. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from semc_core.errors import UsageError
from semc_core.io.process import usable_cores
from semc_core.language import _, plural

_NICE: Final = 19
_SEED: Final = 1
"""Always the same: it deals patients to train, validation and test, and these must not be mixed."""

_RATE_TO_GO_ON: Final = "0.0003"
"""Of a trained network. At the rate of an untrained one it first forgets what it knows: within 30 steps the
shipped model fell to a validation F1 of 0.46 and came back to 0.91. At this rate it rose from 0.91 to 0.94.
"""


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """What to train.

    Attributes:
        data: Folders, or names of data sets, as `semc train --data` takes them.
        preset: Network and input; see `semc_core.model.architecture`.
        minutes: How long; None takes `rounds`.
        rounds: How often every picture is seen.
        start_from: Model file to start from; None starts from nothing.
        compare_with: Model file that the new one is held against.
        threads: CPU threads.
        of: Planes of the scans whose corrections are meant; none where there is one kind of them only.
    """

    data: tuple[str, ...]
    preset: str
    minutes: float | None = 45.0
    rounds: float | None = None
    start_from: Path | None = None
    compare_with: Path | None = None
    threads: int = max(1, usable_cores() // 2)
    of: tuple[str, ...] = ()

    def arguments(self, out: Path) -> list[str]:
        """Those of `semc train`: each option has one value."""
        if not self.data:
            raise UsageError(_("There is nothing to learn from yet; choose corrections or a folder."))
        given = [word for place in self.data for word in ("--data", place)]
        given += ["--of", ",".join(self.of)] if self.of else []
        given += ["--out", str(out), "--preset", self.preset, "--seed", str(_SEED)]
        given += ["--threads", str(self.threads), "--nice", str(_NICE)]
        if self.rounds is not None:
            given += ["--epochs", f"{self.rounds:g}"]
        elif self.minutes is not None:
            given += ["--minutes", f"{self.minutes:g}"]
        if self.start_from is not None:
            given += ["--rate", _RATE_TO_GO_ON]
        for option, path in (("--encoder", self.start_from), ("--compare-with", self.compare_with)):
            given += [] if path is None else [option, str(path)]
        return given


def plan_of(arguments: Sequence[str]) -> TrainPlan | None:
    """The plan whose arguments these are; None where they are not those of a training."""
    given: dict[str, list[str]] = {}
    for option, value in zip(arguments[::2], arguments[1::2], strict=False):
        given.setdefault(option, []).append(value)
    last = {option: values[-1] for option, values in given.items()}
    if "--data" not in given:
        return None
    try:
        minutes, rounds = (float(last[name]) if name in last else None for name in ("--minutes", "--epochs"))
    except ValueError:
        return None
    start_from, compare_with = (
        Path(last[name]) if name in last else None for name in ("--encoder", "--compare-with")
    )
    of = tuple(name for name in last.get("--of", "").split(",") if name)
    return TrainPlan(
        tuple(given["--data"]), last.get("--preset", ""), minutes, rounds, start_from, compare_with, of=of
    )


def plan_words(plan: TrainPlan, data: Sequence[str]) -> str:
    """What a training learns from, how long, and with what, in a sentence or two.

    Args:
        plan: Of the training.
        data: What it learns from, in words.
    """
    length = _("as the recipe says")
    if plan.rounds is not None:
        length = plural("{count} round", "{count} rounds", round(plan.rounds))
    elif plan.minutes is not None:
        length = plural("{count} minute", "{count} minutes", round(plan.minutes))
    values = {"data": ", ".join(data), "length": length, "network": plan.preset}
    if plan.start_from is None:
        return _(
            "It learns from: {data}. Length: {length}. Network: {network}, which starts from nothing.",
            **values,
        )
    return _(
        "It learns from: {data}. Length: {length}. Network: {network}, which starts from the model that was "
        "in use.",
        **values,
    )
