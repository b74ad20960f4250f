"""How the lab looks: colours, type and spacing for `launch()`; system fonts, no request to another host.

    demo.launch(theme=THEME, css=CSS, head=tour.head())

The class lab-sr is for words that only screen readers get. Ctrl+Enter presses the visible button whose id
ends in -run, Esc the one that ends in -stop.
"""

from pathlib import Path

import gradio as gr
from gradio.themes.utils import colors, sizes

from lab.figures.palette import DARK, LIGHT, SERIES, SLOT_COLOURS

_PAGE = Path(__file__).parent / "page"
FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO = ("ui-monospace", "SF Mono", "Cascadia Code", "Menlo", "Consolas", "Liberation Mono", "monospace")
PAPER, PAPER_DARK = "#f6f7fb", "#0b1120"
CARD, CARD_DARK = "#ffffff", "#131c2e"


def _theme() -> gr.themes.Base:
    theme = gr.themes.Base(
        primary_hue=colors.indigo,
        secondary_hue=colors.indigo,
        neutral_hue=colors.slate,
        spacing_size=sizes.spacing_lg,
        radius_size=sizes.radius_lg,
        text_size=sizes.text_md,
        font=FONT,
        font_mono=MONO,
    )
    return theme.set(**_surfaces(), **_text(), **_buttons(), **_controls())


def _surfaces() -> dict[str, str]:
    return {
        "body_background_fill": PAPER,
        "body_background_fill_dark": PAPER_DARK,
        "background_fill_primary": CARD,
        "background_fill_primary_dark": CARD_DARK,
        "background_fill_secondary": "*neutral_50",
        "background_fill_secondary_dark": "#0f1728",
        "block_background_fill": CARD,
        "block_background_fill_dark": CARD_DARK,
        "block_border_width": "1px",
        "block_border_width_dark": "1px",
        "block_border_color": "*neutral_200",
        "block_border_color_dark": "#26334a",
        "border_color_primary": "*neutral_200",
        "border_color_primary_dark": "#26334a",
        "block_shadow": "0 1px 2px rgb(15 23 42 / 4%)",
        "block_shadow_dark": "none",
        "block_radius": "12px",
        "layout_gap": "18px",
        "panel_background_fill": CARD,
        "panel_background_fill_dark": CARD_DARK,
        "color_accent": "*primary_600",
        "color_accent_soft": "*primary_50",
        "color_accent_soft_dark": "#1e2547",
        "border_color_accent": "*primary_600",
        "border_color_accent_dark": "*primary_400",
    }


def _text() -> dict[str, str]:
    label = {
        "text_color": "*neutral_700",
        "text_color_dark": "*neutral_200",
        "text_weight": "600",
        "text_size": "*text_sm",
    }
    title = {f"block_title_{name}": value for name, value in label.items()}
    badge = {f"block_label_{name}": value for name, value in label.items()}
    return {
        **title,
        **badge,
        "body_text_color": "*neutral_900",
        "body_text_color_dark": "*neutral_100",
        "body_text_color_subdued": "*neutral_600",
        "body_text_color_subdued_dark": "*neutral_300",
        "block_label_background_fill": CARD,
        "block_label_background_fill_dark": CARD_DARK,
        "block_info_text_color": "*neutral_600",
        "block_info_text_color_dark": "*neutral_300",
        "link_text_color": "*primary_700",
        "link_text_color_dark": "*primary_300",
        "link_text_color_hover": "*primary_800",
        "link_text_color_hover_dark": "*primary_200",
        "link_text_color_visited": "*primary_800",
        "link_text_color_visited_dark": "*primary_200",
        "section_header_text_weight": "650",
        "prose_header_text_weight": "680",
    }


def _buttons() -> dict[str, str]:
    return {
        "button_primary_background_fill": "*primary_600",
        "button_primary_background_fill_hover": "*primary_700",
        "button_primary_background_fill_dark": "*primary_600",
        "button_primary_background_fill_hover_dark": "*primary_500",
        "button_primary_text_color": "white",
        "button_primary_text_color_dark": "white",
        "button_primary_border_color": "*primary_700",
        "button_primary_border_color_dark": "*primary_500",
        "button_secondary_background_fill": CARD,
        "button_secondary_background_fill_dark": "#1b2740",
        "button_secondary_background_fill_hover": "*neutral_100",
        "button_secondary_background_fill_hover_dark": "#24324f",
        "button_secondary_border_color": "*neutral_300",
        "button_secondary_border_color_dark": "#3a4a66",
        "button_secondary_text_color": "*neutral_800",
        "button_secondary_text_color_dark": "*neutral_100",
        "button_cancel_background_fill": "#b42318",
        "button_cancel_background_fill_hover": "#8c1d18",
        "button_cancel_background_fill_dark": "#b42318",
        "button_cancel_background_fill_hover_dark": "#d92d20",
        "button_cancel_text_color": "white",
        "button_cancel_text_color_dark": "white",
        "button_border_width": "1px",
        "button_border_width_dark": "1px",
        "button_large_text_weight": "600",
        "button_medium_radius": "10px",
        "button_large_radius": "10px",
        "button_small_radius": "8px",
    }


def _controls() -> dict[str, str]:
    return {
        "input_background_fill": CARD,
        "input_background_fill_dark": "#0f1728",
        "input_border_color": "#8593a8",
        "input_border_color_dark": "#64748b",
        "input_border_color_focus": "*primary_600",
        "input_border_color_focus_dark": "*primary_400",
        "input_border_width": "1px",
        "input_border_width_dark": "1px",
        "input_placeholder_color": "*neutral_500",
        "input_placeholder_color_dark": "*neutral_400",
        "input_radius": "10px",
        "checkbox_border_color": "#8593a8",
        "checkbox_border_color_dark": "#8593a8",
        "checkbox_background_color_selected": "*primary_600",
        "checkbox_background_color_selected_dark": "*primary_500",
        "checkbox_label_background_fill_selected": "*primary_50",
        "checkbox_label_background_fill_selected_dark": "#1e2547",
        "checkbox_label_text_color_selected": "*primary_900",
        "checkbox_label_text_color_selected_dark": "*primary_100",
        "checkbox_label_border_color_selected": "*primary_600",
        "checkbox_label_border_color_selected_dark": "*primary_400",
        "slider_color": "*primary_600",
        "slider_color_dark": "*primary_400",
        "loader_color": "*primary_600",
        "loader_color_dark": "*primary_300",
        "table_even_background_fill": CARD,
        "table_even_background_fill_dark": CARD_DARK,
        "table_odd_background_fill": "*neutral_50",
        "table_odd_background_fill_dark": "#0f1728",
        "table_border_color": "*neutral_200",
        "table_border_color_dark": "#26334a",
    }


def _variables() -> str:
    slots = "".join(f"--lab-slot-{slot}: {colour}; " for slot, colour in SLOT_COLOURS.items())
    light = "".join(f"--lab-{name}: {colour}; " for name, colour in LIGHT.items())
    dark = "".join(f"--lab-{name}: {colour}; " for name, colour in DARK.items())
    return f":root {{ {slots}{light}--lab-bar: {SERIES[0]}; }}\n.dark {{ {dark}--lab-bar: #4aa3e6; }}\n"


def _read(*names: str) -> str:
    return "\n".join((_PAGE / name).read_text(encoding="utf-8") for name in names)


THEME = _theme()
CSS = _variables() + _read(
    "page.css",
    "markup.css",
    "prompt.css",
    "demos.css",
    "matrix.css",
    "images.css",
    "paint.css",
    "vision.css",
    "shell.css",
)
