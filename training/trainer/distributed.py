"""Training in several processes, on one machine or many, started by torchrun.

Every process holds the whole network and learns from its part of each batch. With n processes the gradients
are those of one process with the whole batch: the contrastive losses see the keys of all processes
(`gather_rows`), and BatchNorm normalises by the statistics of the whole batch (`SharedBatchNorm`). Were each
process to use its own statistics, the same options would train another network on another number of
processes, and with a few frames each the statistics would be poor.

Shapes: W processes, B rows of this process, N frames, C channels.
"""

from __future__ import annotations

import os
from typing import Any, Final

import lightning
import torch
from lightning.fabric.strategies import DDPStrategy
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn import functional as F

from semc_core.errors import UsageError
from training.losses.contrastive import ALONE, Ranks

_PRECISIONS: Final = {"64": "64-true", "32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}


def carried_out(precision: str) -> str:
    """What `precision` is carried out as: on a processor "16" is "bf16", the one half that PyTorch has there.

    Args:
        precision: One of `training.config.PRECISIONS`.
    """
    on_card = torch.cuda.is_available() or torch.backends.mps.is_available()
    return "bf16" if precision == "16" and not on_card else precision


def make_fabric(precision: str, batch: int) -> Any:
    """Lightning Fabric for this process: one device alone, or its place among those that torchrun started.

    Args:
        precision: One of `training.config.PRECISIONS`.
        batch: Frames per step of all processes.

    Raises:
        UsageError: The batch cannot be divided among the processes.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return lightning.Fabric(accelerator="auto", devices=1, precision=_PRECISIONS[carried_out(precision)])
    if batch % world:
        raise UsageError(
            f"{batch} frames per step cannot be divided among {world} processes; change --batch."
        )
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    fabric = lightning.Fabric(
        accelerator="auto",
        devices=local,
        num_nodes=world // local,
        # The buffers are the same everywhere: statistics and queue are made from what all processes saw.
        strategy=DDPStrategy(forward_sync_buffers=False),
        precision=_PRECISIONS[carried_out(precision)],
    )
    fabric.launch()
    return fabric


def leave() -> None:
    """Part from the other processes, after the last step. Nothing if there are none."""
    if dist.is_available() and dist.is_initialized():
        dist.barrier()
        dist.destroy_process_group()


def ranks_of(fabric: Any) -> Ranks:
    """Where this process stands, for the losses."""
    if fabric.world_size == 1:
        return ALONE
    return Ranks(gather_rows, fabric.global_rank)


def gather_rows(rows: Tensor) -> Tensor:
    """(B, ...) -> (W B, ...), the rows of all processes; see `Ranks.gather`."""
    gathered: Tensor = _GatherRows.apply(rows)
    return gathered


def gather_frames(own: Tensor, count: int) -> Tensor:
    """Put together what was computed of every W-th frame: (ceil(N / W), ...) -> (N, ...); see `every_nth`."""
    together = gather_rows(own)
    by_process = together.reshape(dist.get_world_size(), -1, *own.shape[1:])
    return by_process.transpose(0, 1).flatten(0, 1)[:count]


def every_nth(count: int, rank: int, world: int) -> Tensor:
    """int64 (ceil(N / W),): the frames that process `rank` computes; some twice, so that all have as many."""
    padded = -(-count // world) * world
    return torch.arange(rank, padded, world) % count


class _GatherRows(torch.autograd.Function):
    """Rows of all processes; back come the gradients that all of them have for this process's rows."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.count = len(rows)
        parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        dist.all_reduce(total)
        first = dist.get_rank() * ctx.count
        return total[first : first + ctx.count]


class _MeanOverProcesses(torch.autograd.Function):
    """The mean of a tensor over all processes, the same in each."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return _mean(values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _mean(gradients[0])


def _mean(values: Tensor) -> Tensor:
    total = values.contiguous().clone()
    dist.all_reduce(total)
    return total / dist.get_world_size()


class SharedBatchNorm(nn.BatchNorm2d):
    """BatchNorm over the batches of all processes, which must be equally large; any number of dimensions.

    PyTorch's own runs on GPUs alone. This one is made of plain operations and runs on the CPU too.
    """

    def forward(self, x: Tensor) -> Tensor:
        """float (B, C, ...) -> the same."""
        if not self.training:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        shape = (1, -1) + (1,) * (x.dim() - 2)
        over = [axis for axis in range(x.dim()) if axis != 1]
        precise = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean: Tensor = _MeanOverProcesses.apply(precise.mean(over))
        centred = precise - mean.view(shape)
        variance: Tensor = _MeanOverProcesses.apply(centred.square().mean(over))
        scaled = centred * (self.weight * torch.rsqrt(variance + self.eps)).view(shape) + self.bias.view(
            shape
        )
        count = x.numel() / x.shape[1] * dist.get_world_size()
        with torch.no_grad():
            share = 0.1 if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean, share)
            self.running_var.lerp_(variance * (count / max(1.0, count - 1)), share)
            self.num_batches_tracked.add_(1)
        return scaled.to(x.dtype)


def share_statistics(network: nn.Module) -> None:
    """Let every BatchNorm in `network` become a `SharedBatchNorm`, with the weights and names it has."""
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d) and not isinstance(child, SharedBatchNorm):
                setattr(module, name, _shared(child))


def _shared(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> SharedBatchNorm:
    made = SharedBatchNorm(norm.num_features, norm.eps, norm.momentum)
    made.load_state_dict(norm.state_dict())
    for name, parameter in norm.named_parameters():
        getattr(made, name).requires_grad_(parameter.requires_grad)
    return made.train(norm.training)
