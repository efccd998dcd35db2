"""What is said of a recording of the scan: pure functions. No Qt here."""

from __future__ import annotations

from app.live.presenter import StatusItem
from semc_core.session.recording.recorder import RecordingState
from semc_core.text import counted


def badge(state: RecordingState | None) -> str:
    """ "REC 1:05" over the picture while frames are recorded, or ""."""
    if state is None or not state.active:
        return ""
    seconds = int(state.seconds)
    return f"REC {seconds // 60}:{seconds % 60:02d}"


def size_text(size_bytes: int) -> str:
    """ "340 MB", "1.2 GB"."""
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


def status_of(state: RecordingState | None) -> tuple[StatusItem, ...]:
    """The numbers of the status line: size, and frames that are missing in the recording."""
    if state is None or not (state.active or state.frames):
        return ()
    name = "Recording" if state.active else "Recorded"
    value = size_text(state.size_bytes)
    if not state.lost:
        return (StatusItem(name, value),)
    return (StatusItem(name, value), StatusItem("Not recorded", counted(state.lost, "frame"), worrying=True))
