"""The first page of the export dialog: who, what and where; ready as it opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QRegularExpression, Qt, Signal
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.export.planes_list import PlanesList
from app.export.presenter import (
    IDENTIFIED_WARNING,
    Material,
    contents,
    free_name,
    name_problem,
    patient_problem,
    planes_problem,
)
from app.file_dialogs import PathDialog
from app.widgets import theme
from app.widgets.forms import add_row, button, side_by_side
from app.widgets.plain import PlainLabel, plain_tip
from semc_core.export.options import ExportOptions, Patient
from semc_core.language import N_, _

_PARTS = (
    ("clips", N_("Clips"), N_("A short video round each plane (MP4)")),
    ("report", N_("Report"), N_("Pictures, confidences and the model, as HTML and PDF")),
    ("dicom", "DICOM", N_("Images, clips and a structured report; only these can be sent to a PACS")),
    ("fhir", "FHIR", N_("Report and measurements as FHIR R4 resources (JSON), for information systems")),
    ("frames", N_("Table of frames"), N_("What the model said of every frame (CSV)")),
    ("checklist", N_("Checklist"), N_("Of the protocol, in the report")),
    (
        "notes",
        N_("Notes"),
        N_("Notes, reasons and names of marked stretches: free text, which may name somebody"),
    ),
)
_SHIFT = "shift_dates"
_DICOM = (
    ("jpeg", N_("Compress as JPEG"), N_("Much smaller; a little of the pictures is lost")),
    (
        "obgyn",
        N_("Obstetric report"),
        N_(
            "Where a fetus was measured: HC, BPD, OFD, AC and FL with ages and centiles, as reporting "
            "systems read them (TID 5000)"
        ),
    ),
    (
        _SHIFT,
        N_("Shift dates (else removed)"),
        N_(
            "All dates of a patient are moved by the same time, so that the time between examinations stays. "
            "Otherwise they are removed"
        ),
    ),
)
_SEXES = (("", N_("not said")), ("F", N_("female")), ("M", N_("male")), ("O", N_("other")))


class PatientForm(QWidget):
    """Who was examined. What DICOM cannot hold cannot be typed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = self._field(r"[^\\\x00-\x1f]{0,64}", _("Family^Given"))
        self.patient_id = self._field(r"[^\\\x00-\x1f]{0,64}", _("As in the hospital's system"))
        self.birth_date = self._field(r"(\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01]))?", _("YYYYMMDD"))
        self.sex = QComboBox()
        for value, title in _SEXES:
            self.sex.addItem(_(title), value)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setSpacing(4)
        for title, field in (
            (_("Name"), self.name),
            (_("Patient ID"), self.patient_id),
            (_("Born"), self.birth_date),
            (_("Sex"), self.sex),
        ):
            add_row(form, title, field)

    def _field(self, pattern: str, hint: str) -> QLineEdit:
        field = QLineEdit()
        field.setValidator(QRegularExpressionValidator(QRegularExpression(pattern), field))
        field.setPlaceholderText(hint)
        return field

    @property
    def patient(self) -> Patient:
        """What was typed."""
        return Patient(
            self.name.text().strip(),
            self.patient_id.text().strip(),
            self.birth_date.text(),
            str(self.sex.currentData()),
        )

    @property
    def problem(self) -> str:
        """What is wrong with it, a sentence; or ""."""
        if not self.birth_date.hasAcceptableInput():
            return _("The birth date must be eight digits, YYYYMMDD, or empty.")
        return ""


