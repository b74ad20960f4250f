"""A short guided tour: each step points at the control that it speaks of; remembered in the browser."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

PAGE = Path(__file__).parent / "page"


@dataclass(frozen=True)
class Step:
    """One step of the tour.

    Args:
        selector: CSS selector of the control that is pointed at.
        tab: The tab it stands on, opened first; "" where it stands above the tabs.
        title: A few words.
        text: What to do with it, in one or two sentences.
    """

    selector: str
    tab: str
    title: str
    text: str


STEPS: tuple[Step, ...] = (
    Step(
        "#lab-headline",
        "Position",
        "One finding, already measured",
        "This run ships with the lab. Nothing was trained: the same demonstrations only stand in another "
        "place of the prompt, and answers change.",
    ),
    Step(
        "#position-matrix",
        "Position",
        "Every answer, one by one",
        "A row is a query, a column a place. Click a cell to read both prompts side by side and see how sure "
        "the model was.",
    ),
    Step(
        "#position-run",
        "Position",
        "Run it yourself",
        "Choose a task above, then run. The model (93 MB) is fetched once; a stopped run can go on.",
    ),
    Step(
        "#compose-demos",
        "Compose",
        "Write your own demonstrations",
        "Type, add, remove and drag them (or Alt+arrow keys). The exact prompt follows, token by token.",
    ),
    Step(
        "#compose-run",
        "Compose",
        "Guess first, then ask",
        "One click answers your query under every slot at once. Switch on “Guess first” to let a class bet "
        "before the answers show.",
    ),
    Step(
        "#copy-link",
        "",
        "Hand it on",
        "The link holds the whole setting of the open tab. Every run is kept under Runs, with exports.",
    ),
)


def head() -> str:
    """Write the scripts of the page for `launch(head=...)`: the shell's keys and switches, and the tour."""
    steps = json.dumps([asdict(step) for step in STEPS]).replace("</", "<\\/")
    tour = (PAGE / "tour.js").read_text(encoding="utf-8").replace("/*STEPS*/ []", steps)
    shell = (PAGE / "shell.js").read_text(encoding="utf-8")
    return f"<script>{shell}</script>\n<script>{tour}</script>"
