"""`semc pacs`: servers that exports are sent to, their worklists, and the queue of what is sent."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import click
from typer import Argument, Option

from semc_core.cli.pacs_priors import (
    FIND_EXAMPLES,
    GET_EXAMPLES,
    FindOptions,
    plain_fetched,
    plain_studies,
    print_studies,
)
from semc_core.cli.pacs_servers import ServerName, ServerOptions, plain_server, print_servers
from semc_core.cli.pacs_web import WEB_EXAMPLES, WebServerOptions
from semc_core.cli.pacs_worklist import (
    WORKLIST_EXAMPLES,
    WorklistOptions,
    plain_worklist,
    print_worklist,
)
from semc_core.cli.shared.options import PLACE, AsJson, print_json
from semc_core.cli.shared.shown import escape
from semc_core.cli.shared.tree import Commands
from semc_core.errors import PacsError
from semc_core.text import counted, readable

if TYPE_CHECKING:
    from rich.console import Console

    from semc_core.pacs.destinations import DestinationBook
    from semc_core.pacs.outbox import Outbox
    from semc_core.pacs.queue import SendQueue
    from semc_core.pacs.queue_store import Job, QueueStore

_EXAMPLES = """\b
Examples:
    semc pacs add archive HOST 104 AE_TITLE
    semc pacs send study.zip --to archive"""

app = Commands()

_Row = TypeVar("_Row")
_Wait = Annotated[bool, Option("--wait", help="go on until nothing waits any more")]


@app.add("add", help="add a server, or change the one of this name")
def add(server: ServerOptions) -> int:
    """Put a server into the list. Returns 0."""
    from semc_core.pacs.web_secret import WebSecrets
    from semc_core.paths import data_folder

    _book().put(server.destination())
    WebSecrets(data_folder()).remove(server.name)
    say(_console(), f"Added. To ask whether it answers: semc pacs echo {shlex.quote(server.name)}")
    return 0


@app.add("add-web", help="add a DICOMweb service, or change the one of this name", epilog=WEB_EXAMPLES)
def add_web(server: WebServerOptions) -> int:
    """Put a service into the list. Returns 0."""
    from semc_core.pacs.web_secret import WebSecrets
    from semc_core.paths import data_folder

    service, secret = server.service(), server.secret()
    WebSecrets(data_folder()).put(service, secret)
    _book().put(service)
    say(_console(), f"Added. To ask whether it answers: semc pacs echo {shlex.quote(service.name)}")
    return 0


@app.add("servers", help="list the servers")
def servers(as_json: AsJson = False) -> int:
    """Print the list. Returns 0."""
    found = _book().every()
    if as_json:
        print_json([plain_server(each) for each in found])
    else:
        print_servers(found)
    return 0


@app.add("remove", help="forget a server")
def remove(name: ServerName) -> int:
    """Take a server off the list. Returns 0.

    Raises:
        PacsError: It is not in the list, or something waits for it.
    """
    from semc_core.pacs.web_secret import WebSecrets
    from semc_core.paths import data_folder

    with _queue() as (_, queue):
        waiting = queue.waiting_for(name)
    if waiting:
        objects = counted(waiting, "object")
        raise PacsError(f'{objects} waiting for {name}; send or cancel ("semc pacs cancel") first.')
    _book().remove(name)
    WebSecrets(data_folder()).remove(name)
    return 0


@app.add("echo", help="ask a server whether it answers (C-ECHO, or a search)")
def echo(name: ServerName) -> int:
    """Ask. Returns 0.

    Raises:
        PacsError: It does not answer.
    """
    from semc_core.pacs.storage import open_storage
    from semc_core.pacs.web_secret import kept_secret

    book = _book()
    destination = book.find(name)
    with open_storage(destination, kept_secret(book.folder, destination)) as link:
        link.echo()
    say(_console(), f"{destination.name} answers.")
    return 0


@app.add("worklist", help="list the examinations that a server has scheduled", epilog=WORKLIST_EXAMPLES)
def worklist(name: ServerName, asked: WorklistOptions, as_json: AsJson = False) -> int:
    """Print who is to be examined, which is what was asked for. Returns 0.

    Raises:
        PacsError: The server cannot be reached, or has no worklist.
    """
    from semc_core.pacs.worklist import ask_worklist

    found = ask_worklist(_book().get(name), asked.question())
    return _show(plain_worklist(found) if as_json else None, found.rows, print_worklist, found.notice)


@app.add("find", help="list the studies that a server has of a patient", epilog=FIND_EXAMPLES)
def find(server: ServerName, asked: FindOptions, as_json: AsJson = False) -> int:
    """Print what it has, which is what was asked for. Returns 0.

    Raises:
        PacsError: The server cannot be reached, or cannot be searched.
    """
    from semc_core.pacs.studies import find_on

    book = _book()
    found = find_on(book.find(server), book.folder, asked.question(), asked.most)
    return _show(plain_studies(found) if as_json else None, found.rows, print_studies, found.notice)


def _show(
    as_json: dict[str, Any] | None,
    rows: Sequence[_Row],
    print_rows: Callable[[Sequence[_Row], Console], None],
    notice: str,
) -> int:
    """What a server answered: as JSON, else as a table and what the user should know. Returns 0."""
    if as_json is not None:
        print_json(as_json)
        return 0
    console = _console()
    if rows:
        print_rows(rows, console)
    if notice:
        say(console, notice, style="yellow")
    return 0


@app.add("get", help="get the pictures of a study into a new folder", epilog=GET_EXAMPLES)
def get(
    server: ServerName,
    study: Annotated[str, Argument(metavar="STUDY", help="its UID, as semc pacs find lists it")],
    out: Annotated[Path, Option("--out", click_type=PLACE, metavar="FOLDER", help="the new folder")],
    as_json: AsJson = False,
) -> int:
    """Get it. Returns 1 where the server did not send all of it.

    Raises:
        PacsError: It cannot be got; nothing is left behind.
    """
    from semc_core.cli.shared.progress import passing_bar
    from semc_core.pacs.studies import get_from

    book, console = _book(), _console()
    with passing_bar(console, hidden=as_json) as bars:
        bar = bars.add_task(escape(server), total=None)
        fetched = get_from(
            book.find(server), book.folder, study, out,
            watch=lambda come, left: bars.update(bar, completed=come, total=come + left if left else None),
        )  # fmt: skip
    if as_json:
        print_json(plain_fetched(fetched))
    else:
        say(console, f"{counted(fetched.objects, 'object')} in {readable(str(fetched.folder))}.")
        if fetched.notice:
            say(console, fetched.notice, style="yellow")
    return 0 if fetched.whole else 1


@app.add("send", help="send the DICOM objects of an export, or of a session", epilog=_EXAMPLES)
def send(
    what: Annotated[
        Path,
        Argument(
            click_type=PLACE,
            metavar="EXPORT",
            help="folder or ZIP file of an export; or a session, which is exported de-identified first",
        ),
    ],
    to: Annotated[str, Option("--to", metavar="NAME", help="the server")],
    text: Annotated[
        str,
        Option(
            "--text",
            click_type=click.Choice(("ask", "mask", "leave-out", "keep")),
            help="of a session: what to do with pictures that hold text; ask: stop and say so",
        ),
    ] = "ask",
    again: Annotated[bool, Option("--again", help="send also what was sent to it before")] = False,
    later: Annotated[bool, Option("--later", help="only put it into the queue")] = False,
    wait: _Wait = False,
) -> int:
    """Queue and send. Returns 1 where something was to be sent now and was not."""
    from semc_core.pacs.bundle import exported_objects
    from semc_core.session.database import DATABASE_NAME

    console = _console()
    with _queue() as (file, queue):
        destination = _book().find(to)
        is_session = (what / DATABASE_NAME).is_file()
        with tempfile.TemporaryDirectory(prefix="semc-send-") as work:
            bundle = what
            if is_session:
                bundle = Path(work) / "export"
                _export(what, bundle, text)
            found = exported_objects(bundle)
            added = queue.add(
                destination.name, found.objects, found.read, manifest=found.manifest,
                session=what if is_session else None, again=again,
            )  # fmt: skip
        kind = "De-identified" if found.deidentified else "NOT de-identified"
        say(console, f"{kind}: {counted(added.queued, 'object')} for {destination.name}.")
        if added.known:
            known = counted(added.known, "object")
            say(console, f"Sent there before, or waiting already: {known}; --again sends all again.")
        if later or added.job_id is None:
            return 0
        return _run(file, queue, console, added.job_id, wait=wait)


@app.add("run", help="send what waits in the queue, and tell of examinations")
def run_queue(wait: _Wait = False) -> int:
    """Send, and tell of examinations. Returns 1 where something was to be sent or told and was not."""
    console = _console()
    told = _tell_steps(console)
    with _queue() as (file, queue):
        return _run(file, queue, console, None, wait=wait) or told


@app.add("list", help="list what was and is to be sent")
def list_jobs(as_json: AsJson = False) -> int:
    """Print the queue. Returns 0."""
    with _queue() as (_, queue):
        jobs = queue.jobs()
    if as_json:
        print_json([_plain(job) for job in jobs])
    else:
        _print_jobs(jobs, _console())
    return 0


@app.add("retry", help="let what failed or was refused wait again; then: semc pacs run")
def retry(
    job: Annotated[int | None, Argument(metavar="JOB", help="its number", show_default="all")] = None,
) -> int:
    """Let it wait again. Returns 0."""
    with _queue() as (_, queue):
        say(_console(), f"To be sent: {counted(queue.retry(job), 'object')}.")
    return 0


@app.add("cancel", help="send no more of a job")
def cancel(job: Annotated[int, Argument(metavar="JOB", help="its number")]) -> int:
    """Send no more of it. Returns 0."""
    with _queue() as (_, queue):
        say(_console(), f"No longer to be sent: {counted(queue.cancel(job), 'object')}.")
    return 0


@contextmanager
def _queue() -> Iterator[tuple[QueueStore, SendQueue]]:
    from semc_core.pacs.queue import SendQueue
    from semc_core.pacs.queue_store import FOLDER_NAME, QueueStore
    from semc_core.paths import data_folder

    with closing(QueueStore(data_folder() / FOLDER_NAME)) as file:
        yield file, SendQueue(file)


def _book() -> DestinationBook:
    from semc_core.pacs.destinations import DestinationBook
    from semc_core.paths import data_folder

    return DestinationBook(data_folder())


def _console() -> Console:
    from rich.console import Console

    return Console()


def _export(folder: Path, target: Path, text: str) -> None:
    from semc_core.export.bundle import export_session
    from semc_core.export.options import ExportOptions
    from semc_core.session.session import Session

    with Session.open(folder) as session:
        options = ExportOptions(
            dicom=True, report=False, frames=False,
            text="stop" if text == "ask" else text.replace("-", " "),  # type: ignore[arg-type]  # it was checked
        )  # fmt: skip
        export_session(session, target, options)


def _run(file: QueueStore, queue: SendQueue, console: Console, job_id: int | None, *, wait: bool) -> int:
    """Send what is due; all that waits with `wait`. Then say what became of a job, or of all that waited."""
    from semc_core.pacs.bundle import log_all
    from semc_core.pacs.outbox import Outbox, SentElsewhere

    wanted = {job.job_id for job in queue.jobs() if not job.finished or job.unsettled}
    try:
        with closing(Outbox(file)) as outbox:
            _work(outbox, file, console, wait=wait)
    except SentElsewhere as error:
        say(console, str(error))
        return 0
    log_all(queue)
    shown = [job for job in queue.jobs() if job.job_id in (wanted if job_id is None else {job_id})]
    for job in shown:
        say(console, _sentence(job), style=None if job.arrived else "yellow")
    return 0 if all(job.arrived for job in shown) else 1


def _tell_steps(console: Console) -> int:
    """Tell servers which examinations were performed. Returns 1 where one could not be told."""
    from semc_core.pacs.performed import PerformedSteps
    from semc_core.paths import data_folder

    steps = PerformedSteps(data_folder())
    steps.end_broken()
    told = steps.tell(_book())
    if told.message:
        say(console, told.message, style="yellow")
    return 1 if told.due else 0


def _work(outbox: Outbox, file: QueueStore, console: Console, *, wait: bool) -> None:
    """Send what is due, and ask whether it is kept. Without `wait` answers are waited for, once."""
    from semc_core.cli.shared.progress import passing_bar
    from semc_core.pacs.commitment.committer import Committer
    from semc_core.pacs.commitment.ledger import CommitmentLedger
    from semc_core.pacs.service import Sender

    book = _book()
    with passing_bar(console) as bars:
        bar = bars.add_task("", total=None)

        def show(destination: str, done: int, total: int) -> None:
            bars.update(bar, description=destination, completed=done, total=total)

        sender = Sender(outbox, book, show)
        with closing(Committer(CommitmentLedger(file), book)) as committer:
            while True:
                if sender.send_batch() or committer.ask_batch():
                    continue
                dues = [each for each in (outbox.next_due_s(), committer.next_due_s()) if each is not None]
                if not dues or not wait:
                    bars.update(bar, description="Waiting for confirmation", completed=0, total=None)
                    committer.wait(_longest_answer_s(book))
                    return
                due_s = min(dues)
                bars.update(bar, description=f"The next attempt is in {due_s:.0f} s", completed=0, total=None)
                # Ctrl-C ends the wait, and nothing is lost.
                committer.wait_for_change(due_s)


def _longest_answer_s(book: DestinationBook) -> float:
    """How long a server that says over a connection of its own what it keeps is waited for."""
    return max((each.answer_s for each in book.all() if each.commitment_port is not None), default=0.0)


def _print_jobs(jobs: Sequence[Job], console: Console) -> None:
    from rich.table import Table

    table = Table("Job", "Queued (UTC)", "To", "Objects", "What became of them")
    for job in jobs:
        states = _states(job)
        said = f"{states}. {job.message}" if job.message else states
        created = job.created_utc[:19].replace("T", " ")
        table.add_row(str(job.job_id), created, escape(job.destination), str(job.total), escape(said))
    if jobs:
        console.print(table)
    else:
        say(console, "Nothing was sent yet.")


def _plain(job: Job) -> dict[str, Any]:
    return {**asdict(job), "session": None if job.session is None else str(job.session)}


def _sentence(job: Job) -> str:
    return f"Job {job.job_id}, {job.destination}: {_states(job)}. {job.message}".rstrip()


def _states(job: Job) -> str:
    """ "3 sent, 1 waiting"; "3 sent, safe at archive; 1 sent, not yet confirmed"."""
    words = {
        "safe": f"sent, safe at {job.destination}",
        "not yet confirmed": "sent, not yet confirmed",
        "not kept": "sent, but refused",
        "never confirmed": "sent, never confirmed",
    }
    parts = [f"{number} {words.get(state, state)}" for state, number in sorted(job.outcomes.items())]
    return ("; " if job.commitment else ", ").join(parts)


def say(console: Console, text: str, style: str | None = None) -> None:
    """Print a line as it is: not broken, no markup in it."""
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
