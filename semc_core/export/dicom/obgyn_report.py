"""The obstetric report: what was measured of a fetus, as reporting systems read it.

An OB-GYN Ultrasound Procedure Report (TID 5000): the age of the pregnancy and what it was reckoned from
(TID 5002, 5003), and in the Fetal Biometry section (TID 5005) one group (TID 5008) for each measure, with the
single measurements, their mean where there are several, the age by Hadlock's formula and the centile. Where
there is more than one fetus each has a section, which says its Fetus ID (TID 1008). It stands beside the
report of the planes and says nothing of what it does not know: not of the mother, of the weight.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.sr.coding import Code

from semc_core.export.dicom.codes import (
    AGE_EQUATIONS,
    COMMENT,
    DATED_BY,
    GESTATIONAL_AGE,
    GROWTH_RANK,
    MEAN,
    OBSTETRIC_REPORT,
    PERCENT,
    growth_equation,
    measure_code,
    method_code,
)
from semc_core.export.dicom.images import STATEMENT, finish
from semc_core.export.dicom.report_document import OBSTETRIC, observer, of_fetus, report_document
from semc_core.export.dicom.structured_report import ReportedPlane
from semc_core.export.dicom.study import StudyContext
from semc_core.export.measured import (
    FetalMeasure,
    MeasuredValue,
    fetal_measures,
    measured_values,
    was_measured_in,
)
from semc_core.measure.gestation import GestationalAge
from semc_core.session.records import MeasurementEntry

_PATIENT: Final = Code("121118", "DCM", "Patient Characteristics")
_SUMMARY: Final = Code("121111", "DCM", "Summary")
_FETUS: Final = Code("125008", "DCM", "Fetus Summary")
_BIOMETRY: Final = Code("125002", "DCM", "Fetal Biometry")
_GROUP: Final = Code("125005", "DCM", "Biometry Group")
_EQUATION: Final = Code("121420", "DCM", "Equation")
_MEAN_CHOSEN: Final = Code("121412", "DCM", "Mean value chosen")
_MM: Final = Code("mm", "UCUM", "mm")
_DAY: Final = Code("d", "UCUM", "day")
_ENGLISH: Final = Code("en-US", "RFC5646", "English (United States)")
_CONTAINS: Final = sr.RelationshipTypeValues.CONTAINS
_INFERRED: Final = sr.RelationshipTypeValues.INFERRED_FROM


def obgyn_report(
    context: StudyContext,
    planes: Sequence[ReportedPlane],
    measurements: Sequence[MeasurementEntry],
    age: GestationalAge | None,
    made: datetime,
) -> Dataset | None:
    """Report what was measured of a fetus; None where nothing was, or nothing in millimetres.

    Args:
        context: Whose study.
        planes: What is exported, with its images; at least one.
        measurements: All of the session, also of frames that no plane shows.
        age: Of the pregnancy by its dates.
        made: When the report is made, local time. Not written when dates are removed or shifted.

    Raises:
        ExportError: Identity was left in the report.
    """
    measured = measured_values(measurements, [each.plane for each in planes], age)
    found = fetal_measures(measured, age)
    if not found:
        return None
    content = sr.ContainerContentItem(name=OBSTETRIC_REPORT, template_id="5000")
    patient = [] if age is None else [_section(_PATIENT, [_comment(f"Gestational age {_said(age)}")])]
    content.ContentSequence = sr.ContentSequence(
        [
            *sr.LanguageOfContentItemAndDescendants(_ENGLISH),
            *observer(),
            *patient,
            _summary(found, age),
            *(
                _section(_BIOMETRY, (*of_fetus(letter), *(_group(one, planes) for one in ones)))
                for letter, ones in groupby(found, lambda one: one.fetus)
            ),
        ],
        is_root=False,
    )
    evidence = [image for reported in planes for image in reported.images]
    report = report_document(context, evidence, content, OBSTETRIC, made)
    _say_at_which_age(report, by_dates=age is not None)
    return finish(report, context)


def _said(age: GestationalAge) -> str:
    return f"{age} as given" if age.origin == "as given" else f"{age} by {age.origin}"


def _section(name: Code, items: Iterable[sr.ContentItem]) -> sr.ContainerContentItem:
    section = sr.ContainerContentItem(name=name, relationship_type=_CONTAINS)
    section.ContentSequence = sr.ContentSequence(list(items))
    return section


def _comment(text: str) -> sr.TextContentItem:
    return sr.TextContentItem(name=COMMENT, value=text, relationship_type=_CONTAINS)


def _summary(found: Sequence[FetalMeasure], age: GestationalAge | None) -> sr.ContainerContentItem:
    """What the report is not, who measured what and how, and the age by dates (TID 5002 and 5003)."""
    sentences = [each.sentence for one in found for each in one.values]
    items: list[sr.ContentItem] = [_comment(text) for text in (STATEMENT, *sentences)]
    if age is not None:
        items.append(_section(_FETUS, [_age(age.days, DATED_BY[age.origin])]))
    return _section(_SUMMARY, items)


def _age(days: float, equation: Code) -> sr.NumContentItem:
    item = sr.NumContentItem(name=GESTATIONAL_AGE, value=round(days), unit=_DAY, relationship_type=_CONTAINS)
    item.ContentSequence = _by(equation)
    return item


def _by(equation: Code) -> sr.ContentSequence:
    return sr.ContentSequence(
        [sr.CodeContentItem(name=_EQUATION, value=equation, relationship_type=_INFERRED)]
    )


def _group(found: FetalMeasure, planes: Sequence[ReportedPlane]) -> sr.ContainerContentItem:
    """All of one measure (TID 5008): each measurement, the mean, the age by it, its centile."""
    items = [item for one in found.values for item in _measurement(one, planes)]
    if len(found.values) > 1:
        items += sr.Measurement(
            name=measure_code(found.name),
            value=round(found.mm, 3),
            unit=_MM,
            method=method_code(found.name),
            derivation=MEAN,
            properties=sr.MeasurementProperties(selection_status=_MEAN_CHOSEN),
        )
    if found.age is not None:
        items.append(_age(found.age.number, AGE_EQUATIONS[found.name]))
    if found.centile is not None:
        rank = sr.NumContentItem(
            name=GROWTH_RANK, value=round(found.centile.number, 2), unit=PERCENT, relationship_type=_CONTAINS
        )
        rank.ContentSequence = _by(growth_equation(found.name))
        items.append(rank)
    return _section(_GROUP, items)


def _measurement(one: MeasuredValue, planes: Sequence[ReportedPlane]) -> sr.Measurement:
    return sr.Measurement(
        name=measure_code(one.value.name),
        value=round(one.value.number, 3),
        unit=_MM,
        method=method_code(one.value.name),
        referenced_images=[
            sr.SourceImageForMeasurement.from_source_image(each.images[0])
            for each in planes
            if was_measured_in(one.entry, each.plane)
        ],
    )


def _say_at_which_age(report: Dataset, *, by_dates: bool) -> None:
    """Let each centile refer to the age that it is at.

    That is the age by dates, the first of the report, or where there is none that by the HC of the same
    fetus, which comes first of all measures in its section.
    """
    found = list(_numbered(report, (1,)))
    ages = [path for path, item in found if _is(item, GESTATIONAL_AGE)]
    for path, item in found:
        at = next((each for each in ages if by_dates or each[:2] == path[:2]), None)
        if at is not None and _is(item, GROWTH_RANK):
            reference = Dataset()
            reference.RelationshipType = _INFERRED.value
            reference.ReferencedContentItemIdentifier = list(at)
            # The library's own sequences hold no references.
            item["ContentSequence"].value = Items([*item.ContentSequence, reference])


def _numbered(item: Dataset, path: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Dataset]]:
    yield path, item
    for number, child in enumerate(item.get("ContentSequence", ()), 1):
        yield from _numbered(child, (*path, number))


def _is(item: Dataset, name: Code) -> bool:
    return "ConceptNameCodeSequence" in item and item.ConceptNameCodeSequence[0].CodeValue == name.value
