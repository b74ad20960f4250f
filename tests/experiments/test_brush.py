"""Subject insertion on small random weights: what is drawn, what strength 0 means, and the rise."""

import numpy as np
import pandas as pd
import pytest
from tiny_images import ship_tiny

from lab.experiments import brush, check_brush
from lab.experiments.brush import TRUE, BrushParams, arm_of, rise_of, rise_sentence
from lab.experiments.events import Result
from lab.images import emoji, model, shelf
from lab.images.brush_study import STRENGTHS, at, insertion_of, pairs_of
from lab.images.panels import draw
from lab.images.pictures import from_png
from lab.runs.store import Store
from lab.stats.intervals import Estimate
from lab.weights import WeightsError

FEW = BrushParams(strengths=(0.0, 0.6), n_queries=2, n_steps=1)


@pytest.fixture(scope="module", autouse=True)
def shipped(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        ship_tiny(tmp_path_factory.mktemp("shipped"), patch)
        yield


def table(right: dict[float, list[int]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"query_id": f"fox{place} 1", "layout": arm_of(strength), "correct": float(mark)}
            for strength, marks in right.items()
            for place, mark in enumerate(marks)
        ]
    )


def test_a_run_keeps_the_pictures_and_only_the_hole_differs_from_the_target(tmp_path):
    with Store(tmp_path / "lab.sqlite3") as store:
        *_, result = brush.run(FEW, store)
        answers = store.answers(result.run_id)
    rows = result.predictions
    assert sorted(rows["layout"].unique()) == ["shift@0", "shift@0.6", "true"] and len(rows) == 6
    pair = pairs_of(1)[0]
    insertion = insertion_of(pair, emoji.atlas(), False)
    first = answers[answers["query_id"] == f"{pair.subject.word} 1"].set_index("layout")["answer"]
    for arm in first.index:
        above, target, drawn = np.split(from_png(first[arm]), 3, axis=1)
        assert (above == insertion.subject).all() and (target == insertion.target).all()
        if arm == TRUE:
            assert (drawn == draw(pair.truth, emoji.atlas())).all()
        else:
            assert (drawn[~insertion.mask] == target[~insertion.mask]).all()
            assert (drawn[insertion.mask] != target[insertion.mask]).any()
    assert first["shift@0"] != first["shift@0.6"]


def test_a_pair_is_drawn_alike_every_time():
    sweep = brush.prepare(FEW)
    first, again = (sweep.evaluate(sweep.batches[1]) for _ in range(2))
    assert [(row.prediction, row.answer) for row in first] == [(row.prediction, row.answer) for row in again]


def test_the_check_compares_strength_0_with_code_that_knows_no_brush():
    pair = pairs_of(1)[0]
    insertion = insertion_of(pair, emoji.atlas(), False)
    found = check_brush._difference(shelf.load_weighed({}), insertion, 3, brush.Settings(2))
    assert found == 0


def test_the_check_tells_a_broken_brush(monkeypatch):
    rows = table({s: [0, 1] for s in STRENGTHS})
    true = rows[rows["layout"] == "shift@0"].assign(layout=TRUE, correct=1.0)
    rows = pd.concat([rows, true])
    monkeypatch.setattr(brush, "run", lambda params, store: iter([Result("r", rows, {}, {}, "", {})]))
    monkeypatch.setattr(check_brush, "QUICK", BrushParams(n_queries=2, n_steps=1))
    monkeypatch.setattr(check_brush, "at", lambda strength: at(0.6))
    found = check_brush.check(True, None)  # type: ignore[arg-type]
    assert [claim["verdict"] for claim in found.claims] == ["undecided", "does not hold here"]
    assert found.holds is False


def test_the_rise_is_the_mean_slope_of_least_squares():
    strengths = [0.0, 0.2, 0.4]
    marks = {0.0: [0, 0, 1, 0], 0.2: [0, 1, 1, 0], 0.4: [1, 1, 1, 0]}
    slopes = [np.polyfit(strengths, [marks[s][place] for s in strengths], 1)[0] for place in range(4)]
    found = rise_of(table(marks), strengths)
    assert found.value == pytest.approx(0.1 * np.mean(slopes))
    assert found.low < found.value < found.high


def test_the_rise_is_told_with_its_direction():
    assert "No clear rise" in rise_sentence(Estimate(0.01, -0.01, 0.03))
    assert "2.0 points less often (95 % 1.0 to 3.0)" in rise_sentence(Estimate(-0.02, -0.03, -0.01))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"strengths": (0.3,)}, "strengths must be 0 and others"),
        ({"strengths": (0.0, 0.3, 0.3)}, "all different"),
        ({"strengths": (0.0, 1.5)}, "0 to 1"),
        ({"n_queries": 0}, "1 to 500"),
        ({"seed": -1}, "0 or more"),
    ],
)
def test_wrong_parameters_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        BrushParams(**wrong)


def test_without_a_fill_branch_the_remedy_is_named(monkeypatch):
    without = model.load_embedded(model.EMBEDDED, encoder=shelf.embedded().pipeline.text_encoder)
    monkeypatch.setattr(shelf, "embedded", lambda: model.ImageModel("plain", without.pipeline))
    with pytest.raises(WeightsError, match=r"lab\.images\.train fill"):
        brush.prepare(FEW)
