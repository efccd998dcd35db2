"""Downloads that go on where they broke off, and are checked before anybody uses them."""

from __future__ import annotations

import hashlib
import http.client
import os
import ssl
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from semc_core.errors import SourceError
from semc_core.io.atomic import save_error
from semc_core.version import VERSION

_TIMEOUT_S: Final = 60.0
_TRIES: Final = 6
_BLOCK: Final = 1 << 20
_LARGEST_RATIO: Final = 200
"""An archive that unpacks to more than so many times its size is no data set."""

Progress = Callable[[int, int], None]
"""Told how many bytes are there, of how many."""


class _Answer(Protocol):
    """What is needed of an answer to a request."""

    status: int

    def read(self, amount: int) -> bytes:
        """The next bytes; none at the end."""
        ...


def download(
    url: str, path: Path, size: int, checksum: str, progress: Progress | None = None, pause_s: float = 2.0
) -> None:
    """Get a file. What a broken transfer left is kept beside it, and completed next time.

    Args:
        url: Where it is.
        path: What it is called here; nothing of that name is there before it is whole and right.
        size: Bytes.
        checksum: "md5:..." or "sha256:...", in hexadecimal digits.
        progress: See there.
        pause_s: Before a try that follows one that brought something; else twice as long each time.

    Raises:
        SourceError: It is not there, the transfer broke again and again, or the bytes are not those promised.
        SaveError: It cannot be written.
    """
    if path.is_file() and path.stat().st_size == size and digest_of(path, checksum) == checksum:
        return
    partial = path.with_name(f"{path.name}.part")
    told = progress or (lambda done, total: None)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _complete(url, partial, size, told, pause_s)
        if digest_of(partial, checksum) != checksum:
            partial.unlink()
            raise SourceError(f"{path.name} arrived damaged and was removed; run the same command again.")
        partial.replace(path)
    except OSError as error:
        raise save_error(path.parent, error) from error


def fetch_text(url: str, limit: int = 8 << 20) -> bytes:
    """A small answer.

    Raises:
        SourceError: There is none, or it is longer than `limit` bytes.
    """
    try:
        with _opened(url, 0) as answer:
            found = answer.read(limit + 1)
    except (
        urllib.error.URLError,
        http.client.HTTPException,
        TimeoutError,
        ConnectionError,
        ssl.SSLError,
    ) as error:
        raise _unreachable(url, error) from error
    if len(found) > limit:
        raise SourceError(f"The answer of {_host(url)} is too long; try again later.")
    return found


def digest_of(path: Path, checksum: str) -> str:
    """The file's checksum, in the kind and spelling of `checksum`.

    Raises:
        SourceError: This kind is not known.
    """
    kind = checksum.partition(":")[0]
    if kind not in ("md5", "sha256"):
        raise SourceError(f"The checksum {checksum!r} is of a kind that is not known here.")
    with path.open("rb") as file:
        # MD5 is what Zenodo publishes; it finds damage, which is all it is used for.
        made = hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False))
    return f"{kind}:{made.hexdigest()}"


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a ZIP file into a new folder: all of it, or nothing.

    Raises:
        SourceError: It is damaged, names files outside of the folder, or is suspiciously large.
        SaveError: It cannot be written.
    """
    partial = folder.with_name(f"{folder.name}.part")
    try:
        with zipfile.ZipFile(archive) as found:
            entries = found.infolist()
            if sum(each.file_size for each in entries) > _LARGEST_RATIO * archive.stat().st_size:
                raise SourceError(f"{archive.name} unpacks to far more than it should; it was left as it is.")
            root = partial.resolve()
            for each in entries:
                if not (root / each.filename).resolve().is_relative_to(root) or "\\" in each.filename:
                    raise SourceError(
                        f"{archive.name} names files outside of its folder and was not unpacked."
                    )
            # Nothing but plain files comes out of it: the module writes links as files.
            found.extractall(partial)
        partial.replace(folder)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise SourceError(f"{archive.name} is damaged ({error}); remove it and download it again.") from error
    except OSError as error:
        raise save_error(folder.parent, error) from error


def _complete(url: str, partial: Path, size: int, told: Progress, pause_s: float) -> None:
    """Transfer until all is there. Raises SourceError when tries in a row bring nothing."""
    in_vain = 0
    while True:
        before = partial.stat().st_size if partial.exists() else 0
        if _transfer(url, partial, size, told):
            return
        after = partial.stat().st_size if partial.exists() else 0
        in_vain = 0 if after > before else in_vain + 1
        if in_vain == _TRIES:
            raise SourceError(
                f"{_host(url)} breaks off again and again; run the same command later to go on."
            )
        threading.Event().wait(pause_s * 2**in_vain)


def _transfer(url: str, partial: Path, size: int, told: Progress) -> bool:
    """Get what is missing. False if the transfer broke off."""
    there = partial.stat().st_size if partial.exists() else 0
    if there > size:
        partial.unlink()
        there = 0
    told(there, size)
    if there == size and partial.exists():
        return True
    try:
        with _opened(url, there) as answer, partial.open("ab" if answer.status == 206 else "wb") as out:
            there = there if answer.status == 206 else 0
            while there <= size and (block := answer.read(_BLOCK)):
                out.write(block)
                there += len(block)
                told(min(there, size), size)
            out.flush()
            os.fsync(out.fileno())
    except urllib.error.HTTPError as error:
        if error.code in (408, 429) or error.code >= 500:
            return False
        if error.code == 416:
            partial.unlink(missing_ok=True)
            return False
        raise _unreachable(url, error) from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError):
        return False
    if there > size:
        partial.unlink()
        raise SourceError(f"{_host(url)} sent more than the file has; it was removed. Try again later.")
    return there == size


@contextmanager
def _opened(url: str, start: int) -> Iterator[_Answer]:
    headers = {"User-Agent": f"SEMC-Live/{VERSION}"} | ({"Range": f"bytes={start}-"} if start else {})
    request = urllib.request.Request(url, headers=headers)
    if request.type not in ("https", "http"):
        raise SourceError(f"{url} is no address of the web; choose another data set.")
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
        if answer.status == 206 and not _starts_at(answer.headers.get("Content-Range", ""), start):
            raise http.client.HTTPException("another part than asked for")
        yield answer


def _starts_at(content_range: str, start: int) -> bool:
    return content_range.strip().startswith(f"bytes {start}-")


def _unreachable(url: str, error: Exception) -> SourceError:
    if isinstance(error, urllib.error.HTTPError):
        if error.code in (401, 403):
            return SourceError(f"{_host(url)} gives this only to who asked for it; download it by hand.")
        if error.code in (404, 410):
            return SourceError(f"{_host(url)} has no such data set; check the name.")
        return SourceError(f"{_host(url)} answered with error {error.code}; try again later.")
    return SourceError(f"{_host(url)} cannot be reached; check the connection to the network.")


def _host(url: str) -> str:
    return urllib.request.Request(url).host or url
