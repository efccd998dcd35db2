"""How large a network is and how much it does for one frame, counted from its layout: no PyTorch.

`tests/model/test_architecture.py` holds both against PyTorch's own counts.
"""

from __future__ import annotations

from math import prod
from typing import Final

from semc_core.model.architecture import SONONET_GROUPS, Shapes, ace_source, tensor_shapes
from semc_core.model.spec import Architecture

_STATISTICS: Final = ("running_mean", "running_var")


def parameter_count(architecture: Architecture, num_classes: int) -> int:
    """Number of learned values; BatchNorm's running statistics are not learned."""
    shapes = tensor_shapes(architecture, num_classes)
    return sum(prod(shape) for name, shape in shapes.items() if not name.endswith(_STATISTICS))


def gflop(architecture: Architecture, num_classes: int, height: int, width: int) -> float:
    """Work for one frame in evaluation, 10^9 floating-point operations: 2 per multiply-add.

    Convolutions and matrix products that lead to the logits, as is the custom; not the projection, which only
    training needs, nor the class activation maps.
    """
    shapes = tensor_shapes(architecture, num_classes)
    if architecture.kind == "sononet":
        work = _sononet(shapes, height, width)
    else:
        work = _semc(architecture, num_classes, shapes, (height, width))
    return 2 * work / 1e9


def _semc(a: Architecture, num_classes: int, shapes: Shapes, size: tuple[int, int]) -> int:
    """Multiply-adds."""
    stem = _halved(size)
    sizes = [_halved(stem)]
    for _ in range(3):
        sizes.append(_halved(sizes[-1]))
    deep = sizes[3]
    work = 0
    for name, shape in shapes.items():
        if len(shape) < 2 or name.startswith("projection"):
            continue
        part, _, rest = name.partition(".")
        if part == "conv1":
            work += prod(shape) * prod(stem)
        elif part.startswith("layer"):
            stage = int(part.removeprefix("layer")) - 1
            work += prod(shape) * _cells_of_block(a, rest, sizes, stage)
        elif part == "experts":
            work += prod(shape) * _cells_of_block(a, rest.partition(".")[2], sizes, 3)
        elif part == "ace":
            work += prod(shape) * _cells_of_ace(rest, sizes)
        elif part == "samc":
            repeats = a.experts if a.samc_shared else 1
            # The channel attention sees the mean and the maximum over space, one cell each.
            cells = 2 if ".channel." in name else prod(deep)
            work += prod(shape) * cells * repeats
        elif part == "classifiers" or a.gate_input != "mean":
            work += prod(shape)
    return work + a.experts * num_classes  # the gated sum of the experts' logits


def _cells_of_block(a: Architecture, name: str, sizes: list[tuple[int, int]], stage: int) -> int:
    """Output cells of a convolution in a residual stage; `name` is BLOCK.CONVOLUTION...."""
    block, _, convolution = name.partition(".")
    before_the_halving = a.block == "bottleneck" and convolution.startswith("conv1")
    if stage > 0 and block == "0" and before_the_halving:
        return prod(sizes[stage - 1])
    return prod(sizes[stage])


def _cells_of_ace(name: str, sizes: list[tuple[int, int]]) -> int:
    """Output cells of a convolution in ACE; `name` is EXPERT.blocks.STAGE.... or EXPERT.out_proj...."""
    expert, part, index = name.split(".")[:3]
    level, _ = ace_source(int(expert))
    return prod(sizes[level + int(index) + 1] if part == "blocks" else sizes[3])


def _sononet(shapes: Shapes, height: int, width: int) -> int:
    """Multiply-adds."""
    work = 0
    for name, shape in shapes.items():
        if len(shape) == 4:
            part, group = name.split(".")[:2]
            halvings = int(group) if part == "features" else len(SONONET_GROUPS) - 1
            work += prod(shape) * (height >> halvings) * (width >> halvings)
    return work


def _halved(size: tuple[int, int]) -> tuple[int, int]:
    return (size[0] + 1) // 2, (size[1] + 1) // 2
