"""What flips between layouts of the examples, as a page shows it: sentence, maps of pixels, a table."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from lab.images.pictures import as_png
from lab.ui.vision.bank import Marked
from lab.ui.widgets.markup import note, stat_tiles
from lab.ui.widgets.pictures import grid_html, picture_html
from lab.vision.engines import find_engine
from lab.vision.flips import Recommendation, flip_map
from lab.vision.overlay import with_flips
from lab.vision.rearrange import LayoutRow, confidences, recommended, rows


def flips_html(
    masks: Mapping[str, Sequence[np.ndarray]],
    reference: str,
    asked: Sequence[Marked],
    engine: str,
    way: str,
) -> str:
    """Show what flips.

    Args:
        masks: By layout the mask of each picture.
        reference: What flips are counted against.
        asked: The pictures, with their true masks where these are known.
        engine: Who answered.
        way: What differs between layouts.
    """
    if reference not in masks:
        return ""
    truths = [each.marks for each in asked]
    table = rows(masks, reference, truths)
    best = recommended(masks, truths)
    sure = confidences(masks)
    others = {layout: of for layout, of in masks.items() if layout != reference}
    figures = []
    for place, each in enumerate(asked):
        share = flip_map([of[place] for of in others.values()], masks[reference][place])
        some = f"{100 * (share > 0).mean():.0f} % of the pixels flip under some layout"
        words = f"{some}; agreement {sure[place]:.2f}"
        url = as_png(with_flips(each.picture, share))
        figures.append(picture_html(url, f"{each.name}: {words}", each.name, words))
    return (
        note("verdict", sentence(table, reference, engine, way))
        + stat_tiles(_tiles(table, reference, best, sure))
        + grid_html(figures, "small")
        + _table(table, reference, [each.name for each in asked])
    )


def sentence(table: Sequence[LayoutRow], reference: str, engine: str, way: str) -> str:
    """Say what the layouts change, and whether that is what the engine lets them."""
    others = [row for row in table if row.layout != reference]
    if not others:
        return "There is only one layout: show more examples to compare."
    most = max(others, key=lambda row: row.change)
    low, high = min(row.score for row in table), max(row.score for row in table)
    what = "IoU with the true masks" if table[0].knows_truth else "likeness to what most layouts mark"
    if way == "order" and not find_engine(engine).is_ordered:
        if most.change == 0:
            return (
                f"0 pixels flip in {len(others)} other orders: this engine pools its examples, so their "
                "order cannot matter. Choose an engine to which it can."
            )
        return f"{100 * most.change:.1f} % of the marked pixels flip, though order should not matter here."
    return (
        f"From {reference} to {most.layout}, {100 * most.change:.0f} % of the marked pixels flip. "
        f"Mean {what} lies between {low:.2f} and {high:.2f}, with nothing changed but the examples."
    )


def _tiles(
    table: Sequence[LayoutRow], reference: str, best: Recommendation, sure: Sequence[float]
) -> list[tuple[str, ...]]:
    by = "IoU with the true masks" if table[0].knows_truth else "likeness to the majority (no truth known)"
    rival = f"; next {best.rival}" if best.rival else ""
    often = f"best in {100 * best.p_best:.0f} % of resampled pictures"
    flips = [row.change for row in table if row.layout != reference]
    return [
        ("Show", best.layout, f"{best.sureness}: {often}{rival}. By {by}"),
        ("Pixels that flip", f"{100 * np.mean(flips or [0]):.0f} %", f"mean of {len(flips)} layouts"),
        ("Agreement", f"{np.mean(sure):.2f}", "of layouts on what is marked; low: the examples disagree"),
    ]  # fmt: skip


def _table(table: Sequence[LayoutRow], reference: str, names: Sequence[str]) -> str:
    """Write a row a layout: flipped pixels of each picture, their mean, and the score."""
    score = "IoU" if table and table[0].knows_truth else "like the majority"
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    body = "".join(
        f'<tr><th scope="row">{escape(row.layout)}{" (reference)" if row.layout == reference else ""}</th>'
        + "".join(_cell(change) for change in row.by_picture)
        + f"{_cell(row.change)}<td>{row.score:.2f}</td></tr>"
        for row in table
    )
    caption = f"Flipped pixels, of those that either mask marks, against {escape(reference)}"
    ends = f'<th scope="col">Mean</th><th scope="col">{score}</th>'
    return (
        f'<div class="lab-flip-table"><table><caption>{caption}</caption><thead><tr>'
        f'<th scope="col">Layout</th>{head}{ends}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cell(change: float) -> str:
    return f'<td style="--flip:{change:.3f}" class="lab-flip">{100 * change:.0f} %</td>'
