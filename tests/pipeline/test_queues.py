"""Handing items from thread to thread."""

from __future__ import annotations

import contextlib
import threading

import pytest

from semc_core.pipeline.queues import BoundedQueue, LatestQueue, QueueClosed


def test_the_newest_item_wins_and_the_replaced_are_counted() -> None:
    mailbox: LatestQueue[int] = LatestQueue()
    assert [mailbox.put(number) for number in range(4)] == [False, True, True, True]
    assert (mailbox.pending, mailbox.replaced) == (True, 3)
    assert mailbox.get() == 3
    assert (mailbox.pending, mailbox.replaced) == (False, 3)
    assert mailbox.take() is None


def test_close_discards_the_unread_item_and_finish_keeps_it() -> None:
    closed: LatestQueue[int] = LatestQueue()
    closed.put(1)
    closed.close()
    with pytest.raises(QueueClosed):
        closed.get()
    finished: LatestQueue[int] = LatestQueue()
    finished.put(1)
    finished.finish()
    assert finished.put(2), "what comes after the end is lost"
    assert finished.get() == 1
    with pytest.raises(QueueClosed):
        finished.get()


@pytest.mark.parametrize("end", ["close", "finish"])
def test_a_waiting_reader_is_woken_at_the_end(end: str) -> None:
    mailbox: LatestQueue[int] = LatestQueue()
    woken = threading.Event()

    def read() -> None:
        with pytest.raises(QueueClosed):
            mailbox.get()
        woken.set()

    reader = threading.Thread(target=read)
    reader.start()
    getattr(mailbox, end)()
    assert woken.wait(60)
    reader.join()


def test_a_writer_can_wait_until_its_item_was_taken() -> None:
    mailbox: LatestQueue[int] = LatestQueue()
    got: list[int] = []

    def write() -> None:
        for number in range(100):
            mailbox.wait_until_empty()
            mailbox.put(number)
        mailbox.finish()

    writer = threading.Thread(target=write)
    writer.start()
    with contextlib.suppress(QueueClosed):
        while True:
            got.append(mailbox.get())
    writer.join()
    assert got == list(range(100))
    assert mailbox.replaced == 0


def test_a_waiting_writer_is_woken_when_the_mailbox_closes() -> None:
    mailbox: LatestQueue[int] = LatestQueue()
    mailbox.put(1)
    woken = threading.Event()

    def write() -> None:
        with pytest.raises(QueueClosed):
            mailbox.wait_until_empty()
        woken.set()

    writer = threading.Thread(target=write)
    writer.start()
    mailbox.close()
    assert woken.wait(60)
    writer.join()


def test_the_queue_keeps_everything_in_order_and_holds_no_more_than_its_size() -> None:
    queue: BoundedQueue[int] = BoundedQueue(2)
    put: list[int] = []

    def write() -> None:
        for number in range(50):
            queue.put(number)
            put.append(number)
        queue.finish()

    writer = threading.Thread(target=write)
    writer.start()
    got: list[int] = []
    with contextlib.suppress(QueueClosed):
        while True:
            got.append(queue.get())
            assert len(put) - len(got) <= 2
    writer.join()
    assert got == list(range(50))


def test_closing_the_queue_frees_a_writer_that_waits_for_room() -> None:
    queue: BoundedQueue[int] = BoundedQueue(1)
    queue.put(0)
    freed = threading.Event()

    def write() -> None:
        with pytest.raises(QueueClosed):
            queue.put(1)
        freed.set()

    writer = threading.Thread(target=write)
    writer.start()
    queue.close()
    assert freed.wait(60)
    writer.join()
    with pytest.raises(QueueClosed):
        queue.get()
