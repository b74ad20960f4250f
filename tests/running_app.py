"""The real app, launched once for all tests that speak to it: API, pages and load."""

import socket
import tempfile
from functools import cache

import pytest


@cache
def running_app() -> str:
    """Launch the app as `python app.py` does, on a free port of this machine, with an empty home of its own.

    Returns:
        Its address, without a slash at the end.
    """
    with pytest.MonkeyPatch.context() as patch, socket.socket() as free:
        patch.setenv("LAB_HOME", tempfile.mkdtemp(prefix="lab-app-"))
        for name in ("LAB_SHARED", "SPACE_ID", "GRADIO_SERVER_PORT", "GRADIO_SERVER_NAME"):
            patch.delenv(name, raising=False)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        from lab.ui.app import LAUNCH, build

        options = {**LAUNCH, "server_name": "127.0.0.1", "server_port": port}
        build().launch(prevent_thread_lock=True, quiet=True, **options)
    return f"http://127.0.0.1:{port}"
