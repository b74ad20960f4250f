"""The controls that every drawing has: seed, steps, guidance; and a choice of one of the lab's drawings."""

import gradio as gr

from lab.images.concepts import STYLES, concepts
from lab.images.sampler import Settings

MAX_SEED = 2**31 - 1


def seed_number(elem_id: str, value: int = 0, info: str = "The same seed, the same noise.") -> gr.Number:
    """Place the seed."""
    return gr.Number(
        value, label="Seed", info=info, precision=0, minimum=0, maximum=MAX_SEED, elem_id=elem_id,
        min_width=120,
    )  # fmt: skip


def steps_slider(elem_id: str) -> gr.Slider:
    """Place the number of denoising steps."""
    return gr.Slider(
        1, 50, Settings().n_steps, step=1, label="Steps", info="Fewer are faster and rougher.",
        elem_id=elem_id, min_width=120,
    )  # fmt: skip


def guidance_slider(elem_id: str) -> gr.Slider:
    """Place the guidance."""
    return gr.Slider(
        1, 8, Settings().guidance, step=0.5, label="Guidance", info="How far beyond the unprompted picture.",
        elem_id=elem_id, min_width=120,
    )  # fmt: skip


def drawing_choice(
    label: str, info: str, word: str, style: str, elem_id: str
) -> tuple[gr.Dropdown, gr.Dropdown]:
    """Place the choice of a concept and of its style."""
    words = [concept.word for concept in concepts()]
    return (
        gr.Dropdown(words, value=word, label=label, info=info, elem_id=elem_id, min_width=130),
        gr.Dropdown(
            list(STYLES), value=style, label="Its style", info="Five are known.", elem_id=f"{elem_id}-style",
            min_width=100,
        ),
    )  # fmt: skip
