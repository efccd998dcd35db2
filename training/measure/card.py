"""The card of the network that finds heads: what it knows, from where, how good, and what it cannot do."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

from semc_core.model.outline import OutlineSpec, tensor_shapes
from semc_core.text import counted
from training.measure.fit import FitOptions

_DATA: Final = (
    (
        "HC18, 861 pictures with outlines",
        "heads and their outlines",
        "CC BY 4.0; van den Heuvel et al., Zenodo 1327317",
    ),
    (
        "FETAL_PLANES_DB, a part",
        "brain planes (that a head is there); abdomen, femur, thorax, cervix (no head)",
        "CC BY 4.0; Burgos-Artizzu et al., Zenodo 3904280",
    ),
    (
        "African fetal planes (Algeria, Egypt, Ghana, Uganda)",
        "the same",
        "CC BY 4.0; Sendra-Balcells et al., Zenodo 7540448",
    ),
    ("Annotated Ultrasound Liver Images", "no head", "CC BY 4.0; Zenodo 7272660"),
    ("TimTrack, leg muscles", "no head", "CC0 and CC BY 4.0; van der Zee & Kuo"),
    ("POCOVID-Net, frames of lung clips", "no head", "CC BY 2.0 and 4.0; Born et al."),
)

_LIMITS: Final = (
    "The outlines are of one hospital (Nijmegen), first to third trimester. On other scanners it is known "
    "only how often a head is found, and how far the diameters are from what others measured "
    "(docs/measuring.md).",
    "It finds an outline, not a plane: whether the plane is right for a head circumference, the user sees.",
    "A head that is cut off at the edge of the picture is not measured. Of several heads one is measured.",
    "The interval is for pictures like those of HC18, and knows of the outline only, not of a wrong scale. "
    "It is made to miss one head of ten.",
)


def card(
    spec: OutlineSpec, told: dict[str, Any], options: FitOptions, more: int, judged: int, folds: int
) -> str:
    """The card as Markdown.

    Args:
        spec: Of the network that ships.
        told: See `judge.figures`.
        options: How the networks of the folds were fitted.
        more: Batches with everything at the end.
        judged: Folds that were judged.
        folds: Folds that there are.
    """
    parameters = sum(math.prod(shape) for shape in tensor_shapes(spec).values())
    batch = options.heads + options.brains + options.others
    parts = [
        "# Model card: head",
        "Finds the outline of a fetal head in an ultrasound picture, or says that there is none. From the "
        "ellipse on it come the head circumference and the two diameters (docs/measuring.md).",
        "Research software, not a medical device.",
        "## Network",
        f"A U-Net with {parameters / 1e6:.2f} million weights, {len(spec.channels)} levels. "
        f"Input {spec.width} x {spec.height}, gray, the picture fitted in whole; then a second look closer "
        f"around what was found. Fitted from nothing in {options.steps} batches of {batch} pictures; the one "
        f"that ships then in {more} more, with everything. The "
        "width of the line that HC18's masks were drawn with is taken out of its outlines beforehand. A head "
        f"is measured from a presence of {spec.presence:g}, where mask and ellipse overlap by "
        f"{spec.agreement:g}.",
        "## Data",
        _table(("data", "used for", "licence and credit"), _DATA),
        "Nothing else was learned from; the landmarks of Multicentre Fetal Biometry (CC BY-NC-SA 4.0) only "
        "judge it.",
        "## How good",
        "Cross-validation over groups (the leading number of HC18, patients elsewhere): "
        f"{judged} of {folds} folds, each judged by a network that saw neither its groups nor the sources "
        'marked "no" below. In brackets 95 % intervals, groups drawn anew. The network that ships went on '
        "from the first of these with everything, so there are no figures of its own.",
        "\n".join(_lines(told)),
        "Pictures without a head in which something was measured (a picture of a source that is kept out "
        "counts once for each fold):",
        _sources(told["no head"]),
        "Brain planes of other data sets in which a head was measured:",
        _sources(told["brain planes"]),
        "Diameters found less those between landmarks that others set (Multicentre Fetal Biometry), mm:",
        _landmarks(told["landmarks"]),
        "## What it cannot do",
        "\n".join(f"- {each}" for each in _LIMITS),
    ]
    return "\n\n".join(parts) + "\n"


def _lines(told: dict[str, Any]) -> list[str]:
    names = {
        "measured": "Share of heads measured",
        "dice": "Dice with the stated outline",
        "dice with the line": "Dice with the mask as drawn",
        "hc error mm": "Head circumference, mean absolute error, mm",
        "hc bias mm": "Head circumference, mean error, mm",
        "covered by the interval": "Share of heads within the 90 % interval, fitted on the other folds",
    }
    first = f"- HC18: {counted(told['heads'], 'picture')} of {counted(told['groups'], 'group')}"
    shown = [f"- {words}: {_interval(told[name])}" for name, words in names.items()]
    return [first, *shown, f"- The interval is ± {told['error of the interval']:.1%} of the circumference"]


def _sources(sources: dict[str, dict[str, Any]]) -> str:
    rows = [
        (
            name,
            f"{each['measured']} of {each['pictures']} ({each['measured'] / each['pictures']:.1%})",
            "yes" if each["source in training"] else "no",
        )
        for name, each in sources.items()
    ]
    return _table(("source", "measured", "source in training"), rows)


def _landmarks(told: dict[str, dict[str, Any]]) -> str:
    names = ("bpd error mm", "bpd bias mm", "ofd error mm", "ofd bias mm")
    rows = [
        (name, f"{each['measured']} of {each['pictures']}", *(_interval(each[key]) for key in names))
        for name, each in told.items()
    ]
    return _table(("table", "measured", "BPD, absolute", "BPD, mean", "OFD, absolute", "OFD, mean"), rows)


def _interval(told: dict[str, Any]) -> str:
    return f"{told['mean']} ({told['low']} to {told['high']})"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
