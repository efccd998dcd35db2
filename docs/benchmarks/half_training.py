"""What a training step costs in float32 and in bfloat16: `python docs/benchmarks/half_training.py PRESET`.

The same network, pictures and labels in turns, forward and backward, without the optimiser; processor time,
so that other programs move it less. Then the operations that gain least are listed with their shapes: with
`--parts` of those that take longest.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict

import torch
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile

from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import PRESETS, new_spec
from semc_core.model.network import SemcNetwork


class Step:
    """A step of a network on random pictures."""

    def __init__(self, preset: str, batch: int) -> None:
        torch.manual_seed(1)
        spec = new_spec(preset, LIVER_CLASSES)
        a, p = spec.architecture, spec.preprocessing
        self.network = SemcNetwork(a, len(LIVER_CLASSES)).to(memory_format=torch.channels_last).train()
        self.pictures = torch.randn(batch, a.in_channels, p.height, p.width)
        self.pictures = self.pictures.contiguous(memory_format=torch.channels_last)
        self.labels = torch.randint(0, len(LIVER_CLASSES), (batch,))

    def take(self, half: bool) -> None:
        """Forward and backward."""
        self.network.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            details = self.network.details(self.pictures)
        loss = F.cross_entropy(details.logits.float(), self.labels)
        (loss + details.embeddings.float().square().mean()).backward()

    def timed(self, half: bool) -> float:
        """Processor seconds of a step."""
        started_s = time.process_time()
        self.take(half)
        return time.process_time() - started_s

    def parts(self, half: bool) -> dict[tuple[str, str], float]:
        """Milliseconds of each operation on each shape."""
        with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as told:
            self.take(half)
        found: dict[tuple[str, str], float] = defaultdict(float)
        for each in told.key_averages(group_by_input_shape=True):
            found[each.key, str(each.input_shapes[:3])] += each.self_cpu_time_total / 1000
        return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("preset", choices=[name for name in PRESETS if name.startswith("semc")])
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--parts", type=int, default=0, metavar="N", help="list the N longest operations")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    step = Step(args.preset, args.batch)
    times: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(args.rounds + 1):
        for half, taken in times.items():
            seconds = step.timed(half)
            if turn:
                taken.append(seconds)
    full, half_s = (statistics.median(times[half]) for half in (False, True))
    ratios = sorted(one / other for one, other in zip(times[False], times[True], strict=True))
    print(f"{args.preset}, batch {args.batch}, {args.threads} threads, {args.rounds} rounds in turns")
    print(f"float32  {1000 * full / args.batch:.2f} ms of processor time a picture")
    print(f"bfloat16 {1000 * half_s / args.batch:.2f}: {full / half_s:.2f} times as fast", end=" ")
    print(f"({ratios[0]:.2f} to {ratios[-1]:.2f})")
    if args.parts:
        slow, quick = step.parts(False), step.parts(True)
        for key in sorted(quick, key=lambda key: -quick[key])[: args.parts]:
            print(f"{quick[key]:8.1f} ms, {slow.get(key, 0.0) / max(quick[key], 1e-3):5.2f} times  {key}")


if __name__ == "__main__":
    main()
