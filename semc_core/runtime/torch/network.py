"""The networks as PyTorch runs them fastest: BatchNorm folded, experts side by side, SAMC once for all.

For inference only, built from a model file's arrays; `model.network` and `model.sononet` have the equations
and are what these are tested against. What gives the numbers (pooling, gate, classifiers, maps) is float32
whatever the convolutions run in.

Shapes: B batch, C channels of stage 4, H x W input pixels, h x w cells of stage 4, E experts, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from semc_core.errors import UsageError
from semc_core.model.ace import LEAK
from semc_core.model.architecture import (
    FIELDS,
    SONONET_EPSILON,
    SONONET_GROUPS,
    SPATIAL_KERNEL,
    ace_source,
    samc_count,
)
from semc_core.model.presets import TOP1
from semc_core.model.spec import PRODUCT, Architecture, ModelSpec
from semc_core.runtime import folding
from semc_core.runtime.folding import Arrays
from semc_core.runtime.torch.layers import (
    ChannelScale,
    FoldedConvolution,
    conv_norm,
    folded,
    residual_stage,
)

EXPERT_FORMS: Final = ("separate", "grouped")
"""One convolution for each expert, on side streams where there are any, or one grouped one for all."""


class Outputs(NamedTuple):
    """As `runtime.calibration.RawOutput`, still on the device; float32."""

    logits: Tensor
    expert_weights: Tensor
    maps: Tensor
    pooled: Tensor


class FoldedSemc(nn.Module):
    """SEMC; see the module's text.

    Where the gate chooses one expert all of them are run: what a GPU has recorded is the same for every
    frame.
    """

    def __init__(self, architecture: Architecture, arrays: Arrays, experts: str = "separate") -> None:
        """Build.

        Args:
            architecture: How the network is made.
            arrays: From a model file that holds it.
            experts: One of `EXPERT_FORMS`.

        Raises:
            UsageError: There is no such form.
        """
        if experts not in EXPERT_FORMS:
            raise UsageError(f"There is no form {experts!r} of the experts; use {' or '.join(EXPERT_FORMS)}.")
        super().__init__()
        a = self.architecture = architecture
        self.stem = conv_norm(arrays, "conv1", "bn1", stride=2, activation="relu")
        self.stages = nn.ModuleList(
            residual_stage(arrays, [f"layer{s + 1}"], a.block, a.layers[s], 1 if s == 0 else 2)
            for s in range(3)
        )
        names = [f"experts.{e}" for e in range(a.experts)]
        alone = [[name] for name in names]
        self.experts = nn.ModuleList(
            residual_stage(arrays, group, a.block, a.layers[3], 2)
            for group in (alone if experts == "separate" else [names])
        )
        self.ace = nn.ModuleList(_ace(arrays, a, e) for e in range(a.experts if a.ace else 0))
        self.samc = nn.ModuleList(FoldedSamc(arrays, f"samc.{index}", a) for index in range(samc_count(a)))
        self.head = _Head(a, arrays)
        self.side_streams: Sequence[torch.cuda.Stream] = ()

    def forward(self, frames: Tensor) -> Outputs:
        """float32 (B, in_channels, H, W) on the network's device."""
        x = frames.to(self.stem.kernel.dtype, memory_format=torch.channels_last)
        x = F.max_pool2d(self.stem(x), 3, stride=2, padding=1)
        shallow = []
        for stage in self.stages:
            x = stage(x)
            shallow.append(x)
        e = self.architecture.experts
        aligned = [_bound(ace, shallow[ace_source(i)[0]]) for i, ace in enumerate(self.ace)]
        branches = [_bound(expert, x) for expert in self.experts]
        results = run_side_by_side([*branches, *aligned], self.side_streams)
        deep = results[: len(branches)]
        if len(deep) == 1:
            deep = list(deep[0].chunk(e, dim=1))
        merged = deep
        if self.architecture.ace:
            join = torch.mul if self.architecture.fusion == PRODUCT else torch.add
            merged = [join(left, right) for left, right in zip(results[len(branches) :], deep, strict=True)]
        outputs: Outputs = self.head(shallow[2], deep, self._enhanced(merged))
        return outputs

    def _enhanced(self, merged: list[Tensor]) -> list[Tensor]:
        """O_i from M_i, E of each (B, C, h, w)."""
        if not self.architecture.samc:
            return merged
        if self.architecture.samc_shared:
            return list(self.samc[0](torch.cat(merged)).chunk(len(merged)))
        parts = [_bound(samc, one) for samc, one in zip(self.samc, merged, strict=True)]
        return run_side_by_side(parts, self.side_streams)


