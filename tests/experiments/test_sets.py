"""The study of set success on small random weights: arms, pairing, and the check of known tables."""

import pandas as pd
import pytest
from tiny_images import ship_tiny

from lab.experiments import check_ic_lora, sets
from lab.experiments.events import Result
from lab.experiments.sets import SetsParams, parse_arm
from lab.images.tasks import find_task
from lab.runs.store import Store

FEW = {"n_queries": 2, "n_steps": 2, "arms": ("base", "lora", "ordinary", "wrong", "lora@0.5+context")}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        ship_tiny(tmp_path_factory.mktemp("shipped"), patch)
        yield


def table(right: dict[str, list[int]]) -> pd.DataFrame:
    rows = [
        {"query_id": f"q{place}", "layout": arm, "prediction": f"{arm if not is_right else 'gold'}", "gold":
        "gold",
         "correct": float(is_right), "margin": float("nan"), "n_tokens": 32, "seconds": 1.0, "run_id": "r"}
        for arm, marks in right.items()
        for place, is_right in enumerate(marks)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_every_arm_draws_the_same_sets(shipped, tmp_path):
    with Store(tmp_path / "lab.sqlite3") as store:
        *_, result = sets.run(SetsParams(**FEW), store)
        made = store.environment(result.run_id)
    assert isinstance(result, Result)
    assert (result.predictions.groupby("layout").size() == 2).all()
    assert "base+again" in set(result.predictions["layout"]) and result.summary["floor"]["n"] == 2
    assert set(made["model"]["loras"]) == {"coloured", "coloured-ordinary", "rendered"}
    answers = result.predictions["prediction"]
    assert answers.str.count(r"\|").eq(1).all()  # both panels are read


def test_arms_are_read():
    task = find_task("growth")
    assert parse_arm("base", task).loras == {}
    assert parse_arm("lora@1.5", task).loras == {"growth": 1.5}
    assert parse_arm("ordinary", task).loras == {"growth-ordinary": 1.0}
    assert parse_arm("wrong", task).loras == {"coloured": 1.0}
    assert parse_arm("own/mine@0.5", task).loras == {"own/mine": 0.5}
    given = parse_arm("lora+context", task)
    assert given.given == (True, False, False) and given.mode == "context"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"arms": ("base",)}, "two or more"),
        ({"arms": ("base", "lora@3")}, "strength must be 0 to 2"),
        ({"arms": ("base", "lora+paste")}, "mode must be one of"),
        ({"arms": ("base", "LoRA!")}, "an arm is written like"),
        ({"arms": ("base", "wrong")}, "reference must be one of"),
        ({"n_queries": 0}, "n_queries"),
    ],
)
def test_parameters_out_of_range_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        SetsParams(**values)


def checked(monkeypatch, right: dict[str, list[int]]):
    result = Result("r", table(right), {}, {}, "", {})
    monkeypatch.setattr(sets, "run", lambda params, store: iter([result]))
    return check_ic_lora.check(True, None)  # type: ignore[arg-type]


def test_the_check_holds_only_where_both_intervals_exclude_zero(monkeypatch):
    clear = checked(
        monkeypatch, {"base": [0] * 40, "lora": [1] * 30 + [0] * 10, "ordinary": [1] * 5 + [0] * 35}
    )
    assert clear.holds and [claim["verdict"] for claim in clear.claims] == ["holds", "holds"]
    close = checked(monkeypatch, {"base": [0] * 40, "lora": [1] * 20 + [0] * 20, "ordinary": [0, 1] * 20})
    assert not close.holds
    assert [claim["verdict"] for claim in close.claims] == ["holds", "undecided"]
    worse = checked(monkeypatch, {"base": [1] * 40, "lora": [0] * 40, "ordinary": [0] * 40})
    assert [claim["verdict"] for claim in worse.claims] == ["does not hold here", "undecided"]
