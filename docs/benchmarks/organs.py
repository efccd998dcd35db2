"""Which organ a real picture shows: networks with and without pretraining, within their sources and across.

python docs/benchmarks/organs.py ORGANS --out DIR [--sononet sononet16.safetensors] [--seeds 1,2,3]

ORGANS is a data set as `semc data check` reads it, with sources named in it. Those given by `--across` are
kept out of training; they are the test across sources. The others are dealt by group, pictures that look
the same kept together, so that the test within sources has other patients or videos. A broken-off run goes
on.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch

from semc_core.imaging.preprocess import prepare
from semc_core.io.atomic import write_atomically
from semc_core.model.file import read_model
from semc_core.model.weights import build_network
from training.config import TrainOptions, plain
from training.data.checks import inspect
from training.data.frame_set import FrameSet
from training.data.images import read_pictures
from training.data.index import DataIndex
from training.data.loading import load_frames
from training.data.readers import open_data
from training.inference import classify
from training.initialization import write_encoder
from training.losses.config import loss_recipe
from training.metrics import frame_metrics
from training.models import described
from training.pretrain.config import PretrainOptions
from training.pretrain.module import PretrainModule
from training.schedule import Budget
from training.trainer.callbacks import Callback, FitState, Metrics
from training.trainer.semc import SemcModule
from training.trainer.trainer import Trainer

_PRESET = "semc_small"
_BATCH = 32
_PRETRAINED = ("scratch", "simclr", "awcl")
_METHODS = {"resnet": "plain ResNet", "semc": "SEMC"}


@dataclass(frozen=True)
class Parts:
    """Frames to train, to choose, to test within the sources, and to test across them."""

    train: FrameSet
    validation: FrameSet
    within: FrameSet
    across: FrameSet


class Printed(Callback):
    """Prints each validation."""

    def on_validation_end(self, state: FitState, row: Metrics) -> None:
        """Print it."""
        print(row)


def main() -> None:
    """Deal, pretrain, train, judge; writes the table after each run."""
    args = _arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    dealt = _dealt(args)
    spec = described("semc", _PRESET).preprocessing
    parts = Parts(*(load_frames(index, split, spec) for index, split in _splits(dealt, args.across)))
    facts = {
        name: {"pictures": len(data.rows), "groups": len(data.groups), "classes": _counts(data)}
        for name, data in vars(parts).items()
    }
    print(json.dumps(facts, indent=1))
    encoders = {start: _encoder(start, parts, args) for start in _PRETRAINED[1:]}
    for seed in (int(seed) for seed in args.seeds.split(",")):
        for method in _METHODS:
            for start in _PRETRAINED:
                path = args.out / "runs" / f"{method}_{start}_{seed}.json"
                if not path.exists():
                    result = _train(method, start, encoders.get(start), parts, seed, args)
                    path.parent.mkdir(exist_ok=True)
                    write_atomically(path, json.dumps(result, indent=1).encode())
                _write_table(args.out, facts)
    if args.sononet is not None:
        probe = _probe(args.sononet, dealt, args.across)
        write_atomically(args.out / "runs" / "sononet_features_1.json", json.dumps(probe, indent=1).encode())
        _write_table(args.out, facts)
    print((args.out / "organs.md").read_text(encoding="utf-8"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--across", default="timtrack-dataset3,timtrack-dataset4")
    parser.add_argument("--sononet", type=Path, help="file that `semc model import` wrote")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--steps", type=int, default=500, help="of each training")
    parser.add_argument("--pretraining-steps", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    args.across = set(args.across.split(","))
    return args


def _dealt(args: argparse.Namespace) -> DataIndex:
    """All pictures, dealt once: each source by itself, what looks the same kept together.

    A source of one or two groups is for training alone.
    """
    index = open_data(args.data, leaks_allowed=True)
    table = args.out / "splits.json"
    if not table.exists():
        report = inspect(index)
        alike = [{sample.group for sample in each} for each in (*report.exact, *report.near)]
        found: dict[str, str] = {}
        for source in {sample.source for sample in index.samples}:
            own = tuple(sample for sample in index.samples if sample.source == source)
            groups = {sample.group for sample in own}
            if source in args.across or len(groups) < 3:
                found |= dict.fromkeys(groups, "test" if source in args.across else "train")
            else:
                together = [each & groups for each in alike if len(each & groups) > 1]
                dealt = replace(index, samples=own).split(1, anew=True, together=together)
                found |= {sample.group: sample.split for sample in dealt.samples}
        write_atomically(table, json.dumps(found, indent=0, sort_keys=True).encode())
    return index.with_splits(json.loads(table.read_text(encoding="utf-8")))


def _splits(index: DataIndex, across: set[str]) -> Iterator[tuple[DataIndex, str]]:
    """Index and split of each of `Parts`."""
    within = tuple(sample for sample in index.samples if sample.source not in across)
    beyond = tuple(replace(s, split="test") for s in index.samples if s.source in across)
    for split in ("train", "validation", "test"):
        yield replace(index, samples=within), split
    yield replace(index, samples=beyond), "test"


def _counts(data: FrameSet) -> dict[str, int]:
    counts = torch.bincount(data.labels, minlength=len(data.classes)).tolist()
    return dict(zip(data.classes, counts, strict=True))


def _encoder(start: str, parts: Parts, args: argparse.Namespace) -> Path:
    """Pretrained on the training frames alone."""
    path: Path = args.out / f"{start}.safetensors"
    if not path.exists():
        options = PretrainOptions(
            Budget(steps=args.pretraining_steps), method=start, preset=_PRESET, threads=args.threads
        )
        module = PretrainModule(options, parts.train, parts.validation)
        trainer = Trainer(module, args.out / f"{start}.run")
        trainer.resume()
        trainer.fit([Printed()])
        write_encoder(path, trainer.best_network(), {"method": start, "options": plain(options)})
    return path


def _train(
    method: str, start: str, encoder: Path | None, parts: Parts, seed: int, args: argparse.Namespace
) -> dict[str, Any]:
    """Train one network for a fixed number of steps and judge its averaged weights after the last."""
    options = TrainOptions(
        Budget(steps=args.steps), preset=_PRESET, method=method, batch=_BATCH, average=0.99,
        progressive=False, validations=2, seed=seed, threads=args.threads, losses=loss_recipe("paper"),
    )  # fmt: skip
    started_s = time.monotonic()
    module = SemcModule(options, parts.train, parts.validation, encoder)
    Trainer(module, args.out / "work").fit()
    judged = {}
    for name in ("validation", "within", "across"):
        data: FrameSet = getattr(parts, name)
        logits = classify(module.best_network(), data.frames, module.preprocessing).logits
        judged[name] = frame_metrics(torch.softmax(logits, 1), data.labels, data.classes)
    seconds = round(time.monotonic() - started_s, 1)
    print(method, start, seed, {name: round(each["accuracy"], 3) for name, each in judged.items()}, seconds)
    return {"method": method, "start": start, "seed": seed, "seconds": seconds, **judged}


@torch.no_grad()
def _probe(model: Path, index: DataIndex, across: set[str]) -> dict[str, Any]:
    """A linear classifier on the features of a published network that is not trained further."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    spec, arrays = read_model(model)
    network = build_network(spec.architecture, len(spec.classes), arrays)
    found = []
    for part, split in _splits(index, across):
        features = []
        for sample in part.of_split(split):
            [picture] = read_pictures(sample.path, [sample.frame])
            inputs = torch.from_numpy(prepare(picture.picture.gray, picture.crop, spec.preprocessing)[None])
            features.append(network.details(inputs).fused_pooled[0].numpy())
        labels = [index.classes.index(sample.label) for sample in part.of_split(split)]
        found.append((np.array(features), np.array(labels)))
    (train, wanted), *tests = found
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, class_weight="balanced"))
    probe.fit(train, wanted)
    result: dict[str, Any] = {"method": "sononet", "start": "features", "seed": 1}
    for name, (features, labels) in zip(("validation", "within", "across"), tests, strict=True):
        answers = torch.from_numpy(probe.predict_proba(features))
        result[name] = frame_metrics(answers, torch.from_numpy(labels), index.classes)
    return result


def _write_table(out: Path, facts: dict[str, Any]) -> None:
    """Mean, lowest and highest of the seeds, per cent."""
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for path in sorted((out / "runs").glob("*.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        rows.setdefault((run["method"], run["start"]), []).append(run)
    [beyond] = [name for name, count in facts["across"]["classes"].items() if count]
    lines = [
        f"| network | begun from | accuracy within | macro F1 within | {beyond} of other machines |",
        "|---|---|---|---|---|",
    ]
    for (method, start), runs in rows.items():
        cells = [_METHODS.get(method, "linear, on SonoNet-16"), start]
        for where, what in (("within", "accuracy"), ("within", "f1"), ("across", "accuracy")):
            values = [100 * run[where][what] for run in runs]
            spread = f" ({min(values):.1f}-{max(values):.1f})" if len(values) > 1 else ""
            cells.append(f"{statistics.mean(values):.1f}{spread}")
        lines.append("| " + " | ".join(cells) + " |")
    write_atomically(out / "organs.md", ("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    main()
