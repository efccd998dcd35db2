"""Clients that send or read as they should not, and what the description promises of every answer."""

from __future__ import annotations

import logging
import socket
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from semc_core.http import answers, guard, uploads
from semc_core.http.server import Place
from tests.http.serving import FILE, KNOWN, PLAIN, TOKEN, Served, all_of, counted, head_of, loop_file, serving
from tests.http.test_service import needs_openssl
from tests.serve.objects import until
from tests.serve.test_tls import certificate

MEGABYTE = 1_000_000
Usage = namedtuple("Usage", "free")


def test_a_file_that_came_whole_and_cannot_be_read_is_answered_at_once(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing more comes that could be waited for.
    monkeypatch.setattr(guard, "_LINGER_S", 3600.0)
    assert served.planes(b"no loop" * 100)[0] == 422
    assert served.ask("POST", "/nothing", b"x")[0] == 404


def test_what_was_sent_is_gone_and_the_next_is_taken_once_the_answer_is_there(
    tmp_path: Path, model: Path
) -> None:
    content = loop_file(tmp_path).read_bytes()
    with serving(tmp_path, model, at_once=1) as served:
        for body, status in [(b"no loop" * 100, 422), (content, 200)] * 4:
            assert served.planes(body)[0] == status
            assert not served.left()


def test_a_client_that_goes_away_before_its_turn_leaves_room_for_the_next_at_once(
    tmp_path: Path, model: Path
) -> None:
    content = loop_file(tmp_path).read_bytes()
    with (
        serving(tmp_path, model, held=True, at_once=2) as served,
        served.raw(*head_of(len(content))) as first,
    ):
        first.sendall(content)
        assert served.runtime.busy.wait(60)
        with served.raw(*head_of(len(content))) as second:
            second.sendall(content)
            until(lambda: counted(served)["semc_loops_waiting"] == 1)
        until(lambda: counted(served)["semc_loops_waiting"] == 0)
        until(lambda: len([path for path in served.left() if path.is_file()]) == 1)
        assert counted(served)["semc_loops_at_work"] == 1


def test_an_address_with_a_slash_more_is_none_and_leads_nowhere(served: Served) -> None:
    for method, path in (("GET", "/sessions/"), ("POST", "/planes/")):
        status, headers, _ = served.ask_text(method, path, None, {**KNOWN, "Host": "elsewhere.example"})
        assert (status, headers["Location"]) == (404, None)


def test_a_method_that_is_not_taken_is_told_which_is(served: Served) -> None:
    assert served.ask_text("PUT", "/planes", b"x")[1]["Allow"] == "POST"
    assert served.ask_text("DELETE", "/sessions")[1]["Allow"] == "GET"


def test_every_answer_is_of_a_kind_that_the_description_names(tmp_path: Path, model: Path) -> None:
    content = loop_file(tmp_path).read_bytes()
    no_file = {**KNOWN, "Content-Type": "application/json"}
    asked: list[tuple[str, str, Any, dict[str, str] | None]] = [
        ("GET", "/health", None, {}),
        *(("GET", path, None, each) for path in ("/sessions", "/metrics", "/docs") for each in ({}, KNOWN)),
        *(("POST", "/planes", body, FILE) for body in (content, b"x" * 999, b"", b"x" * MEGABYTE * 2)),
        *(("POST", "/planes", b"{}", headers) for headers in ({}, no_file)),
    ]  # fmt: skip
    with serving(tmp_path, model, most_mb=1) as served:
        _, described = served.ask("GET", "/openapi.json")
        for method, path, body, headers in asked:
            check_described(described, method, path, *served.ask_text(method, path, body, headers))
        others = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(100)]
        until(lambda: len(served.service._server.server_state.connections) >= 100)
        for method, path, *_ in asked:
            answer = served.ask_text(method, path)
            assert (answer[0], answer[1]["Retry-After"]) == (503, "30")
            check_described(described, method, path, *answer)
        for other in others:
            other.close()


def check_described(
    described: dict[str, Any], method: str, path: str, status: int, headers: Any, text: bytes
) -> None:
    """Raises where an answer is not as the description says."""
    said = described["paths"][path][method.lower()]["responses"][str(status)]["content"]
    (kind,) = said
    assert headers["Content-Type"].partition(";")[0] == kind, (method, path, status)
    if kind == "application/json":
        name = said[kind]["schema"]["$ref"].rpartition("/")[2]
        TypeAdapter(getattr(answers, name)).validate_python(PLAIN.parse(text), strict=True)
        assert set(PLAIN.parse(text)) == set(described["components"]["schemas"][name]["properties"])


