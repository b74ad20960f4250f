"""Where this lab runs: on someone's own machine or shared with strangers, and the folder that it keeps."""

import os
from pathlib import Path


def is_shared() -> bool:
    """Tell whether strangers use this server together: LAB_SHARED=1, or a Hugging Face Space."""
    return os.environ.get("LAB_SHARED", "") not in ("", "0") or bool(os.environ.get("SPACE_ID"))


def home() -> Path:
    """Return the folder of runs, task files and weights: LAB_HOME, else the platform's for user data."""
    if chosen := os.environ.get("LAB_HOME"):
        return Path(chosen).expanduser()
    from platformdirs import user_data_dir

    return Path(user_data_dir("in-context-lab", appauthor=False))
