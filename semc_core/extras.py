"""How to install what only some users need, in the words that the messages use."""

from __future__ import annotations

from typing import Final

INSTALL_TRAINING: Final = 'pip install -c constraints.txt -e ".[train]"'
INSTALL_READING: Final = 'pip install -c constraints.txt -e ".[ocr]"'
INSTALL_CLUSTER: Final = 'pip install -c constraints.txt -e ".[cluster]"'
