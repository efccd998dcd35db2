"""What is stored of servers, in English, said in the language in use.

The queue keeps sentences in English: other programs read them, and the language may be another tomorrow.
These are their forms, so that the window can say them in its language.
"""

from __future__ import annotations

from typing import Final

from semc_core.language import N_, _, said_again

_FORMS: Final = (
    N_("The connection with {server} broke off, or it gave no answer in time."),
    N_("The connection with {server} broke off."),
    N_("{server} gave no answer in time."),
    N_("{server} gave no whole answer in time."),
    N_("{server} sends more than {size} MB where a short answer belongs; ask who runs it."),
    N_("{server} cannot be reached ({where}); check that it runs, and the network."),
    N_("{server} cannot be reached; check its address, that it runs, and the network."),
    N_('There is no host "{where}"; check its name, and the network.'),
    N_("{server} cannot be reached over TLS: {reason}"),
    N_("Something at {where} takes connections but does not answer as a DICOM server; check the port."),
    N_('{server} does not know this program as "{title}"; have that AE title entered there, or change it.'),
    N_('{server} does not answer to the AE title "{title}"; correct the destination.'),
    N_("{server} does not offer DICOM storage at this port; correct the destination."),
    N_("{server} is too busy for another connection."),
    N_("{server} has too many connections already."),
    N_("{server} refuses the connection."),
    N_("{server} changed or left out attributes (status {status})."),
    N_("{server} had it already."),
    N_("{server} does not allow this program to store; ask who runs it."),
    N_("{server} does not take objects of this kind."),
    N_("{server} does not take objects of the kind {kind}."),
    N_("{server} does not take the encoding {kind}."),
    N_("{server} does not take objects encoded so; have it added --uncompressed."),
    N_("{server} finds the object invalid (status {status})."),
    N_("{server} has no room (status {status}); ask who runs it."),
    N_("{server} could not store it (status {status})."),
    N_("{server} answers, but with status {status}; ask who runs it."),
    N_("{server} sends on to another address, which is not followed; correct its address."),
    N_("{server} does not allow this (403); ask who runs it."),
    N_("{server} wants a token or password (401); add it again with one that it knows."),
    N_("{server} does not accept the token or the password (401); add it again with one that it knows."),
    N_(
        "{server} has no such service at this address ({status}); give the base of its DICOMweb service, "
        "such as https://host/dicom-web."
    ),
    N_("{server} cannot be asked now ({status})."),
    N_("{server} cannot be asked now ({status}); it wants to be left alone for {seconds} s."),
    N_("{server} answers, but not as a DICOMweb service; check its address."),
    N_("{server} could not answer ({status})."),
    N_("{server} does not take an object of {size} MB; ask who runs it."),
    N_("{server} has no room ({status}); ask who runs it."),
    N_("{server} has a fault of its own ({status})."),
    N_("{server} does not accept the object ({status}); ask who runs it."),
    N_("{server} did not say so, but has it."),
    N_("{server} does not say what became of an object."),
    N_("There is no such destination any more."),
    N_("The answer was lost; the server said later that it has it."),
    N_("The copy in the queue is gone or damaged; send the export again."),
    N_("{server} does not keep it: {why} ({status}); try again to send it once more."),
)
_WHY: Final = (
    N_("it failed to store it"),
    N_("it has no such object"),
    N_("it has it as another kind of object"),
    N_("it does not keep this kind of object"),
    N_("it was asked twice under one UID"),
    N_("it has no room"),
    N_("it gives no reason that is known here"),
)
"""Why a server does not keep an object."""


def shown_fault(stored: str) -> str:
    """A sentence of the queue in the language in use; one of no known form as it is."""
    return said_again(stored, _FORMS, {"why": lambda why: _(why) if why in _WHY else why})
