"""Does a LoRA tuned on a few sets make new sets come out right, and what is it that helps?

The same held-out sets, from the same noise, are drawn by the base, by the task's LoRA at several strengths,
by an ordinary LoRA that saw the same pixels one panel at a time, and by the LoRA of another task. A set
succeeds if the probe reads the right identity and style in every panel. Arms are compared on the same sets,
as layouts are elsewhere in the lab.

Source: Huang et al. 2024, In-Context LoRA for Diffusion Transformers (arXiv:2410.23775), which shows pictures
and gives no figures; gated success after Liang et al. 2024, IDEA-Bench (arXiv:2412.11767).
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pandas as pd

from lab.experiments.events import Cost, Event, Result
from lab.experiments.image_run import compared, queries_of, record, redrawn, sweep_price
from lab.experiments.making import run_sweep
from lab.experiments.panel_sweep import Arm, PanelSweep
from lab.experiments.views import paired
from lab.images.layout import PanelLayout
from lab.images.sampler import MODES, Mode, Settings
from lab.images.tasks import SetTask, find_task
from lab.runs.recipe import Recipe
from lab.runs.store import Store
from lab.stats.verdict import sweep_sentence

BASE, LORA, ORDINARY, WRONG = "base", "lora", "ordinary", "wrong"
WRONG_TASK = {"coloured": "rendered", "rendered": "coloured"}
"""The task whose LoRA is the wrong one; for other tasks that of `coloured`."""
_ARM = re.compile(r"(?P<name>[a-z0-9/-]+)(?:@(?P<strength>\d+(?:\.\d+)?))?(?:\+(?P<mode>[a-z]+))?")


@dataclass(frozen=True)
class SetsParams:
    """Parameters of the study.

    Args:
        task: A task of image sets.
        arms: What draws: base, lora (the task's), ordinary, wrong, or a LoRA's name; `@0.5` sets a strength,
            `+blend`, `+context` or `+fill` gives the first panel.
        reference: The arm that the others are compared with; it must be one of them.
        n_queries: How many sets are drawn; beyond 24 held-out concepts they come with new seeds.
        n_steps: Denoising steps.
        guidance: Guidance.
        seed: Determines the sets and the noise.
    """

    task: str = "coloured"
    arms: tuple[str, ...] = (BASE, LORA, "lora@0.5", "lora@1.5", ORDINARY, WRONG)
    reference: str = LORA
    n_queries: int = 72
    n_steps: int = 20
    guidance: float = 3.0
    seed: int = 0

    def __post_init__(self) -> None:
        for text in self.arms:
            parse_arm(text, self.set_task)
        if len(self.arms) < 2 or len(set(self.arms)) < len(self.arms):
            raise ValueError("arms must be two or more, all different")
        if self.reference not in self.arms:
            raise ValueError(f"reference must be one of {', '.join(self.arms)}, got {self.reference!r}")
        if not 1 <= self.n_queries <= 1000:
            raise ValueError(f"n_queries must be 1 to 1000, got {self.n_queries}")
        Settings(self.n_steps, self.guidance)

    @property
    def set_task(self) -> SetTask:
        """Return the task."""
        return find_task(self.task)

    @property
    def parsed(self) -> list[Arm]:
        """Return the arms."""
        return [parse_arm(text, self.set_task) for text in self.arms]

    @property
    def needs_drawings(self) -> bool:
        """Tell whether an arm is given true drawings."""
        return any(arm.given is not None for arm in self.parsed)


def parse_arm(text: str, task: SetTask) -> Arm:
    """Read an arm.

    Raises:
        ValueError: It is written otherwise, its strength is over 2 or its mode unknown.

    >>> from lab.images.tasks import find_task
    >>> parse_arm("lora@0.5+blend", find_task("coloured")).loras
    {'coloured': 0.5}
    """
    found = _ARM.fullmatch(text)
    if found is None:
        raise ValueError(f"an arm is written like base, lora@0.5 or lora+blend, got {text!r}")
    strength = float(found["strength"] or 1)
    if strength > 2:
        raise ValueError(f"an arm's strength must be 0 to 2, got {text!r}")
    mode: Mode | None = next((mode for mode in MODES if mode == found["mode"]), None)
    if found["mode"] and mode is None:
        raise ValueError(f"an arm's mode must be one of {', '.join(MODES)}, got {text!r}")
    n = task.grid.n_panels
    named = {
        LORA: task.id,
        ORDINARY: f"{task.id}-ordinary",
        WRONG: wrong_task(task.id),
    }
    name = named.get(found["name"], found["name"])
    return Arm(
        text,
        PanelLayout(tuple(range(n))),
        {} if name == BASE else {name: strength},
        tuple(panel == 0 for panel in range(n)) if mode else None,
        mode or "blend",
    )


def wrong_task(task_id: str) -> str:
    """Name the task whose LoRA is the wrong one."""
    return WRONG_TASK.get(task_id, "coloured")


def prepare(params: SetsParams) -> PanelSweep:
    """Load probe and drawings, and make every set; nothing is drawn yet."""
    from lab.images.probe import load_probe

    queries = queries_of(params.set_task, params.n_queries, params.seed, params.needs_drawings)
    asked = range(params.set_task.grid.n_panels)
    return PanelSweep(load_probe(), queries, params.parsed, asked, Settings(params.n_steps, params.guidance))


def cost(params: SetsParams) -> Cost:
    """Price a run."""
    n_panels = params.set_task.grid.n_panels
    return sweep_price(params.n_queries, len(params.arms), n_panels, params.n_steps)


def run(params: SetsParams, store: Store) -> Iterator[Event]:
    """Make the run, or go on with it; a finished run is read without loading a model."""
    loras = sorted({name for arm in params.parsed for name in arm.loras})
    recipe = Recipe("sets", asdict(params))
    yield from run_sweep(
        recipe,
        store,
        cost(params),
        lambda: prepare(params),
        lambda: record(loras),
        lambda: read(params, store),
    )


def read(params: SetsParams, store: Store) -> Result:
    """Turn the stored predictions of a run, finished or not, into its result."""
    run_id = Recipe("sets", asdict(params)).id
    return summarise(store.predictions(run_id), params, run_id)


def summarise(predictions: pd.DataFrame, params: SetsParams, run_id: str) -> Result:
    """Compare the arms of a predictions table."""
    from lab.experiments.drawing import panels_figures

    asked = paired(predictions, params.arms)
    if asked.empty:
        return Result(run_id, predictions, {}, {}, "No set is drawn in every arm yet.", {})
    found = compared(asked, params.reference, BASE, params.seed)
    floor = redrawn(predictions, asked)
    verdict = sweep_sentence(found.comparisons, floor)
    summary = {
        "experiment": "sets",
        "task": params.task,
        "n_predictions": len(predictions),
        **found.summary,
        "floor": asdict(floor) if floor else None,
        "verdict": verdict,
    }
    figures = panels_figures(found.tables["accuracy"], found.comparisons, floor)
    return Result(run_id, predictions, found.tables, figures, verdict, summary)
