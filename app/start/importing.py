"""A network of another program, chosen as a model: made one of the user's own models. No Qt here.

It is read by a process of its own, `semc model import`: the window loads no PyTorch.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Final

from app.formatting import own_model
from app.tasks import Background, Post, fault_of
from semc_core.errors import ModelFileError
from semc_core.extras import installed, needed
from semc_core.io.process import own_command
from semc_core.language import _
from semc_core.model.registry import ModelRegistry, Version

CHECKPOINTS: Final = ("pth", "pt", "tar", "ckpt")
"""What files of PyTorch end in."""
_NEEDED: Final = ("torch", "torchvision")
_USAGE: Final = 2
"""What the program returns where something more must be said, as the names of the classes."""

Use = Callable[[str], object]
"""Takes the path of a model file."""


class ModelImport:
    """Takes what was chosen as a model. Called by the window's thread; only `close` waits."""

    def __init__(
        self,
        registry: Callable[[], ModelRegistry],
        post: Post,
        tell: Callable[[str], None],
        report: Callable[[str], None],
    ) -> None:
        """Nothing is imported yet.

        Args:
            registry: Gives the user's models, of which an imported one becomes one.
            post: See `app.tasks`.
            tell: Told what is done, a sentence.
            report: Told what went wrong, a sentence.
        """
        self._registry, self._tell, self._report = registry, tell, report
        self._work = Background("model-import", post)
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    def take(self, path: str, use: Use) -> None:
        """Have this file used; a network of another program is imported first, which takes a moment."""
        chosen = Path(path)
        if chosen.suffix.lower().lstrip(".") not in CHECKPOINTS:
            use(path)
            return
        missing = next((name for name in _NEEDED if not installed(name)), None)
        if problem := needed(missing, _("Importing a network")):
            self._report(problem)
            return
        self._tell(_("{name} is being imported as a model; the window goes on meanwhile.", name=chosen.name))
        self._work.start(lambda: self._imported(chosen), partial(self._done, chosen.name, use))

    def close(self) -> None:
        """Import nothing more."""
        self._closed = True
        if (process := self._process) is not None:
            process.kill()
        self._work.close(forget=True)

    def _done(self, name: str, use: Use, future: Future[Version]) -> None:
        if (error := future.exception()) is not None:
            self._tell("")
            self._report(fault_of(error))
            return
        version = future.result()
        use(str(self._registry().folder / version.file))
        self._tell(
            _(
                "{name} is imported. The next scan uses it, as {model}; nobody tested it here.",
                name=name,
                model=own_model(version.number),
            )
        )

    def _imported(self, checkpoint: Path) -> Version:
        """On a thread of its own."""
        with tempfile.TemporaryDirectory(prefix="semc-import-") as folder:
            out = Path(folder) / "imported.safetensors"
            self._process = process = subprocess.Popen(
                [*own_command(), "model", "import", str(checkpoint), "--out", str(out)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                encoding="utf-8", errors="replace",
            )  # fmt: skip
            if self._closed:
                process.kill()
            said = process.communicate()[1]
            if process.returncode == _USAGE:
                raise ModelFileError(
                    _(
                        "{name} does not say what its planes are called; import it by the command "
                        "semc model import, which takes their names.",
                        name=checkpoint.name,
                    )
                )
            if process.returncode != 0:
                raise ModelFileError(_why(said, checkpoint.name))
            return self._registry().add(out, checkpoint.name)


def _why(said: str, name: str) -> str:
    """The sentence of the command; it is English in every language."""
    lines = [line.removeprefix("semc: ") for line in said.splitlines() if line.startswith("semc: ")]
    return lines[-1] if lines else _("{name} could not be imported; choose another file.", name=name)
