"""One tree of errors. Each message is a sentence for the user that says what to do."""

from collections.abc import Sequence

from semc_core.language import _, in_both
from semc_core.text import readable


class SemcError(Exception):
    """Something that the user can be told in one sentence."""

    def __str__(self) -> str:
        """The sentence. It may name a file whose name is no UTF-8."""
        if len(self.args) == 1 and isinstance(self.args[0], str):
            return in_both(readable, self.args[0])
        return readable(super().__str__())


def told_of_system(error: OSError) -> str:
    """What the system refused, as a sentence; "" where it names no file, so that only the log can help."""
    if error.filename is None or error.strerror is None:
        return ""
    return _(
        "{file} cannot be used ({reason}); check its name and permissions.",
        file=error.filename,
        reason=error.strerror.lower(),
    )


class SourceError(SemcError):
    """A source could not be opened, or broke off while it was read."""


class FrameDamaged(SourceError):
    """One frame of a source cannot be shown; the others can."""


class SourceInterrupted(SourceError):
    """A read was ended by `FrameSource.interrupt`; not a fault."""


class ModelFileError(SemcError):
    """A model file is missing, damaged, or not one of ours."""


class RuntimeFault(SemcError):
    """The model could not be run, or gave numbers that are not finite."""


class SaveError(SemcError):
    """A result could not be written."""


class UsageError(SemcError):
    """A command was given something that it cannot work with."""


class SessionError(SemcError):
    """A session cannot be opened, is damaged, or a change does not fit it."""


class SessionInUse(SessionError):
    """A session is open for writing in another program, or in another part of this one."""


class ExportError(SemcError):
    """An export could not be made, or is not what it should be."""


class SessionChanged(ExportError):
    """The session that is to be exported is not as it was written, as `findings` say; nothing was written."""

    def __init__(self, session: str, findings: Sequence[str]) -> None:
        """Made from the session's name and at least one sentence."""
        self.findings = tuple(findings)
        super().__init__(
            _(
                "The session {session} is not as it was written, so it was not exported: {finding}",
                session=session,
                finding=self.findings[0],
            )
        )


class ExportCancelled(ExportError):
    """An export was ended by the user; nothing was written."""


class PacsError(SemcError):
    """A server did not take what was sent, cannot be reached, or is described wrongly."""


class ProtocolError(SemcError):
    """A protocol is not there, or its file is not as it must be.

    Attributes:
        problems: A sentence for each mistake in the file; none where there is no such protocol.
    """

    def __init__(self, text: str, problems: tuple[str, ...] = ()) -> None:
        """Say `text`; or of the file named `text` its first problem, and how many more there are."""
        if problems:
            more = _(" ({count} more; semc protocols --check FILE lists them)", count=len(problems) - 1)
            text = f"{text}: {problems[0]}{more if len(problems) > 1 else ''}"
        super().__init__(text)
        self.problems = problems
