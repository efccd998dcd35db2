"""Coded concepts: the standards' where they have one, else the program's own scheme 99SEMC."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from semc_core.export.dicom.uids import fixed_uid
from semc_core.labels import full_name
from semc_core.measure.calipers import AC, BPD, BPD_INNER, FL, HC, OFD
from semc_core.measure.gestation import Origin

SCHEME: Final = "99SEMC"
SCHEME_UID: Final = fixed_uid("SEMC Live coding scheme")
SCHEME_NAME: Final = "SEMC Live standard planes and decisions"
_LONGEST_VALUE: Final = 16
_LONGEST_MEANING: Final = 64


def own_code(value: str, meaning: str) -> Code:
    """A code of the scheme 99SEMC; a value longer than 16 characters is cut, and made unique again."""
    short = re.sub(r"[^\x20-\x5b\x5d-\x7e]", "_", value).strip() or "unnamed"
    if short != value or len(short) > _LONGEST_VALUE:
        short = f"{short[:9].strip()}-{hashlib.sha256(value.encode()).hexdigest()[:6]}"
    return Code(short, SCHEME, meaning.replace("\\", "/")[:_LONGEST_MEANING])


LIVER: Final = Code("10200004", "SCT", "Liver")
_HEART: Final = Code("80891009", "SCT", "Heart")
_BRAIN: Final = Code("12738006", "SCT", "Brain")
_SPINE: Final = Code("421060004", "SCT", "Spine")
_FEMUR: Final = Code("71341001", "SCT", "Femur")
_KIDNEY: Final = Code("64033007", "SCT", "Kidney")
PAIRED: Final = (_FEMUR, _KIDNEY)
SITES: Final = {
    "FHP1": LIVER, "FHP2": LIVER, "LLP": LIVER, "RLP": LIVER, "LPV-S": LIVER, "HRP": LIVER,
    "3VV": _HEART, "4CH": _HEART, "LVOT": _HEART, "RVOT": _HEART,
    "Brain(Cb)": _BRAIN, "Brain(Tv)": _BRAIN, "Spine(cor)": _SPINE, "Spine(sag)": _SPINE,
    "Abdominal": Code("818981001", "SCT", "Abdomen"),
    "Femur": _FEMUR,
    "Kidneys": _KIDNEY,
    "Lips": Code("48477009", "SCT", "Lip"),
    "Profile": Code("89545001", "SCT", "Face"),
}  # fmt: skip
"""The organ of each plane; only codes that the DICOM standard itself uses."""


def plane_code(plane: str) -> Code:
    """The code of a standard plane. No standard has codes for these planes as such."""
    return own_code(plane, f"{full_name(plane)} plane" if full_name(plane) != plane else plane)


SUBJECT_CLASS: Final = Code("121024", "DCM", "Subject Class")
FETUS: Final = Code("121026", "DCM", "Fetus")
FETUS_ID: Final = Code("11951-1", "LN", "Fetus ID")

_MEASURES: Final = {
    HC: Code("11984-2", "LN", "Head Circumference"),
    BPD: Code("11820-8", "LN", "Biparietal Diameter"),
    BPD_INNER: Code("11820-8", "LN", "Biparietal Diameter"),
    OFD: Code("11851-3", "LN", "Occipital-Frontal Diameter"),
    AC: Code("11979-2", "LN", "Abdominal Circumference"),
    FL: Code("11963-6", "LN", "Femur Length"),
    "Length": Code("410668003", "SCT", "Length"),
    "Circumference": Code("74551000", "SCT", "Circumference"),
    "Long axis": Code("103339001", "SCT", "Long axis"),
    "Short axis": Code("103340004", "SCT", "Short axis"),
    "Area": Code("42798000", "SCT", "Area"),
    "Angle": Code("1483009", "SCT", "Angle"),
}


def measure_code(name: str) -> Code:
    """The code of what was measured, by its name in `measure.calipers`."""
    return _MEASURES.get(name) or own_code(name, name)


def method_code(name: str) -> Code | None:
    """Between which borders a diameter was measured, where the name of the measure says so."""
    _, _, borders = name.partition(" ")
    words = {"outer-outer": "Outer border to outer border", "outer-inner": "Outer border to inner border"}
    return own_code(borders, words[borders]) if borders in words else None


COMMENT: Final = Code("121106", "DCM", "Comment")
PERCENT: Final = Code("%", "UCUM", "Percent")
ULTRASONOGRAPHY: Final = Code("16310003", "SCT", "Diagnostic ultrasonography")
OBSTETRIC_REPORT: Final = Code("125000", "DCM", "OB-GYN Ultrasound Procedure Report")
GROWTH_RANK: Final = Code("125012", "DCM", "Growth Percentile Rank")
MEAN: Final = Code("373098007", "SCT", "Mean")
GESTATIONAL_AGE: Final = Code("18185-9", "LN", "Gestational Age")
AGE_EQUATIONS: Final = {
    HC: Code("11932-1", "LN", "HC, Hadlock 1984"),
    BPD_INNER: Code("11902-4", "LN", "BPD, Hadlock 1984"),
    AC: Code("11892-7", "LN", "AC, Hadlock 1984"),
    FL: Code("11920-6", "LN", "FL, Hadlock 1984"),
}
"""By which a measure is dated (`measure.growth.DATING`)."""


def growth_equation(name: str) -> Code:
    """By which a measure is ranked (`measure.growth.STANDARDS`); no standard has codes for these."""
    measure = name.partition(" ")[0]
    return own_code(f"{measure} IG21 2014", f"{measure} by GA, INTERGROWTH-21st 2014")


DATED_BY: Final[dict[Origin, Code]] = {
    "last period": Code("11885-1", "LN", "Gestational Age by LMP"),
    "due date": own_code("GA by EDD", "Gestational Age by EDD"),
    "CRL": own_code("CRL IG21 2014", "CRL, INTERGROWTH-21st 2014"),
    "as given": own_code("GA as given", "Gestational Age as a person gave it"),
}
"""What the age of a pregnancy was reckoned from."""


def code_item(code: Code) -> Dataset:
    """The code as an item of a code sequence."""
    item = Dataset()
    item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme_designator
    item.CodeMeaning = code.meaning
    return item
