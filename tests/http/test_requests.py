"""What a service answers, and that what is wrong, slow or broken off costs little and leaves nothing."""

from __future__ import annotations

import logging
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import main
from semc_core.http import answers
from semc_core.http.bounds import Bounds
from tests.http.serving import FILE, KNOWN, PLAIN, TOKEN, Served, all_of, counted, head_of, loop_file, serving
from tests.serve.models import PLANE
from tests.serve.objects import until
from tests.session.sessions import filled_session
from tests.sources.test_bombs import BOMBS

MISSING = "The token is missing or another; send the header Authorization: Bearer TOKEN."


@pytest.mark.requirement("D9")
def test_a_loop_is_answered_as_semc_analyse_tells_of_it_and_nothing_of_it_stays(
    served: Served, model: Path, tmp_path: Path
) -> None:
    path = loop_file(tmp_path)
    named = {**FILE, "Content-Disposition": 'attachment; filename="../../../elsewhere.dcm"'}
    status, answer = served.ask("POST", "/planes?name=/etc/passwd", path.read_bytes(), named)
    assert (status, answer["name"], answer["source"]) == (200, "upload", "upload")
    assert [plane["plane"] for plane in answer["planes"]] == [PLANE]
    assert main.main(["analyse", str(path), "--out", str(tmp_path / "out"), "--model", str(model)]) == 0
    (said,) = PLAIN.parse((tmp_path / "out" / "summary.json").read_bytes())["inputs"]
    for one in (said, answer):
        one["name"] = one["source"] = ""
        one["planes"] = [{**plane, "png": None} for plane in one["planes"]]
    assert answer == said
    assert not served.left()
    assert set(tmp_path.iterdir()) == {path, tmp_path / "out", served.folder}


def test_the_description_says_what_is_answered_and_its_page_loads_nothing(
    served: Served, tmp_path: Path
) -> None:
    with filled_session(tmp_path / "sessions" / "first"):
        pass
    _, planes = served.planes(loop_file(tmp_path).read_bytes())
    _, sessions = served.ask("GET", "/sessions")
    health, problem = served.ask("GET", "/health"), served.ask("GET", "/nothing")
    assert (health, problem[0]) == ((200, {"ok": True}), 404)
    for answer, kind in (
        (planes, answers.Planes), (planes["planes"][0], answers.FoundPlane),
        (sessions, answers.Sessions), (sessions["sessions"][0], answers.ListedSession),
        (health[1], answers.Health), (problem[1], answers.Problem),
    ):  # fmt: skip
        assert set(answer) == set(get_type_hints(kind)), kind
    _, described = served.ask("GET", "/openapi.json")
    assert set(described["paths"]) == {"/health", "/metrics", "/sessions", "/planes", "/docs"}
    assert described["paths"]["/planes"]["post"]["security"] == [{"token": []}]
    status, headers, page = served.ask_text("GET", "/docs")
    assert (status, headers["Content-Security-Policy"][:18]) == (200, "default-src 'none'")
    assert b"POST /planes" in page
    assert not re.search(rb"<script|<link|<img|src=|url\(|https?://", page)


