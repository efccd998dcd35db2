"""The service in a process that is killed."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

from semc_core.serve.service import Service
from semc_core.serve.settings import load_settings


def serve(settings: Path, data: Path, tell: Any) -> None:
    """What `semc serve` does. `tell`, the end of a pipe, gets the port once it listens."""
    logging.disable()
    with Service(load_settings(settings), data) as service:
        tell.send(service.port)
        service.watch(threading.Event())
