"""Does it matter where a panel stands? Draw the same sets with their panels arranged anew, and read one.

A set's caption relates its panels ("the same thing, flat style"). Nothing about what is asked for changes
when the reference panel stands right instead of left, when the caption tells the panels in another order, or
when positions are counted within panels; a model that binds texts to places would draw the same. The asked
panel is read by the probe: its identity and style are the prediction, and a layout under which it differs
has flipped it.

Source: Huang et al. 2024 (arXiv:2410.23775) for the canvas and the joint caption; Cobbina & Zhou 2025
(arXiv:2507.22887) for accuracy change and prediction change.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pandas as pd

from lab.experiments.events import Cost, Event, Result
from lab.experiments.image_run import TASK_LORA, compared, queries_of, record, redrawn, sweep_price
from lab.experiments.making import run_sweep
from lab.experiments.panel_sweep import Arm, PanelSweep
from lab.experiments.views import paired
from lab.images.layout import PanelLayout, default_layouts, parse_layout
from lab.images.sampler import MODES, Mode, Settings
from lab.images.tasks import SetTask, find_task
from lab.runs.recipe import Recipe
from lab.runs.store import Store
from lab.stats.comparisons import cochran_q
from lab.stats.verdict import sweep_sentence


@dataclass(frozen=True)
class PanelsParams:
    """Parameters of the panel lab.

    Args:
        task: A task of image sets.
        lora: A LoRA by name; "the task's" takes the shipped one, "" draws with the base alone.
        strength: How much the LoRA counts, 0 to 2.
        n_queries: How many sets are drawn; beyond 24 held-out concepts they come with new seeds.
        layouts: Which arrangements, by id; () takes one of each kind.
        reference: The layout that prediction change is counted against; "" takes the first.
        asked: Which panel is read, counted from 1; 0 takes the last.
        given: How the other panels are given: none draws them all, blend, context or fill.
        n_steps: Denoising steps.
        guidance: Guidance.
        seed: Determines the sets and the noise.
    """

    task: str = "coloured"
    lora: str = TASK_LORA
    strength: float = 1.0
    n_queries: int = 24
    layouts: tuple[str, ...] = ()
    reference: str = ""
    asked: int = 0
    given: str = "none"
    n_steps: int = 20
    guidance: float = 3.0
    seed: int = 0

    def __post_init__(self) -> None:
        n = self.set_task.grid.n_panels
        if not self.layouts:
            object.__setattr__(self, "layouts", default_layouts(self.set_task.grid))
        object.__setattr__(self, "layouts", tuple(layout.id for layout in self.parsed))
        if len(set(self.layouts)) < len(self.layouts):
            raise ValueError("layouts must be distinct")
        object.__setattr__(self, "reference", self.reference or self.layouts[0])
        object.__setattr__(self, "asked", self.asked or n)
        if self.reference not in self.layouts:
            raise ValueError(f"reference must be one of {', '.join(self.layouts)}, got {self.reference!r}")
        if not 1 <= self.asked <= n:
            raise ValueError(f"asked must be 1 to {n}, got {self.asked}")
        if not 1 <= self.n_queries <= 1000:
            raise ValueError(f"n_queries must be 1 to 1000, got {self.n_queries}")
        if not 0 <= self.strength <= 2:
            raise ValueError(f"strength must be 0 to 2, got {self.strength}")
        if self.given not in ("none", *MODES):
            raise ValueError(f"given must be none, {', '.join(MODES)}, got {self.given!r}")
        Settings(self.n_steps, self.guidance)

    @property
    def set_task(self) -> SetTask:
        """Return the task."""
        return find_task(self.task)

    @property
    def parsed(self) -> list[PanelLayout]:
        """Return the layouts."""
        return [parse_layout(text, self.set_task.grid.n_panels) for text in self.layouts]

    @property
    def needs_drawings(self) -> bool:
        """Tell whether given panels show true drawings."""
        return self.given != "none"

    @property
    def settings(self) -> Settings:
        """Return how to denoise."""
        return Settings(self.n_steps, self.guidance)


def prepare(params: PanelsParams) -> PanelSweep:
    """Load probe and drawings, and lay out every set; nothing is drawn yet."""
    from lab.images.probe import load_probe

    n = params.set_task.grid.n_panels
    given = None if params.given == "none" else tuple(panel != params.asked - 1 for panel in range(n))
    mode: Mode = next((mode for mode in MODES if mode == params.given), "blend")
    arms = [Arm(layout.id, layout, loras_of(params), given, mode) for layout in params.parsed]
    queries = queries_of(params.set_task, params.n_queries, params.seed, params.needs_drawings)
    return PanelSweep(load_probe(), queries, arms, [params.asked - 1], params.settings)


def loras_of(params: PanelsParams) -> dict[str, float]:
    """Return the LoRA that a run draws with and its strength; empty for the base alone."""
    name = params.task if params.lora == TASK_LORA else params.lora
    return {name: params.strength} if name else {}


def cost(params: PanelsParams) -> Cost:
    """Price a run."""
    n_panels = params.set_task.grid.n_panels
    return sweep_price(params.n_queries, len(params.layouts), n_panels, params.n_steps)


def run(params: PanelsParams, store: Store) -> Iterator[Event]:
    """Make the run, or go on with it; a finished run is read without loading a model."""
    recipe = Recipe("panels", asdict(params))
    yield from run_sweep(
        recipe,
        store,
        cost(params),
        lambda: prepare(params),
        lambda: record(list(loras_of(params))),
        lambda: read(params, store),
    )


def read(params: PanelsParams, store: Store) -> Result:
    """Turn the stored predictions of a run, finished or not, into its result."""
    run_id = Recipe("panels", asdict(params)).id
    return summarise(store.predictions(run_id), params, run_id)


def summarise(predictions: pd.DataFrame, params: PanelsParams, run_id: str) -> Result:
    """Compare the layouts of a predictions table."""
    from lab.experiments.drawing import panels_figures

    asked = paired(predictions, params.layouts)
    if asked.empty:
        return Result(run_id, predictions, {}, {}, "No set is drawn under every layout yet.", {})
    found = compared(asked, params.reference, params.reference, params.seed)
    floor = redrawn(predictions, asked)
    verdict = sweep_sentence(found.comparisons, floor)
    summary = {
        "experiment": "panels",
        "task": params.task,
        "lora": params.lora,
        "n_predictions": len(predictions),
        **found.summary,
        "cochran_q": cochran_q(asked)._asdict() if len(params.layouts) > 1 else None,
        "floor": asdict(floor) if floor else None,
        "verdict": verdict,
    }
    figures = panels_figures(found.tables["accuracy"], found.comparisons, floor)
    return Result(run_id, predictions, found.tables, figures, verdict, summary)
