"""Weights from the Hugging Face hub: safetensors and tokenizer files of one commit; no pickles, no code.

They are kept where every hub client keeps them (HF_HUB_CACHE), so that a model another tool downloaded is not
downloaded twice.
"""

import logging
import threading
from pathlib import Path
from typing import Any

from lab.weights.manifest import Manifest, mark
from lab.weights.package import bytes_below
from lab.weights.source import HubModel, Progress, WeightsError

_log = logging.getLogger(__name__)

WANTED = ["*.safetensors", "*.json", "*.jinja", "*.model", "vocab.txt", "merges.txt"]
# Below the root lie copies for other runtimes; Mistral's consolidated file repeats the whole model.
UNWANTED = ["*/*", "consolidated*"]


def hub_folder(repo: str, commit: str) -> Path:
    """Return where the hub's client keeps a commit of a model."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}" / "snapshots" / commit


def hub_snapshot(source: HubModel, progress: Progress) -> tuple[Path, Manifest]:
    """Download a model, or take it from the hub's cache when there is no network.

    Args:
        source: The repository; without a revision, its main branch as it is now.
        progress: Told the bytes of all wanted files.

    Returns:
        The folder of the commit, and its manifest: licence, commit and the hash of every file.

    Raises:
        WeightsError: Unknown, private or gated; no network; no safetensors; a hash is not the published one.
    """
    from huggingface_hub import HfApi, constants

    try:
        info = HfApi(endpoint=constants.ENDPOINT).model_info(
            source.repo, revision=source.revision, files_metadata=True
        )
    except Exception as error:  # the client's transport library, and so its errors, differ by version
        if (cached := _cached(source)) is None:
            raise _explained(source, error) from error
        _log.warning("%s is taken from the hub's cache: %s", source.repo, error)
        return cached
    wanted = {file.rfilename: file for file in info.siblings or [] if _is_wanted(source, file.rfilename)}
    if not any(name.endswith(".safetensors") for name in wanted):
        raise WeightsError(
            f"{source.repo} holds no .safetensors file, and the lab never unpickles weights. "
            "Choose a repository that has one."
        )
    total = sum(file.size or 0 for file in wanted.values())
    folder = _download(source, str(info.sha), total, progress)
    published = {name: file.lfs.sha256 for name, file in wanted.items() if file.lfs is not None}
    licence = str(getattr(info.card_data, "license", None) or "not stated")
    return folder, _checked(source, folder, licence, published)


def _patterns(source: HubModel) -> dict[str, Any]:
    """Return what the hub's client is to take and to leave."""
    if source.files:
        return {"allow_patterns": list(source.files), "ignore_patterns": []}
    return {"allow_patterns": WANTED, "ignore_patterns": UNWANTED}


def _is_wanted(source: HubModel, name: str) -> bool:
    from huggingface_hub.utils import filter_repo_objects

    return bool(list(filter_repo_objects([name], **_patterns(source))))


def _download(source: HubModel, commit: str, total: int, progress: Progress) -> Path:
    """Download in a thread, so that progress is told, and a cancel is heard, in the caller's."""
    from huggingface_hub import constants, snapshot_download

    failure: list[BaseException] = []

    def work() -> None:
        try:
            snapshot_download(
                source.repo,
                revision=commit,
                cache_dir=constants.HF_HUB_CACHE,
                endpoint=constants.ENDPOINT,
                **_patterns(source),
            )
        except Exception as error:
            failure.append(error)

    folder = hub_folder(source.repo, commit)
    store = folder.parent.parent
    before = bytes_below(store)
    thread = threading.Thread(target=work, daemon=True, name=f"download {source.repo}")
    thread.start()
    done = 0
    while thread.is_alive():
        done = max(done, min(bytes_below(store) - before, total))
        progress(done, total, f"Downloading {source.repo}")
        thread.join(timeout=0.2)
    if failure:
        raise _explained(source, failure[0]) from failure[0]
    return folder


def _checked(source: HubModel, folder: Path, licence: str, published: dict[str, str]) -> Manifest:
    names = _files(source, folder)
    marks = {name: mark(folder / name) for name in names}
    wrong = [name for name, sha256 in published.items() if name not in marks or marks[name].sha256 != sha256]
    for name in wrong:
        (folder / name).resolve().unlink(missing_ok=True)
        (folder / name).unlink(missing_ok=True)
    if wrong:
        raise WeightsError(
            f"{', '.join(wrong)} of {source.repo} arrived damaged: the SHA-256 is not the published one. "
            "Try again; if it stays, a proxy or mirror changes files."
        )
    return Manifest(source.repo, licence, folder.name, marks)


def _files(source: HubModel, folder: Path) -> list[str]:
    """List the files of a snapshot that belong to a source, by their path in it."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if _is_wanted(source, name))


def _cached(source: HubModel) -> tuple[Path, Manifest] | None:
    """Find a complete snapshot that some hub client left; a blob is named by its published hash."""
    from huggingface_hub import constants, snapshot_download

    try:
        folder = Path(
            snapshot_download(
                source.repo,
                revision=source.revision,
                cache_dir=constants.HF_HUB_CACHE,
                **_patterns(source),
                local_files_only=True,
            )
        )
    except Exception:  # nothing cached, which is what the caller's error will say
        return None
    names = _files(source, folder)
    if not any(name.endswith(".safetensors") for name in names):
        return None
    blobs = {name: (folder / name).resolve().name for name in names if (folder / name).is_symlink()}
    published = {name: blob for name, blob in blobs.items() if len(blob) == 64}
    return folder, _checked(source, folder, "not known offline", published)


def _explained(source: HubModel, error: BaseException) -> WeightsError:
    from huggingface_hub import constants, errors

    repo = source.repo
    if isinstance(error, errors.GatedRepoError):
        return WeightsError(
            f"{repo} is gated: its owner wants you to accept a licence. "
            "Accept it on the model's page, then log in with: hf auth login."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return WeightsError(
            f"{repo} has no revision {source.revision}. Leave the revision out to take the newest."
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return WeightsError(
            f"{repo} is not on the hub, or is private. Check the spelling (owner/name); "
            "for a private model log in with: hf auth login."
        )
    if isinstance(error, errors.OfflineModeIsEnabled):
        return WeightsError(
            f"{repo} is not cached and HF_HUB_OFFLINE is set. Unset it once to download the model."
        )
    if "Consistency check failed" in str(error):
        return WeightsError(f"The download of {repo} broke off. Try again: it goes on where it stopped.")
    if isinstance(error, OSError) and error.errno == 28:
        return WeightsError(
            f"The disk is full: {repo} does not fit in {constants.HF_HUB_CACHE}. "
            "Free some space, or set HF_HOME to a folder on another disk."
        )
    return WeightsError(
        f"{repo} could not be fetched from {constants.ENDPOINT} ({type(error).__name__}). "
        "Check the network and try again; a model that is cached works offline."
    )
