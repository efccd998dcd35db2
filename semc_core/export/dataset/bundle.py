"""A data set of one or many sessions: the four steps of `export.bundle`, for all of them into one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from typing import Final

from semc_core.errors import ExportError, UsageError
from semc_core.export.bundle import check_exportable, verified, warned
from semc_core.export.collect import collect
from semc_core.export.dataset.formats import Format
from semc_core.export.dataset.samples import SPLITS, Dataset, Sample, samples_of
from semc_core.export.deidentified import DeidentifiedScan
from semc_core.export.deidentify import deidentify
from semc_core.export.dicom.uids import UidMaker, load_key
from semc_core.export.ocr import TextReadings, load_text_finder
from semc_core.export.options import ExportOptions, ExportResult, TextChoice
from semc_core.export.prove import Member, prove_dataset
from semc_core.export.staging import Staging
from semc_core.export.text_search import TextSearch
from semc_core.export.watch import Progress, Watch, no_progress
from semc_core.groups.deal import deal
from semc_core.groups.joined import joined
from semc_core.io.process import give_back_memory
from semc_core.paths import data_folder
from semc_core.protocols.kinds import one_kind
from semc_core.session.session import Session
from semc_core.types import Crop

_TAG: Final = 8


@dataclass(frozen=True, slots=True)
class DatasetOptions:
    """The user's choices. There is none to keep identity: a data set is always de-identified.

    Attributes:
        shares: Of train, validation and test, not normalised; None puts all into train.
        seed: Of the order in which groups of equal size are dealt.
        text: What to do with pictures that hold text.
        masks: Rectangles to blank in every picture, pixels.
        anyway: Take also sessions that are not as they were written.
    """

    shares: tuple[float, float, float] | None = None
    seed: int = 0
    text: TextChoice = "ask"
    masks: tuple[Crop, ...] = ()
    anyway: bool = False

    def export_options(self) -> ExportOptions:
        """The same as the steps of an export take them."""
        return ExportOptions(
            frames=False, clips=False, report=False, checklist=False, masks=self.masks,
            text="stop" if self.text == "ask" else self.text, anyway=self.anyway,
        )  # fmt: skip


def export_dataset(
    sessions: Sequence[Session],
    target: Path,
    name: str,
    write: Format,
    options: DatasetOptions,
    *,
    progress: Progress = no_progress,
    data: Path | None = None,
) -> ExportResult:
    """Write the planes of sessions as a data set: all of it, or nothing. Rejected planes are left out.

    Args:
        sessions: At least one, open for writing: each log gets an entry.
        target: A name that is free: of a folder, or of a file that ends in ".zip".
        name: Of the format, for the log.
        write: The format.
        options: The user's choices.
        progress: Told of each step.
        data: Where masks and the key of exports are kept; None for the user's own folder.

    Raises:
        SessionChanged: A session is not as it was written, and `options.anyway` is not set.
        TextFound: Pictures hold text, and `options.text` is "ask": nothing was written.
        ExportError: There is something of this name, or no plane to write.
        UsageError: A session is given twice, there are too few groups for a split, or fetuses and livers,
            say, would go into one data set.
        SemcError: Something could not be read or written.
    """
    _check(sessions, target)
    chosen, kept = options.export_options(), data or data_folder()
    watch, uids = Watch(progress), UidMaker(load_key(kept / "export.key"))
    search = TextSearch(load_text_finder(), TextReadings(), watch)
    try:
        with Staging(target) as staging, ExitStack() as opened:
            members = []
            for session in sessions:
                found = verified(session, chosen, watch)
                collected = opened.enter_context(collect(session, chosen, kept))
                scan = warned(deidentify(collected, chosen, uids, search, watch), found)
                members.append(Member(session, scan, found))
            dataset = dataset_of(members, options)
            write(dataset, staging.write)
            counts = {split: len(dataset.of_split(split)) for split in dataset.splits}
            about = {"format_of_data": name, "pictures": counts, "notices": dataset.notices}
            return prove_dataset(members, about, chosen, staging, watch)
    finally:
        give_back_memory()  # the reader of text alone is hundreds of MiB


def of_one_kind(sessions: Sequence[Session], names: Collection[str] = ()) -> list[Session]:
    """Those sessions in which the same was scanned: all, or those with planes of these names.

    Raises:
        UsageError: They are of more than one kind, and `names` does not choose one.
    """
    known = [[name for name in each.model.classes if name != each.model.none_class] for each in sessions]
    return list(compress(sessions, one_kind(known, names, "What is given")))


def dataset_of(members: Sequence[Member], options: DatasetOptions) -> Dataset:
    """The planes of all of them, whole groups dealt to the splits.

    Raises:
        ExportError: There is no plane.
        UsageError: There are too few groups for the splits.
    """
    groups = joined([_keys(each) for each in members])
    names = {number: members[number].scan.source for number in groups}
    samples = [
        sample
        for member, group in zip(members, groups, strict=True)
        for sample in samples_of(member.scan, member.session.id[:_TAG], names[group])
    ]
    if not samples:
        raise ExportError("These sessions hold no plane that is not rejected; choose others.")
    used = {sample.label for sample in samples}
    known = [name for member in members for name in _planes(member.scan)]
    classes = tuple(dict.fromkeys([*known, *sorted(used)]))
    notices = tuple(dict.fromkeys(notice for member in members for notice in _notices(member.scan)))
    return Dataset(classes, tuple(_dealt(samples, classes, options)), notices)


def _notices(scan: DeidentifiedScan) -> list[str]:
    return [*([scan.model.notice] if scan.model.notice else []), *scan.notices]


def _planes(scan: DeidentifiedScan) -> list[str]:
    return [name for name in scan.model.classes if name != scan.model.none_class]


def _keys(member: Member) -> tuple[str, ...]:
    """What sessions of one group have in common: the patient's generated number, the loop's hash.

    Of a scan with an examination the number is that which a DICOM file of the patient would have. It is
    looked at alone: what is written is the number of the group's first session.
    """
    loop, asked = member.session.source.sha256, member.session.examination
    uids = member.scan.study.uids
    number = uids.pseudonym(f"patient {asked.patient_id}") if asked is not None and asked.patient_id else None
    return (member.scan.source, *(key for key in (loop, number) if key is not None))


def _dealt(samples: Sequence[Sample], classes: Sequence[str], options: DatasetOptions) -> list[Sample]:
    if options.shares is None:
        return list(samples)
    labels: dict[str, Counter[str]] = {}
    for sample in samples:
        labels.setdefault(sample.group, Counter())[sample.label] += 1
    shares: Mapping[str, float] = dict(zip(SPLITS, options.shares, strict=True))
    chosen = deal(labels, classes, {}, shares, options.seed)
    return [replace(sample, split=chosen[sample.group]) for sample in samples]


def _check(sessions: Sequence[Session], target: Path) -> None:
    twice = [session for session, n in Counter(session.id for session in sessions).items() if n > 1]
    if twice:
        raise UsageError("A session is given twice, or with a copy of it; give each of them once.")
    of_one_kind(sessions)
    for session in sessions:
        check_exportable(session, target)