class FoldedSamc(nn.Module):
    """Eq. 8-10, see `model.samc`, with the channel shuffle folded into the weights after it."""

    def __init__(self, arrays: Arrays, name: str, a: Architecture) -> None:
        super().__init__()
        self.squeeze, self.expand_channels = (
            nn.Buffer(torch.from_numpy(arrays[f"{name}.channel.{part}.weight"][:, :, 0, 0].copy()))
            for part in ("fc1", "fc2")
        )
        self.spatial = nn.Buffer(torch.from_numpy(arrays[f"{name}.spatial.conv.weight"].copy()))
        context = f"{name}.context"
        self.expand: nn.Module = nn.Identity()
        if a.samc_expansion > 1:
            self.expand = conv_norm(arrays, f"{context}.expand.0", f"{context}.expand.1", activation="relu6")
        point, *wider = [f"{context}.fields.{index}" for index in range(len(FIELDS))]
        self.point = ChannelScale(*folded(arrays, f"{point}.0", f"{point}.1"))
        self.fields = nn.ModuleList(
            conv_norm(arrays, f"{field}.0", f"{field}.1", depthwise=True, activation="relu6")
            for field in wider
        )
        kernel, bias = folding.folded(arrays, f"{context}.mix.0", f"{context}.mix.1")
        self.mix = FoldedConvolution(torch.from_numpy(folding.unshuffled(kernel)), torch.from_numpy(bias))
        self.concat = a.samc_merge == "concat"
        self.residual = a.samc_residual

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C, h, w)."""
        seen = torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))])
        squeezed = F.linear(F.leaky_relu(F.linear(seen, self.squeeze), LEAK), self.expand_channels)
        average, maximum = squeezed.chunk(2)
        x = torch.sigmoid(average + maximum)[:, :, None, None] * x
        over_channels = torch.cat([x.mean(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)], dim=1)
        x = torch.sigmoid(F.conv2d(over_channels, self.spatial, padding=SPATIAL_KERNEL // 2)) * x
        wide = self.expand(x)
        fields = [self.point(wide), *(field(wide) for field in self.fields)]
        if self.concat:
            merged = torch.cat(fields, dim=1)
        else:
            merged = fields[0]
            for field in fields[1:]:
                merged += field
        mixed: Tensor = self.mix(merged, x if self.residual else None)
        return mixed


class _Head(nn.Module):
    """Gate, classifiers and class activation maps (eq. 16-17), in float32."""

    def __init__(self, a: Architecture, arrays: Arrays) -> None:
        super().__init__()
        self.gate_input, self.chooses = a.gate_input, a.routing == TOP1
        self.temperature = a.gate_temperature
        self.classifiers, self.biases = (
            nn.Buffer(
                torch.stack([torch.from_numpy(arrays[f"classifiers.{e}.{part}"]) for e in range(a.experts)])
            )
            for part in ("weight", "bias")
        )  # (E, K, C), (E, K)
        self.score, self.score_bias = (
            nn.Buffer(torch.from_numpy(arrays[f"gate.score.{part}"].copy())) for part in ("weight", "bias")
        )

    def forward(self, third: Tensor, deep: Sequence[Tensor], fused: Sequence[Tensor]) -> Outputs:
        """F3, and D_i and O_i, E of each (B, C, h, w)."""
        cells = torch.stack([one.float() for one in fused], dim=1)  # (B, E, C, h, w)
        if self.chooses:
            scores = F.linear(third.float().mean(dim=(2, 3)), self.score, self.score_bias)
            weights = F.one_hot(scores.argmax(dim=1), len(self.classifiers)).float()
            pooled = (weights[:, :, None] * cells.mean(dim=(3, 4))).sum(dim=1)
        else:
            pooled = cells.mean(dim=(1, 3, 4))
            weights = self._gate(pooled, deep)
        # One product for all experts: their classifiers, weighed, beside each other.
        kernel = (weights[:, :, None, None] * self.classifiers).permute(0, 2, 1, 3).flatten(2)
        maps = torch.bmm(kernel, cells.flatten(3).flatten(1, 2))  # (B, K, E C) x (B, E C, h w)
        logits = maps.mean(dim=2) + weights @ self.biases
        return Outputs(logits, weights, maps.reshape(*maps.shape[:2], *cells.shape[3:]), pooled)

    def _gate(self, pooled: Tensor, deep: Sequence[Tensor]) -> Tensor:
        count = len(self.classifiers)
        if self.gate_input == "mean":
            return torch.full((len(pooled), count), 1 / count, device=pooled.device)
        if self.gate_input == "deep":
            pooled = torch.stack([one.float().mean(dim=(2, 3)) for one in deep]).mean(dim=0)
        return torch.softmax(F.linear(pooled, self.score, self.score_bias) / self.temperature, dim=1)


class FoldedSonoNet(nn.Module):
    """SonoNet, see `model.sononet`. Its inputs, up to 1000, are scaled down before they become half."""

    def __init__(self, arrays: Arrays, input_scale: float) -> None:
        """Build.

        Args:
            arrays: From a model file that holds a SonoNet.
            input_scale: Times the input gives numbers of about 1; the first weights make up for it.
        """
        super().__init__()
        self.input_scale = input_scale
        groups = []
        for group, layers in enumerate(SONONET_GROUPS):
            convolutions = []
            for layer in range(layers):
                name = f"features.{group}.{layer}"
                kernel, bias = folded(arrays, f"{name}.0", f"{name}.1", SONONET_EPSILON)
                if group == layer == 0:
                    kernel = kernel / input_scale
                convolutions.append(FoldedConvolution(kernel, bias, activation="relu"))
            groups.append(nn.Sequential(*convolutions))
        self.groups = nn.ModuleList(groups)
        self.head = _SonoNetHead(arrays)

    def forward(self, frames: Tensor) -> Outputs:
        """float32 (B, in_channels, H, W) on the network's device."""
        first = self.groups[0][0]  # type: ignore[index]
        x = (frames * self.input_scale).to(first.kernel.dtype, memory_format=torch.channels_last)
        for index, group in enumerate(self.groups):
            x = group(x if index == 0 else F.max_pool2d(x, 2))
        outputs: Outputs = self.head(x.float())
        return outputs


