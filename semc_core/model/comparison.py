"""Whether a new model may replace the one in use. Plain data; the measuring is done in `training`."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from semc_core.errors import UsageError
from semc_core.io.documents import STRICT, TOLERANT, Document, DocumentFault, configured, reason
from semc_core.language import ENGLISH, N_, _, current, decimal, english, in_both, joined, plural, said_again

COMPARISON_NAME: Final = "comparison.json"
"""In the folder of a training run."""

MARGIN: Final = 0.01
"""Of macro F1: a new model may replace the one in use where the interval excludes that it loses more."""

_VERDICTS: Final = {
    "better": N_("The new model is better than the one in use: {numbers}."),
    "as good": N_("The new model is as good as the one in use: {numbers}."),
    "worse": N_("The new model is worse than the one in use: {numbers}."),
    "not shown": N_("The new model is not shown to be as good as the one in use: {numbers}."),
}

CHOSEN_ON: Final = N_(
    "The new model's weights were chosen on these pictures, so it looks a little better than it is."
)
FEW: Final = N_("With so few patients or videos this says little.")
OTHER_PLANES: Final = N_("the model in use knows other planes ({planes}).")
KNOWN: Final = N_("Of {of}, one of the models learned from {known}. They are not among these.")
TOO_FEW: Final = N_(
    "Of {of}, one of the models learned from {known}. What is left, {left}, is too little to compare on. "
    "Split the data set with `semc data split` before a training, or add patients."
)
UNCLEAR: Final = N_(
    "Which patients the model in use learned from cannot be known here; if some of these were among them, it "
    "looks better than it is."
)
LOOKED_AT: Final = N_(
    "These test pictures have been looked at {count} times, by this or other models; the more often, the "
    "less their result says of new patients."
)
"""What a comparison notes, in English as it is stored."""


def run_folder(out: Path) -> Path:
    """The folder of the training run that writes the model file `out`."""
    return out.with_suffix(".run")


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class Measured:
    """One model on the held-out frames.

    Attributes:
        sha256: Of its file.
        accuracy: 0-1.
        f1: Macro F1, 0-1.
        calibration_error: Expected calibration error, 0-1.
    """

    sha256: str
    accuracy: float
    f1: float
    calibration_error: float


# The verdict is in the file, too.
@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class Comparison:
    """A new model held against the one in use, on the same frames.

    Attributes:
        candidate: The new one.
        current: The one in use; None where the two could not be compared.
        current_sha256: Of the one in use, compared or not.
        difference: Macro F1 of the new one minus that of the one in use; None where not compared.
        low: Lower end of the 95 % interval of the difference; None where it is not known.
        high: Upper end.
        split: "test" or "validation".
        frames: How many.
        groups: Patients, series or videos that they are of.
        note: A sentence on how far this can be trusted, or why the two could not be compared; or "".
    """

    candidate: Measured
    current: Measured | None
    current_sha256: str
    difference: float | None
    low: float | None
    high: float | None
    split: str
    frames: int
    groups: int
    note: str = ""

    @property
    def verdict(self) -> str:
        """ "better", "as good", "worse", "not shown" or "not compared".

        Not inferior is what the 95 % interval over patients says: that no more than `MARGIN` is lost. Where
        it does not say so, a model that looks worse is "worse"; one that looks better is "not shown" to be as
        good. Where there is no interval, of one patient, only the very same answers are as good.
        """
        if self.difference is None:
            return "not compared"
        if self.difference == 0 and self.low in (0, None):
            return "as good"
        if self.low is None or self.low < -MARGIN:
            return "worse" if self.difference < 0 else "not shown"
        return "better" if self.difference > 0 else "as good"

    @property
    def sentence(self) -> str:
        """What came out, for people."""
        new = self.candidate
        if self.current is None or self.difference is None:
            return _(
                "The new model has F1 {f1} and was not compared: {note}",
                f1=decimal(new.f1, 3),
                note=_note_shown(self.note),
            )
        more = ""
        if self.verdict == "not shown":
            more = _("It may lose more than {margin}; add patients to the test split.", margin=f"{MARGIN:g}")
        numbers = self._numbers(self.current, self.difference)
        return joined((_(_VERDICTS[self.verdict], numbers=numbers), more, _note_shown(self.note)))

    def _numbers(self, old: Measured, difference: float) -> str:
        new, change = self.candidate, _signed(difference)
        if self.low is not None and self.high is not None:
            change = _(
                "{change}, 95 % interval {low} to {high}",
                change=change,
                low=_signed(self.low),
                high=_signed(self.high),
            )
        if self.split == "test":
            pictures = plural("{count} test picture", "{count} test pictures", self.frames)
        else:
            pictures = plural(
                "{count} {split} picture", "{count} {split} pictures", self.frames, split=self.split
            )
        return _(
            "F1 {new} against {old} ({change}), accuracy {new_accuracy} against {old_accuracy}, on "
            "{pictures} of {patients}",
            new=decimal(new.f1, 3),
            old=decimal(old.f1, 3),
            change=change,
            new_accuracy=decimal(new.accuracy, 3),
            old_accuracy=decimal(old.accuracy, 3),
            pictures=pictures,
            patients=plural("{count} patient or video", "{count} patients or videos", self.groups),
        )

    def refusal(self, candidate_sha256: str, current_sha256: str) -> str:
        """Why the new model must not replace the one in use, in a sentence; "" if it may.

        Args:
            candidate_sha256: Of the file that shall be used.
            current_sha256: Of the model in use now.
        """
        if candidate_sha256 != self.candidate.sha256:
            return _("The new model's file is not the one that was compared; train or compare it again.")
        if current_sha256 != self.current_sha256:
            return _("The new model was compared with another than the one in use now.")
        if self.verdict in ("worse", "not shown", "not compared"):
            return self.sentence
        return ""

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dataclasses.asdict(self) | {"verdict": self.verdict, "sentence": english(self.sentence)}


def _note_shown(note: str) -> str:
    """A stored note in the language in use; a sentence of it that is not known stays as it is."""
    if current() == ENGLISH:
        return note
    said, rest = [], re.split(r"(?<=\.) ", note)
    while rest:
        counts = range(1, len(rest) + 1)
        firsts = ((count, " ".join(rest[:count])) for count in counts)
        found = ((count, said_again(text, _NOTES, _WITHIN), text) for count, text in firsts)
        count, again = next(
            ((count, again) for count, again, text in found if again is not text), (1, rest[0])
        )
        said.append(again)
        rest = rest[count:]
    return joined(said)


def _held_out(stored: str) -> str:
    count = int(stored.split()[0])
    return plural("{count} held-out patient or video", "{count} held-out patients or videos", count)


def _left(stored: str) -> str:
    return plural("{count} patient or video", "{count} patients or videos", int(stored.split()[0]))


_NOTES: Final = (CHOSEN_ON, FEW, OTHER_PLANES, TOO_FEW, KNOWN, UNCLEAR, LOOKED_AT)
_WITHIN: Final = {"of": _held_out, "left": _left}


def _signed(value: float) -> str:
    """With three digits and the sign; its text in English is that of the number."""
    shown = decimal(abs(value), 3)
    return in_both(lambda number: f"{value:+.3f}"[0] + number, shown)


COMPARISON: Final = Document(Comparison)


def read_comparison(path: Path) -> Comparison | None:
    """The comparison in a file; None if there is no file.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return COMPARISON.read(path)
    except FileNotFoundError:
        return None
    except (OSError, DocumentFault) as error:
        raise UsageError(
            _(
                "{name} cannot be read as a comparison ({reason}); compare the models again.",
                name=path.name,
                reason=reason(error),
            )
        ) from error
