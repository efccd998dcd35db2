"""`semc trim`: takes from the libraries beside the program what it never loads, to free disk.

A wheel holds all that anybody might want of a library; pip cannot install a part of it. What goes is named
below, by library; a test holds it against what a process of the program loads.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Annotated, Final

from typer import Option

from semc_core.cli.shared.tree import Commands
from semc_core.errors import UsageError
from semc_core.extras import installed

UNUSED: Final = {
    # Its devices but for the CPU, readers of other programs' models, headers.
    "openvino": (
        "openvino/libs/*_gpu_plugin.*", "openvino/libs/*_npu_plugin.*", "openvino/libs/cache.json",
        "openvino/libs/*onnx_frontend.*", "openvino/libs/*pytorch_frontend.*",
        "openvino/libs/*paddle_frontend.*",
        "openvino/libs/*gguf_frontend.*", "openvino/libs/*jax_frontend.*", "openvino/include/*",
    ),
    # Qt Quick and QML, tools for developers, Qt in languages that the window does not speak, databases by Qt.
    "PySide6_Essentials": (
        "PySide6/Qt/qml/*", "PySide6/Qt/metatypes/*", "PySide6/Qt/libexec/*",
        "PySide6/Qt/translations/[!q]*", "PySide6/Qt/translations/qt[!b]*",
        "PySide6/Qt/translations/qtbase_[!defsz]*",
        "PySide6/Qt/lib/libQt6Quick*", "PySide6/Qt/lib/libQt6Qml*", "PySide6/Qt/lib/libQt6Designer*",
        "PySide6/Qt/lib/libQt6Labs*", "PySide6/Qt/lib/libQt6WaylandCompositor*",
        "PySide6/Qt/plugins/qml*", "PySide6/Qt/plugins/designer/*", "PySide6/Qt/plugins/sqldrivers/*",
        "PySide6/QtQuick*.so", "PySide6/QtQml*.so", "PySide6/QtDesigner*.so", "PySide6/libpyside6qml*",
        "PySide6/*.pyi", "PySide6/typesystems/*", "PySide6/glue/*", "PySide6/include/*", "PySide6/doc/*",
        "PySide6/assistant", "PySide6/designer", "PySide6/linguist", "PySide6/lrelease", "PySide6/lupdate",
        "PySide6/qml*", "PySide6/svgtoqml",
    ),
    # Second and third copies of each library.
    "python-gdcm": ("_gdcm/lib*.so", "_gdcm/lib*.so.?.?.?"),
    # Sources of what is compiled; pictures for tests.
    "fonttools": ("fontTools/*.c",),
    "pydicom": ("pydicom/data/test_files/*",),
    "pyjpegls": ("jpeg_ls/tests/*",),
    "pynetdicom": ("pynetdicom/tests/*", "pynetdicom/apps/tests/*"),
    "numpy": ("numpy/*/tests/*", "numpy/_core/include/*", "numpy/_core/lib/*", "numpy/*.pyi"),
}  # fmt: skip
"""For each library, patterns of its files, as its wheel names them on Linux."""

app = Commands()


@app.add()
def trim(yes: Annotated[bool, Option("--yes", help="take it out")] = False) -> int:
    """Say, or do. Returns 0.

    Raises:
        UsageError: Not on this system, or not beside what is installed.
        OSError: A file cannot be deleted.
    """
    if sys.platform != "linux":
        raise UsageError("What the libraries hold in vain is known for Linux only; nothing was taken out.")
    if yes and installed("nncf"):
        raise UsageError("The extra train is installed here, which may load more; nothing was taken out.")
    freed = 0
    for name in UNUSED:
        held = [(path, path.stat().st_size) for path in unused_files(name)]
        freed += (size := sum(each for _, each in held))
        print(f"{name}: {size / 1e6:.0f} MB")
        for path, _ in held if yes else ():
            path.unlink()
    if yes:
        print(f"{freed / 1e6:.0f} MB are free. pip install --force-reinstall --no-deps NAME brings it back.")
    else:
        print(f"{freed / 1e6:.0f} MB could be freed: semc trim --yes")
    return 0


def unused_files(name: str, places: list[str] | None = None) -> Iterator[Path]:
    """The files of an installed library that the program never loads and that are there.

    Args:
        name: One of `UNUSED`.
        places: Folders of libraries to look in; None for those of this Python.
    """
    found: Distribution | None = next(
        iter(distributions(name=name) if places is None else distributions(name=name, path=places)), None
    )
    for file in (found.files or []) if found is not None else []:
        if any(fnmatchcase(str(file), pattern) for pattern in UNUSED[name]):
            path = Path(str(file.locate()))
            if path.is_file():
                yield path
