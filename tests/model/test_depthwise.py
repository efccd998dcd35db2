"""On a processor that trains in bfloat16, depth-wise convolutions are carried out in float32."""

from __future__ import annotations

import torch
from torch import nn

from semc_core.model.depthwise import DepthWise


def test_it_is_a_convolution_of_each_channel_and_is_stored_as_one() -> None:
    own, usual = DepthWise(6, 5, stride=2), nn.Conv2d(6, 6, 5, 2, padding=2, groups=6, bias=False)
    usual.load_state_dict(own.state_dict())
    pictures = torch.randn(2, 6, 9, 7)
    assert torch.equal(own(pictures), usual(pictures))


def test_under_bfloat16_it_is_carried_out_in_float32_and_gives_what_it_was_given() -> None:
    torch.manual_seed(1)
    layer, pictures = DepthWise(4, 3), torch.randn(2, 4, 8, 8).to(torch.bfloat16)
    exact = layer(pictures.float())
    (wanted,) = torch.autograd.grad(exact.sum(), layer.weight)
    with torch.autocast("cpu", torch.bfloat16):
        given = layer(pictures)
    (got,) = torch.autograd.grad(given.float().sum(), layer.weight)
    assert given.dtype == torch.bfloat16
    assert torch.equal(given, exact.to(torch.bfloat16))
    assert torch.equal(got, wanted)
