"""The structured report: which planes were found, in which exported images, how sure, and by whom decided.

An imaging measurement report (TID 1500) with one measurement group (TID 1501) per plane. The certainty, the
organ, the algorithm and the images are coded by the standard; planes and decisions have no standard codes and
use the program's scheme 99SEMC, which the report names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from semc_core.errors import ExportError
from semc_core.export.checklist import Checklist, ChecklistRow
from semc_core.export.dicom.codes import (
    COMMENT,
    PERCENT,
    SITES,
    ULTRASONOGRAPHY,
    measure_code,
    method_code,
    own_code,
    plane_code,
)
from semc_core.export.dicom.images import STATEMENT, finish
from semc_core.export.dicom.report_document import FINDINGS, observer, of_fetus, report_document
from semc_core.export.dicom.study import StudyContext
from semc_core.export.measured import UCUM, measured_values
from semc_core.labels import full_name
from semc_core.language import _, english
from semc_core.measure.dating import Dated
from semc_core.measure.gestation import GestationalAge
from semc_core.session.correcting.sentences import decision
from semc_core.session.records import PERSON, MeasurementEntry, ModelEntry, PlaneEntry
from semc_core.version import VERSION

_CERTAINTY: Final = Code("111012", "DCM", "Certainty of Finding")
_PERCENTILE: Final = Code("121415", "DCM", "Percentile Ranking of measurement")
_SECOND: Final = Code("s", "UCUM", "second")
_LEARNED: Final = Code("123110", "DCM", "Artificial Intelligence")
_CONTAINS: Final = sr.RelationshipTypeValues.CONTAINS
_EVALUATIONS: Final = Code("C0034375", "UMLS", "Qualitative Evaluations")
_TIME_IN_SCAN: Final = own_code("scan-time", "Time of the frame within the scan")
_DECIDED_BY: Final = own_code("decided-by", "Who decided last on plane and frame")
_MODEL: Final = own_code("model", "The model")
_PERSON: Final = own_code("person", "A person")
_FOUND_AS: Final = own_code("found-as", "Plane that the model found")
_NOT_FOUND: Final = own_code("not-found", "Not found by the model")
_HOW: Final = own_code("how-decided", "How the plane came to its name")


@dataclass(frozen=True, slots=True, eq=False)
class ReportedPlane:
    """A plane, and the exported objects that show it.

    Attributes:
        plane: As it stands.
        images: Its still, and its clip if there is one (see `images.without_pixels`). At least one.
        measured: What was measured in it.
    """

    plane: PlaneEntry
    images: tuple[Dataset, ...]
    measured: tuple[MeasurementEntry, ...] = ()


def structured_report(
    context: StudyContext,
    planes: Sequence[ReportedPlane],
    model: ModelEntry,
    made: datetime,
    checklist: Checklist | None = None,
    age: GestationalAge | None = None,
) -> Dataset:
    """Report the planes. Notes on them and reasons in the checklist are written where there are any.

    Args:
        context: Whose study.
        planes: In the order to report them; at least one, since the standard wants something to refer to.
        model: What found them.
        made: When the report is made, local time. Not written when dates are removed or shifted.
        checklist: Of a protocol, as it stands.
        age: Of the pregnancy by its dates.

    Raises:
        ExportError: There is no plane, or identity was left in the report.
    """
    evidence = [image for reported in planes for image in reported.images]
    if not evidence or any(not reported.images for reported in planes):
        raise ExportError(
            _("A structured report needs at least one exported plane; export one or leave it out.")
        )
    content = sr.MeasurementReport(
        observation_context=observer(),
        procedure_reported=ULTRASONOGRAPHY,
        imaging_measurements=[_group(context, reported, model, age) for reported in planes],
        title=Code("126000", "DCM", "Imaging Measurement Report"),
        referenced_images=evidence,
    )
    content[0].ContentSequence.append(_evaluations(model, checklist, planes, age))
    return finish(report_document(context, evidence, content, FINDINGS, made), context)


def _group(
    context: StudyContext, reported: ReportedPlane, model: ModelEntry, age: GestationalAge | None
) -> sr.MeasurementsAndQualitativeEvaluations:
    plane = reported.plane
    site = SITES.get(plane.plane)
    decided = _PERSON if plane.chosen_by == PERSON else _MODEL
    how = decision(plane)
    found = _NOT_FOUND if plane.found_as is None else plane_code(plane.found_as)
    group = sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(
            uid=context.uids.made("plane", *context.named, str(plane.plane_id)),
            identifier=f"Plane {plane.plane_id}",
        ),
        finding_type=plane_code(plane.plane),
        finding_sites=None if site is None else [sr.FindingSite(anatomic_location=site)],
        algorithm_id=_algorithm(model),
        measurements=[
            sr.Measurement(name=_CERTAINTY, value=round(plane.confidence * 100, 2), unit=PERCENT),
            sr.Measurement(name=_TIME_IN_SCAN, value=round(plane.time_s, 3), unit=_SECOND),
            *_measured(reported, age),
        ],
        qualitative_evaluations=[
            sr.QualitativeEvaluation(name=_DECIDED_BY, value=decided),
            sr.QualitativeEvaluation(name=_FOUND_AS, value=found),
            sr.QualitativeEvaluation(name=_HOW, value=own_code(how.name.lower(), how.value)),
        ],
        source_images=[sr.SourceImageForMeasurementGroup.from_source_image(one) for one in reported.images],
    )
    for item in of_fetus(plane.fetus):
        group[0].ContentSequence.append(item)
    return group


def _measured(reported: ReportedPlane, age: GestationalAge | None) -> list[sr.Measurement]:
    """The numbers that were measured in the plane; what each is of, and by whom, is said in a comment."""
    return [
        sr.Measurement(
            name=measure_code(each.value.name),
            value=round(each.value.number, 3),
            unit=Code(UCUM[each.value.unit], "UCUM", each.value.unit),
            method=method_code(each.value.name),
            properties=_rank(each.centile),
        )
        for each in measured_values(reported.measured, [reported.plane], age)
    ]


def _rank(centile: Dated | None) -> sr.MeasurementProperties | None:
    """Where a measurement lies among those of its age."""
    if centile is None:
        return None
    number = sr.NumContentItem(
        name=_PERCENTILE,
        value=round(centile.number, 2),
        unit=PERCENT,
        relationship_type=sr.RelationshipTypeValues.HAS_PROPERTIES,
    )
    return sr.MeasurementProperties(
        measurement_statistical_properties=sr.MeasurementStatisticalProperties(
            [number], authority=centile.source
        )
    )


def _measured_words(reported: Sequence[ReportedPlane], age: GestationalAge | None) -> list[str]:
    return [each.sentence for one in reported for each in measured_values(one.measured, [one.plane], age)]


def _algorithm(model: ModelEntry) -> sr.AlgorithmIdentification:
    settings = [f"{name}={value}" for name, value in asdict(model.thresholds).items()]
    shape = f"input {model.preprocessing.width} x {model.preprocessing.height}, {model.preprocessing.fit}"
    return sr.AlgorithmIdentification(
        name=f"SEMC Live, model {model.preset}",
        version=VERSION,
        parameters=[f"model SHA-256 {model.sha256}", f"thresholds {', '.join(settings)}", shape],
        family=_LEARNED,
    )


def _evaluations(
    model: ModelEntry,
    checklist: Checklist | None,
    reported: Sequence[ReportedPlane],
    age: GestationalAge | None,
) -> sr.ContainerContentItem:
    """What holds for the whole report: what it is not, what the model says of itself, notes, checklist."""
    planes = [each.plane for each in reported]
    texts = [STATEMENT, model.notice, *(f"Plane {one.plane_id}: {one.note}" for one in planes if one.note)]
    texts += _measured_words(reported, age)
    items: list[sr.ContentItem] = []
    if checklist is not None:
        texts.append(f"Protocol: {english(checklist.title)}")
        texts += [f"{english(row.words)}: {row.reason}" for row in checklist.rows if row.reason]
        items = [_checklist_item(row) for row in checklist.rows]
    comments = [
        sr.TextContentItem(name=COMMENT, value=text, relationship_type=_CONTAINS) for text in texts if text
    ]
    container = sr.ContainerContentItem(name=_EVALUATIONS, relationship_type=_CONTAINS)
    container.ContentSequence = sr.ContentSequence([*comments, *items])
    return container


def _checklist_item(row: ChecklistRow) -> sr.CodeContentItem:
    planes = ", ".join(full_name(plane) for plane in row.planes)
    title = english(row.title)
    item = sr.CodeContentItem(
        name=own_code(f"item {title}", title or planes),
        value=own_code(row.status, row.status.capitalize()),
        relationship_type=_CONTAINS,
    )
    if row.fetus:
        item.ContentSequence = sr.ContentSequence(of_fetus(row.fetus))
    return item
