"""The law of rational strategies: its three numbers in a person's hand, beside what learners did.

Nothing is trained here: the grid is that of the stored study, and the law tells of each of its learners.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from lab.experiments import studies
from lab.experiments.studies import Study
from lab.figures import twin_maps
from lab.ui.run_controls import QUIET
from lab.ui.widgets.markup import note
from lab.ui.worlds.rooms import Room
from lab.ui.worlds.view import View
from lab.ui.worlds.watch import plotted
from lab.worlds.exact.law import Law, Point, bits
from lab.worlds.exact.strategies import generalising, memorising
from lab.worlds.urns import Urns, UrnsSettings

ABOUT = (
    "**Is there a law of when learners know by heart?** A strategy is followed the more, the better it "
    "predicts (γ weighs a nat, α how soon further steps stop counting) and the shorter it is to write "
    "down (β weighs its bits). Move the three numbers until the right map looks like the left one."
)
STUDY = Urns.id
SEEDS = (0, 1, 2)


class Grid(NamedTuple):
    """What learners of one seed did.

    Args:
        n_urns: They learned from, rising.
        steps: Of their training, rising.
        relative: Their relative distances, 0 at M, 1 at G, shape (len(n_urns), len(steps)).
        points: What the law is told of each, row by row.
    """

    n_urns: list[int]
    steps: list[int]
    relative: np.ndarray
    points: list[list[Point]]

    def foretold(self, law: Law) -> np.ndarray:
        """Return the law's weight of G of every learner, the shape of `relative`."""
        return np.array([[1 - law.weight(point) for point in row] for row in self.points])


def suits(room: Room) -> bool:
    """Tell whether the world has a law, and a stored study that it can be held against."""
    return room.world is Urns and _study() is not None


def build() -> View:
    """Place the part inside the current block."""
    fit = Law(*(round(each, 3) for each in fitted(SEEDS[0])))
    gr.Markdown(ABOUT, elem_id="worlds-law-about")
    with gr.Row():
        gamma = gr.Slider(
            0.05, 10, fit.gamma, step=0.05, label="γ", elem_id="worlds-law-gamma",
            info="How much a nat of loss counts.",
        )  # fmt: skip
        alpha = gr.Slider(
            0, 1.5, fit.alpha, step=0.01, label="α", elem_id="worlds-law-alpha",
            info="0: every step counts alike; 1: the first alone.",
        )  # fmt: skip
        beta = gr.Slider(
            0.01, 0.5, fit.beta, step=0.005, label="β", elem_id="worlds-law-beta",
            info="How much the length of a strategy counts.",
        )  # fmt: skip
    with gr.Row():
        seed = gr.Radio(
            list(SEEDS), value=SEEDS[0], label="Seed", elem_id="worlds-law-seed", info="Of the learners."
        )
        button = gr.Button("Set the fitted values", elem_id="worlds-law-fit")
    told = gr.HTML(elem_id="worlds-law-told", padding=False)
    plot = gr.Plot(show_label=False, label="Law and learners", elem_id="worlds-law")
    sliders = [gamma, alpha, beta]

    def draw(seed: int, *values: float) -> list[Any]:
        study = _study()
        if study is None:
            return ["", plotted(None)]
        return [note("info", study.provenance({})), plotted(figure_of(_of(seed), Law(*values)))]

    gr.on([*(each.change for each in sliders), seed.change], draw, [seed, *sliders], [told, plot], **QUIET)
    button.click(lambda seed: [round(each, 3) for each in fitted(_of(seed))], seed, sliders, **QUIET)
    return View([seed, *sliders], [told, plot], lambda sight, seed, *values: draw(seed, *values))


def figure_of(seed: int, law: Law) -> Any:
    """Draw what learners did beside what the law says of them."""
    grid = grid_of(seed)
    foretold = grid.foretold(law)
    alike = _correlation(foretold, grid.relative)
    apart = float(np.abs(foretold - grid.relative).mean())
    title = (
        f"Law and learners are {apart:.2f} apart (mean), r = {alike:.3f}, n = {foretold.size}; "
        "1 counts, 0 knows the urns"
    )
    maps = {"learners": grid.relative, "law": foretold}
    return twin_maps(maps, grid.steps, grid.n_urns, "Steps", "Urns", title)


@lru_cache(maxsize=len(SEEDS))
def grid_of(seed: int) -> Grid:
    """Read the learners of a seed from the stored study; what the law needs of the urns is made anew."""
    study = _study()
    assert study is not None
    rows = [row for row in study.tables["curves"] if row["seed"] == seed and row["step"] > 0]
    by_cell = {(row["n_urns"], row["step"]): row for row in rows}
    n_urns, steps = sorted({row["n_urns"] for row in rows}), sorted({row["step"] for row in rows})
    lengths = {each: _lengths(each, seed) for each in n_urns}
    points = [
        [
            Point(step, by_cell[many, step]["loss_g"] - by_cell[many, step]["loss_m"], lengths[many])
            for step in steps
        ]
        for many in n_urns
    ]
    relative = np.array([[by_cell[many, step]["relative"] for step in steps] for many in n_urns])
    return Grid(n_urns, steps, relative, points)


def fitted(seed: int) -> Law:
    """Return the law that the study fitted to a seed's learners; without a study, one that is plain."""
    study = _study()
    rows = study.tables["laws"] if study is not None else []
    found = [Law(row["gamma"], row["alpha"], row["beta"]) for row in rows if row["seed"] == seed]
    return found[0] if found else Law(1.0, 0.5, 0.2)


def _lengths(n_urns: int, seed: int) -> tuple[float, float]:
    world = Urns(UrnsSettings(n_urns=n_urns), seed)
    return bits(memorising, world.known.numpy()), bits(generalising)


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return Pearson's r; 0 where the law says the same of all."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1]) if one.std() > 0 else 0.0


def _of(seed: Any) -> int:
    """Return a seed that there is: it came from a browser."""
    return int(seed) if seed in SEEDS else SEEDS[0]


def _study() -> Study | None:
    return studies.stored(STUDY)
