"""What is compared in an ablation: the networks, the tables they stand in, and what each table asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from semc_core.errors import UsageError
from semc_core.model.presets import MIXTURE, TOP1
from training.losses.config import LossOptions, loss_recipe

_ALPHAS: Final = (0.01, 0.05, 0.1, 0.2, 0.5)


@dataclass(frozen=True, slots=True)
class Variant:
    """One row of a table.

    Attributes:
        name: Of files and on the command line.
        title: For people.
        method: The network; one of `training.models.NETWORKS`.
        contrast: Whether L_mc is learned too, or cross-entropy alone.
        alpha: A fixed share of the cross-entropy, or None: learned.
        routing: See `training.config.TrainOptions`.
        start: See `training.config.TrainOptions`.
        best_expert_of: The variant whose trained network this is, with its best single expert in place of the
            mixture; "" where it is trained itself.
    """

    name: str
    title: str
    method: str
    contrast: bool
    alpha: float | None = None
    routing: str = MIXTURE
    start: str = "he"
    best_expert_of: str = ""

    @property
    def trained(self) -> str:
        """The variant whose training it needs."""
        return self.best_expert_of or self.name

    def losses(self) -> LossOptions:
        """The paper's, with what the variant has of them."""
        paper = loss_recipe("paper")
        return replace(paper, alpha=self.alpha) if self.contrast else replace(paper, contrast="none")


_ALL: Final = (
    Variant("plain", "plain", "semc-plain", contrast=False),
    Variant("ace", "+ ACE", "semc-ace", contrast=False),
    Variant("ace-samc", "+ ACE + SAMC", "semc", contrast=False),
    Variant("ace-mc", "+ ACE + L_mc", "semc-ace", contrast=True),
    Variant("all", "all (alpha learned)", "semc", contrast=True),
    *(
        Variant(f"alpha-{alpha:g}", f"all, alpha {alpha:g}", "semc", contrast=True, alpha=alpha)
        for alpha in _ALPHAS
    ),
    Variant("experts-1", "one expert", "semc-one", contrast=False),
    Variant("experts-2", "two experts", "semc-two", contrast=False),
    Variant("experts-4", "four experts", "semc-four", contrast=False),
    Variant("gate-mean", "all, mean of the experts", "semc-mean", contrast=True),
    Variant("gate-top1", "all, one expert chosen", "semc", contrast=True, routing=TOP1),
    Variant("best-expert", "best single expert of all", "semc", contrast=True, best_expert_of="all"),
    Variant("start-authors", "all, the authors' start", "semc", contrast=True, start="authors"),
    Variant("resnet", "plain ResNet", "resnet", contrast=False),
    Variant("equal", "plain ResNet of equal cost", "resnet-equal", contrast=False),
)
VARIANTS: Final = {variant.name: variant for variant in _ALL}


@dataclass(frozen=True, slots=True)
class Claim:
    """That one network is better than another, which a table asks.

    Attributes:
        what: For people; what the first has over the second.
        new: Name of the first.
        old: Name of the second.
    """

    what: str
    new: str
    old: str


@dataclass(frozen=True, slots=True)
class Table:
    """Some variants beside one of them.

    Attributes:
        title: For people.
        rows: Names of the variants.
        base: Whose row the differences are to.
        claims: What it asks.
        alpha: Whether alpha is shown.
        titles: Of rows that are named otherwise here.
    """

    title: str
    rows: tuple[str, ...]
    base: str
    claims: tuple[Claim, ...]
    alpha: bool = False
    titles: tuple[tuple[str, str], ...] = ()


TABLES: Final = {
    "parts": Table(
        "ACE, SAMC and L_mc (table 4 of the paper)",
        ("plain", "ace", "ace-samc", "ace-mc", "all"),
        "plain",
        (
            Claim("ACE", "ace", "plain"),
            Claim("SAMC, beside ACE,", "ace-samc", "ace"),
            Claim("L_mc, beside ACE,", "ace-mc", "ace"),
            Claim("L_mc, beside ACE and SAMC,", "all", "ace-samc"),
            Claim("all together", "all", "plain"),
        ),
    ),
    "alpha": Table(
        "Alpha, fixed and learned (figure 3 of the paper)",
        (*(f"alpha-{alpha:g}" for alpha in _ALPHAS), "all"),
        "all",
        tuple(
            Claim(f"a learned alpha in place of {alpha:g}", "all", f"alpha-{alpha:g}") for alpha in _ALPHAS
        ),
        alpha=True,
    ),
    "experts": Table(
        "Number of experts, with ACE and SAMC",
        ("experts-1", "experts-2", "ace-samc", "experts-4"),
        "experts-1",
        (
            Claim("a second expert", "experts-2", "experts-1"),
            Claim("a third expert", "ace-samc", "experts-2"),
            Claim("a fourth expert", "experts-4", "ace-samc"),
        ),
        titles=(("ace-samc", "three experts"),),
    ),
    "gates": Table(
        "How the experts' answers become one",
        ("all", "gate-mean", "gate-top1", "best-expert"),
        "all",
        (
            Claim("the gate's mixture in place of the experts' mean", "all", "gate-mean"),
            Claim("the gate's mixture in place of one chosen expert", "all", "gate-top1"),
            Claim("the gate's mixture in place of its best single expert", "all", "best-expert"),
        ),
        titles=(("all", "all, mixed by the gate (Gumbel)"),),
    ),
    "starts": Table(
        "How the convolutions of ACE and SAMC start",
        ("all", "start-authors"),
        "all",
        (Claim("the authors' start in place of He's", "start-authors", "all"),),
        titles=(("all", "all, He's start"),),
    ),
    "cost": Table(
        "Against networks without experts",
        ("resnet", "equal", "plain", "ace-samc", "all"),
        "equal",
        (
            Claim("experts, ACE and SAMC at equal cost", "ace-samc", "equal"),
            Claim("all of SEMC at equal cost", "all", "equal"),
        ),
        titles=(("plain", "experts and gate alone"),),
    ),
}
"""By the name that the command line has for each."""

USUAL: Final = ("parts", "alpha")
"""The paper's own, which are made where nothing else is asked for."""


def named(text: str) -> list[str]:
    """Names of variants, with commas between.

    Raises:
        UsageError: There is no such variant.
    """
    names = list(dict.fromkeys(text.split(",")))
    unknown = set(names) - set(VARIANTS)
    if unknown:
        raise UsageError(f"There is no variant {min(unknown)!r}; choose from {', '.join(VARIANTS)}.")
    return names


def of_tables(tables: Sequence[str]) -> list[str]:
    """The variants of some tables, each once, in the order of `VARIANTS`.

    Raises:
        UsageError: There is no such table.
    """
    unknown = set(tables) - set(TABLES)
    if unknown:
        raise UsageError(f"There is no table {min(unknown)!r}; choose from {', '.join(TABLES)}.")
    wanted = {name for table in tables for name in TABLES[table].rows}
    return [name for name in VARIANTS if name in wanted]
