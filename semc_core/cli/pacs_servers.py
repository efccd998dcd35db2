"""Servers that exports are sent to: how one is typed, and how they are listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from semc_core.cli.shared.options import PLACE

if TYPE_CHECKING:
    from semc_core.pacs.destinations import Destination, Server, Tls

ServerName = Annotated[str, Argument(metavar="NAME", help="the server, as you call it")]
TLS_PANEL = "Encryption"
OwnCertificate = Annotated[
    Path | None,
    Option(
        "--tls-cert",
        click_type=PLACE,
        metavar="FILE",
        help="own certificate (PEM)",
        rich_help_panel=TLS_PANEL,
    ),
]
OwnKey = Annotated[
    Path | None,
    Option(
        "--tls-key",
        click_type=PLACE,
        metavar="FILE",
        help="its key (PEM, without a password)",
        rich_help_panel=TLS_PANEL,
    ),
]


def checked_tls(ca: Path | None, certificate: Path | None, key: Path | None) -> Tls:
    """The files that connections are encrypted with.

    Raises:
        PacsError: They cannot be used.
    """
    from semc_core.pacs.destinations import Tls, tls_context

    files = {"ca": ca, "certificate": certificate, "key": key}
    tls = Tls(**{name: str(path.resolve()) if path else None for name, path in files.items()})
    tls_context(tls)
    return tls


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """A server as it is typed."""

    name: ServerName
    host: Annotated[str, Argument(metavar="HOST")]
    port: Annotated[int, Argument(metavar="PORT")]
    title: Annotated[str, Argument(metavar="AE_TITLE", help="of the server")]
    own_title: Annotated[
        str, Option("--own-title", metavar="AE_TITLE", help="under which the server knows this program")
    ] = "SEMC_LIVE"
    connect_s: Annotated[float, Option("--connect-s", metavar="S", help="wait for a connection")] = 10.0
    answer_s: Annotated[float, Option("--answer-s", metavar="S", help="wait for an answer")] = 30.0
    attempts: Annotated[int, Option("--attempts", metavar="N", help="connections to try in a row")] = 40
    uncompressed: Annotated[bool, Option("--uncompressed", help="unpack clips before they are sent")] = False
    mpps: Annotated[
        bool, Option("--mpps", help="tell it when an examination of a worklist begins and ends")
    ] = False
    commitment: Annotated[
        bool, Option("--commitment", help="ask it to confirm that it keeps what it was sent")
    ] = False
    commitment_port: Annotated[
        int | None,
        Option(
            "--commitment-port",
            metavar="PORT",
            help="listen here for that, where the server says it over a connection of its own",
            show_default="over the connection on which it was asked",
        ),
    ] = None
    tls: Annotated[
        bool,
        Option("--tls", help="use TLS; certificates of the system are trusted", rich_help_panel=TLS_PANEL),
    ] = False
    tls_ca: Annotated[
        Path | None,
        Option(
            "--tls-ca",
            click_type=PLACE,
            metavar="FILE",
            help="use TLS; trust these certificates (PEM)",
            rich_help_panel=TLS_PANEL,
        ),
    ] = None
    tls_cert: OwnCertificate = None
    tls_key: OwnKey = None

    def destination(self) -> Destination:
        """The same, checked.

        Raises:
            PacsError: No server can be so, or the certificates cannot be used.
        """
        from semc_core.pacs.destinations import Destination

        files = (self.tls_ca, self.tls_cert, self.tls_key)
        tls = checked_tls(*files) if self.tls or any(files) else None
        return Destination(
            self.name, self.host, self.port, self.title, self.own_title, self.connect_s,
            self.answer_s, self.attempts, not self.uncompressed, tls, self.mpps,
            self.commitment or self.commitment_port is not None, self.commitment_port,
        )  # fmt: skip


def plain_server(server: Server) -> dict[str, Any]:
    """A server as JSON: not what only this machine knows, its certificates and secrets."""
    from semc_core.pacs.destinations import WebDestination

    if isinstance(server, WebDestination):
        none = dict.fromkeys(("host", "port", "title", "own_title", "commitment_port"))
        tls = server.origin.startswith("https:")
        told = {"name": server.name, "kind": "DICOMweb", "url": server.url, "tls": tls}
        return {**none, **told, "mpps": False, "commitment": False}
    return {
        "kind": "DICOM",
        "url": None,
        "name": server.name,
        "host": server.host,
        "port": server.port,
        "title": server.title,
        "own_title": server.own_title,
        "tls": server.tls is not None,
        "mpps": server.mpps,
        "commitment": server.commitment,
        "commitment_port": server.commitment_port,
    }


def print_servers(servers: Sequence[Server]) -> None:
    """On screen, a row for each."""
    from rich.console import Console
    from rich.table import Table

    from semc_core.cli.shared.shown import escape
    from semc_core.pacs.destinations import WebDestination

    console = Console()
    table = Table("Name", "Host", "Port", "AE title", "Own AE title", "TLS")
    for each in servers:
        if isinstance(each, WebDestination):
            secured = "yes" if each.origin.startswith("https:") else "no"
            table.add_row(*map(escape, (each.name, each.url, "", "(DICOMweb)", "", secured)))
            continue
        secured = "no" if each.tls is None else "yes"
        table.add_row(
            *map(escape, (each.name, each.host, str(each.port), each.title, each.own_title, secured))
        )
    if table.row_count:
        console.print(table)
    else:
        console.print(
            'There is no server yet; add one with "semc pacs add NAME HOST PORT AE_TITLE".',
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
