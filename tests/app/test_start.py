"""What the window does not wait for before it opens."""

from __future__ import annotations

import subprocess
import sys

LATER = ("cryptography", "keyring", "openvino", "pydantic", "pydicom", "torch")


def test_the_window_opens_before_what_only_scans_and_files_need_is_loaded() -> None:
    ask = f"import sys, app.main_window; print([name for name in {LATER} if name in sys.modules])"
    told = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, encoding="utf-8", check=True
    ).stdout
    assert told.strip() == "[]"
