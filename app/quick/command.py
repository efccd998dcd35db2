"""`semc bench window`: how quick the window is. Beside the measurements that need no window."""

from __future__ import annotations

from app.glass.command import app
from semc_core.cli.bench.options import WindowOptions

__all__ = ["app"]

_WINDOW = (
    "How quick the window is: until its first paint, against a bare window in the same run; changes of the "
    "page; and gaps while a loop is analysed in review."
)


@app.add("window", help=_WINDOW)
def window(options: WindowOptions) -> int:
    """Measure the window."""
    from app.quick.measure import run

    return run(options)
