"""A person's own image sets: from a folder, a zip file or uploaded pictures, and back into a zip file.

A set is a folder that holds its pictures, one a panel in the order of their names (2 before 10), and their
texts: `captions.txt` with a line a panel, or `NAME.txt` beside each picture. A line may begin with a marker
of its own, such as [SCENE-1]; `summary.txt` may hold what leads the caption. Nothing is unpacked to the disk.
"""

import io
import re
import stat
import struct
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from lab.images.caption import check
from lab.images.grid import Grid
from lab.images.pictures import ENDINGS, panel_of
from lab.images.sets import ImageSet
from lab.place import is_shared

CAPTIONS, SUMMARY = "captions.txt", "summary.txt"
MAX_FILES = 2_000
MAX_BYTES = 200_000_000
_MAX_RATIO = 200  # of one file's sizes, where it is larger than the next
_SMALL_BYTES = 1_000_000
_LITTER = {"thumbs.db", "desktop.ini", "__macosx"}
_MARKER = re.compile(r"(\[[^\[\]\s]+\])\s*(.*)")
_NUMBERED = re.compile(r"^\d{3}-")

Read = Callable[[str], bytes]
"""Returns a file's bytes by its name."""


def read_folder(path: str | Path, grid: Grid, fit: str = "letterbox") -> list[ImageSet]:
    """Read the sets in a folder, each in a folder of its own below it; refused on a shared lab.

    Args:
        path: The folder.
        grid: The canvas of every set.
        fit: "letterbox" keeps a whole picture, on white; "crop" fills the panel with its middle.

    Raises:
        ValueError: A set can't be used; the message names file, value and remedy.
    """
    if is_shared():
        raise ValueError(
            f"this lab is shared and reads no folders, got {str(path)!r}; upload a zip file instead"
        )
    root = Path(path).expanduser()
    if not root.is_dir():
        raise ValueError(f"{root} is no folder; check the path")
    try:
        files = list(islice((file for file in root.rglob("*") if file.is_file()), MAX_FILES + 1))
        _check_totals(root.name, len(files), sum(file.stat().st_size for file in files))
        names = [file.relative_to(root).as_posix() for file in files]
        return _sets(names, lambda name: (root / name).read_bytes(), root.name, grid, fit)
    except OSError as error:
        raise ValueError(f"can't read {error.filename}: {error.strerror}; check who may read it") from None


def read_zip(path: str | Path, grid: Grid, fit: str = "letterbox") -> list[ImageSet]:
    """Read the sets in a zip file, laid out as in `read_folder`; it is read in memory, never unpacked.

    Raises:
        ValueError: It is no zip file, too large, or a set can't be used; the message names value and remedy.
    """
    path = Path(path).expanduser()
    try:
        with zipfile.ZipFile(path) as archive:
            members = {_plain(entry.filename): entry for entry in _checked(path.name, archive)}
            return _sets(list(members), _reader(path.name, archive, members), path.stem, grid, fit)
    # zipfile tells of a format newer than its own by NotImplementedError
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, struct.error):
        raise ValueError(f"{path.name} is no zip file that can be read; zip the folder again") from None
    except OSError as error:
        raise ValueError(f"can't read {path.name}: {error.strerror or error}; check the path") from None


def from_files(
    files: Sequence[str | Path], texts: Sequence[str], grid: Grid, summary: str = "", fit: str = "letterbox"
) -> list[ImageSet]:
    """Make sets of pictures in the given order, the first panels first.

    Args:
        files: Paths of pictures, a multiple of the grid's panels.
        texts: A text a picture.
        grid: The canvas of every set.
        summary: What leads every caption.
        fit: As in `read_folder`.

    Raises:
        ValueError: The counts do not fit, or a picture or text can't be used.
    """
    n = grid.n_panels
    if not files or len(files) % n:
        raise ValueError(f"{_canvas(grid)} takes {n} pictures a set, got {len(files)}: add or remove some")
    if len(texts) != len(files):
        raise ValueError(f"{len(files)} pictures need as many texts, got {len(texts)}")
    paths = [Path(file) for file in files]
    try:
        _check_totals("the upload", len(paths), sum(path.stat().st_size for path in paths))
        pictures = [panel_of(path.read_bytes(), path.name, fit) for path in paths]
    except OSError as error:
        name = Path(error.filename or "").name
        raise ValueError(f"can't read {name}: {error.strerror}; upload it again") from None
    sets = []
    for start in range(0, len(files), n):
        told = _Texts(tuple(text.strip() for text in texts[start : start + n]), None, summary.strip())
        sets.append(_image_set(f"set {start // n + 1}", pictures[start : start + n], told, grid))
    return sets


