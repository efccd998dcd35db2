"""`semc pacs`: servers that exports are sent to, and the queue of what is sent."""

from __future__ import annotations

import argparse
import json
import shlex
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semc_core.errors import PacsError
from semc_core.text import counted

if TYPE_CHECKING:
    from rich.console import Console

    from semc_core.pacs.destinations import Destination
    from semc_core.pacs.queue import Outbox, SendQueue
    from semc_core.pacs.queue_store import Job, QueueStore

HELP = "Send exports to a PACS: servers, and the queue of what is sent."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One sub-command for each action."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_server(_action(actions, "add", "add a server, or change the one of this name"))
    _action(actions, "servers", "list the servers")
    for name, words in (("remove", "forget a server"), ("echo", "ask a server whether it answers (C-ECHO)")):
        _action(actions, name, words).add_argument("name", metavar="NAME")
    send = _action(actions, "send", "send the DICOM objects of an export, or of a session")
    send.add_argument(
        "what", type=Path, metavar="EXPORT",
        help="folder or ZIP file of an export; or a session, which is exported de-identified first",
    )  # fmt: skip
    send.add_argument("--to", required=True, metavar="NAME", help="the server")
    send.add_argument(
        "--text", choices=("ask", "mask", "leave-out", "keep"), default="ask",
        help="of a session: what to do with pictures that hold text (default: stop and say so)",
    )  # fmt: skip
    send.add_argument("--again", action="store_true", help="send also what was sent to it before")
    send.add_argument("--later", action="store_true", help="only put it into the queue")
    run_ = _action(actions, "run", "send what waits in the queue")
    for each in (send, run_):
        each.add_argument("--wait", action="store_true", help="go on until nothing waits any more")
    listing = _action(actions, "list", "list what was and is to be sent")
    listing.add_argument("--json", action="store_true", help="print JSON instead of a table")
    retry = _action(actions, "retry", "let what failed or was refused wait again; then: semc pacs run")
    retry.add_argument("job", nargs="?", type=int, metavar="JOB", help="default: all")
    cancel = _action(actions, "cancel", "send no more of a job")
    cancel.add_argument("job", type=int, metavar="JOB")


def run(args: argparse.Namespace) -> int:
    """Do one action. Returns the exit code: 1 where something was to be sent now and was not.

    Raises:
        SemcError: It could not be done.
    """
    from rich.console import Console

    console = Console()
    if args.action in ("add", "servers", "remove", "echo"):
        return _servers(args, console)
    from semc_core.pacs.queue import SendQueue
    from semc_core.pacs.queue_store import FOLDER_NAME, QueueStore
    from semc_core.paths import data_folder

    with closing(QueueStore(data_folder() / FOLDER_NAME)) as file:
        queue = SendQueue(file)
        if args.action == "send":
            return _send(args, file, queue, console)
        if args.action == "run":
            return _run(file, queue, console, None, wait=args.wait)
        if args.action == "list":
            return _list(queue, console, as_json=args.json)
        if args.action == "retry":
            words, number = "To be sent", queue.retry(args.job)
        else:
            words, number = "No longer to be sent", queue.cancel(args.job)
        _say(console, f"{words}: {counted(number, 'object')}.")
        return 0


