"""Keeps what was decoded last, within so many bytes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class ByteCache(Generic[T]):
    """Values by frame index; those not used for longest go when `limit` bytes are passed. Not thread-safe.

    Attributes:
        limit: Most bytes to keep.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._bytes = 0
        self._kept: OrderedDict[int, tuple[T, int]] = OrderedDict()

    @property
    def used(self) -> int:
        """Bytes kept now."""
        return self._bytes

    def get(self, index: int) -> T | None:
        """The value of `index`, now the newest; None if it is not kept."""
        found = self._kept.get(index)
        if found is None:
            return None
        self._kept.move_to_end(index)
        return found[0]

    def __contains__(self, index: int) -> bool:
        return index in self._kept

    def nearest(self, first: int, last: int) -> int | None:
        """The highest index kept from `first` to `last`, both inside; None if there is none."""
        return max((index for index in self._kept if first <= index <= last), default=None)

    def put(self, index: int, value: T, size: int) -> None:
        """Keep `value` of `size` bytes. One that is larger than the whole limit is kept alone."""
        old = self._kept.pop(index, None)
        self._bytes += size - (0 if old is None else old[1])
        self._kept[index] = (value, size)
        while self._bytes > self.limit and len(self._kept) > 1:
            _, (_, freed) = self._kept.popitem(last=False)
            self._bytes -= freed

    def clear(self) -> None:
        """Keep nothing."""
        self._kept.clear()
        self._bytes = 0
