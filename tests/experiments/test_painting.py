"""Painter as a run: cases, choices, quality, check; a perfect painter and a careless one as oracles."""

import numpy as np
import pytest

from lab.experiments import check_painting, painting
from lab.experiments.events import Cost, Result
from lab.experiments.painting import RIGHT, TWO, WRONG, PaintingParams, operation_of, shown_of
from lab.runs.store import Store
from lab.vision.operations import find_operation, fitting_view, operations, random_palette
from lab.vision.painted import case_of, nearest, quality


def ran(params, painter, monkeypatch):
    monkeypatch.setattr(painting, "load_painter", lambda: None)
    monkeypatch.setattr(painting, "paint", painter)
    with Store() as store:
        return list(painting.run(params, store))


def true_painter(params):
    """Return a painter that does what the pair was drawn from: it looks the pair up."""
    known = {}
    for place in range(params.n_queries):
        shown = shown_of(params, place)
        for arm, pairs in shown.pairs.items():
            operation = shown.other if arm == WRONG else shown.case.operation
            known[pairs[0].after.tobytes(), shown.case.before.tobytes()] = shown.case.expected(operation)
    return lambda pairs, picture, network: known[pairs[0].after.tobytes(), picture.tobytes()]


def grey_painter(pairs, picture, network):
    return np.full((64, 64, 3), 128, np.uint8)


@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.id)
def test_what_should_become_of_a_case_is_nearest_to_its_own_operation(operation):
    random = np.random.default_rng(3)
    case = case_of(operation, fitting_view(operation, random), random_palette(random), random)
    assert nearest(case, case.after) == operation.id
    measure, value = quality(case, case.after)
    assert (measure, value) == (("IoU", 1.0) if operation.find else ("PSNR", 60.0))
    noisy = np.clip(case.after + random.normal(0, 12, case.after.shape), 0, 255).astype(np.uint8)
    assert nearest(case, noisy) == operation.id


def test_another_operation_is_read_where_its_result_is_painted():
    random = np.random.default_rng(0)
    mirror, flip = find_operation("mirror"), find_operation("flip")
    case = case_of(mirror, fitting_view(mirror, random), random_palette(random), random)
    assert nearest(case, case.expected(flip)) == "flip"
    measure, value = quality(case, case.expected(flip))
    assert measure == "PSNR" and value < 30


def test_a_perfect_painter_is_right_with_the_right_pair_alone(monkeypatch):
    params = PaintingParams(n_queries=16)
    cost, *_, result = ran(params, true_painter(params), monkeypatch)
    assert isinstance(cost, Cost) and isinstance(result, Result)
    assert result.summary["accuracy"][RIGHT] == result.summary["accuracy"][TWO] == 1
    assert result.summary["accuracy"][WRONG] == 0
    quality_rows = {(row["measure"], row["layout"]): row for row in result.summary["quality"]}
    assert quality_rows["IoU", RIGHT]["mean"] == 1 and quality_rows["IoU", RIGHT]["lead_low"] > 0
    assert quality_rows["PSNR", RIGHT]["lead"] > 5


def test_the_check_holds_for_a_perfect_painter_and_not_for_one_that_paints_grey(monkeypatch):
    monkeypatch.setattr(check_painting, "N_QUICK", 48)
    monkeypatch.setattr(painting, "load_painter", lambda: None)
    monkeypatch.setattr(painting, "paint", true_painter(PaintingParams(n_queries=check_painting.N_QUICK)))
    with Store() as store:
        assert check_painting.check(True, store).holds is True
    monkeypatch.setattr(painting, "paint", grey_painter)
    with Store(":memory:") as store:
        found = check_painting.check(True, store)
    assert found.holds is False and found.claims[0]["verdict"] == "does not hold here"


def test_cases_are_drawn_again_alike_and_the_wrong_pair_would_make_something_else():
    params = PaintingParams("all", n_queries=70)
    for place in range(0, 70, 7):
        first, second = shown_of(params, place), shown_of(params, place)
        assert np.array_equal(first.case.before, second.case.before)
        assert np.array_equal(first.pairs[WRONG][0].after, second.pairs[WRONG][0].after)
        assert not np.array_equal(first.case.expected(first.other), first.case.after)


def test_held_out_operations_are_asked_unless_others_are_named():
    assert all(each.is_held_out for each in PaintingParams().asked)
    assert not any(each.is_held_out for each in PaintingParams("seen").asked)
    assert [each.id for each in PaintingParams("mirror").asked] == ["mirror"]
    assert operation_of("mirror-invert 12") == "mirror-invert"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"operations": "magic"}, "no operation is called"),
        ({"n_queries": 0}, "n_queries"),
        ({"arms": ("two pairs",)}, "arms must be"),
        ({"arms": ("right pair", "none")}, "arms must be"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_asked_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        PaintingParams(**changes)
