"""Run a graph's convolutions in 8-bit integers, from the ranges that a quantised model file holds.

For each such convolution NODE, named as in the graph, the file has, beside the network's float32 weights:
`int8.NODE.input` (2,), the least and the greatest input that 8 bits have to tell apart; `int8.NODE.step`
(O,), what one step of an output channel's integer weights is worth; and, where it was corrected,
`int8.NODE.bias` (O,). `runtime.quantise` makes them. Here they become OpenVINO's FakeQuantize operations,
from which it makes integer convolutions. No NNCF here.

The weights' integers are within -63 to 64: two products of an 8-bit input with one of them fit in 16 bits, so
that processors without the instructions for more (VNNI) give the same sums as those with them.

Shapes: O output channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from semc_core.errors import ModelFileError
from semc_core.model.file import INT8_PREFIX
from semc_core.runtime.folding import Arrays
from semc_core.runtime.openvino.nodes import Node

_LEVELS: Final = 256
_STEPS_BELOW: Final = 128
"""Integer weights are -128 to 127 for OpenVINO; they use half of that, see above."""

_FLOAT: Final = ("classifiers.", ".channel.", ".spatial.", "adaption.3")
"""In names of convolutions that stay in float32: they cost nothing, and give the numbers or weigh others."""


def is_quantised(arrays: Arrays) -> bool:
    """Whether a model file holds what int8 needs."""
    return any(name.startswith(INT8_PREFIX) for name in arrays)


def integer_convolutions(graph: ov.Model) -> Iterator[Node]:
    """The convolutions that gain from int8, in order.

    Depth-wise ones do not (they wait for memory), nor does a stem that sees one channel.
    """
    for node in graph.get_ordered_ops():
        name = node.get_friendly_name()
        kept = node.get_type_name() != "Convolution" or any(part in name for part in _FLOAT)
        if not kept and node.input(1).get_shape()[1] > 1:
            yield node


def bias_of(convolution: Node) -> Node | None:
    """The input (a port) through which a convolution's bias is added; None if it has none of its own."""
    readers = list(convolution.output(0).get_target_inputs())
    if len(readers) != 1 or readers[0].get_node().get_type_name() != "Add":
        return None
    port = readers[0].get_node().input(1 - readers[0].get_index())
    return port if port.get_source_output().get_node().get_type_name() == "Constant" else None


def make_integer(graph: ov.Model, arrays: Arrays) -> None:
    """Put the quantisation of a model file into its float32 graph.

    Raises:
        ModelFileError: It does not fit the graph.
    """
    nodes = {node.get_friendly_name(): node for node in integer_convolutions(graph)}
    made: dict[tuple[str, int, bytes], Node] = {}
    for key in (name for name in arrays if name.startswith(INT8_PREFIX)):
        name, _, what = key.removeprefix(INT8_PREFIX).rpartition(".")
        if name not in nodes or what not in ("input", "step", "bias"):
            raise _unfit(key)
        if f"{INT8_PREFIX}{name}.input" not in arrays or f"{INT8_PREFIX}{name}.step" not in arrays:
            raise _unfit(key)
        if what == "input":
            _quantise_input(nodes[name], arrays[key], key, made)
        elif what == "step":
            _quantise_weights(nodes[name], arrays[key], key)
        else:
            _replace_bias(nodes[name], arrays[key], key)


def _quantise_input(
    node: Node, limits: NDArray[np.float32], key: str, made: dict[tuple[str, int, bytes], Node]
) -> None:
    """Convolutions that see the same share one operation."""
    if limits.shape != (2,) or not limits[0] <= 0 < limits[1]:
        raise _unfit(key)
    port = node.input(0)
    above = port.get_source_output().get_node()
    if above.get_type_name() == "MaxPool":  # the largest of the integers is the integer of the largest
        port = above.input(0)
    source = port.get_source_output()
    if source.get_node().get_type_name() == "FakeQuantize":
        return
    known = (source.get_node().get_name(), source.get_index(), limits.tobytes())
    if known not in made:
        low, high = ops.constant(limits[0]), ops.constant(limits[1])
        made[known] = ops.fake_quantize(source, low, high, low, high, _LEVELS)
    port.replace_source_output(made[known].output(0))


def _quantise_weights(node: Node, steps: NDArray[np.float32], key: str) -> None:
    port = node.input(1)
    if steps.shape != (port.get_shape()[0],) or not (steps > 0).all():
        raise _unfit(key)
    column = steps.reshape(-1, 1, 1, 1)
    low = ops.constant(-_STEPS_BELOW * column)
    high = ops.constant((_STEPS_BELOW - 1) * column)
    port.replace_source_output(
        ops.fake_quantize(port.get_source_output(), low, high, low, high, _LEVELS).output(0)
    )


def _replace_bias(node: Node, bias: NDArray[np.float32], key: str) -> None:
    port = bias_of(node)
    if port is None or bias.shape != (port.get_shape()[1],):
        raise _unfit(key)
    port.replace_source_output(ops.constant(bias.reshape(1, -1, 1, 1)).output(0))


def _unfit(key: str) -> ModelFileError:
    return ModelFileError(
        f"The model file's int8 quantisation does not fit this program at {key}; quantise the model again."
    )