def test_sessions_are_listed_as_semc_session_list_does(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert served.ask("GET", "/sessions")[1]["sessions"] == []
    with filled_session(tmp_path / "sessions" / "first"):
        pass
    assert main.main(["session", "list", str(tmp_path / "sessions"), "--json"]) == 0
    said = PLAIN.parse(capsys.readouterr().out.encode())
    assert len(said["sessions"]) == 1
    assert served.ask("GET", "/sessions") == (200, said)


@pytest.mark.parametrize(
    "path", ["/metrics", "/sessions", "/planes", "/docs", "/openapi.json", "/", "/health/"]
)
@pytest.mark.requirement("D9")
def test_without_the_token_nothing_is_answered_and_it_is_in_no_log(
    path: str, served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    method = "POST" if path == "/planes" else "GET"
    for wrong in (
        {}, {"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": "Bearer ä"}, {"Cookie": f"token={TOKEN}"},
    ):  # fmt: skip
        assert served.ask(method, f"{path}?token={TOKEN}", None, wrong) == (
            401,
            {"ok": False, "problem": MISSING},
        )
    assert served.ask("GET", "/health", None, {}) == (200, {"ok": True})
    assert served.ask("GET", "/openapi.json", None, {"Authorization": f"bearer  {TOKEN}"})[0] == 200
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    ("headers", "body", "status", "said"),
    [
        (
            {"Content-Type": "multipart/form-data; boundary=x"},
            b"--x--",
            415,
            "Send the file itself as the body",
        ),
        ({"Content-Type": "application/json"}, b"{}", 415, "Send the file itself as the body"),
        ({"Content-Encoding": "gzip"}, b"x", 415, "The body is encoded"),
        ({"Content-Type": "video/mp4"}, b"no video" * 100, 422, "upload cannot be opened as a video"),
        ({"Content-Type": "application/dicom"}, b"no loop" * 100, 422, "upload"),
        ({}, b"", 422, "Nothing was sent"),
    ],
)
def test_what_is_no_loop_is_refused_with_a_sentence(
    headers: dict[str, str], body: bytes, status: int, said: str, served: Served
) -> None:
    answered, answer = served.ask("POST", "/planes", body, {**KNOWN, **headers})
    assert (answered, answer["ok"]) == (status, False)
    assert said in answer["problem"]
    assert not served.left()


def test_what_is_not_there_is_said(served: Served) -> None:
    assert "GET /docs" in served.ask("GET", "/redoc")[1]["problem"]
    assert served.ask("GET", "/planes")[0] == served.ask("DELETE", "/sessions")[0] == 405


@pytest.mark.parametrize("name", ["a.png", "a.y4m", "native.dcm"])
def test_what_would_unpack_to_far_more_is_refused(name: str, served: Served) -> None:
    make, told = BOMBS[name]
    status, answer = served.planes(make())
    assert status == 422
    assert any(each in answer["problem"] for each in told.split("|"))
    assert not served.left()


def test_too_large_a_file_is_refused_by_its_length_and_by_what_comes(tmp_path: Path, model: Path) -> None:
    sentence = "The file is larger than 1 MB; send a shorter loop, or analyse it by semc analyse."
    with serving(tmp_path, model, most_mb=1) as served:
        assert served.planes(b"x" * 1_000_001) == (413, {"ok": False, "problem": sentence})
        # In pieces, without a length.
        assert served.planes(iter([b"x" * 100_000] * 11)) == (413, {"ok": False, "problem": sentence})
        assert served.planes(b"x" * 1_000_000)[0] == 422
        assert not served.left()
        assert counted(served)["semc_requests_refused_total413"] == 2


def test_too_slow_an_upload_is_broken_off_and_so_is_a_connection_that_asks_nothing(
    tmp_path: Path, model: Path
) -> None:
    with serving(tmp_path, model, silence_s=0.2, head_s=0.2) as served:
        with served.raw(*head_of(1000)) as connection:
            connection.sendall(b"x" * 10)
            assert b" 408 " in all_of(connection)
        with served.raw("GET /health HTTP/1.1") as connection:
            assert all_of(connection) == b""
        # Also after a request that was answered.
        with served.raw("GET /health HTTP/1.1", "Host: x", "", "GET /hea") as connection:
            assert all_of(connection).endswith(b'{"ok":true}')
        assert not served.left()
    with serving(tmp_path, model, upload_s=0.2) as served, served.raw(*head_of(1000)) as connection:
        assert b" 408 " in all_of(connection)


@pytest.mark.parametrize(
    "lines",
    [
        ("Transfer-Encoding: chunked", "", "5", "12345", "no length", "x"),
        ("Content-Length: -1", "", ""),
        ("Content-Length: 5", "Content-Length: 7", "", "12345"),
        ("Content-Length: 5", "Transfer-Encoding: chunked", "", "5", "12345", "0", "", "GET /x"),
    ],
)
def test_what_is_no_http_leaves_nothing_and_the_service_goes_on(
    lines: tuple[str, ...], served: Served
) -> None:
    with served.raw(
        "POST /planes HTTP/1.1", "Host: x", f"Authorization: Bearer {TOKEN}", *lines
    ) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert b" 200 " not in all_of(connection)
    until(lambda: not served.left())
    assert served.ask("GET", "/health")[0] == 200


def test_two_at_once_are_both_answered_and_one_too_many_is_told_so(tmp_path: Path, model: Path) -> None:
    first, second = loop_file(tmp_path, 1).read_bytes(), loop_file(tmp_path, 2).read_bytes()
    with serving(tmp_path, model, held=True, at_once=2) as served, ThreadPoolExecutor(2) as askers:
        both = [askers.submit(served.planes, content) for content in (first, second)]
        until(lambda: counted(served)["semc_loops_waiting"] == 1)
        assert counted(served)["semc_loops_at_work"] == 1
        status, headers, _ = served.ask_text("POST", "/planes", first, FILE)
        assert (status, headers["Retry-After"]) == (429, "30")
        assert served.ask("GET", "/health")[0] == 200
        served.runtime.go_on.set()
        assert [one.result()[0] for one in both] == [200, 200]
        until(lambda: not served.left())
        assert served.planes(first)[0] == 200
        counts = counted(served)
        assert (counts["semc_loops_analysed_total"], counts["semc_loops_failed_total"]) == (3, 0)
        assert (counts["semc_loops_waiting"], counts["semc_loop_seconds_count"]) == (0, 3)
        assert counts["semc_requests_refused_total429"] == 1


@pytest.mark.parametrize("sent", [0.5, 1.0])
@pytest.mark.requirement("D9")
def test_a_client_that_goes_away_leaves_nothing_and_holds_up_nobody(
    sent: float, tmp_path: Path, model: Path
) -> None:
    content = loop_file(tmp_path).read_bytes()
    with serving(tmp_path, model, held=True, at_once=1) as served:
        with served.raw(*head_of(len(content))) as connection:
            connection.sendall(content[: int(len(content) * sent)])
            until(lambda: bool(served.left()) if sent < 1 else served.runtime.busy.is_set())
        served.runtime.go_on.set()
        until(lambda: not served.left())
        assert served.planes(content)[0] == 200
        counts = counted(served)
        assert counts["semc_requests_refused_total499"] == 1
        assert (counts["semc_loops_analysed_total"], counts["semc_loops_failed_total"]) == (1, 0)


def test_an_analysis_that_takes_too_long_is_ended(tmp_path: Path, model: Path) -> None:
    content = loop_file(tmp_path).read_bytes()
    with serving(tmp_path, model, held=True, analysis_s=0.3) as served:
        sentence = "Its analysis took more than 0.3 s; cut the loop."
        assert served.planes(content) == (504, {"ok": False, "problem": sentence})
        served.runtime.go_on.set()
        until(lambda: not served.left())
        assert counted(served)["semc_loops_failed_total"] == 1


def test_the_end_of_the_service_answers_what_is_under_way_and_leaves_nothing(
    tmp_path: Path, model: Path
) -> None:
    content = loop_file(tmp_path).read_bytes()
    with ThreadPoolExecutor(2) as askers, serving(tmp_path, model, held=True) as served:
        both = [askers.submit(served.planes, content) for _ in range(2)]
        until(lambda: counted(served)["semc_loops_waiting"] == 1)
        served.service.stop()
        sentence = "The service is ending; send it again later."
        assert [one.result() for one in both] == [(503, {"ok": False, "problem": sentence})] * 2
    assert not list(served.folder.iterdir())


def test_no_room_on_the_disk_is_said_before_anything_is_taken(tmp_path: Path, model: Path) -> None:
    with serving(tmp_path, model, least_free_mb=10**9) as served:
        status, answer = served.planes(b"x")
        assert (status, answer["problem"][:27]) == (507, "There is too little room on")
        assert not served.left()


def test_more_connections_than_are_taken_are_turned_away(tmp_path: Path, model: Path) -> None:
    with serving(tmp_path, model, connections=3) as served:
        others = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(3)]
        try:
            until(lambda: served.ask_text("GET", "/health")[0] == 503)
        finally:
            for other in others:
                other.close()
        until(lambda: served.ask_text("GET", "/health")[0] == 200)


def test_a_fault_of_the_service_is_told_in_its_own_words(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(folder: Path) -> Any:
        raise ValueError("SECRET")

    monkeypatch.setattr("semc_core.http.application.listed_sessions", fails)
    status, answer = served.ask("GET", "/sessions")
    assert (status, answer["ok"]) == (500, False)
    # Written down once the answer is out.
    until(lambda: "ValueError" in caplog.text)
    assert "SECRET" not in caplog.text + answer["problem"]


def test_the_usual_bounds_are_those_of_the_document() -> None:
    text = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
    usual = Bounds()
    for number in (
        f"{usual.most_mb} MB",
        f"{usual.analysis_s:g} s",
        f"{usual.silence_s:g} s",
        f"{usual.connections} ",
    ):
        assert number in text, number
