"""Links: a recipe in the address, read when the page opens, and the link to what is on screen."""

import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from lab.experiments import EXPERIMENTS
from lab.experiments.registry import build_params, find_experiment
from lab.runs.recipe import Recipe

PARAMETER = "recipe"
COMPOSE = "compose"
DEFAULTS = "The page shows its defaults."


class Shared(NamedTuple):
    """What an address asks for: a recipe, or a warning why it can't be had, or neither."""

    recipe: Recipe | None
    warning: str


def read_query(query: Mapping[str, str]) -> Shared:
    """Read the recipe of an address's query parameters, trusting nothing.

    Returns:
        The recipe with its parameters completed and checked; else a sentence for the screen.
    """
    text = query.get(PARAMETER) or ""
    if not text.strip():
        return Shared(None, "")
    try:
        return Shared(_checked(Recipe.from_link(text)), "")
    except (ValueError, TypeError) as error:
        return Shared(None, f"The link could not be read: {str(error)[:400]}. {DEFAULTS}")


def _checked(recipe: Recipe) -> Recipe:
    if recipe.experiment == COMPOSE:
        from lab.ui.composed import Composed

        return Composed.from_params(recipe.params).recipe()
    experiment = find_experiment(EXPERIMENTS, recipe.experiment)
    return experiment.recipe(build_params(experiment, recipe.params))


def link(recipe: Recipe, environ: Mapping[str, str] = os.environ) -> str:
    """Write the link to a recipe.

    Returns:
        On a Space its whole address, since there the app stands in a frame whose own address is no use; else
        only the query, `?recipe=...`, which the page completes with the address that it was opened at.
    """
    query = f"?{PARAMETER}={quote(recipe.to_link(), safe='')}"
    if space := environ.get("SPACE_ID"):
        return f"https://huggingface.co/spaces/{quote(space, safe='/')}{query}"
    if host := environ.get("SPACE_HOST"):
        return f"https://{host}/{query}"
    return query


COPY_JS = """async (link) => {
  if (!link) return link;
  const whole = link.startsWith("?") ? location.origin + location.pathname + link : link;
  try { await navigator.clipboard.writeText(whole); } catch { /* the box shows it, to be copied by hand */ }
  return whole;
}"""
