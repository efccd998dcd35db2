"""The report's charts, drawn by matplotlib as SVG without a screen.

Shapes: K classes, B bins, n points.

The features of many frames as points in a plane, neighbours kept together (t-SNE).

Shapes: N frames, F features, n of the frames.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.text import Text
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from training.evaluation.reliability import BINS, Reliability, RiskCurve
from training.evaluation.result import Result

_INK: Final = "#16222e"
_SOFT: Final = "#5b6b7a"
_LINE: Final = "#d9e0e6"
_ACCENT: Final = "#0b6e8f"
_OTHER: Final = "#d98a00"
_STYLE: Final[dict[Any, Any]] = {
    # Letters as outlines: the page looks the same whatever fonts its reader has.
    "svg.fonttype": "path",
    "svg.hashsalt": "semc",
    # Names come from the data: a dollar sign in one is no formula.
    "text.parse_math": False,
    "font.size": 9.0,
    "text.color": _INK,
    "axes.labelcolor": _SOFT,
    "axes.edgecolor": _LINE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _LINE,
    "grid.linewidth": 0.6,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "legend.frameon": False,
}
_NAMED_CELLS: Final = 16
"""Larger confusion matrices have no room for a number in each cell."""
_FEW_POINTS: Final = 400
"""Fewer points than these are drawn larger."""
_RINGED: Final = 3.5
"""How much larger than a point the ring around a mistake is, as an area."""


def _drawn(size: tuple[float, float], draw: Callable[[Figure], None]) -> bytes:
    """An SVG of `size` inches; the same drawing always gives the same bytes."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        out = io.BytesIO()
        with warnings.catch_warnings():
            if not _has_all_letters(figure):
                # As text instead of outlines: whoever opens the page has fonts for the names of her classes.
                matplotlib.rcParams["svg.fonttype"] = "none"
                warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
            figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return out.getvalue()


def _has_all_letters(figure: Figure) -> bool:
    """Whether the font that the chart is drawn with has every letter in it."""
    known = get_font(findfont(FontProperties())).get_charmap()
    texts = [each.get_text() for each in figure.findobj(Text) if isinstance(each, Text)]
    letters = {letter for text in texts for letter in text}
    return all(ord(letter) in known for letter in letters if not letter.isspace())


def confusion_chart(result: Result) -> bytes:
    """Rows are the true classes; the colour is the share of the row."""
    counts = np.array(result.confusion, float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    classes = result.classes
    side = max(3.6, 1.4 + 0.46 * len(classes))

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.grid(False)
        axes.set_xticks(range(len(classes)), classes, rotation=40, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(classes)), classes)
        axes.set_xlabel("called")
        axes.set_ylabel("true class")
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        if len(classes) <= _NAMED_CELLS:
            _write_cells(axes, counts, shares)

    return _drawn((side + 0.4, side), draw)


def _write_cells(axes: Axes, counts: np.ndarray[Any, Any], shares: np.ndarray[Any, Any]) -> None:
    for row, column in np.argwhere(counts > 0):
        colour = "white" if shares[row, column] > 0.55 else _INK
        text = f"{counts[row, column]:.0f}"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=7.5)


def reliability_chart(after: Reliability, before: Reliability | None) -> bytes:
    """Confidence against accuracy, and how many frames are how sure."""

    def draw(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot([0, 1], [0, 1], color=_SOFT, linewidth=0.8, linestyle="--")
        if before is not None:
            _reliability_line(upper, before, _OTHER, "before")
        _reliability_line(upper, after, _ACCENT, "as shown")
        upper.set(ylabel="share that is right", xlim=(0, 1), ylim=(0, 1.02))
        upper.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, columnspacing=1)
        edges = np.linspace(0, 1, BINS + 1)
        lower.bar(edges[:-1], after.counts, width=1 / BINS, align="edge", color=_ACCENT, edgecolor="white")
        lower.set(xlabel="confidence (the largest probability)", ylabel="frames")
        # A few sure bins hold nearly all frames; on a plain scale the others would not be seen.
        lower.set_yscale("symlog", linthresh=1)
        lower.set_ylim(0, max(after.counts) * 2)
        lower.yaxis.set_major_formatter("{x:.0f}")

    return _drawn((4.6, 4.4), draw)


