"""Manifests: what each cached file must hash to, and a stamp that tells cheaply whether it was touched."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class FileMark:
    """A file as it was when it was last hashed: SHA-256 in hex, bytes, modification time in nanoseconds."""

    sha256: str
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Manifest:
    """Where a folder of weights came from and what every file in it hashes to.

    Args:
        source: What was fetched, in words.
        licence: SPDX id, or what the hub calls it.
        revision: The exact version: a package version, a hub commit, or a hash of a local folder's content.
        files: File name to its mark.
    """

    source: str
    licence: str
    revision: str
    files: dict[str, FileMark] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the manifest so that a reader sees the old one or the new one, never half of one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        os.replace(fresh, path)

    @classmethod
    def read(cls, path: Path) -> "Manifest | None":
        """Read a manifest; None where there is none or it is unreadable, which both mean: fetch again."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            files = {name: FileMark(**mark) for name, mark in stored.pop("files").items()}
            return cls(files=files, **stored)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def changed(self, folder: Path, verify: bool = False) -> list[str]:
        """Name the files that are missing or no longer hash to what they did.

        A file whose size and modification time are as recorded is taken as unchanged without reading it, so
        that half a gigabyte is checked in microseconds. This catches truncated, replaced and edited files. It
        does not catch bits that decayed on the disk, or an edit that put the modification time back: `verify`
        reads every byte and does. A file that was touched but holds the same bytes is not changed.
        """
        return [name for name, mark in self.files.items() if not _holds(folder / name, mark, verify)]


def _holds(path: Path, mark: FileMark, verify: bool) -> bool:
    try:
        stat = path.stat()
        if stat.st_size != mark.size:
            return False
        if stat.st_mtime_ns == mark.mtime_ns and not verify:
            return True
        return sha256_of(path) == mark.sha256
    except OSError:
        return False


def sha256_of(path: Path) -> str:
    """Hash a file without holding it in memory.

    >>> sha256_of(Path(os.devnull))[:8]
    'e3b0c442'
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def mark(path: Path) -> FileMark:
    """Hash a file and stamp it."""
    stat = path.stat()
    return FileMark(sha256_of(path), stat.st_size, stat.st_mtime_ns)
