"""A session says which card its scan came from, and what that was asked for."""

from __future__ import annotations

from dataclasses import replace

from semc_core.session.audit_log import ORIGIN, origin_payload
from semc_core.types import CaptureInfo
from tests.session.killed_writer import origin


def test_the_log_begins_with_the_card_and_reads_it_back() -> None:
    plain = origin()
    capture = CaptureInfo("usb-534d:2109@0000:00:14.0-usb2-2-1.0", "1920x1080@60,mjpg", 5)
    source, model = replace(plain, source=replace(plain.source, capture=capture)).entries()
    assert ORIGIN.from_plain(origin_payload(source, model, "ab" * 32)).source.capture == capture


def test_a_scan_from_elsewhere_is_written_as_before() -> None:
    source, model = origin().entries()
    payload = origin_payload(source, model, "ab" * 32)
    assert "capture" not in payload["source"]
    assert ORIGIN.from_plain(payload).source == source
