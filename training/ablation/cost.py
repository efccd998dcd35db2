"""How long trainings would take here, from a step of each that is timed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import monotonic
from typing import Final

import torch

from semc_core.labels import LIVER_CLASSES
from training.ablation.runs import VALIDATIONS, Run, answered, options_of
from training.benchmark import Benchmark
from training.data.frame_set import FrameSet, patient_row
from training.data.splits import Split
from training.trainer.semc import SemcModule

_PART: Final = 4
"""Of a step only this part of the frames is timed."""

_FRAMES: Final = 16


def estimated_s(runs: Sequence[Run], benchmark: Benchmark, threads: int) -> dict[str, float]:
    """Seconds that a training takes on this machine as it is now, by the name of its variant.

    A quarter of a step of each network is timed on noise, and what it takes to judge some frames. Rendering,
    reading, and the tables' intervals are not in it.

    Args:
        runs: Those to come.
        benchmark: See there.
        threads: CPU threads.
    """
    variants = {run.variant.name: run for run in runs}
    # What differs in alpha or in how the weights start costs the same.
    alike: dict[tuple[str, bool, str], float] = {}
    found = {}
    for name, run in variants.items():
        kind = run.variant.method, run.variant.contrast, run.variant.routing
        if kind not in alike:
            alike[kind] = _timed(run, benchmark, threads)
        found[name] = alike[kind]
    return found


def _timed(run: Run, benchmark: Benchmark, threads: int) -> float:
    batch = max(2, benchmark.batch // _PART)
    data = _noise(benchmark.input_side, max(_FRAMES, batch))
    validation = replace(data, rows=[replace(row, group="other") for row in data.rows])
    module = SemcModule(replace(options_of(run, benchmark, threads), batch=batch), data, validation)
    module.training_step(0, 0.0)  # the first prepares what the others have ready
    before_s = monotonic()
    module.training_step(1, 0.5)
    step_s = (monotonic() - before_s) * benchmark.batch / batch
    before_s = monotonic()
    answered(module, data)
    frame_s = (monotonic() - before_s) / len(data.labels)
    return benchmark.steps * step_s + judged_frames(benchmark) * frame_s


def judged_frames(benchmark: Benchmark) -> int:
    """Frames that a training's network is asked about: validations, then both judgements."""
    if benchmark.left_out is not None:
        return 0  # a few hundred pictures
    each = {split: len(benchmark.patients(split)) * benchmark.frames for split in Split}
    return (VALIDATIONS + 1) * each[Split.VALIDATION] + each[Split.TEST]


def _noise(side: int, count: int) -> FrameSet:
    generator = torch.Generator().manual_seed(1)
    frames = torch.randint(0, 256, (count, side, side), generator=generator, dtype=torch.uint8)
    labels = torch.arange(count) % len(LIVER_CLASSES)
    rows = [patient_row(0, -1, LIVER_CLASSES[int(label)], 0.5, "on") for label in labels]
    return FrameSet(frames, labels, rows, LIVER_CLASSES)
