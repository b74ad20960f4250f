"""The panel lab end to end on small random weights: complete, paired, resumable."""

import numpy as np
import pytest
from tiny_images import ship_tiny

from lab.experiments import EXPERIMENTS, panel_sweep, panels
from lab.experiments.events import Cost, Progress, Result
from lab.experiments.image_run import queries_of
from lab.experiments.panel_sweep import AGAIN, PanelSweep
from lab.experiments.panels import PanelsParams
from lab.experiments.registry import build_params, find_experiment
from lab.images import emoji
from lab.images.pictures import from_png
from lab.images.sampler import Settings, draw
from lab.images.shelf import load_weighed
from lab.images.tasks import TASKS
from lab.runs.store import Store

FEW = {"n_queries": 3, "n_steps": 2}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        ship_tiny(tmp_path_factory.mktemp("shipped"), patch)
        yield


@pytest.fixture(scope="module")
def finished(shipped, tmp_path_factory):
    path = tmp_path_factory.mktemp("home") / "lab.sqlite3"
    with Store(path) as store:
        return list(panels.run(PanelsParams(**FEW), store)), path


def test_a_run_holds_every_set_under_every_layout_and_a_floor(finished):
    events, _ = finished
    assert isinstance(events[0], Cost) and any(isinstance(event, Progress) for event in events)
    result = events[-1]
    assert isinstance(result, Result)
    counts = result.predictions.groupby("layout").size()
    assert dict(counts[counts.index.str.endswith(AGAIN)]) == {"1-2+again": 3}
    assert all(counts[layout] == 3 for layout in PanelsParams().layouts)
    assert result.summary["floor"]["n"] == 3
    assert set(result.figures) == {"Accuracy", "Prediction change"}


def test_a_stored_picture_is_what_its_caption_and_seed_draw(finished):
    events, path = finished
    with Store(path) as store:
        run_id = events[-1].run_id
        answers = store.answers(run_id).set_index(["query_id", "layout"])["answer"]
        prompts = store.prompts(run_id).set_index(["query_id", "layout"])["prompt"]
    sweep = panels.prepare(PanelsParams(**FEW))
    query = sweep.queries[1]
    (drawn,) = draw(
        load_weighed({"coloured": 1.0}),
        [prompts[query.id, "2-1"]],
        query.image_set.grid,
        [query.seed],
        Settings(2),
    )
    stored = from_png(answers[query.id, "2-1"])
    assert np.abs(stored.astype(int) - query.image_set.grid.join(drawn)).max() <= 1


def test_a_finished_run_is_read_without_drawing(finished, monkeypatch):
    events, path = finished
    monkeypatch.setattr(panels, "prepare", lambda params: pytest.fail("it draws again"))
    with Store(path) as store:
        (again,) = panels.run(PanelsParams(**FEW), store)
    assert again.verdict == events[-1].verdict and again.tables["accuracy"].equals(
        events[-1].tables["accuracy"]
    )


def test_a_stopped_run_goes_on_where_it_was(shipped, finished, tmp_path, monkeypatch):
    events, _ = finished
    with Store(tmp_path / "lab.sqlite3") as store:
        going = panels.run(PanelsParams(**FEW), store)
        for event in going:
            if isinstance(event, Progress) and event.done >= 6:
                break
        going.close()
        assert store.runs()["status"][0] == "stopped"
        drawn = []
        evaluate = PanelSweep.evaluate
        monkeypatch.setattr(
            PanelSweep, "evaluate", lambda self, batch: drawn.append(batch) or evaluate(self, batch)
        )
        *_, result = panels.run(PanelsParams(**FEW), store)
    assert len(drawn) == len(panels.prepare(PanelsParams(**FEW)).batches) - 2
    columns = ["query_id", "layout", "prediction"]
    assert result.predictions[columns].equals(events[-1].predictions[columns])


def test_given_panels_come_from_the_truth_wherever_they_stand(shipped, monkeypatch):
    seen = []
    monkeypatch.setattr(panel_sweep, "draw", lambda *asked: seen.append(asked) or draw(*asked))
    sweep = panels.prepare(PanelsParams(given="blend", layouts=("1-2", "2-1"), **FEW))
    for batch in sweep.batches[:2]:
        sweep.evaluate(batch)
    for (_, _, grid, _, _, given, _), place in zip(seen, (0, 1), strict=True):
        assert given.is_given == (place == 0, place == 1) and given.mode == "blend"
        for canvas, query in zip(given.canvases, sweep.queries, strict=True):
            assert np.array_equal(grid.split(canvas)[place], query.image_set.pixels[0])


def test_panels_drawn_alone_are_told_what_they_show(shipped):
    sweep = panels.prepare(PanelsParams(layouts=("1-2+alone",), **FEW))
    (row, *_) = sweep.evaluate(sweep.batches[0])
    left, right = row.prompt.split(" | ")
    word = sweep.queries[0].image_set.panels[0].word
    assert word in left and word in right and "same" not in row.prompt


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"task": "colored"}, "nearest is 'coloured'"),
        ({"layouts": ("1-2-3",)}, "2 panels"),
        ({"layouts": ("1-2", "1-2")}, "distinct"),
        ({"reference": "2-1+retold"}, "reference must be one of"),
        ({"asked": 3}, "asked must be 1 to 2"),
        ({"n_queries": 0}, "n_queries"),
        ({"strength": 3}, "strength"),
        ({"given": "all"}, "given must be"),
        ({"n_steps": 0}, "n_steps"),
    ],
)
def test_parameters_out_of_range_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        build_params(find_experiment(EXPERIMENTS, "panels"), values)


def test_an_unknown_lora_is_refused_before_anything_is_stored(shipped, tmp_path):
    with Store(tmp_path / "lab.sqlite3") as store:
        with pytest.raises(ValueError, match="no LoRA is called"):
            list(panels.run(PanelsParams(lora="nowhere", **FEW), store))
        assert store.runs().empty


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_what_is_asked_does_not_depend_on_whether_drawings_are_there(task):
    with_drawings, without = (queries_of(task, 5, 0, are_seen) for are_seen in (True, False))
    for one, other in zip(with_drawings, without, strict=True):
        assert one.image_set.caption == other.image_set.caption
        assert one.image_set.panels == other.image_set.panels
        assert (one.id, one.seed) == (other.id, other.seed)


def test_a_run_without_given_panels_needs_no_drawings(monkeypatch, tmp_path):
    def missing(progress=None):
        raise AssertionError("the drawings were asked for")

    monkeypatch.setattr(emoji, "atlas", missing)
    with Store(tmp_path / "lab.sqlite3") as store:
        *_, result = panels.run(PanelsParams(n_queries=1, n_steps=1), store)
    assert len(result.predictions) > 0
    with pytest.raises(AssertionError, match="asked for"):
        panels.prepare(PanelsParams(n_queries=1, given="blend"))
