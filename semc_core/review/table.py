"""A frame table that grows while a loop is analysed. Looking at it copies nothing."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SessionError
from semc_core.language import _
from semc_core.session.frame_table import frame_row, pack, unpack
from semc_core.session.records import FrameTable
from semc_core.types import FrameResult

_COLUMNS = tuple(field.name for field in fields(FrameTable))


class GrowingTable:
    """Takes results in order; `table` is what there is by then. One writer, readers from any thread.

    The rows are kept in arrays that double when they are full. Tables handed out are views of their first
    rows, which never change again.
    """

    def __init__(self, classes: tuple[str, ...], none_class: str, begin: FrameTable | None = None) -> None:
        """Start with the rows of `begin`, or with none."""
        self._classes = classes
        self._none_class = none_class
        self._lock = threading.Lock()
        self._columns: dict[str, NDArray[Any]] = {}
        self._count = 0
        self._table = unpack([], len(classes))
        if begin is not None and len(begin):
            self._append({name: getattr(begin, name) for name in _COLUMNS})

    def __len__(self) -> int:
        return self._count

    @property
    def table(self) -> FrameTable:
        """The rows so far. Returns at once."""
        with self._lock:
            return self._table

    def add(self, results: Sequence[FrameResult]) -> None:
        """Append results, of rising index.

        Raises:
            SessionError: Their index does not rise, or their classes are others.
        """
        if not results:
            return
        batch = pack([frame_row(result) for result in results], self._classes, self._none_class)
        new = unpack([batch], len(self._classes))
        known = self.table.index
        if len(new) != len(results) or (len(known) and new.index[0] <= known[-1]):
            raise SessionError(_("Frames came out of order; open the loop again."))
        self._append({name: getattr(new, name) for name in _COLUMNS})

    def _append(self, new: dict[str, NDArray[Any]]) -> None:
        first, last = self._count, self._count + len(new["index"])
        for name, values in new.items():
            kept = self._columns.get(name)
            if kept is None or len(kept) < last or kept.shape[1:] != values.shape[1:]:
                kept = self._columns[name] = _enlarged(kept, first, 2 * last, values)
            kept[first:last] = _fitting(values, kept)
        self._count = last
        table = FrameTable(**{name: _view(values, last) for name, values in self._columns.items()})
        with self._lock:
            self._table = table


def _enlarged(kept: NDArray[Any] | None, count: int, capacity: int, values: NDArray[Any]) -> NDArray[Any]:
    """Room for `capacity` rows, with the first `count` of `kept`. Experts known late are NaN until then."""
    shape = values.shape[1:]
    if kept is not None and kept.ndim > 1:
        shape = (max(kept.shape[1], values.shape[1]),)
    room = np.empty((capacity, *shape), values.dtype)
    if kept is not None:
        room[:count] = _fitting(kept[:count], room)
    return room


def _fitting(values: NDArray[Any], room: NDArray[Any]) -> NDArray[Any]:
    if values.shape[1:] == room.shape[1:]:
        return values
    wide = np.full((len(values), *room.shape[1:]), np.nan, values.dtype)
    wide[:, : values.shape[1]] = values
    return wide


def _view(values: NDArray[Any], count: int) -> NDArray[Any]:
    view = values[:count]
    view.flags.writeable = False
    return view
