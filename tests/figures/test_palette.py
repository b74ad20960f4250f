import pytest

from lab.figures.palette import DARK, DIVERGING, LIGHT, SERIES, SLOT_COLOURS, layout_colour, layout_symbol
from lab.prompts.layout import SLOTS

PAPER, DARK_PAPER = "#ffffff", "#131c2e"


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_every_ink_is_readable_on_its_fills(colours: dict[str, str]) -> None:
    for name, fill in colours.items():
        if not name.endswith("-ink"):
            ink = colours[f"{name.removesuffix('-odd')}-ink"]
            assert contrast(ink, fill) >= 4.5, name


@pytest.mark.parametrize("colour", [*SERIES, *SLOT_COLOURS.values()])
def test_every_line_is_seen_on_light_and_dark_paper(colour: str) -> None:
    assert contrast(colour, PAPER) >= 3
    assert contrast(colour, DARK_PAPER) >= 3


def test_every_slot_has_a_colour_and_a_marker_of_its_own() -> None:
    assert tuple(SLOT_COLOURS) == SLOTS
    assert len(set(SLOT_COLOURS.values())) == len({layout_symbol(slot) for slot in SLOTS}) == len(SLOTS)


def test_a_control_keeps_the_colour_of_its_slot_and_opens_the_marker() -> None:
    assert layout_colour("eum+restated~1@1-0") == layout_colour("eum")
    assert layout_symbol("eum+restated") == "triangle-up-open"


def test_zero_is_white_in_the_diverging_scale() -> None:
    assert dict(DIVERGING)[0.5] == "#ffffff"
