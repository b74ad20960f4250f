"""The lab from a program: three typed endpoints, for gradio_client, for curl, and as MCP tools.

from gradio_client import Client
Client("http://localhost:7860").predict(task="topic", n_queries=24, api_name="/position_sweep")
"""

import functools
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from lab.experiments import EXPERIMENTS
from lab.experiments.events import Result
from lab.experiments.registry import build_params, find_experiment
from lab.runs.plain import plain
from lab.ui.people import Lab
from lab.ui.running import MODEL_QUEUE, SAYABLE, model_turn, say

if TYPE_CHECKING:
    from lab.runs.store import Store

ENDPOINTS = ("order_sweep", "position_sweep", "score")


def score(
    query: str,
    labels: list[str],
    demos: list[dict[str, str]],
    slot: str = "sum",
    instruction: str = "",
    input_name: str = "Input",
    output_name: str = "Output",
    model: str = "smollm2-135m",
    is_length_normalised: bool = True,
) -> dict[str, Any]:
    """Score every label as the answer to one query, given demonstrations in one slot of the prompt.

    Args:
        query: The input that is asked.
        labels: The answers to compare, at least two.
        demos: Demonstrations, each {"input": ..., "output": one of the labels}; none with slot none.
        slot: Where they stand: none, ssp, esp, sum, eum or turns.
        instruction: The system instruction; empty for none.
        input_name: Stands before every input in the prompt, such as "Review".
        output_name: Stands before every output in the prompt, such as "Sentiment".
        model: A preset or a hub id.
        is_length_normalised: Compare mean instead of summed log-probability of a label's tokens.

    Returns:
        prediction, margin (nats), logp (label to nats), probability (label to 0..1), prompt, candidates and
        n_tokens.
    """
    from lab.experiments.one_query import ask, label_probabilities
    from lab.experiments.setting import BY_HAND, PromptSetting
    from lab.learners.load import load
    from lab.tasks.task import Demonstration, Query, Task

    if not 2 <= len(set(labels)) == len(labels) <= 64 or not all(label.strip() for label in labels):
        raise ValueError(f"labels must be 2..64 different texts, got {labels[:66]!r}")
    # A setting without demonstrations by hand draws from the pool, also where the slot then shows none.
    pool = (Demonstration("unused", "unused", labels[0]),)
    task = Task(
        "api", "API", "classification", "label", instruction, input_name, output_name, tuple(labels), pool, ()
    )
    by_hand = {"selection": BY_HAND, "demos": tuple(map(json.dumps, demos))}
    chosen = by_hand if demos else {"selection": "first", "n_demos": 1}
    setting = PromptSetting(task="api", model=model, is_length_normalised=is_length_normalised, **chosen)
    if not demos and slot != "none":
        raise ValueError(f"slot must be none without demonstrations, got {slot!r}; give demos or slot='none'")
    *_, asked = ask(load(model), task, setting, Query("api", query, ""), [slot])
    row = asked.rows[0]
    return {
        "prediction": row.prediction,
        "margin": row.margin,
        "logp": row.logp,
        "probability": label_probabilities(row),
        "prompt": row.prompt,
        "candidates": list(row.candidates),
        "n_tokens": row.n_tokens,
    }


def sweep_result(experiment_id: str, values: dict[str, Any], store: "Store") -> dict[str, Any]:
    """Make a run, or read it where it is made already, and return it as JSON.

    Returns:
        run_id, recipe, verdict, summary and predictions (one object a query and layout; no NaN, but None).

    Raises:
        ValueError: If a value is out of range, with a sentence that says so.
    """
    experiment = find_experiment(EXPERIMENTS, experiment_id)
    params = build_params(experiment, values)
    result = None
    for event in experiment.run(params, store):
        result = event
    if not isinstance(result, Result):
        raise RuntimeError(f"{experiment_id} ended without a result")
    whole = {
        "run_id": result.run_id,
        "recipe": json.loads(experiment.recipe(params).to_json()),
        "verdict": result.verdict,
        "summary": result.summary,
        "predictions": result.predictions.to_dict("records"),
    }
    return plain(whole)


def mount_api(lab: Lab) -> None:
    """Publish the endpoints in the current Blocks; a ValueError reaches the caller as its sentence."""

    @_said
    def position_sweep(
        request: gr.Request,
        task: str = "topic",
        layouts: list[str] = ["none", "ssp", "esp", "sum", "eum"],  # noqa: B006  # read, never changed
        reference: str = "sum",
        n_queries: int = 24,
        n_demos: int = 5,
        selection: str = "balanced",
        seed: int = 0,
        model: str = "smollm2-135m",
        instruction: str = "",
    ) -> dict[str, Any]:
        """Ask the same queries with the demonstrations in several slots of the prompt and count what flips.

        Args:
            task: A shipped task such as topic, sentiment or capitals, or hub: and a data set.
            layouts: Where the demonstrations stand: none, ssp, esp, sum, eum, turns, eum+restated, ...
            reference: The layout that flips are counted against; one of the layouts.
            n_queries: How many queries are asked.
            n_demos: How many demonstrations are shown.
            selection: How they are chosen: random, balanced, first, bm25 or nearest.
            seed: Determines the draw of queries and demonstrations.
            model: A preset or a hub id.
            instruction: Replaces the task's own; empty keeps it.
        """
        values = {
            "task": task,
            "layouts": layouts,
            "reference": reference,
            "n_queries": n_queries,
            "n_demos": n_demos,
            "selection": selection,
            "seed": seed,
            "model": model,
            "instruction": instruction,
        }
        return sweep_result("position", values, lab.store_for(request))

    @_said
    def order_sweep(
        request: gr.Request,
        task: str = "topic",
        slot: str = "sum",
        n_orders: int = 6,
        n_queries: int = 12,
        n_demos: int = 3,
        n_held_out: int = 12,
        selection: str = "balanced",
        seed: int = 0,
        model: str = "smollm2-135m",
        instruction: str = "",
    ) -> dict[str, Any]:
        """Ask the same queries under many orders of the same demonstrations; test the best on new queries.

        Args:
            task: A shipped task such as topic, sentiment or capitals, or hub: and a data set.
            slot: Where the demonstrations stand: ssp, esp, sum, eum or turns.
            n_orders: How many orders; all of them where there are no more.
            n_queries: Queries asked under every order.
            n_demos: How many demonstrations are shown and reordered.
            n_held_out: New queries asked under the best order and the first; 0 skips that.
            selection: How demonstrations are chosen: random, balanced or first.
            seed: Determines the draw of queries, demonstrations and orders.
            model: A preset or a hub id.
            instruction: Replaces the task's own; empty keeps it.
        """
        values = {
            "task": task,
            "slot": slot,
            "n_orders": n_orders,
            "n_queries": n_queries,
            "n_demos": n_demos,
            "n_held_out": n_held_out,
            "selection": selection,
            "seed": seed,
            "model": model,
            "instruction": instruction,
        }
        return sweep_result("order", values, lab.store_for(request))

    for endpoint in (_said(score), position_sweep, order_sweep):
        gr.api(endpoint, api_name=endpoint.__name__, concurrency_id=MODEL_QUEUE, concurrency_limit=1)


def _said(endpoint: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Give an endpoint its turn with the model, and let its caller read what went wrong."""

    @functools.wraps(endpoint)
    def said(*arguments: Any, **named: Any) -> dict[str, Any]:
        try:
            with model_turn:
                return endpoint(*arguments, **named)
        except SAYABLE as error:
            raise gr.Error(say(error), print_exception=False) from error

    return said
