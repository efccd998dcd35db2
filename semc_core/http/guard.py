"""What stands before everything else: the token, and that every fault is told in words of our own."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from semc_core.http.counters import Counters

_log = logging.getLogger(__name__)
OPEN: Final = "/health"
"""Answered without a token."""
RETRY: Final = {"Retry-After": "30"}
"""Sent along where the same may go well later."""
FAILED: Final = "The service failed; its log says where."
_LINGER_S: Final = 2.0
_MOST_READ: Final = 8_000_000
_CROWDED: Final = "There are too many connections; ask again later."
_INCOMING: Final = "semc.incoming"
_HEADERS: Final = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


def problem(status: int, sentence: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """A refusal. The connection ends with it: what else was being sent is not read."""
    told = {"ok": False, "problem": sentence}
    return JSONResponse(told, status, {"Connection": "close", **(headers or {})})


class _Incoming:
    """What is sent with a request, and whether more of it is to come."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.more = True

    async def __call__(self) -> Message:
        message = await self._receive()
        self.more = message["type"] == "http.request" and message.get("more_body", False)
        return message


async def read_on(scope: Scope) -> None:
    """Read a little of what is still being sent, so that its sender comes to read why it is refused."""
    if any(name == b"expect" for name, _ in scope["headers"]):
        return
    incoming: _Incoming = scope[_INCOMING]
    left = _MOST_READ
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_S):
            while left > 0 and incoming.more:
                left -= len((await incoming()).get("body", b""))


class Guard:
    """An application behind a token."""

    def __init__(
        self, inner: ASGIApp, token: str, counters: Counters, crowded: Callable[[], bool] = lambda: False
    ) -> None:
        """Stand before `inner`; nothing is let in while there are too many connections (`crowded`)."""
        self._inner = inner
        self._token = token.encode("ascii")
        self._counters = counters
        self._crowded = crowded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] != "http":
            return
        begun = False
        receive = _Incoming(receive)
        scope = {**scope, _INCOMING: receive}

        async def noted(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
                if message["status"] >= 400:
                    self._counters.refused.labels(str(message["status"])).inc()
            await send(message)

        if self._crowded():
            await problem(503, _CROWDED, RETRY)(scope, receive, noted)
            return
        if scope["path"] != OPEN and not self._is_known(scope):
            await read_on(scope)
            sentence = "The token is missing or another; send the header Authorization: Bearer TOKEN."
            refusal = problem(401, sentence, {"WWW-Authenticate": "Bearer"})
            await refusal(scope, receive, noted)
            return
        try:
            await self._inner(scope, receive, noted)
        except Exception as error:  # noqa: BLE001 - the boundary of one request
            _log.error("A request ended with a fault: %s", type(error).__name__)
            if begun:
                return
            await problem(500, FAILED)(scope, receive, noted)

    def _is_known(self, scope: Scope) -> bool:
        given: list[Any] = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) != 1:
            return False
        scheme, _, token = given[0].partition(b" ")
        return hmac.compare_digest(token.strip(), self._token) and scheme.lower() == b"bearer"
