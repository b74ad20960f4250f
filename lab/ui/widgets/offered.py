"""Choices that depend on what is on screen, whose last value may still be on its way when they change.

Gradio refuses a value that is none of the choices it offered last, with an error on the page. Where two
events follow each other closely, one of them carries the value of a moment ago: it is no mistake of a
person's. What arrives here goes on as it is, so that its handler has to look it up.
"""

from typing import Any

import gradio as gr


class OfferedDropdown(gr.Dropdown):
    """A dropdown that passes on whatever text arrives."""

    is_template = True  # gradio draws it as its parent

    def preprocess(self, payload: Any) -> Any:
        """Return the payload, None in the place of what is no text."""
        return payload if isinstance(payload, str) else None


class OfferedCheckboxes(gr.CheckboxGroup):
    """Checkboxes that pass on whatever texts arrive."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """Return the texts among the payload."""
        return [each for each in payload if isinstance(each, str)] if isinstance(payload, list) else []
