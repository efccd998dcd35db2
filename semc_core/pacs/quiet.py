"""Keeps the network library from logging: its messages quote data sets and addresses."""

from __future__ import annotations

import logging

from pynetdicom import _config


def silence() -> None:
    """Switch off its log and its handlers, for connections of either direction. Before the first of them."""
    _config.LOG_HANDLER_LEVEL = "none"
    _config.LOG_REQUEST_IDENTIFIERS = _config.LOG_RESPONSE_IDENTIFIERS = False
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)
