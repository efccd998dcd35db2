"""Formats of data sets that plug-ins bring: `semc dataset --format NAME`, see docs/plugins.md."""

from __future__ import annotations

from pathlib import PurePosixPath

from semc_core.errors import ExportError
from semc_core.export.dataset.formats import Format, Write
from semc_core.export.dataset.samples import Dataset
from semc_core.io.plugins import PluginError, find_plugin, guarded


def plugged_format(name: str) -> Format | None:
    """The format of a plug-in; None where there is none of this name.

    Raises:
        ExportError: It cannot be loaded.
    """
    try:
        plugin = find_plugin("exporter", name)
        if plugin is None:
            return None
        write_all = plugin.load()
    except PluginError as error:
        raise ExportError(str(error)) from error

    def write(dataset: Dataset, to: Write) -> None:
        def checked(name: str, content: bytes) -> object:
            place = PurePosixPath(name)
            if not name or place.is_absolute() or ".." in place.parts or "\\" in name or ":" in name:
                raise ExportError(
                    f"{plugin.called} wrote to {name[:80]!r}, outside of the data set; update it."
                )
            return to(name, bytes(content))

        try:
            guarded(plugin, "write the data set", write_all, dataset, checked)
        except PluginError as error:
            raise ExportError(str(error)) from error

    return write
