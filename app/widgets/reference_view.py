"""How a plane should look, beside the picture; under it stands what that is, and whose."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.view_data import Reference
from app.widgets import theme
from app.widgets.accessible import Role, told_as
from app.widgets.drawing import draw_in, image_of
from app.widgets.fitted import FittedLabel, tell_whole
from app.widgets.plain import PlainLabel, plain_tip
from semc_core.language import _


@told_as(Role.Graphic)
class _Picture(QWidget):
    """The picture alone, as large as there is room."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(_("Reference picture"))
        self.image = QImage()

    def paintEvent(self, event: QPaintEvent) -> None:
        """On black, as the picture beside it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#000000"))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        draw_in(painter, self.image, QRectF(self.rect()))
        painter.end()


class ReferenceView(QWidget):
    """A reference picture with its words; where there is none, a sentence in its place.

    Attributes:
        shown: What it shows.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown = Reference()
        self._picture = _Picture()
        self._title, self._words = FittedLabel(), PlainLabel()
        self._title.setObjectName("heading")
        self._words.setObjectName("dim")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(round(0.15 * theme.em(self)))
        self._column.addWidget(self._picture, 1)
        self._words.setWordWrap(True)
        for label in (self._title, self._words):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
            self._column.addWidget(label)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)

    def hasHeightForWidth(self) -> bool:
        """It takes the height of the picture beside it."""
        return False

    def sizeHint(self) -> QSize:
        """As that picture."""
        return QSize(640, 480)

    def minimumSizeHint(self) -> QSize:
        """As that picture, too, it takes what there is."""
        return QSize(0, 0)

    @property
    def words(self) -> str:
        """All that stands under the picture, or in its place."""
        return "\n".join(filter(None, (self._title.text(), self._words.text())))

    def show_reference(self, reference: Reference) -> None:
        """Show this."""
        if reference is self.shown:
            return
        self.shown = reference
        there = reference.pixels is not None
        self._picture.image = QImage() if reference.pixels is None else image_of(reference.pixels)
        self._picture.setAccessibleDescription(reference.title)
        self._picture.setVisible(there)
        self._picture.update()
        tell_whole(self._title, _("Reference: {item}", item=reference.title) if reference.title else "")
        self._title.setVisible(bool(reference.title))
        words = reference.credit if there else reference.sentence
        self._words.setText(words)
        self._words.setVisible(bool(words))
        self._words.setToolTip(plain_tip(words))
        # What is said in place of a picture stands in the middle.
        self._column.setStretch(2, 0 if there else 1)
        upright = Qt.AlignmentFlag.AlignTop if there else Qt.AlignmentFlag.AlignVCenter
        self._words.setAlignment(Qt.AlignmentFlag.AlignHCenter | upright)
