"""TLS for connections with servers."""

from __future__ import annotations

import ssl
from typing import Any, Final

from semc_core.errors import PacsError
from semc_core.pacs.destinations import Tls

_BAD_CERTIFICATE: Final = (
    "its certificate is not trusted, or is of another host; give the file of its CA with --tls-ca."
)
_NO_TLS: Final = "it does not speak TLS at this port, or not with this program; ask who runs it."


class SecuredContext:
    """A TLS context that remembers why a connection could not be secured.

    The network library only logs that.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self.fault = ""
        self.permanent = False
        self.context = context
        secured = self

        class Socket(ssl.SSLSocket):
            def connect(self, address: Any) -> None:
                try:
                    super().connect(address)
                except ssl.SSLCertVerificationError:
                    secured.fault, secured.permanent = _BAD_CERTIFICATE, True
                    raise
                except (ssl.SSLError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError):
                    secured.fault = _NO_TLS
                    raise

        context.sslsocket_class = Socket


def tls_context(tls: Tls) -> SecuredContext:
    """A context that checks the server's certificate and name.

    Raises:
        PacsError: A file of certificates cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=tls.ca)
    except (OSError, ssl.SSLError) as error:
        raise PacsError("The file of trusted certificates cannot be used; give a PEM file.") from error
    if tls.certificate is not None:
        try:
            # Without the password it would ask on the terminal.
            context.load_cert_chain(tls.certificate, tls.key, password="")
        except (OSError, ssl.SSLError, ValueError) as error:
            raise PacsError(
                "The program's own certificate or key cannot be used; give PEM files without a password."
            ) from error
    return SecuredContext(context)
