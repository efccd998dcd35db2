"""The log of a run: `log.csv` for people and tables, and TensorBoard's files beside it.

Both are written from the same rows. A training that goes on writes them anew from the rows of its checkpoint,
so what was logged after that checkpoint, and comes again, is not there twice.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semc_core.io.atomic import write_atomically
from training.run_folder import saving_to

CSV_NAME = "log.csv"
TENSORBOARD_NAME = "tensorboard"

Row = dict[str, float]


class RunLog:
    """Rows of numbers, one per validation.

    Args:
        folder: Of the run; must exist.
        columns: Of the table; a row may have other values too, which are left out.
        rows: Those there are already.

    Raises:
        SaveError: The log cannot be written.
    """

    def __init__(self, folder: Path, columns: Sequence[str], rows: Sequence[Row] = ()) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.rows: list[Row] = list(rows)
        self._path, self._columns = folder / CSV_NAME, tuple(columns)
        self._write()
        shutil.rmtree(folder / TENSORBOARD_NAME, ignore_errors=True)
        with saving_to(folder):
            self._board: Any = SummaryWriter(str(folder / TENSORBOARD_NAME))
            for row in rows:
                self._show(row)

    def add(self, row: Row) -> None:
        """Log a row with a value for every column.

        Raises:
            SaveError: The table, or TensorBoard's file, cannot be written.
        """
        self.rows.append(row)
        self._write()
        with saving_to(self._path.parent):
            self._show(row)
            self._board.flush()

    def close(self) -> None:
        """Finish TensorBoard's file.

        Raises:
            SaveError: Its end cannot be written.
        """
        with saving_to(self._path.parent):
            self._board.close()

    def _show(self, row: Row) -> None:
        for name in self._columns:
            if name != "step":
                self._board.add_scalar(name, row[name], int(row["step"]))

    def _write(self) -> None:
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(self._columns)
        table.writerows([f"{row[name]:.6g}" for name in self._columns] for row in self.rows)
        write_atomically(self._path, text.getvalue().encode())
