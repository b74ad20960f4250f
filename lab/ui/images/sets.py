"""Build a data set of one's own: a zip, pictures with texts, or a folder; looked at, checked, packed."""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from lab.images.pictures import ENDINGS, FITS
from lab.place import is_shared
from lab.ui.images.form import GRIDS
from lab.ui.run_controls import LIGHT, QUIET
from lab.ui.running import SAYABLE
from lab.ui.widgets.markup import note

if TYPE_CHECKING:
    from lab.images.sets import ImageSet

ZIP, PICTURES, FOLDER = "zip", "pictures", "folder"
LAYOUT_WORDS = (
    "A folder a set: its pictures in the order of their names, and captions.txt with a line a panel."
)
FIT_TITLES = {"letterbox": "Whole picture, on white", "crop": "Middle of the picture"}


class OwnSets(NamedTuple):
    """The controls of a data set of one's own."""

    source: gr.Radio
    canvas: gr.Dropdown
    fit: gr.Radio
    archive: gr.File
    pictures: gr.File
    texts: gr.Textbox
    summary: gr.Textbox
    folder: gr.Textbox


def own_sets(prefix: str) -> OwnSets:
    """Place the controls, their ids led by a prefix, and wire what they do among themselves."""
    sources = [("A zip", ZIP), ("Pictures and texts", PICTURES)]
    if not is_shared():
        sources.append(("A folder on this machine", FOLDER))
    source = gr.Radio(sources, value=ZIP, label="From", elem_id=f"{prefix}-source")
    with gr.Row():
        canvas = gr.Dropdown(
            list(GRIDS)[1:], value="two side by side", label="Canvas", info="How the panels of each set lie.",
            elem_id=f"{prefix}-canvas", min_width=150,
        )  # fmt: skip
        fit = gr.Radio(
            [(FIT_TITLES[fit], fit) for fit in FITS], value=FITS[0], label="Fit", elem_id=f"{prefix}-fit",
            info="How a picture of another shape becomes square.", min_width=150,
        )  # fmt: skip
    with gr.Column(visible=True) as from_zip:
        archive = gr.File(label="Zip of sets", file_types=[".zip"], height=110, elem_id=f"{prefix}-zip")
        gr.Markdown(LAYOUT_WORDS)
    with gr.Column(visible=False) as from_pictures:
        pictures = gr.File(
            label="Pictures, all sets one after another", file_count="multiple", file_types=list(ENDINGS),
            height=150, elem_id=f"{prefix}-pictures",
        )  # fmt: skip
        texts = gr.Textbox(
            label="Texts, a line a picture", lines=6, max_lines=20, elem_id=f"{prefix}-texts",
            info="Drafted from the names of the files: say what each panel shows, as the model reads it.",
        )  # fmt: skip
        summary = gr.Textbox(
            "[CUSTOM] two pictures", label="What the panels of every set have in common", max_length=200,
            info="Leads every caption; draw with the same words later.", elem_id=f"{prefix}-summary",
        )  # fmt: skip
    with gr.Column(visible=False) as from_folder:
        folder = gr.Textbox(label="Folder", info=LAYOUT_WORDS, elem_id=f"{prefix}-folder", max_length=400)
    made = OwnSets(source, canvas, fit, archive, pictures, texts, summary, folder)
    parts = [from_zip, from_pictures, from_folder]

    def chosen(which: str) -> list[Any]:
        return [gr.Column(visible=which == each) for each in (ZIP, PICTURES, FOLDER)]

    source.input(chosen, source, parts, **LIGHT)
    pictures.upload(draft_texts, pictures, texts, **QUIET)
    pack = gr.Button("Pack these sets as a zip", size="sm", elem_id=f"{prefix}-pack")
    packed = gr.DownloadButton("Download the zip", visible=False, size="sm", elem_id=f"{prefix}-packed")
    told = gr.HTML(elem_id=f"{prefix}-told", padding=False)
    pack.click(_pack, list(made), [packed, told], **QUIET)
    return made


def sets_of(values: Sequence[Any]) -> "list[ImageSet]":
    """Read the sets that the controls name, in the order of `OwnSets`.

    Raises:
        ValueError: With a sentence for the screen.
    """
    from lab.images.own_sets import from_files, read_folder, read_zip

    source, canvas, fit, archive, pictures, texts, summary, folder = values
    grid = GRIDS[canvas]
    if source == FOLDER:
        if not str(folder or "").strip():
            raise ValueError(f"name a folder first. {LAYOUT_WORDS}")
        return read_folder(str(folder).strip(), grid, fit)
    if source == PICTURES:
        if not pictures:
            raise ValueError(f"choose pictures first, {grid.n_panels} for each set")
        lines = [line for line in str(texts or "").splitlines() if line.strip()]
        return from_files(by_name(pictures), lines, grid, str(summary or ""), fit)
    if not archive:
        raise ValueError(f"choose a zip of your sets first. {LAYOUT_WORDS}")
    return read_zip(archive, grid, fit)


def draft_texts(paths: Sequence[str] | None) -> str:
    """Draft a line a picture from the names of the files.

    >>> draft_texts(["/tmp/02_red-fox.png", "/tmp/01_owl.jpg"])
    'owl\\nred fox'
    """
    drafts = [re.sub(r"^\d+\W*_?|[\s_-]+", " ", Path(path).stem).strip() for path in by_name(paths or ())]
    return "\n".join(draft or "picture" for draft in drafts)


def by_name(paths: Sequence[str]) -> list[str]:
    """Sort files by their names, numbers in them by value: pictures of a set stand one after another.

    >>> by_name(["b/10.png", "a/9.png"])
    ['a/9.png', 'b/10.png']
    """
    from lab.images.own_sets import natural

    return sorted(paths, key=lambda path: natural(Path(path).name))


def _pack(*values: Any) -> list[Any]:
    from lab.images.own_sets import save_zip

    try:
        sets = sets_of(values)
        path = Path(tempfile.mkdtemp(prefix="lab-sets-")) / "sets.zip"
        save_zip(sets, path)
    except (*SAYABLE, OSError) as error:
        return [gr.DownloadButton(visible=False), note("error", str(error))]
    many = "1 set" if len(sets) == 1 else f"{len(sets)} sets"
    words = f"{many}: lossless panels, captions.txt and summary.txt, a folder a set."
    return [gr.DownloadButton(value=str(path), visible=True), note("info", words)]
