"""How the next scan is recorded, a row on the start page."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.widgets.fitted import FittedBox
from app.widgets.plain import PlainLabel
from app.widgets.wrapping import WrapRow
from semc_core.io.video_quality import Quality
from semc_core.language import N_, _

TITLES: Final = {Quality.COMPACT: N_("compact"), Quality.LOSSLESS: N_("lossless")}


class RecordSettings(QWidget):
    """One row.

    Signals:
        quality_chosen: A `Quality`.
        clips_chosen: Whether a clip is saved with every plane.
    """

    quality_chosen = Signal(object)
    clips_chosen = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.quality = FittedBox()
        self.quality.setAccessibleName(_("Quality of recordings"))
        about = _("Compact is close to the original; lossless keeps every pixel and is larger.")
        self.quality.setToolTip(about)
        self.quality.setMinimumHeight(QPushButton().sizeHint().height())
        for quality, title in TITLES.items():
            self.quality.addItem(_(title), str(quality))
        self.clips = QCheckBox(_("clip with each plane"))
        self.clips.setToolTip(_("From 2 s before the saved frame to 1 s after it. From the next scan on."))
        self.quality.activated.connect(
            lambda _at: self.quality_chosen.emit(Quality(str(self.quality.currentData())))
        )
        self.clips.clicked.connect(self.clips_chosen)
        label = PlainLabel(_("Record"))
        label.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(WrapRow(label, self.quality, self.clips))

    def show_choices(self, quality: Quality, clips: bool) -> None:
        """What the next scan will do."""
        self.quality.setCurrentIndex(list(TITLES).index(quality))
        self.clips.setChecked(clips)
