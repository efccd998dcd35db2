"""What the name of a plane means: coded concepts of anatomy and population. Plain data, no file is touched.

One name means two things: SonoNet calls the four chambers of a fetal heart "4CH", CAMUS those of an adult's.
Which of them is meant is told by the names in its company: a model that knows "Brain(Tv)" scans fetuses.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

ADULT: Final = "adult"
FETUS: Final = "fetus"
POPULATIONS: Final = {ADULT: "133936004", FETUS: "83418008"}
"""Code of each in SNOMED CT, as in DICOM."""

ANATOMIES: Final = {
    "abdomen": "818981001",
    "brain": "12738006",
    "face": "89545001",
    "femur": "71341001",
    "heart": "80891009",
    "kidney": "64033007",
    "lip": "48477009",
    "liver": "10200004",
    "spine": "421060004",
}
"""Code of each in SNOMED CT, as in DICOM."""


@dataclass(frozen=True, slots=True)
class Concept:
    """What a plane shows, and of whom.

    Attributes:
        anatomy: Code in SNOMED CT, of `ANATOMIES`.
        population: Code in SNOMED CT, of `POPULATIONS`.
    """

    anatomy: str
    population: str


def _of(anatomy: str, population: str) -> Concept:
    return Concept(ANATOMIES[anatomy], POPULATIONS[population])


_ADULT_HEART: Final = _of("heart", ADULT)
_FETAL_HEART: Final = _of("heart", FETUS)
_NAMES: Final = {
    **dict.fromkeys(("4CH", "LVOT", "RVOT"), (_ADULT_HEART, _FETAL_HEART)),
    **dict.fromkeys(("3VV", "3VT", "3VTV", "Fetal 4CH"), (_FETAL_HEART,)),
    **dict.fromkeys(
        (
            "PLAX", "PLAX-RVI", "RVIF", "PLAX-RVO", "PSAX-AV", "PSAX-MV", "PSAX-PM", "PSAX-PAP", "PSAX-AP",
            "A2C", "AP2", "2CH", "A3C", "AP3", "APLAX", "A4C", "AP4", "A4C-RV", "RV-A4C", "A5C", "AP5",
            "SC4C", "S4C", "SUBC", "SC-IVC", "SSN", "SUPRA",
        ),
        (_ADULT_HEART,),
    ),
    "IVC": (_ADULT_HEART, _of("liver", ADULT), _of("abdomen", ADULT)),
    **dict.fromkeys(("FHP1", "FHP2", "LLP", "RLP", "LPV-S", "HRP"), (_of("liver", ADULT),)),
    **dict.fromkeys(
        ("Brain(Th)", "Brain(Tv)", "Brain(Cb)", "Trans-thalamic", "Trans-ventricular", "Trans-cerebellum"),
        (_of("brain", FETUS),),
    ),
    "Abdominal": (_of("abdomen", FETUS), _of("abdomen", ADULT)),
    "Fetal abdomen": (_of("abdomen", FETUS),),
    "Femur": (_of("femur", FETUS), _of("femur", ADULT)),
    "Fetal femur": (_of("femur", FETUS),),
    "Kidneys": (_of("kidney", FETUS), _of("kidney", ADULT)),
    "Lips": (_of("lip", FETUS),),
    "Profile": (_of("face", FETUS),),
    **dict.fromkeys(("Spine(sag)", "Spine(cor)", "Spine(tra)"), (_of("spine", FETUS),)),
}  # fmt: skip
"""What each name of a published model or data set can mean."""


def possible_concepts(name: str) -> tuple[Concept, ...]:
    """All that a name can mean; none for a name that only its maker knows."""
    return _NAMES.get(name, ())


def concepts_among(name: str, company: Collection[str]) -> tuple[Concept, ...]:
    """What a name means in the company of others: those of a model, or of a protocol.

    A name that means one thing alone says which population the company is of, and which anatomies; where
    none does, or they say both populations, everything that the name can mean is possible.
    """
    possible = possible_concepts(name)
    if len(possible) < 2:
        return possible
    told = {each[0] for each in map(possible_concepts, company) if len(each) == 1}
    same = tuple(one for one in possible if any(one.population == each.population for each in told))
    return tuple(one for one in same if any(one.anatomy == each.anatomy for each in told)) or same or possible


def is_fetal(names: Collection[str]) -> bool:
    """Whether planes of these names are of fetuses: one can be of nobody else, and none of adults only."""
    told = {tuple({one.population for one in possible_concepts(name)}) for name in names}
    return (POPULATIONS[FETUS],) in told and (POPULATIONS[ADULT],) not in told
