"""The controls of a world, made from its bounded settings, with presets that each bring out one behaviour."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import gradio as gr

from lab.experiments.registry import Experiment
from lab.ui.images.settings import seed_number
from lab.ui.run_controls import LIGHT, RunControls, Updates, run_controls
from lab.worlds.settings import Bounds, Settings, bounds_of
from lab.worlds.world import Preset, World


class Form(NamedTuple):
    """What a world's sub-tab asks for."""

    controls: RunControls
    preset: gr.Radio
    by_name: dict[str, Any]


def build(
    experiment: Experiment, world: type[World], settings: type[Settings], presets: Sequence[Preset]
) -> Form:
    """Place the controls inside the current block."""
    controls = run_controls(experiment.id, "Train and ask")
    defaults = experiment.params()
    preset = gr.Radio(
        [each.name for each in presets], value=presets[0].name, label="What to look for",
        info=presets[0].look_for, elem_id=f"{experiment.id}-preset",
    )  # fmt: skip
    by_name = {
        name: _control(f"{experiment.id}-{name.replace('_', '-')}", bounds, getattr(defaults, name))
        for name, bounds in bounds_of(settings).items()
    }
    with gr.Accordion("What is asked afterwards", open=False):
        by_name["questions"] = gr.Dropdown(
            [(words, each) for each, words in world.questions.items()],
            value=defaults.questions, label="Questions", elem_id=f"{experiment.id}-questions",
            info="What the finished learner is asked.",
        )  # fmt: skip
        by_name["layouts"] = gr.CheckboxGroup(
            [(words, each) for each, words in world.layouts.items()],
            value=list(defaults.layouts), label="Layouts", elem_id=f"{experiment.id}-layouts",
            info="How the context is arranged; flips are counted against the first.",
        )  # fmt: skip
        by_name["n_queries"] = gr.Slider(
            10, 1000, defaults.n_queries, step=10, label="Queries", elem_id=f"{experiment.id}-n-queries",
            info="Each is asked under every layout.",
        )  # fmt: skip
        by_name["seed"] = seed_number(
            f"{experiment.id}-seed", defaults.seed, "Determines world, first weights and batches."
        )
    _wire_presets(preset, presets, by_name, settings)
    return Form(controls, preset, by_name)


def filled(by_name: Mapping[str, Any], values: Mapping[str, Any]) -> Updates:
    """Restore the controls from the parameters of a run."""
    return {
        by_name[name]: list(value) if name == "layouts" else value
        for name, value in values.items()
        if name in by_name
    }


def _control(elem_id: str, bounds: Bounds, default: Any) -> Any:
    """Make the control of a setting: radio buttons for choices, steps of two for ratios, else a slider."""
    named = {"label": bounds.label, "info": bounds.what, "elem_id": elem_id}
    if bounds.choices:
        return gr.Radio(list(bounds.choices), value=default, **named)
    is_whole = isinstance(default, int)
    if bounds.is_log:
        values = _doubled(bounds, default, is_whole)
        return gr.Dropdown(values, value=default, allow_custom_value=True, **named)
    step = 1 if is_whole else 0.05
    if is_whole and bounds.high > 500:
        step = 100
    return gr.Slider(bounds.low, bounds.high, default, step=step, **named)


def _doubled(bounds: Bounds, default: float, is_whole: bool) -> list[float]:
    """List values from the least to the greatest, each about twice the one before, and the default."""
    values, value = [], bounds.low
    while value < bounds.high * 0.99:
        values.append(value)
        value = 2 * value
    rounded = [round(each) if is_whole else float(f"{each:.2g}") for each in (*values, bounds.high)]
    return sorted({*rounded, default})


def _wire_presets(
    preset: gr.Radio, presets: Sequence[Preset], by_name: Mapping[str, Any], settings: type[Settings]
) -> None:
    chosen = {each.name: each for each in presets}
    defaults = settings()
    names = [field.name for field in fields(settings)]  # type: ignore[arg-type]

    def choose(name: str) -> list[Any]:
        found = chosen[name]
        values = {each: getattr(defaults, each) for each in names} | dict(found.settings)
        return [gr.Radio(info=found.look_for), *(with_value(by_name[each], values[each]) for each in names)]

    preset.input(choose, preset, [preset, *(by_name[each] for each in names)], **LIGHT)


def with_value(control: Any, value: Any) -> Any:
    """Set a control; a list gets the value as a further choice if it has it not."""
    if isinstance(control, gr.Dropdown):
        known = [each for _, each in control.choices]
        return gr.Dropdown(choices=sorted({*known, value}), value=value)
    return value
