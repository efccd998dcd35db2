"""No test, nor a program that one starts, keeps anything in the user's folder, or signs with its key."""

from __future__ import annotations

import os
import tempfile

_FOLDER = tempfile.TemporaryDirectory(prefix="semc-tests-", ignore_cleanup_errors=True)
os.environ["XDG_DATA_HOME"] = _FOLDER.name
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
