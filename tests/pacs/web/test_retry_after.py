"""A service that says when it wants to be asked again is left alone until then."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

pytest.importorskip("dicomweb_client", reason="the extra `web` is not installed")
from semc_core.pacs.association import AssociationFault
from semc_core.pacs.outbox import FIRST_WAIT_S
from semc_core.pacs.web.retry_after import MOST_S, asked_wait_s
from semc_core.pacs.web.store import WebStorage
from semc_core.pacs.web_secret import WebSecret
from tests.pacs.servers import Sending, objects, put
from tests.pacs.web.servers import Asked, Reply, service, serving
from tests.pacs.web.test_storing import one_object

THEN = datetime(2020, 2, 29, 23, 59, 30, tzinfo=UTC)
"""Long ago: what counts is how far apart the service's own times are."""


def later(seconds: float) -> str:
    return format_datetime(THEN + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [
        ("120", 120), (" 7 ", 7), ("0", 0), ("", 0), ("-5", 0), ("soon", 0), ("1.5", 0),
        ("\N{SUPERSCRIPT TWO}", 0), ("9" * 400, MOST_S),
        (later(90), 90), (later(-90), 0), (later(10**6), MOST_S),
        ("Fri, 99 Foo 2020 99:99:99 GMT", 0), ("Sat, 29 Feb 2020 24:00:00 +9999999", 0),
    ],
)  # fmt: skip
def test_what_is_asked_is_understood_and_bounded(said: str, wait_s: float) -> None:
    assert asked_wait_s({"Retry-After": said, "Date": later(0)}) == wait_s


def test_without_a_clock_of_its_own_this_machines_holds() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 30 < asked_wait_s({"Retry-After": in_a_minute}) <= 60
    assert asked_wait_s({}) == 0


def busy(status: int, wait: str) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Retry-After", wait)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return reply


@pytest.mark.parametrize("status", [429, 503])
def test_a_service_that_asks_to_wait_is_left_alone_so_long(tmp_path: Path, status: int) -> None:
    def answer(_: Asked) -> Reply:
        return busy(status, "600")

    before_s = time.time()
    with serving(answer) as there, Sending(tmp_path, service(there.port)) as sending:
        put(sending.queue, "archive", objects(2))
        sending.service.wake()
        assert sending.wait_until(lambda counts: bool(sending.messages()[0])) == {"waiting": 2}
        assert sending.messages() == [
            f"archive cannot be asked now ({status}); it wants to be left alone for 600 s."
        ]
        with sending.queue._file.reading() as connection:
            ((due_s,),) = connection.execute("SELECT due_s FROM links")
        assert len(there.asked) == 1, "the second object was not tried"
    assert due_s >= before_s + 600 > before_s + FIRST_WAIT_S


def test_one_that_is_too_busy_to_say_whether_it_has_an_object_is_not_sent_it_again(tmp_path: Path) -> None:
    one, _ = one_object(tmp_path)
    with (
        serving(lambda _: busy(429, "60")) as there,
        WebStorage(service(there.port), WebSecret()) as link,
        pytest.raises(AssociationFault, match="429") as raised,
    ):
        link.has(one)
    assert raised.value.after_s == 60
