"""A server that takes performed procedure steps, in a process of its own: `python -m tests.pacs.mpps_server`.

Each N-CREATE and N-SET becomes a line of JSON in a file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from semc_core.pacs.destinations import Destination
from semc_core.pacs.performed import PERFORMED
from tests.pacs.servers import HOST, free_port, until_listening


def serve(port: int, file: Path, statuses: list[int]) -> None:
    """Until somebody kills the process. `statuses` are answered first, then success.

    Above its 16 bits a status may hold an Error ID.
    """

    def answer(kind: str, uid: str, dataset: Dataset) -> tuple[int | Dataset, Dataset | None]:
        status = statuses.pop(0) if statuses else 0
        line = {"kind": kind, "uid": uid, "status": status, **dataset.to_json_dict()}
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")
            lines.flush()
            os.fsync(lines.fileno())
        said = Dataset()
        said.Status = status & 0xFFFF
        if status >> 16:
            said.ErrorID = status >> 16
        return said, dataset if status == 0 else None

    def create(event: evt.Event) -> tuple[int | Dataset, Dataset | None]:
        uid = str(event.request.AffectedSOPInstanceUID)  # type: ignore[union-attr]
        return answer("create", uid, event.attribute_list)

    def change(event: evt.Event) -> tuple[int | Dataset, Dataset | None]:
        uid = str(event.request.RequestedSOPInstanceUID)  # type: ignore[union-attr]
        return answer("set", uid, event.modification_list)

    entity = AE("RIS")
    entity.add_supported_context(PERFORMED)
    entity.start_server((HOST, port), evt_handlers=[(evt.EVT_N_CREATE, create), (evt.EVT_N_SET, change)])


@contextmanager
def mpps_server(file: Path, *statuses: int, port: int = 0) -> Iterator[Destination]:
    """The server, until the end of the context."""
    port = port or free_port()
    command = [sys.executable, "-m", __name__, str(port), str(file), *map(str, statuses)]
    with subprocess.Popen(command) as process:
        try:
            until_listening(port, process)
            yield Destination("ris", HOST, port, "RIS", connect_s=20, answer_s=20, mpps=True)
        finally:
            process.kill()


def said(file: Path) -> list[tuple[str, str, Dataset, int]]:
    """What the server was told: kind, UID of the step, what of it, and its answer."""
    lines: list[dict[str, Any]] = []
    if file.exists():
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [
        (line.pop("kind"), line.pop("uid"), Dataset.from_json(line), status)
        for line in lines
        for status in (line.pop("status"),)
    ]


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]), [int(each) for each in sys.argv[3:]])
