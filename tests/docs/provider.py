"""What `semc serve` agrees on and answers, heard by a scanner on this machine's own address."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.uid import UID_dictionary
from pynetdicom import AE, build_context
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext

from semc_core.serve.settings import Limits
from tests.docs.association import or_none
from tests.pacs.servers import HOST
from tests.serve.objects import SCANNER, TITLE, loop, receiving, save, store

_MOST_CONTEXTS: Final = 128
_VERIFICATION: Final = "1.2.840.10008.1.1"
_UNCOMPRESSED: Final = "1.2.840.10008.1.2"
_LONG_S: Final = 600.0
"""Only against hanging: a busy machine may need long."""


@dataclass(frozen=True, slots=True)
class Provided:
    """What a scanner heard.

    Attributes:
        contexts: For each abstract syntax that is accepted the transfer syntaxes that are, the one first that
            is taken where all of them are proposed in one context, and so on.
        facts: Of the answer to an association request, by what the standard calls them.
        rejections: Why an association was rejected, and result, source and reason.
        statuses: What was sent, and the status of C-STORE.
    """

    contexts: dict[str, tuple[str, ...]]
    facts: dict[str, str]
    rejections: dict[str, tuple[int, int, int]]
    statuses: dict[str, int]


def provided(syntaxes: Sequence[str]) -> Provided:
    """Propose every abstract syntax of the standard, of those accepted every one of `syntaxes`, and send."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        limits = Limits(least_free_mb=0, associations=100, object_mb=1, idle_s=_LONG_S)
        with receiving(place / "inbox", limits=limits) as (receiver, _):
            port = receiver.port
            kinds = [uid for uid, about in UID_dictionary.items() if about[1] == "SOP Class"]
            taken = [kind for kind, _ in _accepted(port, [(kind, _UNCOMPRESSED) for kind in kinds])]
            pairs = list(_accepted(port, list(itertools.product(taken, syntaxes))))
            accepted = {kind: tuple(one for other, one in pairs if other == kind) for kind in taken}
            contexts = _in_order(port, accepted)
            rejections = _rejections(port)
            rejections["there are as many associations as the settings allow"] = _one_too_many(place)
            return Provided(contexts, _facts(port), rejections, _statuses(port, place))


def _accepted(port: int, proposed: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Which pairs of abstract and transfer syntax are accepted, each proposed in a context of its own."""
    for start in range(0, len(proposed), _MOST_CONTEXTS):
        some = proposed[start : start + _MOST_CONTEXTS]
        with _asking(port, [build_context(kind, syntax) for kind, syntax in some]) as association:
            for one in association.accepted_contexts:
                yield str(one.abstract_syntax), str(one.transfer_syntax[0])


def _in_order(port: int, accepted: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The transfer syntaxes of each abstract syntax, in the order in which they are taken."""
    left = {kind: list(reversed(syntaxes)) for kind, syntaxes in accepted.items()}
    found: dict[str, list[str]] = {kind: [] for kind in accepted}
    while any(left.values()):
        with _asking(port, [build_context(kind, those) for kind, those in left.items() if those]) as asked:
            assert asked.accepted_contexts
            for one in asked.accepted_contexts:
                kind, syntax = str(one.abstract_syntax), str(one.transfer_syntax[0])
                found[kind].append(syntax)
                left[kind].remove(syntax)
    return {kind: tuple(syntaxes) for kind, syntaxes in found.items()}


@contextmanager
def _asking(
    port: int, contexts: list[PresentationContext], title: str = SCANNER, called: str = TITLE
) -> Iterator[Association]:
    entity = AE(title)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = _LONG_S
    association = entity.associate(HOST, port, contexts, ae_title=called)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def _facts(port: int) -> dict[str, str]:
    with _asking(port, [build_context(_VERIFICATION)]) as association:
        said = association.acceptor
        answer = said.primitive
        assert answer is not None
        return {
            "Called AE title": str(answer.called_ae_title),
            "Application context": str(answer.application_context_name),
            "Maximum length of a PDU": str(said.maximum_length),
            "Implementation Class UID": str(said.implementation_class_uid),
            "Asynchronous operations window": or_none(said.asynchronous_operations),
            "SOP Class extended negotiation": or_none(said.sop_class_extended),
            "SCP/SCU role selection": or_none(said.role_selection),
            "User identity": or_none(said.user_identity),
        }


def _rejections(port: int) -> dict[str, tuple[int, int, int]]:
    contexts = [build_context(_VERIFICATION)]
    found = {}
    for why, titles in (
        ("the service is called by another AE title", {"called": "ANOTHER"}),
        ("the sender is not in the list, or may not send from there", {"title": "STRANGER"}),
    ):
        with _asking(port, contexts, **titles) as association:
            found[why] = _rejection(association)
    return found


def _one_too_many(place: Path) -> tuple[int, int, int]:
    contexts = [build_context(_VERIFICATION)]
    with (
        receiving(place / "another", limits=Limits(least_free_mb=0, associations=1)) as (receiver, _),
        _asking(receiver.port, contexts) as first,
        _asking(receiver.port, contexts) as second,
    ):
        assert first.is_established
        return _rejection(second)


def _rejection(association: Association) -> tuple[int, int, int]:
    answer = association.acceptor.primitive
    assert answer is not None
    result, source, reason = answer.result, answer.result_source, answer.diagnostic
    assert result is not None
    assert source is not None
    assert reason is not None
    return result, source, reason


def _statuses(port: int, place: Path) -> dict[str, int]:
    whole, large = loop(number=1), loop(1, number=2, Rows=1024, Columns=1024, PixelData=bytes(2**20))
    half = save(place / "half.dcm", loop(number=3))
    half.write_bytes(half.read_bytes()[:-100])
    with disable_value_validation():
        nowhere = loop(number=4, StudyInstanceUID="none")
    bare = loop(number=5)
    del bare.PixelData
    sent: dict[str, Dataset | Path] = {
        "kept": whole,
        "the same object once more: nothing is done": whole,
        "other content under the same SOP Instance UID: kept beside the first, and not analysed": loop(
            number=1, StationName="ANOTHER"
        ),
        "larger than the settings allow; the same where the disk has too little room": large,
        "no Study Instance UID; the same where it is not the object that was announced": nowhere,
        "it ends within its pictures": half,
        "it holds no pictures, or cannot be read": bare,
    }
    return {what: store(port, one)[0] for what, one in sent.items()}
