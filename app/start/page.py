"""The start page: every kind of source, what was opened lately, model, device, and how scans are kept."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.keys import with_key
from app.start.first_run import TEST_PATIENT, FirstRun
from app.start.keep_settings import KeepSettings
from app.start.links import LinkList
from app.start.models import ModelChoice
from app.start.record_settings import RecordSettings
from app.widgets import theme
from app.widgets.fitted import FittedBox
from app.widgets.forms import button, panel, side_by_side, tab_in_order, tell_choice
from app.widgets.plain import PlainLabel, plain_tip
from app.widgets.wrapping import WrapRow
from semc_core.language import N_, _

if TYPE_CHECKING:
    from app.start.recent import RecentSession

DEMONSTRATION_TIP: Final = N_(
    "Eleven real planes of fetuses in five countries, named by the fetal model. It learned from these very "
    "pictures: they show how review works, not how good the model is."
)
DEVICES: Final = {"auto": N_("Choose by itself"), "cpu": "CPU", "cuda": "NVIDIA GPU"}


class StartPage(QWidget):
    """What to scan from.

    Attributes:
        first_run: Three things to try, until something was opened.
        last_opened: The newest of what it lists as opened lately, or "".

    Signals:
        chosen: What `semc_core.sources.open.open_source` understands.
        file_wanted: A file is to be chosen.
        folder_wanted: A folder of images is to be chosen.
        card_wanted: How this card or stream (text) of this name (text) is read is to be chosen.
        cameras_wanted: The list of cameras is to be made anew.
        model_wanted: Another model file is to be chosen.
        model_chosen: What is scanned was chosen: a `ModelChoice`.
        device_chosen: "auto", "cpu" or "cuda".
        back_wanted: Back to the scan or the review.
        review_file_wanted: A loop to review is to be chosen.
        review_folder_wanted: A folder of images to review is to be chosen.
        loops_wanted: Several loops are to be shown as a list.
        demonstration_wanted: The loop of real planes that ships with the program is to be reviewed.
        session_wanted: The session in this folder (a `Path`) is to be reviewed.
        sessions_wanted: All sessions are to be shown.
        protocol_chosen: The id of the protocol to follow.
        train_wanted: The page for training is to be shown.
        kept_at_hand: Something that was opened (text) is to stay listed, or no longer (bool).
    """

    chosen = Signal(str)
    file_wanted = Signal()
    folder_wanted = Signal()
    card_wanted = Signal(str, str)
    cameras_wanted = Signal()
    model_wanted = Signal()
    model_chosen = Signal(object)
    device_chosen = Signal(str)
    back_wanted = Signal()
    review_file_wanted = Signal()
    review_folder_wanted = Signal()
    loops_wanted = Signal()
    demonstration_wanted = Signal()
    session_wanted = Signal(object)
    sessions_wanted = Signal()
    protocol_chosen = Signal(str)
    train_wanted = Signal()
    kept_at_hand = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cameras = FittedBox()
        self._last_camera = self.last_opened = ""
        self._with_keys: list[tuple[QPushButton, str, str]] = []
        self._address = QLineEdit()
        self._patient = QSpinBox()
        self._recent = LinkList(_("Nothing opened yet. Drop a loop on the window, or press Start."))
        self._sessions = LinkList(
            _("None yet. Each scan and each review makes one: press Start, or drop a loop on the window.")
        )
        self.recording, self.keeping = RecordSettings(), KeepSettings()
        self._model = FittedBox()
        self._model_line = PlainLabel()
        self._models: list[ModelChoice] = []
        self._offered: list[ModelChoice] = []
        self._chosen_model: tuple[Path, str] | None = None
        self._device = FittedBox()
        self._protocol = FittedBox()
        self._protocol_note = PlainLabel()
        self._back = QPushButton()
        self._back.clicked.connect(self.back_wanted)
        self.first_run = FirstRun(self, self._keyed(_("Open a file …"), "open_file"))
        self.first_run.demonstration_wanted.connect(self.demonstration_wanted)
        self.first_run.chosen.connect(self.chosen)
        self.first_run.file_wanted.connect(self.file_wanted)
        for field, name in (
            (self._cameras, _("Camera")),
            (self._patient, _("Simulated patient")),
            (self._model, _("What is scanned")),
            (self._device, _("Device that the model runs on")),
            (self._protocol, _("Protocol")),
        ):
            field.setMinimumHeight(self._back.sizeHint().height())
            field.setAccessibleName(name)
        tell_choice(self._cameras)
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.addLayout(self._heading())
        layout.addWidget(self.first_run)
        columns = QHBoxLayout()
        columns.setSpacing(round(0.8 * theme.em(self)))
        # Each column has its own heights: what the model says is long, and would stretch a camera's card.
        live = (
            self._camera_card(),
            self._stream_card(),
            self._file_card(),
            self._simulated_card(),
            self._recent_card(),
        )
        for cards in (live, (self._model_card(), self._review_card(), self._sessions_card())):
            column = QVBoxLayout()
            column.setSpacing(columns.spacing())
            for card in cards:
                column.addWidget(card)
            columns.addLayout(column, 1)
        layout.addLayout(columns)
        body.setMaximumWidth(round(68 * theme.em(self)))
        body.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(body, 0, Qt.AlignmentFlag.AlignVCenter)
        scroll = QScrollArea()
        scroll.setWidget(holder)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)

    def show_recent(self, sources: list[str], favourites: Sequence[str] = ()) -> None:
        """List what was opened lately, newest first, and before that what stays listed."""
        self.last_opened = sources[0] if sources else ""
        self._last_camera = next((text for text in sources if text.startswith("camera:")), "")
        newest = [text for text in sources if text not in favourites][:4]
        lines = ((text, text, partial(self.chosen.emit, text)) for text in (*favourites, *newest))
        self._recent.show_links(lines, favourites, self.kept_at_hand.emit)
        tab_in_order(self)

    def show_sessions(self, sessions: list[RecentSession]) -> None:
        """List the sessions made lately, newest first."""
        self._sessions.show_links(
            (one.text, str(one.folder), partial(self.session_wanted.emit, one.folder)) for one in sessions
        )
        tab_in_order(self)

    def show_deleted(self, text: str) -> None:
        """Say which old sessions were deleted at this start."""
        self.keeping.show_done(text)

    def show_cameras(self, cameras: list[tuple[str, str]]) -> None:
        """Offer these: (what is opened, what is shown). The one chosen stays so; at first the last used."""
        chosen = self._cameras.currentData()
        self._cameras.clear()
        for source, name in cameras:
            self._cameras.addItem(name, source)
        none = _("None found")
        if not cameras:
            self._cameras.addItem(none, "camera:0")
        offered = [source for source, _name in cameras]
        for source in (chosen, self._last_camera):
            if source in offered:
                self._cameras.setCurrentIndex(offered.index(source))
                break
        if not cameras:
            self._cameras.setToolTip(f"{none}. " + _("Start tries device 0."))

    def show_model(self, path: Path, name: str, device: str) -> None:
        """The model file, what it is called, and the device that the next scan will use."""
        self._chosen_model = path, name
        self._fill_models()
        if self._device.findData(device) < 0:
            # Asked for on the command line.
            self._device.addItem(device, device)
        self._device.setCurrentIndex(self._device.findData(device))

    def show_models(self, models: list[ModelChoice]) -> None:
        """Offer these models."""
        self._models = models
        self._fill_models()

    @property
    def model_line(self) -> str:
        """What it says of the model that is chosen."""
        return self._model_line.text()

    @property
    def model_title(self) -> str:
        """Which model it says is chosen."""
        return self._model.currentText()

    def _fill_models(self) -> None:
        """The models there are, and a file that was chosen beside them."""
        if self._chosen_model is None:
            return
        path, name = self._chosen_model
        offered = list(self._models)
        if path not in [each.path for each in offered]:
            offered.append(ModelChoice(path, name, ""))
        self._offered = offered
        self._model.clear()
        for at, each in enumerate(offered):
            self._model.addItem(each.title)
            self._model.setItemData(at, each.line, Qt.ItemDataRole.ToolTipRole)
            if not each.usable:
                # Zero: no flags, so it is shown and cannot be chosen.
                self._model.setItemData(at, 0, Qt.ItemDataRole.UserRole - 1)
        at = [each.path for each in offered].index(path)
        self._model.setCurrentIndex(at)
        self._model.setToolTip(plain_tip(f"{offered[at].title}\n{path}"))
        self._model_line.setText(offered[at].line)
        self._model_line.setVisible(bool(offered[at].line))

    def show_protocols(self, choices: Sequence[tuple[str, str]], choice: str) -> None:
        """Offer these protocols (id and title); `choice` is the one that was chosen."""
        self._protocol.clear()
        for key, title in choices:
            self._protocol.addItem(title, key)
        self._protocol.setCurrentIndex(max(0, [key for key, _title in choices].index(choice)))

    @property
    def protocol_note(self) -> str:
        """What it says of the protocol."""
        return self._protocol_note.text()

    def show_protocol_note(self, text: str, warning: bool) -> None:
        """What the model knows of the protocol, in a sentence; "" for nothing."""
        if text == self._protocol_note.text():
            return
        self._protocol_note.setText(text)
        self._protocol_note.setVisible(bool(text))
        self._protocol_note.setObjectName("notice" if warning else "dim")
        self._protocol_note.style().unpolish(self._protocol_note)
        self._protocol_note.style().polish(self._protocol_note)

    def show_back(self, where: str) -> None:
        """What there is to go back to: "scan", "review", or "" for nothing."""
        self._back.setText(
            _("Back to the scan  (Esc)") if where == "scan" else _("Back to the review  (Esc)")
        )
        self._back.setVisible(bool(where))

    def show_keys(self) -> None:
        """Say on the buttons which keys do the same."""
        for made, title, name in self._with_keys:
            made.setText(with_key(title, name))

    def _keyed(self, title: str, name: str) -> QPushButton:
        made = QPushButton(with_key(title, name))
        self._with_keys.append((made, title, name))
        return made

    @property
    def set_by_settings(self) -> dict[str, QWidget]:
        """What chooses a setting, by the setting's name."""
        return {
            "model/device": self._device,
            "protocol/id": self._protocol,
            "record/quality": self.recording.quality,
            "record/clips": self.recording.clips,
            "sessions/keep_days": self.keeping.choice,
            "sessions/keep_bytes": self.keeping.choice,
        }

    def _heading(self) -> QHBoxLayout:
        title = PlainLabel(_("Scan, or review a loop"))
        title.setFont(theme.scaled_font(self.font(), 1.9, bold=True))
        promise = PlainLabel(_("Nothing leaves this computer unless you send it."))
        promise.setObjectName("dim")
        promise.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout()
        # Where the title is long, as in Spanish, it goes below, in one line.
        row.addWidget(WrapRow(title, promise, stretch=1), 1)
        row.addWidget(self._back, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _file_card(self) -> QFrame:
        files = self._keyed(_("Play file …"), "open_file")
        files.clicked.connect(self.file_wanted)
        folder = button(_("Folder of images …"), self.folder_wanted.emit)
        return self._card(
            _("Play a recorded loop"),
            _("As if it were live. Or drop a file anywhere on the window."),
            WrapRow(files, folder),
        )

    def _review_card(self) -> QFrame:
        loop = self._keyed(_("Review file …"), "review")
        loop.clicked.connect(self.review_file_wanted)
        folder = button(_("Folder …"), self.review_folder_wanted.emit)
        folder.setToolTip(_("A folder of images, of a session, or of several loops"))
        several = self._keyed(_("Several …"), "loops")
        several.setToolTip(_("A list of loops, analysed one after another"))
        several.clicked.connect(self.loops_wanted)
        shown = button(_("Demonstration"), self.demonstration_wanted.emit)
        shown.setToolTip(_(DEMONSTRATION_TIP))
        return self._card(
            _("Review a recorded loop"),
            _("Every frame is analysed; correct what was found on a time line."),
            WrapRow(loop, folder, several, shown),
        )

    def _sessions_card(self) -> QFrame:
        every = self._keyed(_("All sessions …"), "sessions")
        every.setToolTip(_("Find one by its day, source, protocol or patient; review it, or delete it"))
        every.clicked.connect(self.sessions_wanted)
        body = QVBoxLayout()
        body.addLayout(self._sessions)
        body.addWidget(WrapRow(every))
        body.addWidget(self.recording)
        body.addWidget(self.keeping)
        return self._card(_("Sessions"), "", body)

    def _camera_card(self) -> QFrame:
        self._cameras.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._cameras.setMinimumContentsLength(8)
        go = QPushButton(_("Start"))
        go.setAccessibleName(_("Start the camera"))
        go.clicked.connect(lambda: self.chosen.emit(str(self._cameras.currentData() or "camera:0")))
        options = QPushButton(_("Picture …"))
        options.setToolTip(_("Size and rate that this card is asked for, levels, shape, combs, flips"))
        options.clicked.connect(
            lambda: self.card_wanted.emit(
                str(self._cameras.currentData() or "camera:0"), self._cameras.currentText()
            )
        )
        again = button(_("Look again"), self.cameras_wanted.emit)
        return self._card(
            _("Camera or capture card"),
            _("The scanner's video output."),
            WrapRow(self._cameras, go, options, again, stretch=0),
        )

    def _stream_card(self) -> QFrame:
        self._address.setPlaceholderText(_("rtsp://… or udp://:5000"))
        self._address.setAccessibleName(_("Address of the stream"))
        go = button(_("Connect"), self._connect)
        self._address.returnPressed.connect(self._connect)
        options = button(_("Picture …"), self._choose_for_stream)
        options.setToolTip(_("How the pictures from this address are read: levels, shape, combs, flips"))
        return self._card(
            _("Network stream"),
            _("From an encoder or another computer."),
            WrapRow(self._address, go, options, stretch=0),
        )

    def _simulated_card(self) -> QFrame:
        self._patient.setRange(0, 999_999)
        self._patient.setValue(TEST_PATIENT)
        self._patient.setPrefix(_("Patient") + " ")
        go = QPushButton(_("Start"))
        go.setAccessibleName(_("Start the simulated scan"))
        go.clicked.connect(lambda: self.chosen.emit(f"simulated:{self._patient.value()}"))
        return self._card(
            _("Simulated scan"),
            _("An upper abdomen, to try the program without a scanner."),
            WrapRow(self._patient, go),
        )

    def _recent_card(self) -> QFrame:
        return self._card(_("Opened lately"), "", self._recent)

    def _model_card(self) -> QFrame:
        for name, title in DEVICES.items():
            self._device.addItem(_(title), name)
        self._device.activated.connect(lambda _at: self.device_chosen.emit(str(self._device.currentData())))
        other = button(_("Other model …"), self.model_wanted.emit)
        tell_choice(self._device)
        body = QVBoxLayout()
        self._model.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._model.setMinimumContentsLength(8)
        self._model.activated.connect(lambda at: self.model_chosen.emit(self._offered[at]))
        self._model_line.setWordWrap(True)
        self._model_line.setObjectName("dim")
        self._model_line.hide()
        body.addWidget(self._model)
        body.addWidget(self._model_line)
        train = button(_("Train …"), self.train_wanted.emit)
        train.setToolTip(_("Train a model on your corrections; choose among your models"))
        body.addWidget(WrapRow(PlainLabel(_("Runs on")), self._device, other, train))
        self._protocol.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._protocol.setMinimumContentsLength(8)
        about = _("The planes that the examination should show; the checklist follows them.")
        tell_choice(self._protocol, about)
        self._protocol.activated.connect(
            lambda _at: self.protocol_chosen.emit(str(self._protocol.currentData()))
        )
        self._protocol_note.setWordWrap(True)
        self._protocol_note.hide()
        body.addLayout(side_by_side(PlainLabel(_("Protocol")), self._protocol, stretch=1))
        body.addWidget(self._protocol_note)
        return self._card(_("What is scanned"), "", body)

    def _card(self, title: str, text: str, body: QWidget | QLayout) -> QFrame:
        card, layout = panel(self, title, text)
        if isinstance(body, QLayout):
            layout.addLayout(body)
        else:
            layout.addWidget(body)
        layout.addStretch(1)
        return card

    def _connect(self) -> None:
        address = self._address.text().strip()
        if address:
            self.chosen.emit(address)
        else:
            self._address.setFocus()

    def _choose_for_stream(self) -> None:
        address = self._address.text().strip()
        if address:
            self.card_wanted.emit(address, _("Network stream"))
        else:
            self._address.setFocus()
