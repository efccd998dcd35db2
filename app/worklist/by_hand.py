"""An examination that is filled in by hand: what the fields show, and what was typed as data. No Qt here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Final, Literal

from semc_core.language import N_, _
from semc_core.session.examination import Examination, day_and_time, is_same_patient, is_written, plain_name


@dataclass(frozen=True, slots=True)
class Field:
    """One line of the form.

    Attributes:
        name: Of the examination's field.
        title: What the form calls it.
        hint: What stands in it while it is empty.
        longest: How many characters it may have.
    """

    name: str
    title: str
    hint: str = ""
    longest: int = 64


FIELDS: Final = (
    Field("patient_name", N_("Patient"), N_("Last, First")),
    Field("patient_id", N_("Patient ID")),
    Field("birth_date", N_("Born"), N_("Year-month-day")),
    Field("sex", N_("Sex")),
    Field("accession_number", N_("Accession"), longest=16),
    Field("indication", N_("Indication"), N_("Why it was asked for")),
    Field("operator", N_("Operator"), N_("Last, First")),
    Field("institution", N_("Institution")),
    Field("site", N_("Site"), N_("Department, ward or room")),
)
SEXES: Final = {"": N_("Not said"), "F": N_("Female"), "M": N_("Male"), "O": N_("Other")}
OLDEST_YEARS: Final = 130
_NAMES: Final = ("patient_name", "operator")
_DATES: Final = ("%Y-%m-%d", "%Y%m%d", "%d.%m.%Y")
_OF_REQUEST: Final = (
    "study_uid", "step_id", "step", "procedure_id", "procedure", "referring_physician", "date", "time",
)  # fmt: skip
"""What belongs to a request, and so not to another patient or accession number."""

Of = Literal["the next scan", "the scan that runs", "the scan that was made", "the session in review"]
TITLES: Final[dict[Of, str]] = {
    "the next scan": N_("Examination of the next scan"),
    "the scan that runs": N_("Examination of the scan that runs"),
    "the scan that was made": N_("Examination of the scan that was made"),
    "the session in review": N_("Examination of the session in review"),
}
"""What the form is called, by what the examination belongs to."""
Typed = Mapping[str, str]
"""What stands in the fields, by their names."""


@dataclass(frozen=True, slots=True)
class FormSubject:
    """Whose examination is filled in.

    Attributes:
        of: What it belongs to, one of `TITLES`; never translated.
        examination: As it is now, or None.
        keep: Takes it as it is to be.
        question: What is to be answered before it is, a sentence; or "".
        erase: Erases what was kept of it; None where that cannot be done now.
        why_not: Why it cannot, a sentence; or "".
    """

    of: Of
    examination: Examination | None
    keep: Callable[[Examination | None], None]
    question: Callable[[Examination], str]
    erase: Callable[[], None] | None = None
    why_not: str = ""


def shown(examination: Examination | None) -> dict[str, str]:
    """What the fields show of an examination."""
    one = examination or Examination()
    plain = {field.name: str(getattr(one, field.name)) for field in FIELDS}
    for name in _NAMES:
        plain[name] = _read(plain[name])
    plain["birth_date"] = day_and_time(one.birth_date, "")
    return plain


def faults(typed: Typed, today: date) -> dict[str, str]:
    """What is wrong, a sentence for each field that cannot be kept so; today is `today`."""
    wrong = {}
    for field in FIELDS:
        text = typed[field.name].strip()
        if not is_written(text):
            wrong[field.name] = _("There is a character in it that cannot be seen; type it anew.")
        elif "\\" in text:
            wrong[field.name] = _("A backslash cannot be kept; leave it out.")
        elif len(text) > field.longest:
            wrong[field.name] = _(
                "{count} characters are too many; at most {most} can be kept.",
                count=len(text), most=field.longest,
            )  # fmt: skip
    if (born := typed["birth_date"].strip()) and "birth_date" not in wrong:
        wrong |= _fault_of_birth(born, today)
    return wrong


def examination_of_typed(base: Examination | None, typed: Typed) -> Examination | None:
    """What was typed, over what was there before; None where nothing is left. `faults` has found none.

    Of another patient, or under another accession number, what belonged to the request before is dropped.
    """
    before = base or Examination()
    # A field that nobody touched stays as it is stored, in all its writings.
    stood = shown(before)
    texts = {name: text.strip() for name, text in typed.items() if text.strip() != stood[name]}
    for name in _NAMES:
        if name in texts:
            texts[name] = _dicom_name(texts[name])
    if texts.get("birth_date"):
        texts["birth_date"] = _day(texts["birth_date"]).strftime("%Y%m%d")
    made = replace(before, **texts)
    if not _is_same_request(before, made):
        made = replace(made, **dict.fromkeys(_OF_REQUEST, ""))
    said = any(getattr(made, field.name) for field in fields(made) if field.name != "modality")
    return made if said else None


def filled_from(row: Examination, typed: Typed) -> Examination:
    """A line of a worklist; what it does not say of why, by whom and where stays as typed."""
    kept = {name: typed[name].strip() for name in ("indication", "operator", "institution", "site")}
    kept["operator"] = _dicom_name(kept["operator"])
    return replace(row, **{name: text for name, text in kept.items() if text and not getattr(row, name)})


def _is_same_request(before: Examination, after: Examination) -> bool:
    same = is_same_patient(before.patient_name, before.patient_id, after)
    return same and before.accession_number == after.accession_number


def _fault_of_birth(born: str, today: date) -> dict[str, str]:
    try:
        day = _day(born)
    except ValueError:
        return {"birth_date": _("That is no day; type year, month and day, such as 1978-03-04.")}
    if day > today:
        return {"birth_date": _("That day is still to come; look at the year.")}
    if today.year - day.year > OLDEST_YEARS:
        told = _("That is more than {years} years ago; look at the year.", years=OLDEST_YEARS)
        return {"birth_date": told}
    return {}


def _day(text: str) -> date:
    """A day as people write it. Raises ValueError where it is none."""
    if text.isdecimal() and len(text) != 8:
        raise ValueError
    for form in _DATES:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise ValueError


def _read(name: str) -> str:
    """A name as people read it, where it can be made from that again; else as it is stored."""
    plain = plain_name(name)
    return plain if _dicom_name(plain).rstrip("^") == name.rstrip("^") else name


def _dicom_name(text: str) -> str:
    """ "Last, First Middle" as DICOM writes it; what is written so already stays."""
    if "^" in text or "=" in text:
        return text
    last, comma, first = (part.strip() for part in text.partition(","))
    return f"{last}^{first}" if comma and first else last
