"""Write an example that ships with the lab into the page itself."""

import gradio as gr
from gradio.data_classes import GradioModel, GradioRootModel

from lab.ui.run_controls import Updates


def show_at_build(updates: Updates) -> None:
    """Write the example into the page itself, so that it is there before anything is asked of the server."""
    for component, value in updates.items():
        if isinstance(value, gr.components.Component):
            component.choices, component.value = value.choices, value.value
            value.unrender()  # made while the page is built, it would stand on it once more
        else:
            ready = component.postprocess(value) if value is not None else None
            # The page gets its configuration as JSON: a model of pydantic would arrive there as its text.
            component.value = (
                ready.model_dump() if isinstance(ready, GradioModel | GradioRootModel) else ready
            )
