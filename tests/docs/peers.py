"""What the program proposes to a server beside sending, and answers to one that connects: heard here.

Its parts of the conformance statement are made of that.
"""

from __future__ import annotations

import datetime
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import AE, build_role, evt

from semc_core.pacs.association import FIND_ROOT, VERIFICATION
from semc_core.pacs.commitment.association import CommitmentAssociation
from semc_core.pacs.commitment.ledger import FIRST_PATIENCE_S, LONGEST_PATIENCE_S
from semc_core.pacs.commitment.listener import MOST_BYTES, ReportListener, place_for
from semc_core.pacs.commitment.reports import REQUEST, STORAGE_COMMITMENT, request_of, why_not
from semc_core.pacs.destinations import Destination
from semc_core.pacs.priors import get
from semc_core.pacs.priors.find import (
    MOST_STUDIES,
    USUAL_STUDIES,
    FindAssociation,
    StudyQuestion,
    fault,
    identifier_of,
)
from semc_core.pacs.queue_store import ASK_FOR_S, DicomObject
from semc_core.pacs.syntaxes import KINDS, SYNTAXES

_HOST: Final = "127.0.0.1"
_LONG_S: Final = 600.0
_MB: Final = 10**6
_STUDIES: Final = """
### C-FIND and C-GET of studies (Study Root)

By `semc pacs find` and `semc pacs get`, and by `Ctrl+P` in the window, each over an association of its own.
C-FIND proposes {find}. Level STUDY. Matched where it is given: {matched}; the rest is asked for:
{returned}. Patient ID and Accession Number go out whole, without wildcards, and answers with others are
left out; a name without "*" or "?" gets "*" at its end. At most {usual} responses are read (to be set, up
to {most}), and for at most four times the wait for an answer; then the association is aborted.

| status of C-FIND | what the user reads |
|---|---|
"""
_GET: Final = """
C-GET proposes {get} for the level STUDY with Study Instance UID, and, with SCP/SCU role selection as SCP of
each, these kinds, {number} contexts in all:

| abstract syntax | UID |
|---|---|
"""
_GET_SYNTAXES: Final = """
Each of them in {count} contexts, so that a study with several codings needs no conversion:

"""
_PASSED_OVER: Final = """
Proposed in the same way, in {syntaxes}, answered with success and not kept, as some servers end the
retrieval where a kind is not accepted: {kinds}.
"""
_GET_END: Final = """
Objects of another study, with another SOP Instance UID than their message's, or of another kind are
answered with A900 and not kept, as are pictures that are cut short; what cannot be
understood with C000, and what there is no room for with
A700, which ends the association. Bounds: {object_mb} MB for an object, {study_gb:g} GB and {objects}
objects for a study. Objects are kept as they come, file meta information new. Failed sub-operations are
told. C-MOVE is not used.

| status of C-GET | what the user reads |
|---|---|
"""
_COMMITMENT: Final = """
### Storage Commitment Push Model

Only to a server that was added with `--commitment`, after objects were sent to it, over an association of
its own that proposes {proposed}. N-ACTION {action} has {asked}. N-EVENT-REPORT is taken over the same
association for as long as the wait for an answer ({here:g} s where a port is given), or at that port over
an association that the server opens. Without a report the question is asked again under a new Transaction
UID after {first:g} minutes, twice as long each time up to {longest:g} hours, and at each start of the
program; reports to all earlier ones count. After {days:g} days, or an N-ACTION with status 0118, 0122, 0123
or 0124, nothing is asked until the user says so.

At the port, open only while a report is awaited: connections from that server's addresses; its AE title as
calling, the program's as called. Messages of more than {mb} MB are broken off. Accepted:

| abstract syntax | UID | transfer syntax | role of the server |
|---|---|---|---|
"""
_EVENTS: Final = """
| N-EVENT-REPORT is answered with | where |
|---|---|
| 0000 | it is about a Transaction UID that this server was asked under; also if it was said before |
| 0110 | it could not be written down |
| 0115 | its Transaction UID is not known, or it cannot be understood |

| Failure Reason | what the user reads |
|---|---|
"""


@dataclass
class Proposed:
    """What a server heard of an association request.

    Attributes:
        contexts: Abstract syntax and transfer syntaxes of each.
        roles: SOP class -> whether the role of SCP is proposed.
    """

    contexts: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    roles: dict[str, bool] = field(default_factory=dict)

    @property
    def kinds(self) -> list[str]:
        """The abstract syntaxes, each once."""
        return list(dict.fromkeys(kind for kind, _ in self.contexts))


def proposed(connect: Callable[[Destination], AbstractContextManager[Any]]) -> Proposed:
    """What is proposed by an association that `connect` opens."""
    found = Proposed()

    def requested(event: Any) -> None:
        request = event.assoc.requestor
        found.contexts = [
            (str(each.abstract_syntax), tuple(map(str, each.transfer_syntax)))
            for each in request.requested_contexts
        ]
        found.roles = {str(uid): bool(role.scp_role) for uid, role in request.role_selection.items()}

    entity = AE("ARCHIVE")
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = _LONG_S
    for kind in (FIND_ROOT, get.GET_ROOT, STORAGE_COMMITMENT, VERIFICATION):
        entity.add_supported_context(kind)
    for kind in (*KINDS, *get.PASSED_OVER):
        entity.add_supported_context(kind, list(SYNTAXES), scu_role=False, scp_role=True)
    server = entity.start_server((_HOST, 0), block=False, evt_handlers=[(evt.EVT_REQUESTED, requested)])
    assert server is not None
    try:
        with connect(Destination("the server", _HOST, server.server_address[1], "ARCHIVE", answer_s=_LONG_S)):
            pass
    finally:
        server.shutdown()
        server.server_close()
    return found


