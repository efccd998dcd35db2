"""An average of the network over its last steps; steadier than any one of them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def averaged(network: nn.Module, decay: float) -> AveragedModel:
    """Exponential moving average of all parameters and running statistics; counts are copied.

    Args:
        network: Copied at the start; the copy is `module` of what is returned.
        decay: Share kept per step, once enough steps have passed; less at first, so that the start is
            forgotten. With 0 it is the network itself.

    Returns:
        Its `update_parameters` takes in the network after step `n_averaged`, from 1.
    """

    def take_in(kept: Sequence[Tensor], current: Sequence[Tensor], step: Tensor | int) -> None:
        count = int(step)
        share = min(decay, (1 + count) / (10 + count))
        for own, other in zip(kept, current, strict=True):
            if own.is_floating_point():
                own.lerp_(other, 1 - share)
            else:
                own.copy_(other)

    average = AveragedModel(network, multi_avg_fn=take_in, use_buffers=True)
    average.n_averaged.fill_(1)  # The copy is the network before step 1; at 0 it would be thrown away.
    average.module.eval().requires_grad_(False)
    return average
