"""DICOMweb services that exports are sent to: how one is typed. A secret is never part of a command line."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import click
from typer import Argument, Option

from semc_core.cli.pacs_servers import TLS_PANEL, OwnCertificate, OwnKey, ServerName, checked_tls
from semc_core.cli.shared.options import PLACE
from semc_core.errors import UsageError

if TYPE_CHECKING:
    from semc_core.pacs.destinations import WebDestination
    from semc_core.pacs.web_secret import WebSecret

WEB_EXAMPLES: Final = """\b
Examples:
    semc pacs add-web cloud https://pacs.example/dicom-web --token-file token.txt
    semc pacs add-web cloud https://pacs.example/dicom-web --user semc"""
_PROOF: Final = "Proof of who asks (kept in the system's keyring, or in a file of yours alone)"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebServerOptions:
    """A DICOMweb service as it is typed."""

    name: ServerName
    url: Annotated[str, Argument(metavar="URL", help="base of the service: https://host/dicom-web")]
    token_file: Annotated[
        Path | None,
        Option(
            "--token-file",
            click_type=PLACE,
            metavar="FILE",
            help="a file with the token alone",
            rich_help_panel=_PROOF,
        ),
    ] = None
    user: Annotated[
        str,
        Option(
            "--user",
            metavar="NAME",
            help="the password is asked for",
            rich_help_panel=_PROOF,
            show_default=False,
        ),
    ] = ""
    password_file: Annotated[
        Path | None,
        Option(
            "--password-file",
            click_type=PLACE,
            metavar="FILE",
            help="a file with the user's password alone",
            rich_help_panel=_PROOF,
        ),
    ] = None
    connect_s: Annotated[float, Option("--connect-s", metavar="S", help="wait for a connection")] = 10.0
    answer_s: Annotated[float, Option("--answer-s", metavar="S", help="wait for an answer")] = 30.0
    attempts: Annotated[int, Option("--attempts", metavar="N", help="connections to try in a row")] = 40
    uncompressed: Annotated[bool, Option("--uncompressed", help="unpack clips before they are sent")] = False
    tls_ca: Annotated[
        Path | None,
        Option(
            "--tls-ca",
            click_type=PLACE,
            metavar="FILE",
            help="trust these certificates (PEM), not the system's",
            rich_help_panel=TLS_PANEL,
        ),
    ] = None
    tls_cert: OwnCertificate = None
    tls_key: OwnKey = None
    plain_http: Annotated[
        bool,
        Option(
            "--plain-http",
            help="allow http to another machine: pictures and the token can be read on the way",
            rich_help_panel=TLS_PANEL,
        ),
    ] = False

    def service(self) -> WebDestination:
        """The same, checked.

        Raises:
            PacsError: The certificates cannot be used.
            UsageError: No service can be so.
        """
        from semc_core.pacs.destinations import WebDestination

        tls = checked_tls(self.tls_ca, self.tls_cert, self.tls_key)
        return WebDestination(
            self.name, self.url, self.plain_http, self.connect_s, self.answer_s, self.attempts,
            not self.uncompressed, tls,
        )  # fmt: skip

    def secret(self) -> WebSecret:
        """What proves who asks; the password is asked for where no file has it.

        Raises:
            UsageError: It is none, or there is nobody who could be asked.
        """
        from semc_core.pacs.web_secret import WebSecret, secret_in

        token = "" if self.token_file is None else secret_in(self.token_file)
        if self.password_file is not None:
            return WebSecret(token, self.user, secret_in(self.password_file))
        return WebSecret(token, self.user, self._asked() if self.user and not token else "")

    def _asked(self) -> str:
        if not sys.stdin.isatty():
            raise UsageError("The password is asked for on a terminal; here give a --password-file.")
        return str(click.prompt(f"Password of {self.user}", hide_input=True))