def _reliability_line(axes: Axes, measured: Reliability, colour: str, name: str) -> None:
    filled = [
        (sure, right, count)
        for sure, right, count in zip(measured.confidences, measured.accuracies, measured.counts, strict=True)
        if sure is not None and right is not None
    ]
    x, y, counts = (np.array(column) for column in zip(*filled, strict=True))
    label = f"{name} ({measured.error.value:.3f})"
    axes.plot(x, y, color=colour, linewidth=1.2, alpha=0.7, label=label)
    # Larger points hold more frames.
    sizes = 8 + 60 * np.sqrt(counts / counts.max())
    axes.scatter(x, y, s=sizes, color=colour, alpha=0.8, linewidths=0, clip_on=False)


def risk_chart(curve: RiskCurve) -> bytes:
    """Share of wrong frames among those kept."""

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.plot(curve.coverages, curve.risks, color=_ACCENT, linewidth=1.6)
        axes.fill_between(curve.coverages, curve.risks, color=_ACCENT, alpha=0.12, linewidth=0)
        axes.set(xlabel="share of frames kept, the surest first", ylabel="share of these that is wrong")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, max(0.01, 1.08 * max(curve.risks)))

    return _drawn((4.6, 3.2), draw)


def classes_chart(result: Result) -> bytes:
    """F1 of each class with its interval."""

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        rows = [(own.name, own.f1.value, own.f1.low, own.f1.high) for own in result.per_class]
        _interval_rows(axes, rows)
        axes.set(xlabel="F1 with its 95 % interval", xlim=(0, 1), ylim=(-0.6, len(rows) - 0.4))

    return _drawn((4.6, 0.9 + 0.27 * len(result.per_class)), draw)


Row = tuple[str, float | None, float | None, float | None]
"""A name, and a value with the ends of its interval, where they are known."""


def intervals_chart(rows: Sequence[Row], label: str, *, around: float | None = None) -> bytes:
    """Values with their intervals, one below the other.

    Args:
        rows: From the top.
        label: Of the values.
        around: Where a dashed line stands, that intervals are looked at against; None for no line.
    """

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        if around is not None:
            axes.axvline(around, color=_SOFT, linewidth=0.8, linestyle="--")
        _interval_rows(axes, rows)
        axes.set(xlabel=label, ylim=(-0.6, len(rows) - 0.4))

    return _drawn((4.6, 0.9 + 0.27 * len(rows)), draw)


def _interval_rows(axes: Axes, rows: Sequence[Row]) -> None:
    for place, (_, value, low, high) in enumerate(reversed(rows)):
        if value is None:
            continue
        if low is not None and high is not None:
            axes.barh(place, high - low, 0.22, low, color=_ACCENT, alpha=0.3)
        axes.plot(value, place, "o", color=_ACCENT, markersize=5, clip_on=False)
    names = [name for name, *_ in reversed(rows)]
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0, pad=8)  # A point at 0 keeps clear of the names.
    axes.grid(False, axis="y")


def cost_chart(rows: Sequence[tuple[str, float, float]], label: str) -> bytes:
    """What each costs against how good it is.

    Args:
        rows: Name, milliseconds a frame, value.
        label: Of the values.
    """

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.set_xscale("log")
        axes.scatter([ms for _, ms, _ in rows], [value for *_, value in rows], s=28, color=_ACCENT)
        for name, ms, value in rows:
            axes.annotate(name, (ms, value), (5, 3), textcoords="offset points", fontsize=7.5, color=_SOFT)
        axes.set(xlabel="milliseconds a frame", ylabel=label)
        axes.margins(x=0.15, y=0.12)
        axes.xaxis.set_major_formatter("{x:g}")
        # Between the powers of ten there is room for numbers only where there are few of these.
        fewest, most = axes.get_xlim()
        axes.xaxis.set_minor_formatter("{x:g}" if most < 10 * fewest else NullFormatter())

    return _drawn((4.6, 3.6), draw)


