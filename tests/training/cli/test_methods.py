"""Methods of other papers, by name: trained, judged and run by one command each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from main import main
from semc_core.errors import UsageError
from semc_core.model.file import read_spec
from semc_core.runtime.openvino.runtime import OpenVinoRuntime
from semc_core.runtime.torch.runtime import TorchRuntime
from tests.training.toy_folder import write_toy_folder
from training.config import TrainOptions
from training.models import preset_of
from training.schedule import Budget

_STEPS = ("--steps", "10", "--validations", "2", "--batch", "8", "--threads", "1", "--preset", "semc_tiny")


@pytest.mark.long
@pytest.mark.parametrize("method", ["area", "shike"])
def test_it_is_trained_evaluated_and_run_from_its_file_alone(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.runtime.openvino.runtime.cache_folder", lambda: tmp_path / "cache")
    data, out = write_toy_folder(tmp_path / "toy", 60, 20), tmp_path / "model.safetensors"
    assert main(["train", "--data", str(data), "--out", str(out), "--method", method, *_STEPS]) == 0
    spec = read_spec(out)
    assert spec.provenance["options"]["method"] == method
    assert spec.architecture.fusion == ("product" if method == "shike" else "sum")
    assert main(["eval", str(out), str(data), "--out", str(tmp_path / "report")]) == 0
    result = json.loads((tmp_path / "report" / "result.json").read_text(encoding="utf-8"))
    assert result
    side = spec.preprocessing.height
    frames = np.random.default_rng(1).standard_normal((3, 1, side, side), dtype=np.float32)
    answers = []
    for runtime in (OpenVinoRuntime(out, threads=1), TorchRuntime(out, "cpu", threads=1)):
        answers.append(np.stack([each.probabilities for each in runtime.classify(frames)]))
        runtime.close()
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-4)


@pytest.mark.parametrize("method", ["area", "shike"])
def test_a_run_that_was_stopped_late_goes_on_to_the_same_weights(method: str, tmp_path: Path) -> None:
    from tests.training.toys import toy
    from training.trainer.semc import SemcModule

    options = TrainOptions(Budget(steps=20), method=method, preset="semc_tiny", batch=8, threads=1)
    data, others = toy(0, 30, seed=1), toy(1000, 12, seed=2)
    whole, before, after = (SemcModule(options, data, others) for _ in range(3))
    for step in (16, 17, 18, 19):
        whole.training_step(step, step / 20)
    for step in (16, 17):
        before.training_step(step, step / 20)
    after.load_state_dict(before.state_dict())
    for step in (18, 19):
        after.training_step(step, step / 20)
    for name, value in whole.network.state_dict().items():
        assert value.equal(after.network.state_dict()[name]), name


def test_shike_asks_all_experts() -> None:
    with pytest.raises(UsageError, match="asks all its experts"):
        preset_of(TrainOptions(Budget(steps=1), method="shike", routing="top1"))
