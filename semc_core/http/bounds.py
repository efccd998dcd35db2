"""What a request may take, and how one is refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is refused or broken off.

    Attributes:
        most_mb: Largest upload.
        at_once: Loops that are taken in, wait or are analysed at one time.
        silence_s: Longest wait for the next bytes of an upload.
        upload_s: Longest upload.
        analysis_s: Longest analysis of one loop; it begins when the loops before it are done.
        least_free_mb: With less room on the disk nothing is taken.
        connections: At one time.
        head_s: Longest wait for a request on a connection.
    """

    most_mb: int = 2000
    at_once: int = 4
    silence_s: float = 30.0
    upload_s: float = 900.0
    analysis_s: float = 900.0
    least_free_mb: int = 500
    connections: int = 100
    head_s: float = 10.0


class Refusal(Exception):
    """A request that is not done; its text is a sentence for who asked.

    Attributes:
        status: Of HTTP.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
