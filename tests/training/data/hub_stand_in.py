"""A hub on this machine that behaves as the real ones do, and as they do on a bad day."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


_FILES = re.compile(rf"(?:/api/records/7/files|/datasets/someone/planes/resolve/{COMMIT})/(.+?)(?:/content)?")


class Hub:
    """Serves files as a record of Zenodo (7) and as a repository of the Hugging Face hub (someone/planes).

    Attributes:
        files: Name and content.
        break_after: Bytes after which each of the next answers breaks off.
        statuses: Answered to the next requests for a file, instead of the file.
        ranges_ignored: Answer every request with the whole file.
        checksums: Wrong ones, by name.
        asked: For each file the first byte that each request asked for.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.break_after: list[int] = []
        self.statuses: list[int] = []
        self.ranges_ignored = False
        self.checksums: dict[str, str] = {}
        self.asked: defaultdict[str, list[int]] = defaultdict(list)

    def __enter__(self) -> Hub:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.answer(self, body=True)

            def do_HEAD(self) -> None:
                hub.answer(self, body=False)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: BaseHTTPRequestHandler, body: bool) -> None:
        """Decide by the path what to send."""
        path = unquote(urlsplit(request.path).path)
        if path == "/api/records/7":
            self._send_json(request, self._record())
        elif path.startswith("/api/datasets/someone/planes"):
            self._send_json(request, self._tree() if "/tree/" in path else self._repository())
        elif found := _FILES.fullmatch(path):
            self._send_file(request, found[1], body)
        else:
            request.send_error(404)

    def _send_json(self, request: BaseHTTPRequestHandler, plain: object) -> None:
        content = json.dumps(plain).encode()
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def _send_file(self, request: BaseHTTPRequestHandler, name: str, body: bool) -> None:
        if body and self.statuses:
            request.send_error(self.statuses.pop(0))
            return
        content = self.files[name]
        start = 0
        asked = re.match(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if body:
            self.asked[name].append(int(asked[1]) if asked else 0)
        if asked and not self.ranges_ignored:
            start = int(asked[1])
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            request.send_response(200)
        request.send_header("Content-Length", str(len(content) - start))
        request.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        request.send_header("X-Repo-Commit", COMMIT)
        request.send_header("Accept-Ranges", "bytes")
        request.end_headers()
        if body:
            end = start + self.break_after.pop(0) if self.break_after else len(content)
            request.wfile.write(content[start:end])
            request.close_connection = end < len(content)

    def _record(self) -> dict[str, object]:
        files = [
            {"key": name, "size": len(content), "checksum": self.checksums.get(name, f"md5:{_md5(content)}")}
            for name, content in self.files.items()
        ]
        return {"metadata": {"title": "Planes", "license": {"id": "cc-by-4.0"}}, "files": files}

    def _repository(self) -> dict[str, object]:
        siblings = [
            {
                "rfilename": name,
                "size": len(content),
                "blobId": _blob(content),
                "lfs": {"sha256": self._sha256(name), "size": len(content), "pointerSize": 1},
            }
            for name, content in self.files.items()
        ]
        return {
            "id": "someone/planes", "sha": COMMIT, "private": False, "gated": False, "disabled": False,
            "downloads": 0, "likes": 0, "tags": [], "siblings": siblings,
            "cardData": {"license": "cc-by-4.0"},
        }  # fmt: skip

    def _tree(self) -> list[dict[str, object]]:
        return [
            {
                "type": "file", "path": name, "size": len(content), "oid": _blob(content),
                "lfs": {"oid": self._sha256(name), "size": len(content), "pointerSize": 1},
            }
            for name, content in self.files.items()
        ]  # fmt: skip

    def _sha256(self, name: str) -> str:
        return self.checksums.get(name, hashlib.sha256(self.files[name]).hexdigest())


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
