"""An archive that is asked to keep what it was sent, in a process of its own.

`python -m tests.pacs.commitment_server PORT FILE BACK_TO MODE ...`: what it does at its first question, its
second, and so on; the last is done ever after. Each question, and each answer to what it says, becomes a line
in a file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, build_role, evt
from pynetdicom.association import Association

from semc_core.pacs.commitment.reports import STORAGE_COMMITMENT, WELL_KNOWN
from semc_core.pacs.destinations import Destination
from tests.pacs.servers import HOST, free_port, until_listening

KEPT, FAILED = 1, 2
OWN_TITLE = "SEMC_LIVE"
OTHER = "1.2.3.4.5.6"


def report_on(asked: Dataset, mode: str) -> tuple[int, Dataset]:
    """What is said to a question: an event, and what it says."""
    said = Dataset()
    said.TransactionUID = OTHER if mode == "unasked" else asked.TransactionUID
    items = list(asked.ReferencedSOPSequence)
    if mode == "others":
        for item in items:
            item.ReferencedSOPInstanceUID = f"{item.ReferencedSOPInstanceUID[:40]}.9"
    failed = items if mode == "lost" else items[:1] if mode == "first lost" else []
    if failed:
        said.FailedSOPSequence = failed
        for item in failed:
            item.FailureReason = 0x0112
    kept = items[len(failed) :]
    if kept:
        said.ReferencedSOPSequence = kept
    return (FAILED if failed else KEPT), said


class Archive:
    """Keeps nothing, says what it is told to say."""

    def __init__(self, file: Path, modes: list[str], back_to: int) -> None:
        self._file, self._modes, self._back_to = file, modes, back_to

    def write(self, **line: object) -> None:
        """Write a line."""
        with self._file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")
            lines.flush()
            os.fsync(lines.fileno())

    def asked(self, event: evt.Event) -> tuple[int, Dataset | None]:
        """It is asked to keep something."""
        mode = self._modes.pop(0) if len(self._modes) > 1 else self._modes[0]
        asked = event.action_information
        instances = [str(item.ReferencedSOPInstanceUID) for item in asked.ReferencedSOPSequence]
        self.write(asked=instances, transaction=str(asked.TransactionUID), mode=mode)
        if mode == "not allowed":
            return 0x0124, None
        if mode == "busy":
            return 0x0110, None
        if mode != "silent":
            where = None if mode.startswith("back") else event.assoc
            threading.Thread(target=self._say, args=(asked, mode, where), daemon=True).start()
        return 0, None

    def _say(self, asked: Dataset, mode: str, association: Association | None) -> None:
        if association is not None:
            # After the response to the question, which the library sends.
            threading.Event().wait(0.3)
            self._say_over(association, asked, mode)
            return
        caller = "STRANGER" if mode == "back as a stranger" else "ARCHIVE"
        entity = AE(caller)
        entity.add_requested_context(STORAGE_COMMITMENT)
        role = build_role(STORAGE_COMMITMENT, scp_role=True)
        back = entity.associate(HOST, self._back_to, ae_title=OWN_TITLE, ext_neg=[role])
        if not back.is_established:
            self.write(rejected=True)
            return
        self._say_over(back, asked, mode)
        back.release()

    def _say_over(self, association: Association, asked: Dataset, mode: str) -> None:
        for _ in range(2 if "twice" in mode else 1):
            event, said = report_on(asked, mode)
            status, _ = association.send_n_event_report(said, event, STORAGE_COMMITMENT, WELL_KNOWN)
            self.write(answered=status.get("Status"))


def serve(port: int, file: Path, back_to: int, modes: list[str]) -> None:
    """Until somebody kills the process."""
    archive = Archive(file, modes, back_to)
    entity = AE("ARCHIVE")
    for context in AllStoragePresentationContexts:
        entity.add_supported_context(str(context.abstract_syntax))
    entity.add_supported_context("1.2.840.10008.1.1")
    if modes != ["none"]:
        entity.add_supported_context(STORAGE_COMMITMENT)

    def store(event: evt.Event) -> int:
        archive.write(stored=str(event.request.AffectedSOPInstanceUID))  # type: ignore[union-attr]
        return 0

    entity.start_server(
        (HOST, port), evt_handlers=[(evt.EVT_C_STORE, store), (evt.EVT_N_ACTION, archive.asked)]
    )


@contextmanager
def commitment_server(
    file: Path, *modes: str, port: int = 0, back_to: int | None = None, answer_s: float = 20
) -> Iterator[Destination]:
    """The server, until the end of the context."""
    port = port or free_port()
    command = [sys.executable, "-m", __name__, str(port), str(file), str(back_to or 0), *modes]
    with subprocess.Popen(command) as process:
        try:
            until_listening(port, process)
            yield Destination(
                "archive", HOST, port, "ARCHIVE", connect_s=20, answer_s=answer_s, commitment=True,
                commitment_port=back_to,
            )  # fmt: skip
        finally:
            process.kill()


def lines(file: Path, key: str) -> Sequence[Any]:
    """What was written under a key, in order."""
    if not file.exists():
        return []
    found = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [line[key] for line in found if key in line]


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
