"""One joint caption for all panels of a canvas: a summary, then a marker and a text for each.

Source: Huang et al. 2024, In-Context LoRA for Diffusion Transformers (arXiv:2410.23775), section 3 and its
published examples.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lab.images.grid import Grid
from lab.images.vocabulary import count_tokens, split, unknown_words

_NAME = re.compile(r"<[^<>\s]+>")


@dataclass(frozen=True)
class Finding:
    """Something about a caption that its writer should know.

    Args:
        is_error: Whether the caption can't be used as it is; else it may draw something unexpected.
        message: What and why, with the remedy.
    """

    is_error: bool
    message: str


def compose(
    texts: Sequence[str],
    grid: Grid,
    summary: str = "",
    markers: Sequence[str] | None = None,
    order: Sequence[int] | None = None,
) -> str:
    """Join panel texts into one caption.

    Args:
        texts: A text a panel, in reading order.
        grid: The canvas.
        summary: What the panels have in common, before the first marker; a trigger may lead it.
        markers: A marker a panel; by default those of the grid.
        order: The order in which the panels are described, places counted from 0; by default reading order.

    Raises:
        ValueError: If there is not one text and one marker a panel, or `order` is no permutation.

    >>> compose(["fox, flat style", "owl, 3d style"], Grid(1, 2), "[TWO-PANEL] two pictures")
    '[TWO-PANEL] two pictures: [LEFT] fox, flat style; [RIGHT] owl, 3d style'
    """
    markers = grid.markers if markers is None else markers
    order = range(grid.n_panels) if order is None else order
    if len(texts) != grid.n_panels:
        raise ValueError(f"{grid.n_panels} panels need as many texts, got {len(texts)}")
    if len(markers) != grid.n_panels:
        raise ValueError(f"{grid.n_panels} panels need as many markers, got {len(markers)}")
    if sorted(order) != list(range(grid.n_panels)):
        raise ValueError(f"order must name each of the {grid.n_panels} panels once, got {list(order)}")
    parts = [f"{markers[place]} {texts[place].strip()}".strip() for place in order]
    return f"{summary.strip()}: {'; '.join(parts)}" if summary.strip() else "; ".join(parts)


def check(
    caption: str, grid: Grid, markers: Sequence[str] | None = None, is_embedded: bool = True
) -> list[Finding]:
    """Read a caption as the model will, and say what is wrong or doubtful with it.

    Args:
        caption: The joint caption.
        grid: The canvas.
        markers: A marker a panel; None takes the grid's.
        is_embedded: Whether the embedded model reads it, whose captions are short and whose words are known.
    """
    found = []
    if not caption.strip():
        return [Finding(True, "The caption is empty: describe at least one panel.")]
    n_tokens = count_tokens(caption) if is_embedded else 0
    if n_tokens > grid.n_tokens:
        found.append(
            Finding(
                True,
                f"The caption has {n_tokens} tokens and this canvas reads {grid.n_tokens}: "
                f"shorten it by {n_tokens - grid.n_tokens} words.",
            )
        )
    tokens = split(caption)
    for marker in grid.markers if markers is None else markers:
        times = tokens.count(marker.lower())
        if marker and times != 1:
            how = "is missing" if times == 0 else f"stands {times} times"
            found.append(Finding(True, f"{marker} {how}: each panel's text follows its marker, once."))
    for name in dict.fromkeys(_NAME.findall(caption)):
        if caption.count(name) == 1 and grid.n_panels > 1:
            found.append(
                Finding(False, f"{name} occurs once: a recurring character is named in every panel.")
            )
    unknown = [word for word in unknown_words(caption) if word[0] not in "[<"]
    if unknown and is_embedded:
        found.append(
            Finding(
                False,
                f"The model was never shown {', '.join(map(repr, unknown))}: "
                "it draws what it knows of the nearest meaning.",
            )
        )
    return found
