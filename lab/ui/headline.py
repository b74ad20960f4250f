"""The first sentence on screen: what the example run that ships with the lab found, in words for a class."""

from html import escape
from typing import Any

from lab.prompts.layout import SLOT_TITLES
from lab.runs.examples import Example, list_examples, read_example
from lab.tasks import load_task

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
QUESTION = "Move the same demonstrations to another place of the prompt: which answers flip?"


def headline_html() -> str:
    """Write the finding of the first shipped run on position; the plain question where none is shipped."""
    example = next((each for each in list_examples() if each.recipe.experiment == "position"), None)
    if example is None:
        return f"<p class='finding'>{QUESTION}</p>"
    summary = read_example(example.slug).summary
    found = finding(summary, example.recipe.params.get("n_demos", 5))
    return f"<p class='finding'>{found}</p><p class='grounds'>{grounds(summary, example)}</p>"


def strongest(summary: dict[str, Any]) -> dict[str, Any] | None:
    """Return the comparison of two places with the most flips; without demonstrations is no place."""
    moved = [c for c in summary.get("comparisons", ()) if "none" not in (c["layout"], c["reference"])]
    return max(moved, key=lambda c: c["prediction_change"], default=None)


def finding(summary: dict[str, Any], n_demos: int) -> str:
    """Say in one sentence how many answers flip when the same demonstrations move."""
    most = strongest(summary)
    if most is None:
        return QUESTION
    count = NUMBERS[n_demos] if n_demos < len(NUMBERS) else str(n_demos)
    start, end = (SLOT_TITLES.get(most[key], most[key]) for key in ("reference", "layout"))
    return (
        f"Moving the same {count} demonstrations from the {escape(start)} to the {escape(end)} "
        f"flips <strong>{100 * most['prediction_change']:.0f} %</strong> of this model’s answers."
    )


def grounds(summary: dict[str, Any], example: Example) -> str:
    """Say what the finding rests on: interval, floor, accuracies, model, task, count and date."""
    most = strongest(summary)
    parts = [
        escape(
            f"{summary.get('model', '')}, task “{_title(summary.get('task', ''))}”, "
            f"{summary.get('n_queries', 0)} queries"
        )
    ]
    if most is not None:
        low, high = 100 * most["prediction_change_low"], 100 * most["prediction_change_high"]
        parts.append(f"95 % interval {low:.0f} to {high:.0f} %")
        right = summary.get("accuracy", {})
        if most["reference"] in right and most["layout"] in right:
            parts.append(
                f"accuracy {100 * right[most['reference']]:.0f} → {100 * right[most['layout']]:.0f} %"
            )
    if floor := summary.get("floor"):
        parts.append(f"batching alone flips at most {100 * floor['high']:.1f} %")
    made = f"measured {escape(example.date)}" if example.date else ""
    return (
        " · ".join([*parts, made] if made else parts)
        + ". No model is loaded yet: this run ships with the lab."
    )


def _title(task: str) -> str:
    try:
        return load_task(task).title
    except ValueError:
        return task
