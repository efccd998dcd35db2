"""`semc bench glass`: from a screen to the overlay. Beside the other measurements, which need no window."""

from __future__ import annotations

from semc_core.cli.bench.command import app
from semc_core.cli.bench.options import GlassOptions

__all__ = ["app"]

_GLASS = (
    "The true delay of a card or stream: a clock on the screen that it films is read from its frames. "
    "Connect the card to this computer's second screen in the scanner's place, or let a camera film one."
)


@app.add("glass", help=_GLASS)
def glass(options: GlassOptions) -> int:
    """Measure, and remember it for this device."""
    from app.glass.measure import run

    return run(options)
