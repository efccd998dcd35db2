"""Where things are: what ships with the program, and the user's own folders."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import platformdirs

_APP_NAME = "semc-live"

ASSETS = Path(__file__).resolve().parent.parent / "assets"
SHIPPED_MODELS = ASSETS / "models"
DEFAULT_MODEL = SHIPPED_MODELS / "semc_live.safetensors"
FETAL_MODEL = SHIPPED_MODELS / "fetal.safetensors"
DEMONSTRATION = ASSETS / "demonstration" / "fetal_planes.webm"
CHINESE_FONT = ASSETS / "fonts" / "NotoSansSC-Common.otf"
HEAD_MODEL = ASSETS / "measure" / "head.safetensors"


def cache_folder() -> Path:
    """Compiled models and other things that can be made again."""
    return Path(platformdirs.user_cache_dir(_APP_NAME, appauthor=False))


def data_folder() -> Path:
    """What the program remembers for its user: masks of devices, the key of exports."""
    return Path(platformdirs.user_data_dir(_APP_NAME, appauthor=False))


def default_output_folder() -> Path:
    """Where saved planes go unless the user chose another folder."""
    return Path(platformdirs.user_documents_dir()) / "SEMC Live"


def log_folder() -> Path:
    """Log files. They hold no patient data."""
    return Path(platformdirs.user_log_dir(_APP_NAME, appauthor=False))


def site_file() -> Path:
    """What an administrator sets for all users of this computer; SEMC_SITE_FILE names another, for tests."""
    if named := os.environ.get("SEMC_SITE_FILE"):
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / _APP_NAME / "site.json"
    if sys.platform == "darwin":
        return Path("/Library/Application Support") / _APP_NAME / "site.json"
    return Path("/etc") / _APP_NAME / "site.json"


def settings_files() -> tuple[Path, ...]:
    """What the window remembers of its user, and of runs without a display; Qt writes both."""
    config = Path(platformdirs.user_config_dir(_APP_NAME, appauthor=False, roaming=True))
    if sys.platform == "darwin":
        config = Path.home() / ".config" / _APP_NAME  # where Qt has such files
    return config / f"{_APP_NAME}.ini", cache_folder() / "unseen.ini"