def save_zip(sets: Sequence[ImageSet], path: str | Path) -> None:
    """Write sets so that `read_zip` gives them back: lossless pictures, captions and summary.

    Each set's folder is named NNN-NAME, which keeps their order.

    Raises:
        ValueError: There is no set, or a text is empty.
    """
    if not sets:
        raise ValueError("there is no set to save; add at least one")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, each in enumerate(sets, 1):
            if not all(text.strip() for text in each.texts):
                raise ValueError(f"{each.name}: every panel needs a text, got an empty one; write it")
            name = re.sub(r"[^\w .,-]+", "-", each.name).strip(" .-") or "set"
            folder = f"{number:03d}-{name}"
            markers = each.grid.markers if each.markers is None else each.markers
            lines = [
                " ".join(f"{marker} {text}".split()) for marker, text in zip(markers, each.texts, strict=True)
            ]
            archive.writestr(f"{folder}/{CAPTIONS}", "\n".join(lines) + "\n")
            if each.summary:
                archive.writestr(f"{folder}/{SUMMARY}", each.summary + "\n")
            for place, pixels in enumerate(each.pixels, 1):
                buffer = io.BytesIO()
                Image.fromarray(pixels).save(buffer, "PNG")
                archive.writestr(f"{folder}/{place}.png", buffer.getvalue())


