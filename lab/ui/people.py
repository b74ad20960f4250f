"""Whose runs are whose: one store on one's own machine, a store for each browser on a shared server.

A browser is known by a random token that it keeps in its local storage; the server never lists tokens.
Nobody can name another person's folder: a token that the server did not give out is replaced by a new one.
"""

import os
import re
import secrets
import shutil
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import gradio as gr
from gradio.events import Dependency

from lab.place import home, is_shared
from lab.runs.database import FILE_NAME
from lab.runs.store import Store

IDLE_S = 24 * 3600.0
CLEAN_EVERY_S = 3600.0
MAX_OPEN_STORES = 64
MAX_SESSIONS = 10_000

_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass
class Visits:
    """What the server remembers while it runs: the visitors' tokens by session, and their open stores."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    token_of: "OrderedDict[str, str]" = field(default_factory=OrderedDict)
    stores: "OrderedDict[Path, Store]" = field(default_factory=OrderedDict)
    cleaned: float = 0.0


@dataclass(frozen=True)
class Lab:
    """Where the runs of the person in front of the screen are kept.

    Args:
        home: The folder of the run store.
        is_shared: Whether strangers use this server together, so that each browser has runs of its own.
        visits: What is remembered while the server runs.
    """

    home: Path
    is_shared: bool = False
    visits: Visits = field(default_factory=Visits, repr=False, compare=False)

    @classmethod
    def here(cls) -> "Lab":
        """Say where the lab is kept, and whether its server is shared (see `lab.place`)."""
        return cls(home(), is_shared())

    def store_for(self, request: gr.Request | None) -> Store:
        """Open the store of whoever sent a request.

        On a shared server a request without a session gets an empty store of its own.

        Raises:
            StoreError: If the store can't be opened; the message names the file and the remedy.
        """
        if not self.is_shared:
            return self._opened(self.home / FILE_NAME)
        session = getattr(request, "session_hash", None)
        with self.visits.lock:
            token = self.visits.token_of.get(session or "") or _new_token()
            self._remember(session, token)
            return self._opened(self._folder(token) / FILE_NAME)

    def arrive(self, token: str, request: gr.Request) -> str:
        """Tie a browser's session to its token; wire this to the page's load event.

        Args:
            token: What the browser kept; "" at the first visit.
            request: The page's own.

        Returns:
            The token to keep: the same if the server still has its folder, else a new one; "" where nothing
            is shared.
        """
        if not self.is_shared:
            return ""
        self._clean()
        with self.visits.lock:
            known = isinstance(token, str) and _TOKEN.fullmatch(token) and self._is_known(token)
            chosen = token if known else self.visits.token_of.get(request.session_hash or "") or _new_token()
            return self._remember(request.session_hash, chosen)

    def _remember(self, session: str | None, token: str) -> str:
        if session:
            self.visits.token_of[session] = token
            self.visits.token_of.move_to_end(session)
            while len(self.visits.token_of) > MAX_SESSIONS:
                self.visits.token_of.popitem(last=False)
        return token

    def _is_known(self, token: str) -> bool:
        return token in self.visits.token_of.values() or self._folder(token).is_dir()

    def _folder(self, token: str) -> Path:
        return self.home / "people" / token

    def _opened(self, path: Path) -> Store:
        """Open a store or take the open one; the least recently used are closed until asked again."""
        with self.visits.lock:
            stores = self.visits.stores
            if path in stores and not path.exists():
                stores.pop(path).close()  # someone deleted or moved the file: begin a new one
            if path not in stores:
                stores[path] = Store(path)
            stores.move_to_end(path)
            while len(stores) > MAX_OPEN_STORES:
                stores.popitem(last=False)[1].close()
            if self.is_shared:
                with suppress(OSError):
                    os.utime(path.parent)  # its age is how long its owner has been away
            return stores[path]

    def _clean(self) -> None:
        """Delete the folders of those who were away for a day, at most once an hour."""
        now = time.time()
        with self.visits.lock:
            if now - self.visits.cleaned < CLEAN_EVERY_S:
                return
            self.visits.cleaned = now
            for folder in (self.home / "people").glob("*"):
                with suppress(OSError):  # another process may be cleaning too
                    if now - _last_touched(folder) > IDLE_S:
                        store = self.visits.stores.pop(folder / FILE_NAME, None)
                        if store is not None:
                            store.close()
                        shutil.rmtree(folder)


def welcome(lab: Lab, page: gr.Blocks) -> Dependency:
    """Keep the browser's token; call this inside the page's context, outside of any tab.

    Returns:
        The load event; whatever reads a store when the page opens must follow it with `.then(...)`.
    """
    # The token itself is the secret and the browser its keeper; a constant key lets it outlive a restart.
    token = gr.BrowserState("", storage_key="in-context-lab", secret="in-context-lab")
    return page.load(lab.arrive, token, token, queue=False, show_progress="hidden", api_visibility="private")


def _new_token() -> str:
    return secrets.token_hex(16)


def _last_touched(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.glob("*")))
