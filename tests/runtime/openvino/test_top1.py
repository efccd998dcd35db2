"""A network that chooses one expert for each frame, in OpenVINO: the same numbers by that expert alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import new_spec
from semc_core.model.file import write_model
from semc_core.model.spec import ModelSpec
from semc_core.model.weights import network_arrays
from semc_core.runtime.folding import Arrays
from semc_core.runtime.openvino.graph import OUTPUTS, build_graph
from semc_core.runtime.quantize import Pictures, quantize_file
from tests.model.test_network import chooser as choosing_network
from tests.model.test_network import noise_frames

FRAMES = noise_frames(3).numpy()


def answers(graph: ov.Model) -> list[list[NDArray[np.float32]]]:
    """Of each of `FRAMES` what `OUTPUTS` name."""
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    request = ov.Core().compile_model(graph, "CPU", options).create_infer_request()
    found = []
    for frame in FRAMES:
        request.infer({0: frame[None]})
        found.append([np.array(request.get_tensor(name).data) for name in OUTPUTS])
    return found


def chooser() -> tuple[ModelSpec, Arrays]:
    """A network whose gate gives each of `FRAMES` to another of its experts."""
    network = choosing_network()
    spec = replace(new_spec("semc_tiny", LIVER_CLASSES), architecture=network.architecture)
    return spec, network_arrays(network)


def test_the_chosen_expert_alone_answers_as_all_of_them_would() -> None:
    spec, arrays = chooser()
    alone, of_all = (answers(build_graph(spec, arrays, 1, every_expert=every)) for every in (False, True))
    assert [int(found[1].argmax()) for found in alone] == [0, 1, 2]
    for one, other in zip(alone, of_all, strict=True):
        for name, mine, theirs in zip(OUTPUTS, one, other, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-5, err_msg=name)


def test_no_expert_is_run_but_the_chosen_one() -> None:
    spec, arrays = chooser()
    graph = build_graph(spec, arrays, 1)
    outside = {op.get_friendly_name() for op in graph.get_ordered_ops()}
    assert not any(name.startswith(("experts.", "ace.", "samc.", "classifiers.")) for name in outside)
    choices = [op for op in graph.get_ordered_ops() if op.get_type_name() == "If"]
    assert len(choices) == 3
    for expert, choice in enumerate(choices):
        inside = {op.get_friendly_name() for op in choice.get_function(0).get_ordered_ops()}
        stages = {name.split(".")[1] for name in inside if name.startswith("experts.")}
        assert stages == {str(expert)}
        nothing = {op.get_type_name() for op in choice.get_function(1).get_ordered_ops()}
        assert nothing == {"Constant", "Result"}


def test_int8_of_such_a_network_is_refused(tmp_path: Path) -> None:
    spec, arrays = chooser()
    path = tmp_path / "chooser.safetensors"
    write_model(path, spec, arrays)
    with pytest.raises(UsageError, match="runs one of several experts"):
        quantize_file(path, tmp_path / "int8.safetensors", Pictures((), (), ""))
