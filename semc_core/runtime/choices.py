"""What a runtime can be asked for, by name. Imports nothing: the command line shows these in its help."""

from __future__ import annotations

from typing import Final

DEVICES: Final = ("auto", "cpu", "cuda", "torch-cpu")
PRECISIONS: Final = ("auto", "float32", "bfloat16", "int8", "float16")
