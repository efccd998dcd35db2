"""Every key of the window, as data. Foot pedals send plain keys; change the table to suit yours.

No Qt here: the texts are what `QKeySequence` reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class KeyBinding:
    """One thing the window can do.

    Attributes:
        name: What the window calls it.
        title: For the tool bar, one or two words.
        keys: Key sequences; the first is the one shown on the button.
        help: A sentence for the list of keys.
        scan_only: Only while the live page is shown; on the start page the key types text or does nothing.
    """

    name: str
    title: str
    keys: tuple[str, ...]
    help: str
    scan_only: bool = True


# F2-F8, PageUp and PageDown are what foot pedals and presenters usually send.
BINDINGS: Final = (
    KeyBinding(
        "source", "Source", ("N",), "Choose another source: camera, stream, file, simulated scan", False
    ),
    KeyBinding("open_file", "Open file", ("O",), "Open a recorded cine loop or an image", False),
    KeyBinding("start_stop", "Start", ("S", "F2"), "Start or stop the scan", False),
    KeyBinding(
        "freeze", "Freeze", ("Space", "F4", "PgUp"), "Hold the picture; planes are still found and saved"
    ),
    KeyBinding(
        "capture",
        "Capture",
        ("C", "Return", "Enter", "F5", "PgDown"),
        "Save the frame now, whatever it shows",
    ),
    KeyBinding("heat_map", "Heat map", ("H", "F6"), "Show where in the picture the model sees the plane"),
    KeyBinding("region", "Region", ("R", "F7"), "Set the region of interest: drag over the picture"),
    KeyBinding("auto_region", "Auto region", ("A", "F8"), "Find the region of interest automatically"),
    KeyBinding("last_saved", "Last saved", ("L",), "Look at the plane saved last"),
    KeyBinding("folder", "Folder", ("P",), "Show the folder of saved planes", False),
    KeyBinding("full_screen", "Full screen", ("F", "F11"), "Fill the screen, or go back", False),
    KeyBinding("help", "Keys", ("?", "F1"), "Show or hide this list", False),
    KeyBinding(
        "escape", "Back", ("Esc",), "Leave the region mode, the list of keys, or the full screen", False
    ),
    KeyBinding("quit", "Quit", ("Ctrl+Q",), "Close the program; the scan is ended and saved", False),
)

TOOL_BAR: Final = (
    "source",
    "start_stop",
    "freeze",
    "capture",
    "heat_map",
    "region",
    "auto_region",
    "full_screen",
    "help",
)
"""The buttons, in order."""
