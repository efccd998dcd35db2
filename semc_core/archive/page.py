"""How the analysis of an archive stands, as a page that a browser shows and loads anew by itself."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from jinja2 import Environment

from semc_core.text import readable

PAGE_NAME: Final = "progress.html"
_TEMPLATE: Final = Environment(autoescape=True).from_string("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ done }} of {{ p.total }} loops</title>
{% if not p.over %}<meta http-equiv="refresh" content="5">{% endif %}
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em;
  color: #1b1f24; background: #fff }
progress { width: 100%; height: 1.4em }
table { border-collapse: collapse; margin: 1em 0 } td, th { text-align: left; padding: .2em 1em .2em 0;
  vertical-align: top; overflow-wrap: anywhere }
td.n { text-align: right; font-variant-numeric: tabular-nums }
@media (prefers-color-scheme: dark) { body { color: #e6e6e6; background: #16191d } }
</style></head><body>
<h1>{{ done }} of {{ p.total }} loops{% if p.over %}: all there is{% endif %}</h1>
<progress max="{{ p.total or 1 }}" value="{{ done }}"></progress>
<p>{% if p.over %}Ended.{% elif left %}About {{ left }} left, at {{ "%.2f"|format(rate) }} loops a second.
{% else %}Begun.{% endif %}</p>
<table>
{% for name, count in rows %}<tr><td>{{ name }}</td><td class="n">{{ count }}</td></tr>{% endfor %}
</table>
{% if p.problems %}<h2>What could not be analysed{% if failures > p.problems|length %}, the last
{{ p.problems|length }}{% endif %}</h2>
<table><tr><th>Loop</th><th>Why</th></tr>
{% for path, problem in problems|reverse %}<tr><td>{{ path }}</td><td>{{ problem }}</td></tr>{% endfor %}
</table>
{% endif %}</body></html>
""")


@dataclass(slots=True)
class Progress:
    """How a run stands: numbers of loops, of their frames and planes, and the last problems.

    Attributes:
        total: Loops in all.
        passed_over: That had their row from an earlier run.
        analysed: By this run.
        same: Whose content was analysed under another name.
        failed: That cannot be analysed, each with a sentence.
        set_aside: On which workers died or hung.
        frames: Analysed by this run.
        planes: Found by this run.
        problems: The last of them, path and sentence.
        over: Whether the run has ended.
        begun_s: When it began, monotonic.
    """

    total: int = 0
    passed_over: int = 0
    analysed: int = 0
    same: int = 0
    failed: int = 0
    set_aside: int = 0
    frames: int = 0
    planes: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    over: bool = False
    begun_s: float = field(default_factory=time.monotonic)

    @property
    def by_this_run(self) -> int:
        """Loops that got their row by this run."""
        return self.analysed + self.same + self.failed + self.set_aside

    @property
    def done(self) -> int:
        """Loops that have their row."""
        return self.passed_over + self.by_this_run


def page_of(progress: Progress) -> str:
    """The page, as HTML; names and sentences are escaped."""
    rate = progress.by_this_run / max(1e-3, time.monotonic() - progress.begun_s)
    rows = [
        ("analysed", progress.analysed), ("of the same content as another", progress.same),
        ("passed over: done before", progress.passed_over), ("failed", progress.failed),
        ("set aside", progress.set_aside), ("frames", progress.frames), ("planes", progress.planes),
    ]  # fmt: skip
    shown = [(readable(path), readable(problem)) for path, problem in progress.problems]
    return _TEMPLATE.render(
        p=progress, problems=shown, done=progress.done, rows=rows, rate=rate,
        left=_in_words((progress.total - progress.done) / rate) if rate else "",
        failures=progress.failed + progress.set_aside,
    )  # fmt: skip


def _in_words(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
