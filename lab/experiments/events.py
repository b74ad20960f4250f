"""What an experiment yields while it runs: its cost, progress, partial predictions, at the end a result."""

from dataclasses import dataclass, field

import pandas as pd
import plotly.graph_objects as go

from lab.worlds.growth import Moment


@dataclass(frozen=True)
class Cost:
    """What a run will take, known before it starts.

    `n_tokens` counts tokens to compute after prefixes are shared, `n_tokens_unshared` without sharing; both
    are 0 where nothing is counted in tokens. `unit` is what `n_prompts` counts.
    """

    n_prompts: int
    n_tokens: int
    n_tokens_unshared: int
    seconds: float
    memory_bytes: int
    notes: tuple[str, ...] = ()
    unit: str = "prompts"


@dataclass(frozen=True)
class Progress:
    """How far a run is: `done` of `total`; seconds so far and seconds to go (None while unknown).

    What is counted is the unit of the run's cost, or `unit` where that is given.
    """

    done: int
    total: int
    elapsed_s: float
    eta_s: float | None
    message: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Partial:
    """All predictions made so far, in the columns of the predictions table."""

    predictions: pd.DataFrame


@dataclass(frozen=True)
class Result:
    """What a run says: its predictions, tables, figures, a plain sentence, and the summary for machines."""

    run_id: str
    predictions: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    figures: dict[str, go.Figure]
    verdict: str
    summary: dict = field(repr=False)


Event = Cost | Progress | Partial | Moment | Result
