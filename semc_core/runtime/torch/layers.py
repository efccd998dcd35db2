"""What the folded PyTorch networks are made of: convolutions that hold their BatchNorm and activation.

Shapes: B batch, C channels, H x W cells, I and O input and output channels, E experts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from semc_core.model.ace import LEAK
from semc_core.runtime import folding
from semc_core.runtime.folding import Arrays

_ACTIVATIONS: Final[dict[str, Callable[[Tensor], Tensor]]] = {
    "": lambda x: x,
    "relu": F.relu_,
    "relu6": lambda x: F.hardtanh_(x, 0.0, 6.0),
    "leaky": lambda x: F.leaky_relu_(x, LEAK),
}


class FoldedConvolution(nn.Module):
    """A convolution with BatchNorm folded into its weights, the sum of a shortcut, and the activation.

    On a GPU, ReLU and the shortcut are given to cuDNN together with the convolution (`fused`): otherwise each
    is a pass over memory of its own.
    """

    kernel: Tensor
    bias: Tensor

    def __init__(
        self, kernel: Tensor, bias: Tensor, *, stride: int = 1, groups: int = 1, activation: str = ""
    ) -> None:
        """Take weights as they are.

        Args:
            kernel: (O, I / groups, k, k).
            bias: (O,).
            stride: Along both axes; the padding keeps the size at stride 1.
            groups: As in `nn.Conv2d`.
            activation: "", "relu", "relu6" or "leaky".
        """
        super().__init__()
        self.kernel = nn.Buffer(kernel)
        self.bias = nn.Buffer(bias)
        self.stride = stride
        self.padding = kernel.shape[2] // 2
        self.groups = groups
        self.activation = activation
        self.fused = False

    def forward(self, x: Tensor, shortcut: Tensor | None = None) -> Tensor:
        """(B, I, H, W), and a shortcut (B, O, h, w) that is added before the activation -> (B, O, h, w)."""
        stride, padding = [self.stride] * 2, [self.padding] * 2
        if self.fused and self.activation == "relu":
            if shortcut is None:
                return torch.cudnn_convolution_relu(
                    x, self.kernel, self.bias, stride, padding, [1, 1], self.groups
                )
            return torch.cudnn_convolution_add_relu(
                x, self.kernel, shortcut, 1.0, self.bias, stride, padding, [1, 1], self.groups
            )
        y = F.conv2d(x, self.kernel, self.bias, stride, padding, 1, self.groups)
        if shortcut is not None:
            y += shortcut
        return _ACTIVATIONS[self.activation](y)


class ChannelScale(nn.Module):
    """A depth-wise 1x1 convolution with its BatchNorm: a product and a sum per channel, then ReLU6."""

    def __init__(self, kernel: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.kernel = nn.Buffer(kernel.reshape(1, -1, 1, 1))
        self.bias = nn.Buffer(bias.reshape(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        return _ACTIVATIONS["relu6"](torch.addcmul(self.bias, x, self.kernel))


class FoldedBlock(nn.Module):
    """A residual block, basic or bottleneck, of one network or of E experts side by side."""

    def __init__(self, convolutions: Sequence[FoldedConvolution], short: FoldedConvolution | None) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(convolutions)
        self.short = short

    def forward(self, x: Tensor) -> Tensor:
        """(B, I, H, W) -> (B, O, h, w)."""
        shortcut = x if self.short is None else self.short(x)
        *first, last = self.convolutions
        for convolution in first:
            x = convolution(x)
        joined: Tensor = last(x, shortcut)
        return joined


def new_stream(device: torch.device) -> torch.cuda.Stream:
    """A stream of its own on a GPU."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


def new_event() -> torch.cuda.Event:
    """Something to wait for on a GPU."""
    return torch.cuda.Event()  # type: ignore[no-untyped-call]


def folded(arrays: Arrays, conv: str, norm: str, epsilon: float = 1e-5) -> tuple[Tensor, Tensor]:
    """As `folding.folded`."""
    kernel, bias = folding.folded(arrays, conv, norm, epsilon)
    return torch.from_numpy(kernel), torch.from_numpy(bias)


def conv_norm(
    arrays: Arrays, conv: str, norm: str, *, stride: int = 1, depthwise: bool = False, activation: str = ""
) -> FoldedConvolution:
    """The convolution of that state-dict name with the BatchNorm of that name folded in."""
    kernel, bias = folded(arrays, conv, norm)
    groups = len(kernel) if depthwise else 1
    return FoldedConvolution(kernel, bias, stride=stride, groups=groups, activation=activation)


def residual_stage(
    arrays: Arrays, names: Sequence[str], block: str, blocks: int, stride: int
) -> nn.Sequential:
    """A residual stage; of several names (the experts), their stages side by side on the same input.

    The first convolutions see one input and become one of more outputs; the later ones see each their own
    expert's channels and become grouped ones. The output has the experts' channels one after the other.
    """
    convolutions = 2 if block == "basic" else 3
    halving = 1 if block == "basic" else 2
    stages = []
    for index in range(blocks):
        parts = []
        for number in range(1, convolutions + 1):
            parts.append(
                _side_by_side(
                    arrays,
                    [(f"{name}.{index}.conv{number}", f"{name}.{index}.bn{number}") for name in names],
                    stride=stride if index == 0 and number == halving else 1,
                    one_input=index == 0 and number == 1,
                    activation="relu",
                )
            )
        short = None
        if f"{names[0]}.{index}.downsample.0.weight" in arrays:
            pairs = [(f"{name}.{index}.downsample.0", f"{name}.{index}.downsample.1") for name in names]
            short = _side_by_side(arrays, pairs, stride=stride, one_input=True, activation="")
        stages.append(FoldedBlock(parts, short))
    return nn.Sequential(*stages)


def _side_by_side(
    arrays: Arrays, pairs: Sequence[tuple[str, str]], *, stride: int, one_input: bool, activation: str
) -> FoldedConvolution:
    kernels, biases = zip(*(folded(arrays, conv, norm) for conv, norm in pairs), strict=True)
    return FoldedConvolution(
        torch.cat(kernels),
        torch.cat(biases),
        stride=stride,
        groups=1 if one_input else len(pairs),
        activation=activation,
    )
