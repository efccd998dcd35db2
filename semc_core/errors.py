"""One tree of errors. Each message is a sentence for the user that says what to do."""


class SemcError(Exception):
    """Something that the user can be told in one sentence."""


class SourceError(SemcError):
    """A source could not be opened, or broke off while it was read."""


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


class ExportError(SemcError):
    """An export could not be made, or is not what it should be."""


class ExportCancelled(ExportError):
    """An export was ended by the user; nothing was written."""


class PacsError(SemcError):
    """A server did not take what was sent, cannot be reached, or is described wrongly."""
