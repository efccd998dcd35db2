"""Whether there is pip."""

from __future__ import annotations

import subprocess
import sys


def test_pip_is_found_without_a_warning_where_setuptools_watches_for_it() -> None:
    """setuptools warns where pip is searched for after distutils was loaded, as some packages load it."""
    watched = (
        "import sys; sys.modules['distutils'] = sys; from semc_core.io.pip import has_pip; print(has_pip())"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", watched], capture_output=True, encoding="utf-8", check=False
    )
    assert (done.stdout, done.stderr) == ("True\n", "")
