"""The interface: which address does what."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request, Security
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from semc_core.http.analysis import ENDING as _ENDING
from semc_core.http.analysis import Analyser, Analysis
from semc_core.http.answers import Health, Planes, Problem, Sessions
from semc_core.http.bounds import Bounds, Refusal
from semc_core.http.counters import TEXT_TYPE, Counters
from semc_core.http.guard import FAILED, OPEN, RETRY, problem, read_on
from semc_core.http.page import page
from semc_core.http.uploads import MEGABYTE, STEM, Uploads, receive, too_large
from semc_core.session.listing import listed_sessions
from semc_core.text import readable
from semc_core.version import VERSION

_GONE: Final = 499
"""Counted so where the client went away; it is sent to nobody."""
_SUFFIXES: Final = {"application/dicom": ".dcm", "video/x-motion-jpeg": ".mjpeg"}
"""Of files that are not known by what is in them alone."""
_KINDS: Final = ("video/", "image/")
_PLAIN: Final = ("", "application/octet-stream", "application/dicom", "application/mxf", "application/ogg")
_ABOUT: Final = (
    "Finds ultrasound standard planes in a loop. Research software, not a medical device. "
    "Everything but /health needs the header `Authorization: Bearer TOKEN`. What is not done is answered "
    "with a Problem, also an address that is none (404) and a method that is not taken (405); what is no "
    "HTTP (400) with a few plain words."
)
_NOT_THERE: Final = {
    404: "There is nothing at this address; GET /docs lists what there is.",
    405: "This address does not take that method; GET /docs lists what there is.",
}
_BODY: Final = {
    "description": "The file itself: a video, a DICOM loop or image, or a picture.",
    "required": True,
    "content": {
        kind: {"schema": {"type": "string", "format": "binary"}}
        for kind in ("application/octet-stream", "application/dicom", "video/*", "image/*")
    },
}


class Interface:
    """What the addresses do, and what they do it with."""

    def __init__(
        self, analyser: Analyser, uploads: Uploads, counters: Counters, bounds: Bounds, sessions: Path
    ) -> None:
        """Prepare; `sessions` is the folder whose sessions are listed."""
        self._analyser = analyser
        self._uploads = uploads
        self._counters = counters
        self._bounds = bounds
        self._sessions = sessions
        self._taken = 0
        self._ended = False
        self._patience: set[asyncio.Timeout] = set()

    def end(self) -> None:
        """Take nothing more, and answer what is under way. On the loop's thread."""
        self._ended = True
        for each in self._patience:
            each.reschedule(0)
        self._analyser.end()

    async def health(self) -> Response:
        """Say whether the service takes loops."""
        return problem(503, _ENDING, RETRY) if self._ended else JSONResponse({"ok": True})

    async def metrics(self) -> Response:
        """What was counted since the start."""
        return Response(self._counters.text(), media_type=TEXT_TYPE)

    async def sessions(self) -> Response:
        """List the sessions of the service's folder."""
        return JSONResponse(_readable(await asyncio.to_thread(listed_sessions, self._sessions)))

    async def planes(self, request: Request) -> Response:
        """Take a loop, analyse every frame of it, and answer with its planes. Nothing of it is kept."""
        try:
            return JSONResponse(_readable(await self._planes(request)))
        except Refusal as refusal:
            if not self._ended:
                await read_on(request.scope)
            again = RETRY if refusal.status in (429, 503, 507) else {}
            return problem(refusal.status, readable(str(refusal)), again)
        except ClientDisconnect:
            self._counters.refused.labels(str(_GONE)).inc()
            return Response(status_code=204)  # read by nobody

    async def _planes(self, request: Request) -> dict[str, Any]:
        suffix = _suffix(request)
        self._check(request)
        # Counted before anything is waited for: two that come at once are two.
        self._taken += 1
        path, handed_on = None, False
        try:
            self._uploads.check_room(self._bounds, _length_of(request))
            path = self._uploads.new(suffix)
            await self._receive(request, path)
            loop = asyncio.get_running_loop()
            analysis = self._analyser.begin(path, lambda: _soon(loop, self._let_go, path))
            handed_on = True
            return {"name": STEM, "ok": True, **await _answer(analysis, request)}
        finally:
            if not handed_on:
                self._let_go(path)

    async def _receive(self, request: Request, path: Path) -> None:
        patience = asyncio.timeout(self._bounds.upload_s)
        self._patience.add(patience)
        try:
            await receive(request.stream(), self._uploads, path, self._bounds, patience)
        except Refusal:
            self._check_end()
            raise
        finally:
            self._patience.discard(patience)
        self._check_end()

    def _check_end(self) -> None:
        if self._ended:
            raise Refusal(503, _ENDING)

    def _check(self, request: Request) -> None:
        """Raises Refusal for what can be known before the first byte."""
        self._check_end()
        if self._taken >= self._bounds.at_once:
            raise Refusal(429, "As many loops as are taken at once are under way; send it again later.")
        if _length_of(request) > self._bounds.most_mb * MEGABYTE:
            raise Refusal(413, too_large(self._bounds))

    def _let_go(self, path: Path | None) -> None:
        self._taken -= 1
        if path is not None:
            self._uploads.remove(path)


