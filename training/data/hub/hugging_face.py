"""A data set of the Hugging Face hub, by the hub's own client, which resumes by itself.

No account is used: what needs one is downloaded by hand.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any, Final

from semc_core.errors import SourceError
from semc_core.io.atomic import save_error
from training.data.hub.catalogue import Offer, OfferedFile
from training.data.hub.download import Progress, digest_of

ADDRESS: Final = "https://huggingface.co"


def offer(repository: str, revision: str, address: str = ADDRESS) -> Offer:
    """What a repository offers, at one commit.

    Raises:
        SourceError: It cannot be had.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    api = HfApi(endpoint=address, token=False)
    try:
        found = api.dataset_info(repository, revision=revision or None, files_metadata=True)
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError) as error:
        raise _refused(repository, error) from error
    files = []
    for each in found.siblings or ():
        sums = f"sha256:{each.lfs.sha256}" if each.lfs is not None else f"git:{each.blob_id}"
        files.append(OfferedFile(each.rfilename, each.size or 0, sums))
    card = found.card_data
    licence = "" if card is None else str(card.get("license") or "")
    page = f"{api.endpoint}/datasets/{repository}"
    return Offer(repository, licence, tuple(files), page, found.sha or "")


def fetch(offered: Offer, repository: str, folder: Path, progress: Progress, address: str = ADDRESS) -> None:
    """Get all files of the commit into `folder`, and prove them.

    Raises:
        SourceError: It cannot be had, or a file is not what the hub lists.
        SaveError: It cannot be written.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        snapshot_download(
            repository,
            repo_type="dataset",
            revision=offered.version,
            local_dir=folder,
            endpoint=address,
            token=False,
            max_workers=2,
            tqdm_class=_bar(progress, offered.size),
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, ConnectionError, TimeoutError) as error:
        raise _refused(repository, error) from error
    except OSError as error:
        raise save_error(folder, error) from error
    for each in offered.files:
        path = folder / each.name
        if not path.is_file() or _digest(path, each.checksum) != each.checksum:
            path.unlink(missing_ok=True)
            raise SourceError(f"{path.name} arrived damaged and was removed; run the same command again.")


def _bar(progress: Progress, size: int) -> Any:
    """A progress bar as the client wants one: it draws nothing, and tells `progress`."""
    from tqdm.std import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        monitor_interval = 0  # No thread of its own.

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "file": io.StringIO()})

        def update(self, n: float | None = 1) -> bool | None:
            drawn: bool | None = super().update(n)
            if self.unit == "B":
                progress(min(int(self.n), size), size)
            return drawn

    return Bar


def _digest(path: Path, checksum: str) -> str:
    if not checksum.startswith("git:"):
        return digest_of(path, checksum)
    content = path.read_bytes()  # Only small files are not in large-file storage.
    made = hashlib.sha1(b"blob %d\0" % len(content), usedforsecurity=False)
    made.update(content)
    return f"git:{made.hexdigest()}"


def _refused(repository: str, error: Exception) -> SourceError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403, 404):
        return SourceError(
            f"The hub has no open data set {repository}; check the name, or get it by hand with an account."
        )
    return SourceError(
        f"The hub cannot be reached, or broke off, for {repository}; run the same command again to go on."
    )
