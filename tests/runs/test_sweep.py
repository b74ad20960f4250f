"""Sweeps: nothing is evaluated twice, and the status is true however a sweep ends."""

from dataclasses import dataclass

import pytest

from lab.runs.recipe import Recipe
from lab.runs.store import Row, Store
from lab.runs.sweep import sweep


@dataclass(frozen=True)
class Batch:
    index: int
    size: int


BATCHES = [Batch(0, 2), Batch(1, 3), Batch(2, 1), Batch(3, 4)]


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "lab.sqlite3") as opened:
        opened.begin(RECIPE, {})
        yield opened


RECIPE = Recipe("demo", {})
RUN = RECIPE.id


class Evaluation:
    """Evaluates batches and remembers which."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.seen: list[int] = []
        self.fails_at = fails_at

    def __call__(self, batch: Batch) -> list[Row]:
        if batch.index == self.fails_at:
            raise OSError("the model is gone")
        self.seen.append(batch.index)
        return [
            Row(f"q{batch.index}-{at}", "sum", "A", "A", 1.0, 0.1, {"A": -0.1}, 3, 0.0, "p")
            for at in range(batch.size)
        ]


def test_a_sweep_reports_each_batch_after_committing_it(store):
    evaluate = Evaluation()
    for step in sweep(store, RUN, BATCHES, evaluate):
        assert len(store.predictions(RUN)) == step.done
        assert step.total == 10
        assert len(step.rows) == BATCHES[evaluate.seen[-1]].size
    assert step.done == 10 and step.eta_s == 0 and step.elapsed_s >= 0
    assert store.status(RUN) == ("running", "")


def test_closing_a_sweep_early_stops_the_run_and_a_second_sweep_does_the_rest(store):
    first, second = Evaluation(), Evaluation()
    steps = sweep(store, RUN, BATCHES, first)
    next(steps), next(steps)
    steps.close()
    assert store.status(RUN) == ("stopped", "")
    opening, *others = sweep(store, RUN, BATCHES, second)
    assert (opening.done, opening.total, opening.eta_s, opening.rows) == (5, 10, None, ())
    assert [step.done for step in others] == [6, 10]
    assert (first.seen, second.seen) == ([0, 1], [2, 3])


def test_stop_is_asked_before_each_batch(store):
    evaluate = Evaluation()
    steps = list(sweep(store, RUN, BATCHES, evaluate, stop=lambda: len(evaluate.seen) == 2))
    assert [step.done for step in steps] == [2, 5]
    assert store.status(RUN) == ("stopped", "")


def test_an_error_marks_the_run_failed_and_keeps_what_was_done(store):
    with pytest.raises(OSError, match="the model is gone"):
        list(sweep(store, RUN, BATCHES, Evaluation(fails_at=2)))
    assert store.status(RUN) == ("failed", "OSError: the model is gone")
    assert store.done_batches(RUN) == {0, 1}


def test_a_finished_sweep_evaluates_nothing_again(store):
    list(sweep(store, RUN, BATCHES, Evaluation()))
    again = Evaluation()
    (only,) = sweep(store, RUN, BATCHES, again)
    assert again.seen == [] and only.done == only.total and only.eta_s == 0


def test_batches_that_share_an_index_are_refused(store):
    with pytest.raises(ValueError, match="distinct indices, got 1 repeated"):
        next(sweep(store, RUN, [Batch(0, 1), Batch(0, 2)], Evaluation()))
