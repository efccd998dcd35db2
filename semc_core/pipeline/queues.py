"""Handing frames from one thread to another: newest wins for live, every item in order for files."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class QueueClosed(Exception):  # a signal between threads, not an error for the user
    """The queue will give or take nothing more."""


class LatestQueue(Generic[T]):
    """Hold at most one item. `put` never blocks; an unread item is replaced and counted."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._finished = False
        self._replaced = 0

    @property
    def replaced(self) -> int:
        """How many items were replaced before anybody took them."""
        with self._changed:
            return self._replaced

    @property
    def pending(self) -> bool:
        """Whether an item waits to be taken."""
        with self._changed:
            return self._item is not None

    def put(self, item: T) -> bool:
        """Store `item`, replacing an unread one. Ignored after `finish` or `close`.

        Returns:
            True if an item was lost by this: the unread one, or after `finish` or `close` this one.
        """
        with self._changed:
            if self._finished:
                return True
            replaced = self._item is not None
            self._replaced += replaced
            self._item = item
            self._changed.notify_all()
            return replaced

    def wait_until_empty(self) -> None:
        """Wait until no item is unread. For a source that can wait, where no frame may be lost.

        Raises:
            QueueClosed: `finish` or `close` was called.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._finished or self._item is None)
            if self._finished:
                raise QueueClosed

    def get(self) -> T:
        """Wait for an item and take it.

        Raises:
            QueueClosed: `close` was called, or `finish` was and the last item is gone.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._finished or self._item is not None)
            return self._take()

    def take(self) -> T | None:
        """Take the item if there is one; never waits, never raises."""
        with self._changed:
            return None if self._item is None else self._take()

    def finish(self) -> None:
        """Take nothing more; an unread item can still be taken."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def close(self) -> None:
        """Take nothing more and discard an unread item."""
        with self._changed:
            self._finished = True
            self._item = None
            self._changed.notify_all()

    def _take(self) -> T:
        if self._item is None:
            raise QueueClosed
        item, self._item = self._item, None
        self._changed.notify_all()
        return item


class BoundedQueue(Generic[T]):
    """Hold at most `size` items in order; `put` waits for room. For files, where every frame counts."""

    def __init__(self, size: int) -> None:
        self._changed = threading.Condition()
        self._items: deque[T] = deque()
        self._size = size
        self._finished = False

    def put(self, item: T) -> None:
        """Append `item`, waiting for room.

        Raises:
            QueueClosed: `finish` or `close` was called, before or while waiting.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._finished or len(self._items) < self._size)
            if self._finished:
                raise QueueClosed
            self._items.append(item)
            self._changed.notify_all()

    def get(self) -> T:
        """Wait for the oldest item and take it.

        Raises:
            QueueClosed: `close` was called, or `finish` was and the last item is gone.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._finished or bool(self._items))
            if not self._items:
                raise QueueClosed
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def finish(self) -> None:
        """Take nothing more; unread items can still be taken."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def close(self) -> None:
        """Take nothing more and discard unread items."""
        with self._changed:
            self._finished = True
            self._items.clear()
            self._changed.notify_all()
