"""`semc http`: answer other programs by HTTP: a loop in, its planes as JSON out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from typer import Option

from semc_core.cli.shared.options import FOLDER, PLACE, RuntimeOptions
from semc_core.cli.shared.tree import Commands
from semc_core.paths import default_output_folder

FOLDER_NAME: Final = "http"
"""In the user's data folder: the token, and uploads while they are needed."""
_EXAMPLES = """\b
Examples:
    semc http
    semc http --model fetal --port 8766
    semc http --host 0.0.0.0 --certificate semc.pem --key semc.key"""
_USUAL = default_output_folder()

app = Commands()


@app.add(epilog=_EXAMPLES)
def http(
    runtime_options: RuntimeOptions,
    host: Annotated[
        str,
        Option(
            "--host", metavar="ADDRESS", help="where to listen; other than this machine's own by TLS only"
        ),
    ] = "127.0.0.1",
    port: Annotated[int, Option("--port", min=0, max=65535, help="0 is any that is free")] = 8765,
    certificate: Annotated[
        Path | None,
        Option("--certificate", click_type=PLACE, metavar="FILE", help="of this service, for TLS (PEM)"),
    ] = None,
    key: Annotated[
        Path | None,
        Option("--key", click_type=PLACE, metavar="FILE", help="of the certificate, without a password"),
    ] = None,
    token: Annotated[
        Path | None,
        Option(
            "--token",
            click_type=PLACE,
            metavar="FILE",
            help="holds the token that requests must bring",
            show_default="SEMC_HTTP_TOKEN, or one that is made once",
        ),
    ] = None,
    sessions: Annotated[
        Path,
        Option(
            "--sessions",
            click_type=FOLDER,
            metavar="DIR",
            help="folder whose sessions are listed",
            show_default="that of semc session list",
        ),
    ] = _USUAL,
    most_mb: Annotated[int, Option("--most-mb", min=1, help="largest file that is taken, MB")] = 2000,
    at_once: Annotated[int, Option("--at-once", min=1, max=64, help="loops that are taken at one time")] = 4,
    limit_s: Annotated[
        float, Option("--limit", min=1.0, metavar="SECONDS", help="longest analysis of one loop")
    ] = 900.0,
) -> int:
    """Answer until Ctrl+C or SIGTERM. Returns 0.

    Raises:
        SemcError: It cannot listen there, there is no model, or the token is none.
    """
    from contextlib import closing

    from semc_core.http.bounds import Bounds
    from semc_core.http.server import HttpService, Place
    from semc_core.http.token import find_token
    from semc_core.paths import data_folder

    place = Place(host, port, certificate, key)
    place.check()
    folder = data_folder() / FOLDER_NAME
    word, where = find_token(token, folder)
    bounds = Bounds(most_mb=most_mb, at_once=at_once, analysis_s=limit_s)
    with (
        closing(runtime_options.load()) as runtime,
        HttpService(runtime, runtime_options.model.stem, word, place, folder, sessions, bounds) as service,
    ):
        print(f"Listening at {service.address}; the token is in {where}. Ctrl+C ends it.", flush=True)
        service.run()
    return 0
