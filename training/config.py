"""How a network is trained: every choice, and the choices of the paper, the released code and this program.

The paper's: arXiv 2511.12559, "Implementation details". Where it and the released code say nothing, the value
is this program's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from semc_core.errors import UsageError
from semc_core.io.documents import STRICT, configured, plain_values
from semc_core.model.presets import INPUT_SIDES, ROUTINGS
from semc_core.text import short
from training.losses.config import LossOptions, UnlabelledOptions, loss_recipe
from training.schedule import Budget
from training.transforms.config import AugmentOptions

OPTIMISERS: Final = ("adamw", "sgd")
PRECISIONS: Final = ("32", "bf16", "16")
_EXACT: Final = "64"
DRAWS: Final = ("balanced", "shuffled")
SECOND_TASKS: Final = ("none", "simclr")
STARTS: Final = ("he", "authors")


def one_of(what: str, given: str, known: tuple[str, ...]) -> None:
    """Refuse a choice that there is not.

    Raises:
        UsageError: `given` is not in `known`.
    """
    if given not in known:
        raise UsageError(f"There is no {what} {short(given)!r}; choose one of {', '.join(known)}.")


@dataclass(frozen=True, slots=True)
class FitOptions:
    """What every training is told, whatever it learns.

    Attributes:
        budget: When it ends.
        preset: Architecture and preprocessing.
        batch: Frames per step, of all processes together.
        precision: "32", "bf16" (half, safe), "16" (half, with a scaled loss), or "64", to compare results
            closely, in tests. The losses are never computed in half.
        rate: Greatest learning rate.
        weight_decay: On all weights.
        validations: How many times in all the validation patients are looked at.
        patience: Validations without a better result after which it ends early; None never.
        seed: Decides weights, draws and augmentation.
        threads: CPU threads of each process.
        recipe: How pictures are changed; one of `training.transforms.recipes.RECIPES`.
        ultrasound: Further changes; from `training.transforms.ultrasound.OPTIONS`.

    Raises:
        UsageError: There is no such choice.
    """

    budget: Budget
    preset: str = "semc_live"
    batch: int = 48
    precision: str = "32"
    rate: float = 2e-3
    weight_decay: float = 0.02
    validations: int = 15
    patience: int | None = None
    seed: int = 1
    threads: int = 2
    recipe: str = "live"
    ultrasound: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        one_of("precision", self.precision, (_EXACT, *PRECISIONS))


MAY_CHANGE: Final = ("budget", "threads", "patience")
"""Options that another may be given for when a run goes on."""


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class TrainOptions(FitOptions):
    """How a network is trained.

    Attributes:
        method: The network; one of `training.models.NETWORKS`.
        size: Rows and columns of the pictures, as [224, 288], which SonoNet was published with; None is the
            preset's.
        routing: Of the experts, in networks that have several: "mixture" (eq. 16-17), or "top1": a gate on
            what they all see chooses one for each frame, as in Switch Transformers, by Gumbel noise whose
            gradient goes straight through. Only that one is run then, where the runtime can.
        accumulate: Parts that a process's frames are learned in, one after the other, before the weights
            change. The gradient of the cross-entropy is that of the whole batch, but BatchNorm sees one part
            at a time, and the contrastive losses compare within a part and with the queue, which the earlier
            parts have entered.
        optimiser: "adamw" or "sgd" (momentum 0.9, the paper's).
        warm_up: Share of the training in which the learning rate rises.
        last_rate: Learning rate at the end, as a part of the greatest.
        start: Of the convolutions of ACE and SAMC: "he" (as in ResNets), or "authors" (normal,
            deviation 0.02).
        expert_noise: Deviation of the noise that makes experts different which start from one pretrained
            stage, in parts of each weight's own deviation.
        average: Decay of the weights' moving average, which is what is validated and kept; 0 keeps the
            weights themselves.
        progressive: Small pictures first.
        draws: "balanced" (planes equally often; see `training.data.frame_set.draw_weights`) or "shuffled"
            (every frame once, then all again in another order).
        non_standard_share: Of NSP in balanced draws.
        ambiguous_weight: In balanced draws, how often frames between standard and not are drawn, 0 never, 1
            like others.
        second_task: "none", or "simclr": a contrastive loss between two versions of every frame, learned
            together with the rest (Migliorelli et al. 2024). Each frame is then in a step twice.
        second_weight: Of the second task's loss.
        losses: See there.
        unlabelled: See there.
        augment: How far the recipe "live" changes frames.

    Raises:
        UsageError: There is no such choice, or a number is out of range.
    """

    method: str = "semc"
    size: tuple[int, int] | None = None
    routing: str = "mixture"
    accumulate: int = 1
    optimiser: str = "adamw"
    warm_up: float = 0.04
    last_rate: float = 0.01
    start: str = "he"
    expert_noise: float = 0.0
    average: float = 0.995
    progressive: bool = True
    draws: str = "balanced"
    non_standard_share: float = 0.45
    ambiguous_weight: float = 0.25
    second_task: str = "none"
    second_weight: float = 0.5
    losses: LossOptions = field(default_factory=LossOptions)
    unlabelled: UnlabelledOptions = field(default_factory=UnlabelledOptions)
    augment: AugmentOptions = field(default_factory=AugmentOptions)

    def __post_init__(self) -> None:
        one_of("optimiser", self.optimiser, OPTIMISERS)
        FitOptions.__post_init__(self)
        one_of("way of drawing frames", self.draws, DRAWS)
        one_of("second task", self.second_task, SECOND_TASKS)
        one_of("start", self.start, STARTS)
        one_of("routing", self.routing, ROUTINGS)
        if self.size is not None and not all(side in INPUT_SIDES for side in self.size):
            raise UsageError(
                f"Rows and columns of the pictures must be {INPUT_SIDES[0]} to {INPUT_SIDES[-1]}."
            )
        if not 0 <= self.last_rate <= 1 or self.expert_noise < 0:
            raise UsageError("The last learning rate must lie within 0 and 1, the experts' noise above 0.")
        if self.batch < 2 or self.accumulate < 1 or self.accumulate > self.batch // 2:
            raise UsageError("A step needs two frames or more, and so does each part that it is learned in.")
        if self.rate <= 0 or self.weight_decay < 0 or not 0 <= self.warm_up < 1:
            raise UsageError("The learning rate must be above 0, its decay 0 or more, its warm-up below 1.")
        if self.validations < 1 or (self.patience is not None and self.patience < 1):
            raise UsageError("Training needs one validation or more, and a patience of one or more.")


def plain(options: Any) -> dict[str, Any]:
    """A dataclass of options as plain JSON values."""
    return plain_values(options)


@dataclass(frozen=True, slots=True)
class TrainRecipe:
    """A published way of training.

    Attributes:
        options: Its choices; the budget is a placeholder.
        epochs: How often it sees every frame; None: as long as the user says.
    """

    options: TrainOptions
    epochs: int | None = None


_SOME: Final = Budget(steps=1)
_PUBLISHED: Final = TrainOptions(
    _SOME,
    batch=16,
    optimiser="sgd",
    rate=1e-3,
    last_rate=0.0,
    start="authors",
    average=0.0,
    progressive=False,
    draws="shuffled",
    validations=200,
)
_PAPER: Final = replace(
    _PUBLISHED,
    preset="semc_r50_paper",
    weight_decay=1e-4,
    warm_up=0.0,
    recipe="paper",
    losses=loss_recipe("paper"),
)
_RELEASED: Final = replace(
    _PUBLISHED,
    preset="semc_r50",
    rate=5e-3,
    weight_decay=5e-4,
    warm_up=5 / 200,
    recipe="released",
    losses=loss_recipe("released"),
)
TRAIN_RECIPES: Final = {
    "live": TrainRecipe(TrainOptions(_SOME, losses=loss_recipe("live"))),
    "paper": TrainRecipe(_PAPER, epochs=200),
    "released": TrainRecipe(_RELEASED, epochs=200),
}


def train_recipe(name: str) -> TrainRecipe:
    """The recipe of that name.

    Raises:
        UsageError: There is none.
    """
    one_of("recipe", name, tuple(TRAIN_RECIPES))
    return TRAIN_RECIPES[name]
