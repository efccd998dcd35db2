"""Every form of the SEMC network, each of them tiny: what all tests of networks and runtimes go through."""

from __future__ import annotations

from dataclasses import replace

from semc_core.model.architecture import PRESETS

TINY = PRESETS["semc_tiny"].architecture
FORMS = {
    "as shipped": TINY,
    "the equations to the letter": replace(
        TINY,
        ace_activation="paper",
        samc_merge="concat",
        samc_residual=False,
        samc_shared=False,
        samc_expansion=1,
    ),
    "gate on the deep features": replace(TINY, gate_input="deep", gate_temperature=0.5),
    "no gate": replace(TINY, gate_input="mean"),
    "two basic blocks in stage 4": replace(TINY, layers=(1, 1, 1, 2)),
    "bottleneck blocks, two in stage 4, three channels": replace(
        TINY, block="bottleneck", in_channels=3, layers=(1, 1, 1, 2)
    ),
    "one expert": replace(TINY, experts=1),
    "four experts": replace(TINY, experts=4),
    "without ACE": replace(TINY, ace=False, gate_input="deep"),
    "without SAMC": replace(TINY, samc=False),
    "shallow times deep maps": replace(TINY, samc=False, gate_input="mean", fusion="product"),
    "one expert chosen": replace(TINY, routing="top1"),
    "one of two chosen, a SAMC each, no ACE": replace(
        TINY, routing="top1", experts=2, samc_shared=False, ace=False
    ),
    "plain ResNet": replace(TINY, ace=False, samc=False, experts=1, gate_input="mean"),
}
