"""An export's results as FHIR resources, in plain JSON values; each says by an identifier which it is.

What is written is in R4 and in R4B alike. Who was examined is named by the patient's number alone, as the
DICOM objects have it. A resource's identifier follows from its content, as the UID of a DICOM object does:
the same results have the same identifiers again, changed ones new.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from semc_core.export.deidentified import DeidentifiedPlane, DeidentifiedScan
from semc_core.export.dicom.codes import (
    DATED_BY,
    GESTATIONAL_AGE,
    GROWTH_RANK,
    MEAN,
    OBSTETRIC_REPORT,
    PERCENT,
    SCHEME,
    SCHEME_UID,
    ULTRASONOGRAPHY,
    measure_code,
)
from semc_core.export.dicom.images import STATEMENT
from semc_core.export.dicom.study import DUMMY_DATE
from semc_core.export.measured import (
    UCUM,
    FetalMeasure,
    MeasuredValue,
    fetal_measures,
    measured_values,
    was_measured_in,
)
from semc_core.labels import full_name
from semc_core.measure.dating import Dated
from semc_core.session.records import PlaneEntry
from semc_core.version import VERSION

Plain = dict[str, Any]
"""A resource or a part of one, as plain JSON values."""

_SYSTEMS: Final = {
    "LN": "http://loinc.org",
    "SCT": "http://snomed.info/sct",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    SCHEME: f"urn:oid:{SCHEME_UID}",
}
_UNITS: Final = "http://unitsofmeasure.org"
_URI: Final = "urn:ietf:rfc:3986"
_DICOM: Final = "urn:dicom:uid"
_IMAGING: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_SERVICES: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"
_MAKER: Final = {"display": f"SEMC Live {VERSION}"}
_STATUS: Final = "preliminary"
"""Nobody has verified it."""


def entries_of(scan: DeidentifiedScan, objects: Sequence[Dataset]) -> list[Plain]:
    """The entries of a Bundle: each with its name within it, and the resource.

    Args:
        scan: What is exported.
        objects: Headers of the DICOM objects that were written, in order; none where none were.
    """
    return _Entries(scan, objects).made


class _Entries:
    """Makes one resource after another; a later one refers to earlier ones."""

    def __init__(self, scan: DeidentifiedScan, objects: Sequence[Dataset]) -> None:
        self.made: list[Plain] = []
        self._scan = scan
        self._subject = {"type": "Patient", "identifier": {"value": scan.study.patient.patient_id}}
        study = self._study(objects) if objects else None
        self._media = {plane.entry.plane_id: self._picture(plane, objects) for plane in scan.planes}
        entries = [plane.entry for plane in scan.planes]
        measured = measured_values(scan.measurements, entries, scan.age)
        results = [] if scan.age is None else [self._age()]
        single = {each: self._measurement(each) for each in measured}
        results += single.values()
        fetal = fetal_measures(measured, scan.age)
        results += [
            self._mean(found, [single[each] for each in found.values])
            for found in fetal
            if len(found.values) > 1
        ]
        self._report(study, results, OBSTETRIC_REPORT if fetal else ULTRASONOGRAPHY)

    def _add(self, kind: str, content: Plain, identifier: Plain | None = None) -> Plain:
        """Add a resource. Returns a reference to it.

        Args:
            kind: Of the resource.
            content: All but kind and identifier.
            identifier: What it is known by already; else one is made from the content.
        """
        plain = {"resourceType": kind, **content}
        named = json.dumps(identifier or plain, sort_keys=True)
        uid = self._scan.study.uids.made("fhir", kind, hashlib.sha256(named.encode()).hexdigest())
        plain["identifier"] = [identifier or {"system": _URI, "value": f"urn:oid:{uid}"}]
        name = uuid.UUID(int=int(uid.rpartition(".")[2])).urn
        self.made.append({"fullUrl": name, "resource": plain})
        return {"reference": name, "type": kind}

    def _study(self, objects: Sequence[Dataset]) -> Plain:
        series: dict[str, list[Dataset]] = {}
        for each in objects:
            series.setdefault(str(each.SeriesInstanceUID), []).append(each)
        content = {
            "status": "available",
            "modality": [_coding(Code("US", "DCM", "Ultrasound"))],
            "subject": self._subject,
            **_when("started", self._scan.study.study_date),
            "numberOfSeries": len(series),
            "numberOfInstances": len(objects),
            "series": [_series(uid, held) for uid, held in series.items()],
        }
        return self._add("ImagingStudy", content, _of_dicom(self._scan.study.study_uid))

    def _picture(self, plane: DeidentifiedPlane, objects: Sequence[Dataset]) -> Plain:
        found = [each for each in objects if each.filename == f"{plane.stem}.dcm"]
        kind = "application/dicom" if found else "image/png"
        content = {
            "status": "completed",
            "subject": self._subject,
            "width": plane.entry.width,
            "height": plane.entry.height,
            "content": {"contentType": kind, "title": _titled(plane.entry)},
        }
        if not found:
            # Pictures that are alike are of one plane only: its number is in the name of the file.
            content["note"] = [{"text": plane.png}]
        return self._add("Media", content, _of_dicom(found[0].SOPInstanceUID) if found else None)

    def _observation(self, code: Code, name: str, value: Plain, more: Plain) -> Plain:
        content = {
            "status": _STATUS,
            "category": [{"coding": [{"system": _IMAGING, "code": "imaging"}]}],
            "code": _concept(code, name),
            "subject": self._subject,
            **_when("effectiveDateTime", self._scan.study.content_date),
            "device": _MAKER,
            "valueQuantity": value,
        }
        return self._add("Observation", content | more)

    def _age(self) -> Plain:
        age = self._scan.age
        assert age is not None
        method = _concept(DATED_BY[age.origin], age.origin)
        return self._observation(GESTATIONAL_AGE, str(age), _days(age.days), {"method": method})

    def _measurement(self, one: MeasuredValue) -> Plain:
        value = one.value
        more: Plain = {"note": [{"text": one.sentence}], **_components(one.age, one.centile)}
        more |= _about(one.entry.fetus)
        for plane in self._scan.planes:
            if was_measured_in(one.entry, plane.entry):
                more["derivedFrom"] = [self._media[plane.entry.plane_id]]
        quantity = _quantity(round(value.number, 3), value.unit, UCUM[value.unit])
        return self._observation(measure_code(value.name), value.name, quantity, more)

    def _mean(self, found: FetalMeasure, single: list[Plain]) -> Plain:
        more = {
            "method": _concept(MEAN, f"mean of {len(single)}"),
            "derivedFrom": single,
            **_components(found.age, found.centile),
            **_about(found.fetus),
        }
        quantity = _quantity(round(found.mm, 3), "mm", "mm")
        return self._observation(measure_code(found.name), found.name, quantity, more)

    def _report(self, study: Plain | None, results: list[Plain], code: Code) -> None:
        planes = [f"{_titled(each.entry)} ({each.entry.confidence:.0%})" for each in self._scan.planes]
        content: Plain = {
            "status": _STATUS,
            "category": [{"coding": [{"system": _SERVICES, "code": "RUS"}]}],
            "code": _concept(code, code.meaning),
            "subject": self._subject,
            **_when("effectiveDateTime", self._scan.study.content_date),
            "performer": [_MAKER],
            "conclusion": f"{STATEMENT} Planes: {', '.join(planes) or 'none'}.",
        }
        if self._scan.warning:
            content["conclusion"] = f"{self._scan.warning} {content['conclusion']}"
        if results:
            content["result"] = results
        if study is not None:
            content["imagingStudy"] = [study]
        if self._media:
            content["media"] = [{"link": each} for each in self._media.values()]
        self._add("DiagnosticReport", content)


def _series(uid: str, held: Sequence[Dataset]) -> Plain:
    first = held[0]
    instances = [
        {
            "uid": str(each.SOPInstanceUID),
            "sopClass": {"system": _URI, "code": f"urn:oid:{each.SOPClassUID}"},
            "number": int(each.InstanceNumber),
        }
        for each in held
    ]
    return {
        "uid": uid,
        "number": int(first.SeriesNumber),
        "modality": {"system": _SYSTEMS["DCM"], "code": str(first.Modality)},
        "description": str(first.SeriesDescription),
        "numberOfInstances": len(held),
        "instance": instances,
    }


def _about(fetus: str) -> Plain:
    """Of which of several fetuses an observation is."""
    return {"focus": [{"display": f"Fetus {fetus}"}]} if fetus else {}


def _titled(plane: PlaneEntry) -> str:
    return full_name(plane.plane) + (f", fetus {plane.fetus}" if plane.fetus else "")


def _of_dicom(uid: str) -> Plain:
    return {"system": _DICOM, "value": f"urn:oid:{uid}"}


def _coding(code: Code) -> Plain:
    return {"system": _SYSTEMS[code.scheme_designator], "code": code.value, "display": code.meaning}


def _concept(code: Code, text: str) -> Plain:
    return {"coding": [_coding(code)], "text": text}


def _quantity(value: float, unit: str, ucum: str) -> Plain:
    return {"value": value, "unit": unit, "system": _UNITS, "code": ucum}


def _days(days: float) -> Plain:
    return _quantity(round(days), "days", "d")


def _components(age: Dated | None, centile: Dated | None) -> Plain:
    """The age by a measure, and its centile; each says by which formula."""
    found = []
    if age is not None:
        code = _concept(GESTATIONAL_AGE, f"{age.name}: {age.source}")
        found.append({"code": code, "valueQuantity": _days(age.number)})
    if centile is not None:
        code = _concept(GROWTH_RANK, f"{centile.name}: {centile.source}")
        percent = _quantity(round(centile.number, 2), "%", PERCENT.value)
        found.append({"code": code, "valueQuantity": percent})
    return {"component": found} if found else {}


def _when(name: str, date: str) -> Plain:
    """A day as DICOM has it, YYYYMMDD; nothing where dates are removed."""
    known = len(date) == 8 and date.isdigit() and date != DUMMY_DATE
    return {name: f"{date[:4]}-{date[4:6]}-{date[6:]}"} if known else {}
