"""The ablation: every variant trains, a broken-off one goes on, and the tables say what came out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from main import main
from semc_core.errors import UsageError
from semc_core.labels import LIVER_CLASSES
from tests.training.toys import toy
from training.ablation.measures import judged
from training.ablation.runs import (
    Frames,
    Run,
    answered,
    missing,
    options_of,
    planned,
    read_results,
    train_missing,
    train_one,
)
from training.ablation.tables import markdown, summary
from training.ablation.variants import USUAL, VARIANTS, of_tables
from training.benchmark import Benchmark, benchmark_names, load_frames_of, missing_patients, read_benchmark
from training.data.frame_set import read_shard, shard_path, write_shard
from training.data.splits import Split
from training.inference import classify
from training.losses.alpha import AlphaNetwork, FixedAlpha
from training.metrics import frame_metrics
from training.trainer.callbacks import Callback
from training.trainer.semc import SemcModule
from training.trainer.trainer import Trainer

SMALL = Benchmark("toy", "0:5", "1000:1005", "2000:2005", 10, 64, "semc_tiny", 4, 12, 2e-3, (1, 2))
TRAINING = "[training]\npreset='semc_tiny'\nsteps=2\nbatch=8\nrate=0.002\nseeds=[1]\n"


@pytest.fixture(scope="module")
def frames() -> Frames:
    return Frames(toy(0, 60, 1), toy(1000, 30, 2), toy(2000, 30, 3))


def test_the_benchmarks_that_ship_are_sound() -> None:
    assert "simulated_small" in benchmark_names()
    for name in benchmark_names():
        benchmark = read_benchmark(name)
        assert len(benchmark.seeds) >= 3
        if benchmark.left_out is not None:
            assert benchmark.folds == tuple(range(1, 1 + len(benchmark.left_out.sources)))
            continue
        splits = [set(benchmark.patients(split)) for split in Split]
        assert sum(map(len, splits)) == len(set.union(*splits))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = 'x'", "'training' is missing"),
        ("name = ", "it is not TOML"),
        ('[patients]\ntrain="0:2"', "'name' is missing"),
        (f"name = 'x'\n{TRAINING}", r"Give \[patients\] and \[pictures\], or \[left_out\]"),
        (
            f"name = 'x'\n{TRAINING}[patients]\ntrain = '0:1'\nvalidation = '1000'\ntest = '2000'\n"
            "[left_out]\nsources = ['A', 'B']\nclasses = ['P', 'Q']\n",
            r"Give either \[left_out\]",
        ),
    ],
)
def test_a_file_that_is_no_benchmark_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        read_benchmark(str(path))
    with pytest.raises(UsageError, match="There is no benchmark"):
        read_benchmark("nothing")


def test_patients_of_another_split_are_refused() -> None:
    with pytest.raises(UsageError, match="belong to another split"):
        replace(SMALL, test="999:1003")
    with pytest.raises(UsageError, match="each once"):
        replace(SMALL, seeds=(1, 1))


def test_every_further_variant_is_what_its_name_says(frames: Frames) -> None:
    def built(name: str) -> SemcModule:
        return SemcModule(options_of(Run(VARIANTS[name], 3), SMALL, 1), frames.train, frames.validation)

    for name, count in (("experts-1", 1), ("experts-2", 2), ("ace-samc", 3), ("experts-4", 4)):
        assert built(name).architecture.experts == count, name
        assert built(name).losses.contrast == "none"
    assert built("gate-mean").architecture.gate_input == "mean"
    assert built("gate-top1").architecture.routing == "top1"
    assert built("gate-top1").losses.contrast == built("gate-mean").losses.contrast == "supcon"
    for name, ways in (("resnet", 1), ("equal", 1), ("plain", 3)):
        assert built(name).architecture.experts == ways
    assert built("equal").architecture.width > built("resnet").architecture.width
    weights = {
        name: built(name).network.state_dict()["ace.0.blocks.0.0.weight"] for name in ("all", "start-authors")
    }
    assert weights["all"].std() > 5 * weights["start-authors"].std()
    assert options_of(Run(VARIANTS["all"], 1), replace(SMALL, side=96), 1).size == (96, 96)
    assert VARIANTS["best-expert"].trained == "all"


@pytest.mark.parametrize(
    ("name", "ace", "samc", "contrast", "alpha"),
    [
        ("plain", False, False, "none", None),
        ("ace", True, False, "none", None),
        ("ace-samc", True, True, "none", None),
        ("ace-mc", True, False, "supcon", None),
        ("all", True, True, "supcon", None),
        *[(f"alpha-{share:g}", True, True, "supcon", share) for share in (0.01, 0.05, 0.1, 0.2, 0.5)],
    ],
)
def test_every_variant_is_what_its_name_says(
    name: str, ace: bool, samc: bool, contrast: str, alpha: float | None, frames: Frames
) -> None:
    options = options_of(Run(VARIANTS[name], 3), SMALL, 1)
    module = SemcModule(options, frames.train, frames.validation)
    built, losses = module.network.architecture, module.objective.loss.options
    assert (built.ace, built.samc, built.experts) == (ace, samc, 3)
    assert (losses.contrast, losses.self_weight, losses.smoothing) == (contrast, 0.1, 0.0)
    if contrast != "none":
        assert losses.alpha == alpha
        assert isinstance(module.objective.loss.alpha, AlphaNetwork if alpha is None else FixedAlpha)
    assert (options.budget.steps, options.batch, options.rate, options.seed) == (4, 12, 2e-3, 3)
    assert (options.average, options.progressive) == (0.99, False)


def test_the_usual_variants_are_those_of_the_papers_table_and_figure() -> None:
    alphas = [f"alpha-{share}" for share in ("0.01", "0.05", "0.1", "0.2", "0.5")]
    assert of_tables(USUAL) == ["plain", "ace", "ace-samc", "ace-mc", "all", *alphas]
    with pytest.raises(UsageError, match="no variant 'none'"):
        planned(SMALL, ["none"])


def test_a_network_is_judged_by_its_average_on_the_test_patients(
    frames: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[Trainer[SemcModule]] = []
    fit = Trainer.fit

    def kept(trainer: Trainer[SemcModule], callbacks: Sequence[Callback] = ()) -> bool:
        fitted.append(trainer)
        return fit(trainer, callbacks)

    monkeypatch.setattr(Trainer, "fit", kept)
    discs = frames.test.subset((frames.test.labels < 2).numpy())
    result = train_one(Run(VARIANTS["plain"], 1), SMALL, replace(frames, test=discs), tmp_path / "work")
    module = fitted[0].module
    thresholds = np.array(result["predictions"]["mixture"]["thresholds"])
    with torch.no_grad():
        logits = classify(module.best_network(), discs.frames, module.preprocessing).logits
    stored = np.array(result["predictions"]["mixture"]["probabilities"])
    assert stored == pytest.approx(torch.softmax(logits, 1).numpy(), abs=1e-5)
    for name, data in (("test", discs), ("validation", frames.validation)):
        said = answered(module, data)
        own = frame_metrics(said[0], data.labels, data.classes)
        own |= judged(said[0].numpy(), data.labels.numpy(), thresholds)
        assert result[name] == own, name
    assert result["test"]["frames"] == 20
    assert result["validation"]["frames"] == 30
    assert len(result["train_accuracy"]) == 3


def test_a_broken_off_ablation_goes_on_with_what_is_missing(frames: Frames, tmp_path: Path) -> None:
    runs = planned(SMALL, ["plain", "all"])
    assert [(run.variant.name, run.seed) for run in runs] == [
        ("plain", 1), ("all", 1), ("plain", 2), ("all", 2),
    ]  # fmt: skip
    given = {0: frames}
    first = train_missing(runs, SMALL, given, tmp_path, threads=1)
    next(first)
    first.close()  # as a kill would
    assert missing(runs, SMALL, tmp_path) == runs[1:]
    kept = runs[0].path(tmp_path).read_bytes()
    told: list[float] = []
    done = dict(train_missing(runs, SMALL, given, tmp_path, 1, lambda run, progress: told.append(progress)))
    assert list(done) == runs[1:]
    assert max(told) == 1
    assert runs[0].path(tmp_path).read_bytes() == kept
    assert not (tmp_path / "work").exists()

    results = read_results(runs, SMALL, tmp_path)
    found = summary(SMALL, results, {"device": "CPU"})
    assert [row["variant"] for row in found["table"]] == ["plain", "all"]
    row = found["table"][1]
    f1s = [results["all"][seed][0]["test"]["f1"] for seed in (1, 2)]
    assert row["f1"]["mean"] == pytest.approx(sum(f1s) / 2)
    assert row["f1"]["std"] == pytest.approx(abs(f1s[0] - f1s[1]) / 2**0.5)
    assert row["f1_difference"]["count"] == 2
    assert 0.05 <= results["all"][1][0]["alpha_mean"][-1] <= 0.95
    assert results["plain"][1][0]["alpha_mean"][-1] == 1
    text = markdown(json.loads(json.dumps(found)))
    assert "| plain | 2 |" in text
    assert "| all (alpha learned) | 2 |" in text

    other = replace(SMALL, steps=5)
    with pytest.raises(UsageError, match="another benchmark"):
        missing(runs, other, tmp_path)


def test_the_same_run_gives_the_same_numbers(frames: Frames, tmp_path: Path) -> None:
    run = planned(SMALL, ["ace-mc"])[:1]
    found = [
        next(iter(train_missing(run, SMALL, {0: frames}, tmp_path / name, threads=1)))[1]
        for name in ("a", "b")
    ]
    for each in found:
        del each["seconds"]
    assert found[0] == found[1]


def test_the_command_trains_from_rendered_patients(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out, own = tmp_path / "set", tmp_path / "out", tmp_path / "own.toml"
    data.mkdir()
    own.write_text(
        'name = "own"\n[patients]\ntrain = "0:5"\nvalidation = "1000:1005"\ntest = "2000:2005"\n'
        "[pictures]\nframes = 12\nsize = 128\n"
        '[training]\npreset = "semc_tiny"\nsteps = 2\nbatch = 8\nrate = 0.002\nseeds = [1]\n',
        encoding="utf-8",
    )
    benchmark = read_benchmark(str(own))
    assert len(missing_patients(benchmark, data)) == 15
    for split, first in ((Split.TRAIN, 0), (Split.VALIDATION, 1000), (Split.TEST, 2000)):
        _write_patients(data, first)
        loaded = load_frames_of(benchmark, data, split)
        assert loaded.frames.shape[1:] == (64, 64)
        assert loaded.frames.dtype == torch.uint8
        assert loaded.groups == [f"{first + i:05d}" for i in range(5)]
    given = ["ablate", "--benchmark", str(own), "--data", str(data), "--out", str(out), "--only", "plain,ace"]
    assert main([*given, "--list"]) == 0
    assert capsys.readouterr().out.count("missing") == 2
    assert main(given) == 0
    assert "| + ACE | 1 |" in (out / "ablation.md").read_text(encoding="utf-8")
    assert len(json.loads((out / "ablation.json").read_bytes())["runs"]) == 2
    assert main([*given, "--list"]) == 0
    assert "2 of 2 trainings done" in capsys.readouterr().out


def _write_patients(folder: Path, first: int) -> None:
    """Toy pictures under the names of the liver's planes, twice as large as the network's."""
    data = toy(first, 60, first)
    for patient in range(first, first + 5):
        places = [i for i, row in enumerate(data.rows) if int(row.group) == patient]
        pictures = data.frames[places].numpy().repeat(2, axis=1).repeat(2, axis=2)
        names = {"DISC": LIVER_CLASSES[0], "BAR": LIVER_CLASSES[1]}
        rows = [replace(data.rows[i], plane=names.get(data.rows[i].plane, "NSP")) for i in places]
        write_shard(folder, patient, pictures, rows)
        assert len(read_shard(shard_path(folder, patient))[1]) == 12
