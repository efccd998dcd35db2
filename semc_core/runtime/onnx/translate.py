"""An OpenVINO graph of this program as an ONNX graph, node by node.

The networks are written down once for OpenVINO (`runtime.openvino.graph`); here each of the few operations
that they are made of gets its counterpart. One without is an error, never left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import onnx
import openvino as ov
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from semc_core.errors import RuntimeFault
from semc_core.runtime.openvino.graph import Node

OPSET: Final = 18
"""The first in which all reductions take their axes as an input, as OpenVINO's do."""

_SAME: Final = {
    "Add": "Add", "Divide": "Div", "Multiply": "Mul", "Relu": "Relu", "PRelu": "PRelu", "Reshape": "Reshape",
    "Sigmoid": "Sigmoid", "Sqrt": "Sqrt", "Subtract": "Sub", "Unsqueeze": "Unsqueeze",
}  # fmt: skip
"""Operations whose inputs are the same in both, and that need no attribute."""
_REDUCED: Final = ("ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum")


def onnx_graph(graph: ov.Model, name: str) -> onnx.GraphProto:
    """The graph in ONNX (`OPSET`); inputs and outputs keep their names, shapes stay fixed.

    Raises:
        RuntimeFault: It has an operation that is not translated.
    """
    writer = _Writer()
    for node in graph.get_ordered_ops():
        writer.add(node)
    for node in graph.get_results():  # in the graph's order
        writer.add_output(node)
    return helper.make_graph(writer.nodes, name, writer.inputs, writer.outputs, writer.constants)


class _Writer:
    """Collects the parts of the ONNX graph, the operations in an order in which they can run."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._names: dict[tuple[str, int], str] = {}
        self._counted: Counter[str] = Counter()

    def add(self, node: Node) -> None:
        """Translate one operation; those before it were."""
        kind = node.get_type_name()
        if kind == "Parameter":
            self._names[node.get_name(), 0] = node.get_friendly_name()
            self.inputs.append(_value(node.get_friendly_name(), node))
        elif kind in ("Constant", "Result"):
            pass  # a constant is written where it is first used, results are last
        elif kind in _SAME:
            self._operation(node, _SAME[kind], self._sources(node))
        elif kind in _REDUCED:
            self._operation(node, kind, self._sources(node), keepdims=int(node.get_attributes()["keep_dims"]))
        elif kind in _TRANSLATED:
            _TRANSLATED[kind](self, node)
        else:
            raise RuntimeFault(f"The network's operation {kind} has no counterpart in ONNX; report this.")

    def _sources(self, node: Node) -> list[str]:
        """The ONNX names of what a node takes."""
        return [self._source(node.input(i).get_source_output()) for i in range(node.get_input_size())]

    def _source(self, port: Node) -> str:
        above = port.get_node()
        key = above.get_name(), port.get_index()
        if key not in self._names:  # a constant: all else came before
            self._names[key] = self._constant(self._called(above), _values(above))
        return self._names[key]

    def _called(self, node: Node) -> str:
        """A convolution's own name; the others are counted anew, as OpenVINO counts all of a process."""
        name: str = node.get_friendly_name()
        if name != node.get_name():
            return name
        kind = node.get_type_name()
        self._counted[kind] += 1
        return f"{kind}_{self._counted[kind]}"

    def _operation(self, node: Node, kind: str, sources: list[str], **attributes: Any) -> None:
        name = self._called(node)
        count = node.get_output_size()
        made = [name] if count == 1 else [f"{name}.{index}" for index in range(count)]
        self._names.update({(node.get_name(), index): each for index, each in enumerate(made)})
        self.nodes.append(helper.make_node(kind, sources, made, name=name, **attributes))

    def _constant(self, name: str, values: NDArray[Any]) -> str:
        # Not ascontiguousarray, which makes vectors of scalars.
        self.constants.append(numpy_helper.from_array(np.array(values, order="C"), name))
        return name

    def add_output(self, node: Node) -> None:
        """A result has the name of what it gives; ONNX names values, so a copy carries it."""
        (source,) = self._sources(node)
        (name,) = node.input(0).get_source_output().get_names()
        self.nodes.append(helper.make_node("Identity", [source], [name], name=f"{name}.out"))
        self.outputs.append(_value(name, node))

    def _convolution(self, node: Node) -> None:
        given = node.get_attributes()
        features, weights = node.input(0).get_source_output(), _values(_above(node, 1))
        groups = 1
        if node.get_type_name() == "GroupConvolution":
            groups = len(weights)  # (groups, O / groups, I / groups, k, k)
            weights = weights.reshape(-1, *weights.shape[2:])
        kernel = self._constant(f"{node.get_friendly_name()}.weight", weights)
        self._operation(
            node, "Conv", [self._source(features), kernel], group=groups,
            strides=list(given["strides"]), pads=_pads(given), dilations=list(given["dilations"]),
        )  # fmt: skip

    def _max_pool(self, node: Node) -> None:
        given = node.get_attributes()
        self._operation(
            node, "MaxPool", self._sources(node), kernel_shape=list(given["kernel"]),
            strides=list(given["strides"]), pads=_pads(given), dilations=list(given["dilations"]),
        )  # fmt: skip

    def _matmul(self, node: Node) -> None:
        given = node.get_attributes()
        sources = self._sources(node)
        for index, turned in enumerate((given["transpose_a"], given["transpose_b"])):
            if turned:  # of two axes, as all of this program's are
                self._counted["Transpose"] += 1
                name = f"Transpose_{self._counted['Transpose']}"
                self.nodes.append(helper.make_node("Transpose", [sources[index]], [name], name=name))
                sources[index] = name
        self._operation(node, "MatMul", sources)

    def _clamp(self, node: Node) -> None:
        given = node.get_attributes()
        self._counted["limits"] += 1
        name = f"Clip_{self._counted['limits']}"
        limits = [self._constant(f"{name}.{end}", np.array(given[end], np.float32)) for end in ("min", "max")]
        self._operation(node, "Clip", [*self._sources(node), *limits])

    def _slice(self, node: Node) -> None:
        features, start, stop, step, axes = self._sources(node)
        self._operation(node, "Slice", [features, start, stop, axes, step])

    def _split(self, node: Node) -> None:
        features = self._source(node.input(0).get_source_output())
        axis = int(_values(_above(node, 1)))
        self._operation(node, "Split", [features], axis=axis, num_outputs=node.get_output_size())

    def _along_axis(self, node: Node) -> None:
        self._operation(
            node, node.get_type_name(), self._sources(node), axis=int(node.get_attributes()["axis"])
        )


_TRANSLATED: Final[Mapping[str, Callable[[_Writer, Node], None]]] = {
    "Clamp": _Writer._clamp,
    "Concat": _Writer._along_axis,
    "Convolution": _Writer._convolution,
    "GroupConvolution": _Writer._convolution,
    "MatMul": _Writer._matmul,
    "MaxPool": _Writer._max_pool,
    "Slice": _Writer._slice,
    "Softmax": _Writer._along_axis,
    "Split": _Writer._split,
}


def _above(node: Node, index: int) -> Node:
    """What gives input `index` of a node."""
    return node.input(index).get_source_output().get_node()


def _values(constant: Node) -> NDArray[Any]:
    return np.array(constant.data)


def _value(name: str, node: Node) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, list(node.output(0).get_shape()))


def _pads(given: Mapping[str, Any]) -> list[int]:
    return [*given["pads_begin"], *given["pads_end"]]