def _checked(zip_name: str, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files of an archive, by what it says of them: nothing is decompressed yet."""
    entries = [entry for entry in archive.infolist() if entry.filename and not entry.is_dir()]
    _check_totals(zip_name, len(entries), sum(entry.file_size for entry in entries))
    for entry in entries:
        name = _plain(entry.filename)
        if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in PurePosixPath(name).parts:
            raise ValueError(f"{zip_name}: {name!r} leads out of the zip file; zip the folder itself")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise ValueError(f"{zip_name}: {name} is a link; put the file itself into the zip file")
        if entry.flag_bits & 1:
            raise ValueError(f"{zip_name}: {name} is encrypted; zip the folder without a password")
        if entry.file_size > max(_SMALL_BYTES, _MAX_RATIO * entry.compress_size):
            ratio = entry.file_size / max(1, entry.compress_size)
            raise ValueError(
                f"{zip_name}: {name} expands {ratio:,.0f}-fold and at most {_MAX_RATIO}-fold is read; "
                "save it as PNG or JPEG"
            )
    return entries


def _check_totals(where: str, n_files: int, n_bytes: int) -> None:
    if n_files > MAX_FILES:
        raise ValueError(f"{where} holds more than {MAX_FILES:,} files, the most that are read; split it")
    if n_bytes > MAX_BYTES:
        raise ValueError(
            f"{where} holds {n_bytes / 1e6:,.0f} MB of files and at most {MAX_BYTES / 1e6:.0f} MB are read; "
            "scale the pictures down"
        )


def _reader(zip_name: str, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> Read:
    def read(name: str) -> bytes:
        try:
            return archive.read(members[name])
        except Exception as error:  # a wrong checksum, a broken stream, a method that Python lacks
            raise ValueError(f"{zip_name}: {name} is damaged; zip the folder again") from error

    return read


def _plain(name: str) -> str:
    return name.replace("\\", "/")


def _sets(names: Iterable[str], read: Read, root: str, grid: Grid, fit: str) -> list[ImageSet]:
    """Make a set of every folder that holds pictures, and of every innermost folder."""
    folders: dict[PurePosixPath, list[str]] = {}
    for name in names:
        path = PurePosixPath(name)
        if not any(part.startswith(".") or part.lower() in _LITTER for part in path.parts):
            folders.setdefault(path.parent, []).append(path.name)
    above = {parent for folder in folders for parent in folder.parents}
    found = [
        (folder, files)
        for folder, files in folders.items()
        if folder not in above or any(_is_picture(file) for file in files)
    ]
    if not any(_is_picture(file) for _, files in found for file in files):
        raise ValueError(
            f"{root} holds no pictures ({', '.join(ENDINGS)}): put those of each set in a folder"
        )
    return [
        _set_of(str(folder) if folder.name else root, folder, sorted(files, key=natural), read, grid, fit)
        for folder, files in sorted(found, key=lambda item: natural(str(item[0])))
    ]


def _set_of(name: str, folder: PurePosixPath, files: list[str], read: Read, grid: Grid, fit: str) -> ImageSet:
    pictures = [file for file in files if not file.lower().endswith(".txt")]
    if len(pictures) != grid.n_panels:
        raise ValueError(
            f"{name} holds {len(pictures)} pictures and {_canvas(grid)} takes {grid.n_panels}: "
            "add or remove some, or choose another canvas; each set has a folder of its own"
        )
    told = _texts_of(name, pictures, {file.lower(): str(folder / file) for file in files}, read)
    pixels = [panel_of(read(str(folder / file)), f"{name}/{file}", fit) for file in pictures]
    title = PurePosixPath(name).name
    return _image_set(_NUMBERED.sub("", title) or title, pixels, told, grid)


@dataclass(frozen=True)
class _Texts:
    texts: tuple[str, ...]
    markers: tuple[str, ...] | None
    summary: str


def _texts_of(name: str, pictures: list[str], paths: dict[str, str], read: Read) -> _Texts:
    # paths go by lower-case names: Captions.TXT is meant, too
    def lines_of(file: str) -> list[str]:
        try:
            text = read(paths[file.lower()]).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ValueError(f"{name}/{file} is not UTF-8; save it as UTF-8 text") from None
        return [line.strip() for line in text.splitlines() if line.strip()]

    if CAPTIONS in paths:
        lines = lines_of(CAPTIONS)
        if len(lines) != len(pictures):
            raise ValueError(
                f"{name}/{CAPTIONS} has {len(lines)} lines for {len(pictures)} pictures: "
                "write a line a picture"
            )
    else:
        beside = [f"{PurePosixPath(file).stem}.txt" for file in pictures]
        lines = [" ".join(lines_of(file)) if file.lower() in paths else "" for file in beside]
        for file, line in zip(beside, lines, strict=True):
            if not line:
                raise ValueError(
                    f"{name} has no caption for a picture: write {name}/{file}, "
                    f"or {name}/{CAPTIONS} with {len(pictures)} lines"
                )
    summary = " ".join(lines_of(SUMMARY)) if SUMMARY in paths else ""
    marked = [match for line in lines if (match := _MARKER.fullmatch(line))]
    if len(marked) < len(lines):
        return _Texts(tuple(lines), None, summary)
    return _Texts(tuple(match[2] for match in marked), tuple(match[1] for match in marked), summary)


def _image_set(name: str, pixels: Sequence[np.ndarray], told: _Texts, grid: Grid) -> ImageSet:
    for place, text in enumerate(told.texts, 1):
        if not text:
            raise ValueError(f"{name}: picture {place} has an empty text; describe it")
    markers = None if told.markers == grid.markers else told.markers
    unknown = (None,) * grid.n_panels
    made = ImageSet(grid, np.stack(pixels), told.texts, told.summary, markers, unknown, name)
    for finding in check(made.caption, grid, markers):
        if finding.is_error:
            raise ValueError(f"{name}: {finding.message}")
    return made


def _canvas(grid: Grid) -> str:
    return f"a canvas of {grid.rows} × {grid.columns}"


def _is_picture(file: str) -> bool:
    return file.lower().endswith(ENDINGS)


def natural(name: str) -> list[tuple[int, str]]:
    """Sort numbers in names by their value."""
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in re.split(r"(\d+)", name)]