def test_one_connection_too_many_is_told_and_counted_and_far_too_many_are_closed(
    tmp_path: Path, model: Path
) -> None:
    with serving(tmp_path, model, connections=3, head_s=60.0) as served:
        known = served.service._server.server_state.connections
        others = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(3)]
        until(lambda: len(known) == 3)
        status, answer = served.ask("GET", "/health")
        assert (status, answer["problem"]) == (503, "There are too many connections; ask again later.")
        others += [socket.create_connection(("127.0.0.1", served.port)) for _ in range(3)]
        until(lambda: len(known) == 6)
        with served.raw("GET /health HTTP/1.1", "Host: x", "") as far_too_many:
            assert all_of(far_too_many) == b""
        for other in others:
            other.close()
        until(lambda: not known)
        assert counted(served)["semc_requests_refused_total503"] == 1


@needs_openssl
def test_connections_that_do_not_come_to_speak_tls_are_bounded_too(tmp_path: Path, model: Path) -> None:
    place = Place("127.0.0.1", 0, *map(Path, certificate(tmp_path, "service")))
    with serving(tmp_path, model, place=place, connections=3) as served:
        silent = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(6)]
        with served.raw("x") as far_too_many:
            assert all_of(far_too_many) == b""
        for each in silent:
            each.close()


def test_a_request_behind_another_on_its_connection_has_its_time(tmp_path: Path, model: Path) -> None:
    content = loop_file(tmp_path).read_bytes()
    first, *rest = head_of(len(content))
    two = ("GET /health HTTP/1.1", "Host: x", "", first, "Connection: close", *rest)
    with serving(tmp_path, model, held=True, head_s=0.2) as served, served.raw(*two) as connection:
        connection.sendall(content)
        assert served.runtime.busy.wait(60)
        with served.raw("GET /health HTTP/1.1") as silent:
            assert all_of(silent) == b""  # what is silent for as long is closed
        served.runtime.go_on.set()
        assert all_of(connection).count(b" 200 OK") == 2


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> int:
    """More sessions than fit between two ends of a connection, bytes."""
    size = 30 * MEGABYTE
    large = {"folder": "x" * size, "sessions": [], "problems": []}
    monkeypatch.setattr("semc_core.http.application.listed_sessions", lambda folder: large)
    return size


LIST = ("GET /sessions HTTP/1.1", "Host: x", "Connection: close", f"Authorization: Bearer {TOKEN}", "")


def test_an_answer_that_is_not_read_is_not_waited_for(tmp_path: Path, model: Path, many: int) -> None:
    with serving(tmp_path, model, silence_s=0.2) as served, served.raw(*LIST) as connection:
        connection.recv(1)
        until(lambda: not served.service._server.server_state.connections)
        assert len(all_of(connection)) < many


def test_an_answer_that_is_read_late_comes_whole(tmp_path: Path, model: Path, many: int) -> None:
    with serving(tmp_path, model, head_s=0.2) as served, served.raw(*LIST) as connection:
        connection.recv(1)
        with served.raw("GET /health HTTP/1.1") as silent:
            assert all_of(silent) == b""
        assert len(all_of(connection)) > many


def test_a_disk_that_an_upload_would_fill_is_seen_before_and_while_it_comes(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = [600 * MEGABYTE]
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(free[-1]))
    monkeypatch.setattr(uploads, "_CHECKED_EVERY", 1000)
    with serving(tmp_path, model, least_free_mb=500) as served:
        # By what it says of its length: nothing of it is taken.
        first, *rest = head_of(101 * MEGABYTE)
        with served.raw(first, "Expect: 100-continue", *rest) as connection:
            assert b" 507 " in all_of(connection)

        def pieces() -> Iterator[bytes]:
            yield b"x" * 1000
            until(lambda: any(path.is_file() for path in served.left()))
            free.append(499 * MEGABYTE)
            yield b"x" * 1000

        assert served.planes(pieces())[0] == 507
        assert not served.left()
        free.append(600 * MEGABYTE)
        assert served.planes(iter([b"x" * 1000] * 2))[0] == 422


def test_what_is_no_http_fills_no_log(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "uvicorn")
    for first in (
        "no http",
        "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close, Upgrade\r\nUpgrade: websocket",
    ):
        with served.raw(first, "") as connection:
            all_of(connection)
    assert not [each for each in caplog.records if each.name.startswith("uvicorn")]