class OptionsPage(QScrollArea):
    """What is exported. Decides nothing: `options`, `patient_form`, `folder` and `name` say what is chosen.

    Signals:
        changed: Something was ticked.
    """

    changed = Signal()

    def __init__(self, options: ExportOptions, folder: Path, parent: QWidget | None = None) -> None:
        """Show these options, and this folder to export to."""
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.folder = folder
        self.parts = {name: QCheckBox(_(title)) for name, title, _tip in (*_PARTS, *_DICOM)}
        self.deidentified = QRadioButton(_("De-identified"))
        self.identified = QRadioButton(_("Identified"))
        self.as_folder = QRadioButton(_("Folder"))
        self.as_zip = QRadioButton(_("ZIP file"))
        self.name = QLineEdit()
        self.name.setAccessibleName(_("Name of the export"))
        self.patient_form = PatientForm()
        self.planes = PlanesList()
        self.examination = QCheckBox(_("All {count} scans of this examination", count=1))
        self.examination.setToolTip(
            _("One folder with a report of all scans that were said to be of the same examination")
        )
        self._material: Material | None = None
        self._suggested = ""
        self._paths = PathDialog(self)
        self._build()
        self._show(options)
        self._connect()

    @property
    def options(self) -> ExportOptions:
        """What is ticked."""
        ticked: dict[str, Any] = {name: box.isChecked() for name, box in self.parts.items()}
        return ExportOptions(
            deidentify=self.deidentified.isChecked(),
            packed=self.as_zip.isChecked(),
            dates="shifted" if ticked.pop(_SHIFT) else "removed",
            planes=None if self._whole else self.planes.chosen,
            examination=self._whole,
            **ticked,
        )

    @property
    def problem(self) -> str:
        """What is wrong with what was typed, a sentence; or ""."""
        return self._planes_problem or name_problem(self.name.text()) or self._patient_problem

    @property
    def _planes_problem(self) -> str:
        return planes_problem(self.options.planes)

    @property
    def _whole(self) -> bool:
        """Whether all scans of the examination are exported."""
        several = self._material is not None and self._material.scans > 1
        return several and self.examination.isChecked()

    @property
    def _patient_problem(self) -> str:
        if self.deidentified.isChecked():
            return ""
        return self.patient_form.problem or patient_problem(self.patient_form.patient, self._material)

    def show_problem(self) -> None:
        """Go to the field that `problem` is about."""
        form = self.patient_form
        wrong: QWidget = form.birth_date if form.problem else form.name
        wrong = self.name if name_problem(self.name.text()) else wrong
        wrong = self.planes.list if self._planes_problem else wrong
        wrong.setFocus()
        self.ensureWidgetVisible(wrong)

    def show_material(self, material: Material | None) -> None:
        """Say what will be in the export."""
        self._material = material
        self._suggest_name()
        if material is None:
            self._contents.setText(_("Looking what there is …"))
            return
        self.planes.show_planes(material.planes)
        for each in (self._which, self.planes):
            each.setVisible(len(material.planes) > 1)
        self.examination.setVisible(material.scans > 1)
        self.examination.setText(_("All {count} scans of this examination", count=material.scans))
        self.planes.setEnabled(not self._whole)
        self._contents.setText("\n".join(contents(material, self.options)))
        protocol = material.protocol
        box = self.parts["checklist"]
        box.setVisible(protocol is not None)
        box.setEnabled(self.parts["report"].isChecked())
        if protocol is not None:
            box.setText(_("Checklist: {title}", title=protocol.title))

    def show_folder(self, folder: Path) -> None:
        """Export to this folder."""
        self.folder = folder
        self._where.setToolTip(plain_tip(str(folder)))
        wide = round(11 * theme.em(self))
        text = self.fontMetrics().elidedText(str(folder), Qt.TextElideMode.ElideMiddle, wide)
        self._where.setText(_("in {folder}", folder=text))
        self.name_anew()

    def name_anew(self) -> None:
        """Name what is exported next, also where the user named it before."""
        self._suggested = self.name.text()
        self._suggest_name()

    def _suggest_name(self) -> None:
        """Name the export, unless the user did."""
        untouched = self.name.text() == self._suggested
        self._suggested = free_name(self.folder, self.deidentified.isChecked(), self._material)
        if untouched:
            self.name.setText(self._suggested)

    def _show(self, options: ExportOptions) -> None:
        for name, box in self.parts.items():
            box.setChecked(options.dates == "shifted" if name == _SHIFT else getattr(options, name))
        (self.as_zip if options.packed else self.as_folder).setChecked(True)
        (self.deidentified if options.deidentify else self.identified).setChecked(True)
        self.show_folder(self.folder)
        self._show_who()
        self._show_dicom()

    def _connect(self) -> None:
        self.planes.changed.connect(self.changed)
        for each in (*self.parts.values(), self.as_zip, self.examination):
            each.toggled.connect(lambda _on: self.changed.emit())
        self.deidentified.toggled.connect(self._who_changed)
        self.parts["dicom"].toggled.connect(self._show_dicom)

    def _who_changed(self) -> None:
        self._suggest_name()
        self._show_who()
        self.changed.emit()

    def _show_who(self) -> None:
        named = self.identified.isChecked()
        self._warning.setVisible(named)
        self.patient_form.setVisible(named)
        # Without a name to hide, notes are always written, and dates as they are.
        self.parts["notes"].setVisible(not named)
        self.parts[_SHIFT].setVisible(not named)

    def _show_dicom(self) -> None:
        for name, _title, _tip in _DICOM:
            self.parts[name].setEnabled(self.parts["dicom"].isChecked())

    def _build(self) -> None:
        em = theme.em(self)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, round(0.6 * em), 0)
        column.setSpacing(round(0.35 * em))
        self._contents = PlainLabel()
        self._contents.setWordWrap(True)
        column.addWidget(self._contents)
        column.addWidget(self.examination)
        self.examination.setChecked(True)
        self.examination.hide()
        self._which = _heading(_("Which planes"))
        for each in (self._which, self.planes):
            column.addWidget(each)
            each.hide()
        column.addWidget(_heading(_("Who can read it")))
        column.addLayout(_group(self, self.deidentified, self.identified))
        self._warning = PlainLabel(_(IDENTIFIED_WARNING))
        self._warning.setObjectName("notice")
        self._warning.setWordWrap(True)
        column.addWidget(self._warning)
        column.addWidget(self.patient_form)
        column.addWidget(_heading(_("What is in it, beside the pictures")))
        grid = QGridLayout()
        grid.setVerticalSpacing(round(0.25 * em))
        checklist = self.parts["checklist"]
        for name, _title, tip in _PARTS:
            self.parts[name].setToolTip(plain_tip(_(tip)))
            if (box := self.parts[name]) is not checklist:
                grid.addWidget(box, *divmod(grid.count(), 2))
        # With the title of its protocol.
        grid.addWidget(checklist, grid.rowCount(), 0, 1, 2)
        checklist.setVisible(False)
        column.addLayout(grid)
        column.addWidget(_heading(_("DICOM objects")))
        for name, _title, tip in _DICOM:
            self.parts[name].setToolTip(plain_tip(_(tip)))
            column.addWidget(self.parts[name])
        column.addWidget(_heading(_("Where")))
        column.addLayout(_group(self, self.as_folder, self.as_zip))
        column.addWidget(self.name)
        self._where = PlainLabel()
        self._where.setObjectName("dim")
        change = button(_("Change …"), self._choose_folder)
        change.setObjectName("flat")
        column.addLayout(side_by_side(self._where, change, stretch=0))
        column.addStretch(1)
        self.setWidget(body)
        body.setAutoFillBackground(False)
        self.viewport().setAutoFillBackground(False)
        self.setFrameShape(QFrame.Shape.NoFrame)

    def _choose_folder(self) -> None:
        self._paths.ask_folder(
            _("Where to export"), lambda folder: self.show_folder(Path(folder)), beside=self.folder
        )


def _heading(text: str) -> QLabel:
    label = PlainLabel(text)
    label.setObjectName("heading")
    return label


def _group(owner: QWidget, *buttons: QRadioButton) -> QHBoxLayout:
    """Side by side, one of them chosen."""
    group = QButtonGroup(owner)
    for each in buttons:
        group.addButton(each)
    row = side_by_side(*buttons)
    row.setSpacing(round(1.5 * theme.em(owner)))
    return row