def embedding_chart(
    embedding: Embedding,
    truths: Sequence[str],
    called: Sequence[str],
    sources: Sequence[str],
    classes: Sequence[str],
) -> bytes:
    """The points by class, mistakes ringed; and by source where there are several.

    Args:
        embedding: n points.
        truths: n class names.
        called: n class names.
        sources: n names.
        classes: In the order of the legend.
    """
    several = len(set(sources)) > 1
    dot = 12.0 if len(truths) > _FEW_POINTS else 28.0

    def draw(figure: Figure) -> None:
        panels = figure.subplots(1, 2 if several else 1, squeeze=False)[0]
        _scatter(panels[0], embedding, truths, [name for name in classes if name in set(truths)], dot)
        wrong = np.array([a != b for a, b in zip(truths, called, strict=True)])
        ringed = embedding.points[wrong]
        panels[0].scatter(
            ringed[:, 0], ringed[:, 1], s=_RINGED * dot, facecolors="none", edgecolors=_INK, linewidths=0.7
        )
        panels[0].set_title("by class; mistakes are ringed", fontsize=9, color=_SOFT)
        if several:
            _scatter(panels[1], embedding, sources, sorted(set(sources)), dot)
            panels[1].set_title("by source", fontsize=9, color=_SOFT)

    return _drawn((9.6 if several else 6.4, 4.6), draw)


def _scatter(
    axes: Axes, embedding: Embedding, names: Sequence[str], order: Sequence[str], dot: float
) -> None:
    colours = matplotlib.colormaps["tab10" if len(order) <= 10 else "tab20"]
    each = np.array(names)
    for number, name in enumerate(order):
        own = embedding.points[each == name]
        colour = colours(number % colours.N)
        axes.scatter(own[:, 0], own[:, 1], s=dot, color=colour, alpha=0.75, linewidths=0, label=name)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    axes.spines[:].set_visible(False)
    below: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.02), "ncols": 4}
    axes.legend(**below, fontsize=8, handletextpad=0.1, columnspacing=1)


FRAMES: Final = 1000
_LEAST_FRAMES: Final = 10
_PERPLEXITY: Final = 30.0
_FEATURES: Final = 50


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """Points of some of the frames.

    Attributes:
        points: float32 (n, 2).
        places: int64 (n,), which frames they are.
    """

    points: NDArray[np.float32]
    places: NDArray[np.int64]


def embed(
    features: NDArray[np.float32], labels: NDArray[np.int64], count: int = FRAMES, seed: int = 1
) -> Embedding | None:
    """t-SNE of at most `count` frames, of every class alike as far as there are; None if there are too few.

    Args:
        features: float32 (N, F).
        labels: int64 (N,).
        count: Most points.
        seed: Of the choice and the placing.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    places = sample(labels, count, seed)
    chosen = features[places].astype(np.float64)
    if len(places) < _LEAST_FRAMES or not chosen.std(axis=0).any():
        return None
    size = min(_FEATURES, *chosen.shape)
    perplexity = min(_PERPLEXITY, (len(places) - 1) / 3)
    # On one thread: those that wait by spinning take five times as long where other work shares the cores.
    with threadpool_limits(1):
        reduced = PCA(size, random_state=seed).fit_transform(chosen)
        points = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(reduced)
    return Embedding(np.asarray(points, np.float32), places)


def sample(labels: NDArray[np.int64] | Sequence[int], count: int, seed: int) -> NDArray[np.int64]:
    """At most `count` places, int64 (n,) rising, drawn so that rare classes stay whole."""
    labels = np.asarray(labels)
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(labels))
    # Every class is drawn from in turn: the rank of a frame in its own class decides.
    ranks = np.empty(len(labels), np.int64)
    for number in np.unique(labels):
        own = shuffled[labels[shuffled] == number]
        ranks[own] = np.arange(len(own))
    kept = shuffled[np.argsort(ranks[shuffled], kind="stable")][:count]
    return np.sort(kept).astype(np.int64)
