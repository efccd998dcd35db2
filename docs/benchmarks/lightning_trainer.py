"""Lightning's Trainer against ours: is a training that was killed the one that was not? (decision 11)

`python -m docs.benchmarks.lightning_trainer FOLDER` trains a toy of eight steps whole, and another time
killed in its first validation, after step 4, and resumed from its last checkpoint; once with Lightning's
Trainer, its ModelCheckpoint, EarlyStopping and CSVLogger, and once with ours. It prints whether last and best
weights are the same, the rows of the log, and the seconds of a fit of 60 steps. About two minutes.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import torch

from tests.training.toys import options, toy
from training.config import TrainOptions
from training.losses.config import LossOptions
from training.trainer import checkpoint
from training.trainer.callbacks import Metrics
from training.trainer.semc import SemcModule
from training.trainer.trainer import Trainer

STEPS: Final = 8
_VALIDATES: Final = "validates"


def main(folder: Path) -> None:
    """Compare both."""
    for kind in ("lightning", "ours"):
        whole, killed = folder / kind / "whole", folder / kind / "killed"
        child(kind, whole, STEPS)
        child(kind, killed, STEPS, kill=True)
        child(kind, killed, STEPS)
        for name in ("last", "best"):
            one, other = weights(kind, whole, name), weights(kind, killed, name)
            same = one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
            print(f"{kind}: {name} weights {'the same' if same else 'DIFFERENT'}")
        logs = [
            len(next(each.glob("*.csv")).read_text(encoding="utf-8").splitlines()) - 1
            for each in (whole, killed)
        ]
        print(f"{kind}: {logs[0]} rows in the log of the whole run, {logs[1]} in that of the killed one")
        print(f"{kind}: {min(child(kind, folder / kind / f'{i}', 60) for i in range(3)):.2f} s for 60 steps")


def child(kind: str, folder: Path, steps: int, kill: bool = False) -> float:
    """Fit in a process of its own, killed as soon as it validates if asked to. Returns the fit's seconds."""
    command = [sys.executable, "-W", "ignore", "-m", "docs.benchmarks.lightning_trainer"]
    arguments = [str(folder), kind, str(steps)]
    took_s = 0.0
    with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if kill and line.strip() == _VALIDATES:
                process.kill()
            if line.startswith("took "):
                took_s = float(line.split()[1])
    return took_s


def weights(kind: str, folder: Path, name: str) -> dict[str, Any]:
    """The averaged weights of a run's last or best checkpoint."""
    if kind == "ours":
        state = torch.load(folder / f"{name}.pt", weights_only=True)
        found: dict[str, Any] = state["work"]["average"] if name == "last" else state["network"]
        return found
    paths = sorted(folder.glob(f"{name}*.ckpt"), key=lambda path: path.stat().st_mtime)
    state = torch.load(paths[-1], weights_only=False)["state_dict"]
    return {key: value for key, value in state.items() if key.startswith("average.")}


def toy_options(steps: int) -> TrainOptions:
    """With all that must be remembered: queue, learned alpha, a second task, an average, momentum."""
    losses = LossOptions(alpha=None, queue_size=64)
    return options(steps, batch=8, validations=steps // 4, second_task="simclr", losses=losses)


class SlowToValidate(SemcModule):
    """Says that it validates, and gives who reads it time to kill."""

    def validate(self, progress: float) -> Metrics:
        """As always, but later."""
        print(_VALIDATES, flush=True)
        if self.options.budget.steps == STEPS:
            time.sleep(0.5)
        return super().validate(progress)


def fit(folder: Path, kind: str, steps: int) -> None:
    """Fit, or go on."""
    checkpoint.SAVE_EVERY_S = checkpoint.TIMES_SAVING = 0.0 if steps == STEPS else 1e9
    module = SlowToValidate(toy_options(steps), toy(0, 30, seed=1), toy(1000, 12, seed=2))
    if kind == "lightning":
        fit_with_lightning(folder, module, steps)
        return
    trainer = Trainer(module, folder)
    trainer.resume()
    started_s = time.monotonic()
    trainer.fit()
    print("took", time.monotonic() - started_s)


def fit_with_lightning(folder: Path, module: SemcModule, steps: int) -> None:
    """The same steps under Lightning's Trainer, as its documentation says that they are resumed."""
    import lightning.pytorch as pl
    from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
    from lightning.pytorch.loggers import CSVLogger

    class Wrapped(pl.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.automatic_optimization = False  # a step may be learned in parts of uneven size
            self.objective, self.average = module.objective, module.average.module

        def configure_optimizers(self) -> Any:
            return module._make_optimizer([p for p in self.objective.parameters() if p.requires_grad])

        def training_step(self, batch: Any, index: int) -> None:
            module._optimizer = self.optimizers()
            metrics = module.training_step(self.trainer.global_step, self.trainer.global_step / steps)
            self.log("loss", metrics["loss"], batch_size=8)

        def validation_step(self, batch: Any, index: int) -> None:
            self.log("validation_f1", module.validate(1.0)["validation_f1"], batch_size=1)

    saved_each = 1 if steps == STEPS else steps
    callbacks = [
        ModelCheckpoint(folder, "last", every_n_train_steps=saved_each, enable_version_counter=False),
        EarlyStopping("validation_f1", mode="max", patience=steps),
        ModelCheckpoint(folder, "best", monitor="validation_f1", mode="max"),
    ]
    trainer = pl.Trainer(
        max_steps=steps, accelerator="cpu", devices=1, logger=CSVLogger(folder, name="", version=""),
        callbacks=callbacks, val_check_interval=4, check_val_every_n_epoch=None, num_sanity_val_steps=0,
        log_every_n_steps=4, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    batches: Any = torch.utils.data.DataLoader(range(10**6), batch_size=None)  # type: ignore[arg-type]
    once: Any = torch.utils.data.DataLoader([0], batch_size=None)  # type: ignore[arg-type]
    last = folder / "last.ckpt"
    started_s = time.monotonic()
    trainer.fit(Wrapped(), batches, once, ckpt_path=last if last.exists() else None)
    print("took", time.monotonic() - started_s)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        fit(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    else:
        main(Path(sys.argv[1]))