def _action(actions: Any, name: str, words: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=words, description=words)
    return parser


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="as you call it")
    parser.add_argument("host", metavar="HOST")
    parser.add_argument("port", type=int, metavar="PORT")
    parser.add_argument("title", metavar="AE_TITLE", help="of the server")
    parser.add_argument("--own-title", default="SEMC_LIVE", metavar="AE_TITLE", help="default: %(default)s")
    parser.add_argument(
        "--connect-s", type=float, default=10.0, metavar="S", help="wait for a connection (default: 10)"
    )
    parser.add_argument(
        "--answer-s", type=float, default=30.0, metavar="S", help="wait for an answer (default: 30)"
    )
    parser.add_argument(
        "--attempts", type=int, default=40, metavar="N", help="connections to try in a row (default: 40)"
    )
    parser.add_argument("--uncompressed", action="store_true", help="unpack clips before they are sent")
    tls = parser.add_argument_group("encryption")
    tls.add_argument("--tls", action="store_true", help="use TLS; certificates of the system are trusted")
    tls.add_argument("--tls-ca", type=Path, metavar="FILE", help="use TLS; trust these certificates (PEM)")
    tls.add_argument("--tls-cert", type=Path, metavar="FILE", help="own certificate (PEM)")
    tls.add_argument("--tls-key", type=Path, metavar="FILE", help="its key (PEM, without a password)")


def _servers(args: argparse.Namespace, console: Console) -> int:
    from semc_core.pacs.destinations import DestinationBook
    from semc_core.paths import data_folder

    book = DestinationBook(data_folder())
    if args.action == "add":
        _add(args, book.put)
        _say(console, f"Added. To ask whether it answers: semc pacs echo {shlex.quote(args.name)}")
    elif args.action == "remove":
        _remove(args.name, book.remove)
    elif args.action == "echo":
        from semc_core.pacs.client import StorageAssociation

        destination = book.get(args.name)
        with StorageAssociation(destination) as link:
            link.echo()
        _say(console, f"{destination.name} answers.")
    else:
        _list_servers(book.all(), console)
    return 0


def _add(args: argparse.Namespace, put: Callable[[Destination], None]) -> None:
    from semc_core.pacs.destinations import Destination, Tls, tls_context

    files = {"ca": args.tls_ca, "certificate": args.tls_cert, "key": args.tls_key}
    tls = None
    if args.tls or any(files.values()):
        tls = Tls(**{name: str(path.resolve()) if path else None for name, path in files.items()})
        tls_context(tls)
    put(
        Destination(
            args.name, args.host, args.port, args.title, args.own_title, args.connect_s, args.answer_s,
            args.attempts, not args.uncompressed, tls,
        )
    )  # fmt: skip


def _remove(name: str, remove: Callable[[str], None]) -> None:
    from semc_core.pacs.queue import SendQueue
    from semc_core.pacs.queue_store import FOLDER_NAME, QueueStore
    from semc_core.paths import data_folder

    with closing(QueueStore(data_folder() / FOLDER_NAME)) as file:
        waiting = SendQueue(file).waiting_for(name)
    if waiting:
        objects = counted(waiting, "object")
        raise PacsError(f'{objects} waiting for {name}; send or cancel ("semc pacs cancel") first.')
    remove(name)


def _list_servers(destinations: Sequence[Destination], console: Console) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table("Name", "Host", "Port", "AE title", "Own AE title", "TLS")
    for each in destinations:
        secured = "no" if each.tls is None else "yes"
        table.add_row(
            *map(escape, (each.name, each.host, str(each.port), each.title, each.own_title, secured))
        )
    if table.row_count:
        console.print(table)
    else:
        _say(console, 'There is no server yet; add one with "semc pacs add NAME HOST PORT AE_TITLE".')


def _send(args: argparse.Namespace, file: QueueStore, queue: SendQueue, console: Console) -> int:
    from semc_core.pacs.bundle import exported_objects
    from semc_core.pacs.destinations import DestinationBook
    from semc_core.paths import data_folder
    from semc_core.session.database import DATABASE_NAME

    destination = DestinationBook(data_folder()).get(args.to)
    is_session = (args.what / DATABASE_NAME).is_file()
    with tempfile.TemporaryDirectory(prefix="semc-send-") as work:
        bundle = args.what
        if is_session:
            bundle = Path(work) / "export"
            _export(args.what, bundle, args.text)
        found = exported_objects(bundle)
        added = queue.add(
            destination.name, found.objects, found.read, manifest=found.manifest,
            session=args.what if is_session else None, again=args.again,
        )  # fmt: skip
    kind = "De-identified" if found.deidentified else "NOT de-identified"
    _say(console, f"{kind}: {counted(added.queued, 'object')} for {destination.name}.")
    if added.known:
        known = counted(added.known, "object")
        _say(console, f"Sent there before, or waiting already: {known}; --again sends all again.")
    if args.later or added.job_id is None:
        return 0
    return _run(file, queue, console, added.job_id, wait=args.wait)


