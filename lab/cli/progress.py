"""How far a run is, on stderr: one self-updating line on a terminal, a line every few percent elsewhere."""

import sys
import time
from typing import TextIO

from lab.experiments.events import Cost, Progress

STEP = 0.05
REDRAW_S = 0.1


class ProgressLine:
    """Show events of a run on a stream without flooding it."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write to this stream, stderr by default."""
        self.stream = stream or sys.stderr
        self._is_terminal = self.stream.isatty()
        self._drawn_s = -REDRAW_S
        self._shown = -1.0
        self._width = 0

    def cost(self, cost: Cost) -> None:
        """Say before a run what it will take."""
        parts = [f"{cost.n_prompts} {cost.unit}"]
        if cost.n_tokens:
            is_shared = cost.n_tokens < cost.n_tokens_unshared
            unshared = f" ({cost.n_tokens_unshared} without shared prefixes)" if is_shared else ""
            parts.append(f"{cost.n_tokens} tokens to compute{unshared}")
        parts += [f"about {duration(cost.seconds)}", f"{cost.memory_bytes / 2**20:.0f} MB"]
        self.note(", ".join(parts))
        for note in cost.notes:
            self.note(note)

    def progress(self, progress: Progress) -> None:
        """Show how far a run is, if that is news."""
        share = progress.done / progress.total if progress.total else 1.0
        if share < self._shown:  # another stage of the run
            self._shown = -1.0
        is_last = progress.done >= progress.total
        if self._is_terminal:
            if time.monotonic() - self._drawn_s < REDRAW_S and not is_last:
                return
        elif share - self._shown < STEP and not (is_last and self._shown < 1):
            return
        self._drawn_s, self._shown = time.monotonic(), share
        text = f"{progress.done}/{progress.total} ({share:.0%}), {duration(progress.elapsed_s)} so far"
        if progress.eta_s is not None:
            text += f", {duration(progress.eta_s)} to go"
        if progress.message:
            text += f": {progress.message}"
        self._draw(text)

    def note(self, text: str) -> None:
        """Show a line of its own."""
        self.end()
        print(text, file=self.stream, flush=True)

    def end(self) -> None:
        """Leave the updating line, if there is one."""
        if self._width:
            print(file=self.stream, flush=True)
        self._width = 0

    def _draw(self, text: str) -> None:
        if not self._is_terminal:
            print(text, file=self.stream, flush=True)
            return
        text = text.replace("\n", " ")[:200]
        print("\r" + text.ljust(self._width), end="", file=self.stream, flush=True)
        self._width = len(text)


def duration(seconds: float) -> str:
    """Write a duration for a person: 4 s, 3 min 20 s, 2 h 5 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
