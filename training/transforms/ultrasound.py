"""Changes that only ultrasound knows, as transforms of torchvision: gain, time gain, speckle, shadow, haze.

They take gray pictures, float (..., h, w), 0-1, with the probe above, and draw from PyTorch's generator, as
all transforms of torchvision do. Black stays black outside of the scan's field.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms import v2

_BLACK: Final = 0.01
_REACH: Final = 15
"""Rows and columns over which a dark place is still taken to lie inside the scan's field."""
_KNOTS: Final = 6


class Gain(v2.Transform):  # type: ignore[misc]
    """The gain knob: all gray levels by one factor, up to `most` either way."""

    def __init__(self, most: float = 1.35) -> None:
        super().__init__()
        self.most = most

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The factor."""
        return {"factor": self.most ** _between(-1, 1)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """float (..., h, w)."""
        return (inpt * params["factor"]).clamp(0, 1)


class TimeGain(v2.Transform):  # type: ignore[misc]
    """The time-gain sliders: a factor at each of six depths, linear between, up to `most` either way."""

    def __init__(self, most: float = 1.5) -> None:
        super().__init__()
        self.most = most

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The factors from top to bottom."""
        return {"factors": self.most ** (2 * torch.rand(_KNOTS) - 1)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """float (..., h, w)."""
        knots = params["factors"].to(inpt)[None, None]
        rows = F.interpolate(knots, size=inpt.shape[-2], mode="linear", align_corners=True)[0, 0]
        return (inpt * rows[:, None]).clamp(0, 1)


class Speckle(v2.Transform):  # type: ignore[misc]
    """Grains that grow with the gray level, longer across the beams than along, their size drawn anew.

    Attributes:
        strength: Greatest standard deviation, in parts of the gray level.
    """

    def __init__(self, strength: float = 0.25) -> None:
        super().__init__()
        self.strength = strength

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Strength, size and the grains themselves."""
        height, width = flat_inputs[0].shape[-2:]
        grain = _between(1.0, 2.5)
        coarse = torch.randn(1, 1, max(2, round(height / grain)), max(2, round(width / (2 * grain))))
        grains = F.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)[0, 0]
        return {"grains": grains / grains.std() * _between(0, self.strength)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """float (..., h, w)."""
        return (inpt * (1 + params["grains"].to(inpt))).clamp(0, 1)


class Shadow(v2.Transform):  # type: ignore[misc]
    """A dark band from some depth down, as behind a rib or gas.

    Attributes:
        strength: Greatest share of the gray level that is lost.
    """

    def __init__(self, strength: float = 0.9) -> None:
        super().__init__()
        self.strength = strength

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Where it is, in parts of the picture, and how dark."""
        return {
            "middle": _between(0.1, 0.9),
            "half": _between(0.03, 0.12),
            "top": _between(0.0, 0.6),
            "depth": _between(0.3, self.strength),
        }

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """float (..., h, w)."""
        rows, columns = _lines(inpt)
        across = torch.exp(-0.5 * ((columns - params["middle"]) / params["half"]) ** 2)
        below = torch.sigmoid((rows - params["top"]) * 40)
        return inpt * (1 - params["depth"] * below[:, None] * across[None, :])


class Haze(v2.Transform):  # type: ignore[misc]
    """A veil over a band of depths, as from reverberation: it brightens what should be dark.

    Attributes:
        strength: Greatest gray level that is added.
    """

    def __init__(self, strength: float = 0.35) -> None:
        super().__init__()
        self.strength = strength

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Where it is, in parts of the picture, and the unevenness of the veil."""
        return {
            "middle": _between(0.05, 0.6),
            "half": _between(0.05, 0.2),
            "added": _between(0.05, self.strength),
            "cloud": torch.rand(1, 1, 8, 8),
        }

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """float (..., h, w)."""
        rows, _ = _lines(inpt)
        band = torch.exp(-0.5 * ((rows - params["middle"]) / params["half"]) ** 2)[:, None]
        size = inpt.shape[-2:]
        cloud = F.interpolate(params["cloud"].to(inpt), size=size, mode="bicubic", align_corners=False)[0, 0]
        veil = params["added"] * band * (0.5 + 0.5 * cloud.clamp(0, 1))
        return (inpt + veil * _field(inpt)).clamp(0, 1)


OPTIONS: Final[dict[str, Callable[[], v2.Transform]]] = {
    "gain": Gain,
    "time-gain": TimeGain,
    "speckle": Speckle,
    "shadow": lambda: v2.RandomApply([Shadow()], p=0.3),
    "haze": lambda: v2.RandomApply([Haze()], p=0.3),
}
"""By name; shadow and haze come upon three pictures of ten."""


def _between(low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand(()))


def _lines(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Rows (h,) and columns (w,) in parts of the picture, 0-1."""
    height, width = picture.shape[-2:]
    return torch.linspace(0, 1, height).to(picture), torch.linspace(0, 1, width).to(picture)


def _field(picture: Tensor) -> Tensor:
    """1 where the scan's field is, with its dark places, 0 outside; (..., h, w)."""
    flat = (picture > _BLACK).to(picture).reshape(-1, 1, *picture.shape[-2:])
    grown = F.max_pool2d(flat, _REACH, stride=1, padding=_REACH // 2)
    shrunk = -F.max_pool2d(-grown, _REACH, stride=1, padding=_REACH // 2)
    return shrunk.reshape(picture.shape)
