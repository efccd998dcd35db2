"""A bar that shows how far something is, and stands still."""

from __future__ import annotations

from PySide6.QtWidgets import QProgressBar


class StillBar(QProgressBar):
    """Where nobody knows how far something is, it is empty: Qt's own would move to and fro."""

    def setRange(self, minimum: int, maximum: int) -> None:  # noqa: N802
        """From where to where; 0 to 0 is not known."""
        unknown = minimum == maximum == 0
        super().setRange(minimum, 1 if unknown else maximum)
        if unknown:
            self.reset()