class _SonoNetHead(nn.Module):
    """The two point-wise convolutions, in float32."""

    def __init__(self, arrays: Arrays) -> None:
        super().__init__()
        self.hidden = conv_norm(arrays, "adaption.0", "adaption.1", activation="relu")
        kernel, bias = folded(arrays, "adaption.3", "adaption.4")
        self.kernel, self.bias = nn.Buffer(kernel), nn.Buffer(bias)

    def forward(self, x: Tensor) -> Outputs:
        hidden = self.hidden(x)
        maps = F.conv2d(hidden, self.kernel)
        weights = torch.ones((len(x), 1), device=x.device)
        return Outputs(maps.mean(dim=(2, 3)) + self.bias, weights, maps, hidden.mean(dim=(2, 3)))


FoldedNetwork = FoldedSemc | FoldedSonoNet


def folded_network(
    spec: ModelSpec, arrays: Arrays, dtype: torch.dtype, experts: str = "separate"
) -> FoldedNetwork:
    """The network of a model file, on the CPU.

    Args:
        spec: From the model file.
        arrays: From the same.
        dtype: Of the convolutions; the head stays float32.
        experts: One of `EXPERT_FORMS`; a SonoNet has but one.

    Raises:
        UsageError: There is no such form of the experts.
    """
    network: FoldedNetwork
    if spec.architecture.kind == "sononet":
        network = FoldedSonoNet(arrays, input_scale=spec.preprocessing.std[0])
    else:
        network = FoldedSemc(spec.architecture, arrays, experts)
    _set_precision(network, dtype)
    return network.eval()


def _set_precision(network: FoldedNetwork, dtype: torch.dtype) -> None:
    """Put the convolutions into `dtype`, channels last; the head stays float32."""
    for name, part in network.named_children():
        if name != "head":
            part.to(dtype)
    for layer in network.modules():
        if isinstance(layer, FoldedConvolution):
            layer.kernel = layer.kernel.to(memory_format=torch.channels_last)


def run_side_by_side(
    parts: Sequence[Callable[[], Tensor]], streams: Sequence[torch.cuda.Stream]
) -> list[Tensor]:
    """Run parts that do not need each other, each on a stream; one after the other without streams."""
    if not streams:
        return [part() for part in parts]
    here = torch.cuda.current_stream()
    used = streams[: len(parts)]
    # In a recording, only a stream that branched off may be waited for.
    for stream in used:
        stream.wait_stream(here)
    results = []
    for index, part in enumerate(parts):
        with torch.cuda.stream(used[index % len(used)]):
            results.append(part())
    for stream in used:
        here.wait_stream(stream)
    return results


def _ace(arrays: Arrays, a: Architecture, expert: int) -> nn.Sequential:
    """Eq. 5-6, see `model.ace`."""
    released = a.ace_activation == "released"
    layers = []
    for index in range(ace_source(expert)[1]):
        block = f"ace.{expert}.blocks.{index}"
        inner, outer = ("leaky", "leaky") if released else ("relu", "")
        layers += [
            conv_norm(arrays, f"{block}.0", f"{block}.1", stride=2, depthwise=True, activation=inner),
            conv_norm(arrays, f"{block}.3", f"{block}.4", activation=outer),
        ]
    last = f"ace.{expert}.out_proj"
    layers.append(conv_norm(arrays, f"{last}.0", f"{last}.1", activation="" if released else "relu"))
    return nn.Sequential(*layers)


def _bound(part: nn.Module, x: Tensor) -> Callable[[], Tensor]:
    def run() -> Tensor:
        result: Tensor = part(x)
        return result

    return run