def application(interface: Interface) -> FastAPI:
    """The interface as an ASGI application. It asks for no token: see `guard.Guard`."""
    # No pages of FastAPI's: they load scripts from elsewhere. No telemetry, whatever the environment says.
    silent: dict[str, Any] = {
        "telemetry": {"auto_configure": False, "tracing": False, "metrics": False, "logs": False}
    }
    app = FastAPI(
        title="SEMC Live", version=VERSION, description=_ABOUT, docs_url=None, redoc_url=None,
        redirect_slashes=False, **silent,
    )  # fmt: skip
    known = [Security(HTTPBearer(auto_error=False, scheme_name="token"))]

    def add(
        path: str, does: Callable[..., Awaitable[Response]], model: Any = None, text: str = "", **more: Any
    ) -> None:
        refusals = (503,) if path == OPEN else (401, 500, 503, *more.pop("refusals", ()))
        responses = {
            **({200: {"model": model}} if model else {}),
            **({200: {"content": {text: {"schema": {"type": "string"}}}}} if text else {}),
            **{status: {"model": Problem} for status in sorted(refusals)},
        }
        app.add_api_route(
            path, does, response_class=Response if text else JSONResponse, response_model=None,
            responses=responses, dependencies=[] if path == OPEN else known, **more,
        )  # fmt: skip

    add(OPEN, interface.health, Health)
    add("/metrics", interface.metrics, text="text/plain")
    add("/sessions", interface.sessions, Sessions)
    add(
        "/planes", interface.planes, Planes, methods=["POST"], openapi_extra={"requestBody": _BODY},
        refusals=(408, 413, 415, 422, 429, 504, 507),
    )  # fmt: skip

    async def docs() -> Response:
        """Show this interface as a page."""
        return HTMLResponse(
            page(app.openapi()),
            headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
        )

    add("/docs", docs, text="text/html")

    async def not_there(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        await read_on(request.scope)
        sentence = _NOT_THERE.get(error.status_code, "The request was not understood.")
        return problem(error.status_code, sentence, dict(error.headers or {}))

    async def failed(_request: Request, _error: Exception) -> Response:
        return problem(500, FAILED)

    app.add_exception_handler(HTTPException, not_there)
    app.add_exception_handler(Exception, failed)
    return app


async def _answer(analysis: Analysis, request: Request) -> dict[str, Any]:
    """Wait for it, or for its client to go away.

    Raises:
        Refusal: It was not analysed.
        ClientDisconnect: Nobody waits for it any more.
    """
    answer = asyncio.wrap_future(analysis.answer)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise ClientDisconnect
        return answer.result()
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone
        # Also where the service ends and this is cancelled: nobody will read it.
        analysis.end(_GONE, "Its client went away.")
        with suppress(Refusal):
            await answer


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _length_of(request: Request) -> int:
    """Bytes of the body; 0 where its sender does not say. Whether it is a number was seen before."""
    return int(request.headers.get("content-length", "0"))


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[Path | None], None], path: Path | None) -> None:
    """Call on the loop's thread; where the loop has ended, the whole folder is removed next."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call, path)


def _suffix(request: Request) -> str:
    """What the file's name ends with; of what its sender says of it only known kinds are believed.

    Raises:
        Refusal: It is sent as something else than a file.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(415, "The body is encoded; send the file as it is, without Content-Encoding.")
    if kind not in _PLAIN and not kind.startswith(_KINDS):
        raise Refusal(
            415,
            "Send the file itself as the body, as application/octet-stream, application/dicom, video/* or "
            "image/*; forms are not taken.",
        )
    return _SUFFIXES.get(kind, "")


def _readable(value: Any) -> Any:
    """The same with names of files as JSON may hold them."""
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, dict):
        return {_readable(name): _readable(each) for name, each in value.items()}
    return [_readable(each) for each in value] if isinstance(value, list | tuple) else value
