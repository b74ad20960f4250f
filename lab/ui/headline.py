"""The first sentence on screen: what the example run that ships with the lab found, in words for a class."""

from html import escape
from typing import Any

from lab.prompts.layout import SLOT_TITLES
from lab.runs.examples import Example, list_examples, read_example
from lab.tasks import load_task

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
PLACES = ("ssp", "esp", "sum", "eum")
QUESTION = "Move the same demonstrations to another place of the prompt: which answers flip?"


def headline_html() -> str:
    """Write the finding of the first shipped run on position; the plain question where none is shipped."""
    example = next((each for each in list_examples() if each.recipe.experiment == "position"), None)
    if example is None:
        return f"<p class='finding'>{QUESTION}</p>"
    summary = read_example(example.slug).summary
    found = finding(summary, example.recipe.params.get("n_demos", 5))
    said = f"<p class='finding'>{found}</p><p class='grounds'>{grounds(summary, example)}</p>"
    return f"<div class='hero'><div>{said}</div>{bars(summary)}</div>"


def strongest(summary: dict[str, Any]) -> dict[str, Any] | None:
    """Return the comparison of two of the paper's four places with the most flips."""
    moved = [c for c in summary.get("comparisons", ()) if {c["layout"], c["reference"]} <= set(PLACES)]
    return max(moved, key=lambda c: c["prediction_change"], default=None)


def finding(summary: dict[str, Any], n_demos: int) -> str:
    """Say in one sentence how many answers flip when the same demonstrations move."""
    most = strongest(summary)
    if most is None:
        return QUESTION
    count = NUMBERS[n_demos] if n_demos < len(NUMBERS) else str(n_demos)
    start, end = (_place(most[key]) for key in ("reference", "layout"))
    return (
        f"Moving the same {count} demonstrations from {escape(start)} to {escape(end)} "
        f"flips <strong>{100 * most['prediction_change']:.0f} %</strong> of this model’s answers."
    )


def _place(layout: str) -> str:
    """Name a layout's place inside a sentence."""
    return "chat turns of their own" if layout == "turns" else f"the {SLOT_TITLES.get(layout, layout)}"


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


def bars(summary: dict[str, Any]) -> str:
    """Draw the accuracy in each of the four places as a bar, with its share of flips in words."""
    flips = {c["layout"]: 100 * c["prediction_change"] for c in summary.get("comparisons", ())}
    rows = []
    for place in PLACES:
        if place not in summary.get("accuracy", {}):
            continue
        right = 100 * summary["accuracy"][place]
        moved = f"{flips[place]:.0f} % flip" if place in flips else "reference"
        rows.append(
            f"<li><span><b>{place}</b> {escape(SLOT_TITLES[place])}</span>"
            f"<span class='track' aria-hidden='true'><i style='width:{right:.0f}%'></i></span>"
            f"<span>{right:.0f} % right</span><span>{moved}</span></li>"
        )
    if not rows:
        return ""
    return f"<ul class='hero-bars' aria-label='Accuracy and flips by place'>{''.join(rows)}</ul>"


def _title(task: str) -> str:
    try:
        return load_task(task).title
    except ValueError:
        return task
