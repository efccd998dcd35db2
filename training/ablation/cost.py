"""How long trainings would take here, from a step of each that is timed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import torch

from semc_core.labels import LIVER_CLASSES
from training.ablation.runs import VALIDATIONS, Run, answered, options_of
from training.benchmark import Benchmark
from training.data.frame_set import FrameSet, patient_row
from training.data.splits import Split
from training.trainer.semc import SemcModule

_FRAMES: Final = 64


def estimated_s(runs: Sequence[Run], benchmark: Benchmark, threads: int) -> dict[str, float]:
    """Seconds that a training takes on this machine as it is now, by the name of its variant.

    A step of each network is timed on noise, and what it takes to judge some frames. Rendering, reading,
    and the tables' intervals are not in it.

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
    data = _noise(benchmark)
    validation = replace(data, rows=[replace(row, group="other") for row in data.rows])
    module = SemcModule(options_of(run, benchmark, threads), data, validation)
    module.training_step(0, 0.0)  # the first prepares what the others have ready
    before_s = time.monotonic()
    module.training_step(1, 0.5)
    step_s = time.monotonic() - before_s
    before_s = time.monotonic()
    answered(module, data)
    frame_s = (time.monotonic() - before_s) / len(data.labels)
    return benchmark.steps * step_s + judged_frames(benchmark) * frame_s


def judged_frames(benchmark: Benchmark) -> int:
    """Frames that a training's network is asked about: validations, then both judgements."""
    if benchmark.left_out is not None:
        return 0  # a few hundred pictures
    each = {split: len(benchmark.patients(split)) * benchmark.frames for split in Split}
    return (VALIDATIONS + 1) * each[Split.VALIDATION] + each[Split.TEST]


def _noise(benchmark: Benchmark) -> FrameSet:
    side, count = benchmark.input_side, max(_FRAMES, benchmark.batch)
    generator = torch.Generator().manual_seed(1)
    frames = torch.randint(0, 256, (count, side, side), generator=generator, dtype=torch.uint8)
    labels = torch.arange(count) % len(LIVER_CLASSES)
    rows = [patient_row(0, -1, LIVER_CLASSES[int(label)], 0.5, "on") for label in labels]
    return FrameSet(frames, labels, rows, LIVER_CLASSES)
