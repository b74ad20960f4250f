"""The file behind the run store: its schema, its connection, and what its failures mean to a person.

SQLite in WAL mode: readers never wait, two processes may write, and a killed process loses only the batch it
had not yet committed. Source: https://sqlite.org/wal.html.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.place import home

FILE_NAME = "lab.sqlite3"
SCHEMA_VERSION = 1
BUSY_TIMEOUT_S = 30.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT PRIMARY KEY, experiment TEXT NOT NULL, recipe TEXT NOT NULL, environment TEXT NOT NULL,
    status TEXT NOT NULL, message TEXT NOT NULL DEFAULT '', created REAL NOT NULL, updated REAL NOT NULL,
    summary TEXT NOT NULL DEFAULT '{}');
CREATE TABLE IF NOT EXISTS batches (
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, batch INTEGER NOT NULL, time REAL NOT NULL,
    PRIMARY KEY (run_id, batch)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS predictions (
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, layout TEXT NOT NULL, query_id TEXT NOT NULL,
    batch INTEGER NOT NULL, place INTEGER NOT NULL, prediction TEXT NOT NULL, gold TEXT NOT NULL,
    correct REAL, margin REAL, logp TEXT NOT NULL, n_tokens INTEGER NOT NULL, seconds REAL,
    prompt TEXT NOT NULL,
    candidates TEXT NOT NULL, answer TEXT NOT NULL, PRIMARY KEY (run_id, layout, query_id));
CREATE TABLE IF NOT EXISTS checks (
    paper TEXT NOT NULL, time REAL NOT NULL, lab_version TEXT NOT NULL, result TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS checks_of_paper ON checks (paper, time);
"""


class StoreError(RuntimeError):
    """The run store can't be read or written; the message names the file and the remedy."""


def default_path() -> Path:
    """Say where runs are kept: under `LAB_HOME`, else in the platform's folder for user data."""
    return home() / FILE_NAME


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors inside the block into `StoreError`s that name the file and the remedy."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except (sqlite3.DatabaseError, OSError) as error:
        raise StoreError(f"{path}: {_remedy(error)}") from error


def _remedy(error: Exception) -> str:
    text = str(error)
    if "disk is full" in text or "No space left" in text:
        return (
            "the disk is full; free some space or set LAB_HOME to a folder elsewhere, then resume the run "
            "(every batch committed so far is kept)"
        )
    if "locked" in text or "busy" in text:
        return f"another process has held the run store for over {BUSY_TIMEOUT_S:.0f} s; end it and try again"
    if isinstance(error, OSError) or "unable to open" in text or "readonly" in text:
        return f"the run store can't be written ({text}); make its folder writable or set LAB_HOME elsewhere"
    if "not a database" in text or "malformed" in text:
        return (
            f"the run store is damaged ({text}); move this file and its -wal and -shm neighbours away to "
            f"begin a new one, or save what is left with `sqlite3 {FILE_NAME} .recover`"
        )
    return (
        f"the run store failed ({text}); move it away to begin a new one, or set LAB_HOME to another folder"
    )


class Database:
    """One connection to the file, shared by the threads of a process and opened anew in a forked one."""

    def __init__(self, path: Path) -> None:
        """Open the file, made with its folder if need be."""
        self.path = path
        self._lock = threading.RLock()
        self._pid = 0
        self._connection: sqlite3.Connection | None = None
        with self._lock, explained(path):
            self._open()

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, self.path)
        except BaseException:
            connection.close()
            raise
        self._connection, self._pid = connection, os.getpid()
        return connection

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection of this process: SQLite's handles must not cross a fork."""
        if self._connection is None or self._pid != os.getpid():
            return self._open()
        return self._connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection for one consistent view of the file."""
        with self._lock, explained(self.path):
            connection = self.connection
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection for one transaction: all of the block is committed, or nothing of it."""
        with self._lock, explained(self.path):
            connection = self.connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        with self._lock:
            if self._connection is not None and self._pid == os.getpid():
                self._connection.close()
            self._connection = None


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    _enter_wal(connection)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == SCHEMA_VERSION:
        return
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path}: the run store was written by a newer lab (format {version}, this one reads "
            f"{SCHEMA_VERSION}); update the lab or set LAB_HOME to another folder"
        )
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; two first openers can meet here, and SQLite then answers without waiting."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
