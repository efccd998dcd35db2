"""Sources that plug-ins bring: `NAME://ADDRESS`, see docs/plugins.md."""

from __future__ import annotations

from semc_core.errors import SourceError
from semc_core.io.plugins import Plugin, PluginError, find_plugin, guarded
from semc_core.picture_options import PictureOptions
from semc_core.sources.base import FrameSource, WrappedSource
from semc_core.types import FramePacket


def open_plugged(text: str, options: PictureOptions) -> FrameSource | None:
    """Open `NAME://ADDRESS` with the plug-in of that name; None where there is none.

    Raises:
        SourceError: It could not be opened.
    """
    name, _, _ = text.partition("://")
    try:
        plugin = find_plugin("source", name.lower())
        if plugin is None:
            return None
        source = guarded(plugin, f"open {text}", plugin.load(), text, options)
    except PluginError as error:
        raise SourceError(str(error)) from error
    lacking = [each for each in ("info", "read", "interrupt", "close") if not hasattr(source, each)]
    if lacking:
        raise SourceError(
            f"{plugin.called} gave no source of frames (no {lacking[0]}); update or uninstall it."
        )
    return _Plugged(source, plugin)


class _Plugged(WrappedSource):
    """A plug-in's source, whose faults are sentences."""

    def __init__(self, source: FrameSource, plugin: Plugin) -> None:
        super().__init__(source)
        self._plugin = plugin

    def read(self) -> FramePacket | None:
        """See `FrameSource.read`."""
        try:
            packet: object = guarded(self._plugin, "read", self._source.read)
        except PluginError as error:
            raise SourceError(str(error)) from error
        if packet is None or isinstance(packet, FramePacket):
            return packet
        raise SourceError(f"{self._plugin.called} gave a {type(packet).__name__} and no frame; update it.")

    def close(self) -> None:
        """See `FrameSource.close`."""
        try:
            guarded(self._plugin, "close", self._source.close)
        except PluginError as error:
            raise SourceError(str(error)) from error