def _export(folder: Path, target: Path, text: str) -> None:
    from semc_core.export.bundle import export_session
    from semc_core.export.options import ExportOptions
    from semc_core.session.session import Session

    with Session.open(folder) as session:
        options = ExportOptions(
            dicom=True, report=False, frames=False,
            text=text.replace("-", " "),  # type: ignore[arg-type]  # argparse checked it
        )  # fmt: skip
        export_session(session, target, options)


def _run(file: QueueStore, queue: SendQueue, console: Console, job_id: int | None, *, wait: bool) -> int:
    """Send what is due; all that waits with `wait`. Then say what became of a job, or of all that waited."""
    from semc_core.pacs.bundle import log_all
    from semc_core.pacs.queue import Outbox, SentElsewhere

    wanted = {job.job_id for job in queue.jobs() if not job.finished}
    try:
        with closing(Outbox(file)) as outbox:
            _work(outbox, console, wait=wait)
    except SentElsewhere as error:
        _say(console, str(error))
        return 0
    log_all(queue)
    shown = [job for job in queue.jobs() if job.job_id in (wanted if job_id is None else {job_id})]
    for job in shown:
        _say(console, _sentence(job), style=None if job.counts.get("sent") == job.total else "yellow")
    return 0 if all(job.counts.get("sent") == job.total for job in shown) else 1


def _work(outbox: Outbox, console: Console, *, wait: bool) -> None:
    from rich.progress import Progress

    from semc_core.pacs.destinations import DestinationBook
    from semc_core.pacs.service import Sender
    from semc_core.paths import data_folder

    with Progress(console=console, transient=True) as bars:
        bar = bars.add_task("", total=None)

        def show(destination: str, done: int, total: int) -> None:
            bars.update(bar, description=destination, completed=done, total=total)

        sender = Sender(outbox, DestinationBook(data_folder()), show)
        while True:
            if sender.send_batch():
                continue
            due_s = outbox.next_due_s()
            if due_s is None or not wait:
                return
            bars.update(bar, description=f"The next attempt is in {due_s:.0f} s", completed=0, total=None)
            # Nobody sets it: Ctrl-C ends the wait, and nothing is lost.
            threading.Event().wait(due_s)


def _list(queue: SendQueue, console: Console, *, as_json: bool) -> int:
    from rich.markup import escape
    from rich.table import Table

    jobs = queue.jobs()
    if as_json:
        print(json.dumps([_plain(job) for job in jobs], indent=2))
        return 0
    table = Table("Job", "Queued (UTC)", "To", "Objects", "What became of them")
    for job in jobs:
        states = ", ".join(f"{number} {state}" for state, number in sorted(job.counts.items()))
        said = f"{states}. {job.message}" if job.message else states
        created = job.created_utc[:19].replace("T", " ")
        table.add_row(str(job.job_id), created, escape(job.destination), str(job.total), escape(said))
    if jobs:
        console.print(table)
    else:
        _say(console, "Nothing was sent yet.")
    return 0


def _plain(job: Job) -> dict[str, Any]:
    return {**asdict(job), "session": None if job.session is None else str(job.session)}


def _sentence(job: Job) -> str:
    states = ", ".join(f"{number} {state}" for state, number in sorted(job.counts.items()))
    return f"Job {job.job_id}, {job.destination}: {states}. {job.message}".rstrip()


def _say(console: Console, text: str, style: str | None = None) -> None:
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