def studies() -> Iterator[str]:
    """The part on finding and getting studies."""
    day = datetime.date(2026, 11, 30)
    whole = identifier_of(StudyQuestion("1", "NAME", day, day, "A1", "US"))
    keys = [each for each in whole if each.keyword not in ("SpecificCharacterSet", "QueryRetrieveLevel")]
    yield _STUDIES.format(
        find=_names(proposed(FindAssociation)),
        matched=", ".join(each.name for each in keys if not each.is_empty),
        returned=", ".join(each.name for each in keys if each.is_empty),
        usual=USUAL_STUDIES,
        most=MOST_STUDIES,
    )
    yield from (
        f"| {status:04X} | {fault('SERVER', status)} |" for status in (0x0124, 0xA700, 0xA900, 0xC001)
    )
    heard = proposed(lambda server: get.GetAssociation(server, get.Taken("1.2", Path(), Path())))
    stored = [kind for kind in heard.kinds if heard.roles.get(kind) and kind in KINDS]
    others = [kind for kind in heard.kinds if heard.roles.get(kind) and kind not in KINDS]
    asked = Proposed([pair for pair in heard.contexts if pair[0] not in (*stored, *others)])
    number = len(heard.contexts) - len(asked.contexts) - len(others)
    yield _GET.format(get=_names(asked), number=number)
    yield from (f"| {UID(kind).name} | {kind} |" for kind in stored)
    of_each = [[syntaxes for one, syntaxes in heard.contexts if one == kind] for kind in stored]
    assert all(one == of_each[0] for one in of_each), "the page says that they are the same"
    yield _GET_SYNTAXES.format(count=len(of_each[0]))
    yield from (f"- {', '.join(UID(one).name for one in syntaxes)}" for syntaxes in of_each[0])
    yield _PASSED_OVER.format(
        kinds=", ".join(f"{UID(kind).name} ({kind})" for kind in others),
        syntaxes=_names(Proposed([pair for pair in heard.contexts if pair[0] in others])).rpartition(" in ")[
            2
        ],
    )
    yield _GET_END.format(
        object_mb=get.MOST_OBJECT_BYTES // _MB,
        study_gb=get.MOST_STUDY_BYTES / 10**9,
        objects=get.MOST_OBJECTS,
    )
    yield from (
        f"| {status:04X} | {get.fault('SERVER', status)} |" for status in (0x0124, 0xA702, 0xA900, 0xC000)
    )


def commitment() -> Iterator[str]:
    """The part on storage commitment."""
    one = DicomObject("1.2", "1.3", "1.4", "1.5", "1.6", "ab", 1)
    question = request_of("1.7", [one])
    (item,) = question.ReferencedSOPSequence
    yield _COMMITMENT.format(
        proposed=_names(proposed(lambda server: CommitmentAssociation(server, lambda _: True, lambda: None))),
        action=REQUEST,
        asked=f"{_elements(question)} (of items with {_elements(item)})",
        here=1,
        first=FIRST_PATIENCE_S / 60,
        longest=LONGEST_PATIENCE_S / 3600,
        days=ASK_FOR_S / 86400,
        mb=MOST_BYTES // _MB,
    )
    yield from _answered()
    yield _EVENTS
    yield from (
        f"| {reason:04X} | {why_not('SERVER', reason)} |"
        for reason in (0x0110, 0x0112, 0x0119, 0x0122, 0x0131, 0x0213, 0xFFFF)
    )


def _answered() -> Iterator[str]:
    """Rows of what is accepted of a server that proposes this, and the role of each side."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port = int(probe.getsockname()[1])
    server = Destination("a", _HOST, 104, "ARCHIVE", commitment=True, commitment_port=port)
    with closing(ReportListener(place_for(server), [server], lambda names, report: True)):
        entity = AE("ARCHIVE")
        for kind in (STORAGE_COMMITMENT, VERIFICATION, KINDS[0], FIND_ROOT):
            entity.add_requested_context(kind)
        link = entity.associate(
            _HOST, port, ae_title="SEMC_LIVE", ext_neg=[build_role(STORAGE_COMMITMENT, scp_role=True)]
        )
        for each in link.accepted_contexts:
            kind, syntax = str(each.abstract_syntax), str(each.transfer_syntax[0])
            role = "SCP" if each.as_scp and not each.as_scu else "SCU"
            yield f"| {UID(kind).name} | {kind} | {UID(syntax).name} | {role} |"
        link.release()


def _names(heard: Proposed) -> str:
    """Its abstract syntaxes, and the transfer syntaxes that all of them have."""
    (syntaxes,) = {syntaxes for _, syntaxes in heard.contexts}
    kinds = " and ".join(f"{UID(kind).name} ({kind})" for kind in heard.kinds)
    return f"{kinds} in {', '.join(UID(one).name for one in syntaxes)}"


def _elements(dataset: Dataset) -> str:
    return ", ".join(each.name for each in dataset)
