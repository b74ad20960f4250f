"""What a terminal is told of a run: its cost, and how far it is."""

import io
import sys

from lab.cli.progress import ProgressLine, duration
from lab.experiments.events import Cost, Progress


def test_progress_off_a_terminal_is_a_line_every_few_percent(capsys):
    line = ProgressLine(sys.stderr)
    for done in range(1, 1001):
        line.progress(Progress(done, 1000, done / 10, (1000 - done) / 10))
    lines = capsys.readouterr().err.splitlines()
    assert 15 <= len(lines) <= 22
    assert lines[-1] == "1000/1000 (100%), 1 min 40 s so far, 0 s to go"


def test_a_cost_is_told_in_its_own_unit(capsys):
    line = ProgressLine(sys.stderr)
    line.cost(Cost(6, 0, 0, 2.0, 2**20, unit="masks"))
    line.cost(Cost(6, 90, 90, 2.0, 2**20, unit="canvases"))
    assert capsys.readouterr().err.splitlines() == [
        "6 masks, about 2 s, 1 MB",
        "6 canvases, 90 tokens to compute, about 2 s, 1 MB",
    ]


def test_progress_on_a_terminal_is_one_line_that_updates_itself():
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    line = ProgressLine(stream)
    for done in range(101):
        line.progress(Progress(done, 100, 0.0, None, "loading\nmodel"))
    line.end()
    text = stream.getvalue()
    assert text.count("\n") == 1 and text.endswith("\n")
    assert 2 <= text.count("\r") <= 20 and "100/100 (100%), 0 s so far: loading model" in text
    assert duration(7500) == "2 h 5 min"
