"""What is different between two runs: their recipes, their accuracy under each layout, and single answers."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lab.runs.recipe import Recipe
from lab.runs.store import Store
from lab.stats.comparisons import Comparison, compare_layouts
from lab.stats.flips import transitions

if TYPE_CHECKING:
    import pandas as pd

A, B = "A", "B"
_ENVIRONMENT = ("lab", "commit", "torch", "transformers", "python", "cpu", "cores")
_MODEL = ("id", "revision", "device", "dtype")
_ABSENT = "—"


@dataclass(frozen=True)
class RunComparison:
    """Two predictions tables against one another.

    Args:
        accuracy: One row a layout of either: layout, n_a, accuracy_a, n_b, accuracy_b, n_shared, change,
            ci_low, ci_high (B - A on the shared queries, 95 % paired bootstrap), broken, fixed, flips,
            p_holm; NaN from `change` on where nothing is shared.
        flips: One row an answer that differs: query_id, layout, gold, a, b, kind, margin_a, margin_b (nats),
            near_tie.
        comparisons: The paired test of each shared layout by its id, A the reference, Holm-corrected.
        n_shared: Answers that both runs hold.
    """

    accuracy: "pd.DataFrame"
    flips: "pd.DataFrame"
    comparisons: dict[str, Comparison]
    n_shared: int


def compare_runs(a: "pd.DataFrame", b: "pd.DataFrame", seed: int = 0) -> RunComparison:
    """Compare two predictions tables, cell by cell where they share queries and layouts.

    Args:
        a: A predictions table; control rows are best left out.
        b: Another; a query id must mean the same in both.
        seed: Of the bootstrap.
    """
    import pandas as pd

    comparisons: dict[str, Comparison] = {}
    flips = []
    for layout in a["layout"].unique():
        pair = _pair(a, b, layout)
        if pair.empty:
            continue
        (comparisons[layout],) = compare_layouts(pair, A, seed)
        flips.append(_flips(pair, layout))
    comparisons = _corrected(comparisons)
    n_shared = sum(each.n for each in comparisons.values())
    found = pd.concat(flips, ignore_index=True) if flips else _no_flips()
    return RunComparison(_accuracy(a, b, comparisons), found, comparisons, n_shared)


def differences(store: Store, run_a: str, run_b: str) -> "pd.DataFrame":
    """List what differs between two runs' recipes and environments.

    Returns:
        Columns what, A, B, all text; empty when nothing does.
    """
    import pandas as pd

    facts_a, facts_b = _facts(store, run_a), _facts(store, run_b)
    rows = [
        (name, facts_a.get(name, _ABSENT), facts_b.get(name, _ABSENT))
        for name in dict.fromkeys([*facts_a, *facts_b])
        if facts_a.get(name) != facts_b.get(name)
    ]
    return pd.DataFrame(rows, columns=["what", A, B])


def same_queries(a: Recipe, b: Recipe) -> bool:
    """Tell whether a query id means the same in two runs."""
    return all(a.params.get(name) == b.params.get(name) for name in ("task", "tasks"))


def _pair(a: "pd.DataFrame", b: "pd.DataFrame", layout: str) -> "pd.DataFrame":
    """Stack the shared queries of one layout as if the runs were two layouts."""
    import pandas as pd

    rows_a, rows_b = a[a["layout"] == layout], b[b["layout"] == layout]
    shared = set(rows_a["query_id"]) & set(rows_b["query_id"])
    return pd.concat(
        [
            rows_a[rows_a["query_id"].isin(shared)].assign(layout=A),
            rows_b[rows_b["query_id"].isin(shared)].assign(layout=B),
        ],
        ignore_index=True,
    )


def _corrected(comparisons: dict[str, Comparison]) -> dict[str, Comparison]:
    from statsmodels.stats.multitest import multipletests

    if not comparisons:
        return {}
    p_holm = multipletests([each.p for each in comparisons.values()], method="holm")[1]
    return {
        layout: replace(each, p_holm=float(p))
        for (layout, each), p in zip(comparisons.items(), p_holm, strict=True)
    }


def _flips(pair: "pd.DataFrame", layout: str) -> "pd.DataFrame":
    table = transitions(pair, A, B)
    gold = pair[pair["layout"] == A].set_index("query_id")["gold"]
    table = table.assign(layout=layout, gold=table["query_id"].map(gold))
    table = table[table["kind"] != "same"]
    names = {"from": "a", "to": "b", "margin_from": "margin_a", "margin_to": "margin_b"}
    return table.rename(columns=names)[_no_flips().columns]


def _no_flips() -> "pd.DataFrame":
    import pandas as pd

    columns = ["query_id", "layout", "gold", "a", "b", "kind", "margin_a", "margin_b", "near_tie"]
    return pd.DataFrame(columns=columns)


def _accuracy(a: "pd.DataFrame", b: "pd.DataFrame", tested: dict[str, Comparison]) -> "pd.DataFrame":
    import pandas as pd

    means = {
        name: table.groupby("layout", sort=False)["correct"].agg(["size", "mean"])
        for name, table in ((A, a), (B, b))
    }
    rows = []
    for layout in dict.fromkeys([*means[A].index, *means[B].index]):
        row: dict[str, Any] = {"layout": layout}
        for name in (A, B):
            has = layout in means[name].index
            row[f"n_{name.lower()}"] = int(means[name].loc[layout, "size"]) if has else 0
            row[f"accuracy_{name.lower()}"] = float(means[name].loc[layout, "mean"]) if has else None
        c = tested.get(layout)
        row["n_shared"] = c.n if c else 0
        if c:
            row |= {"change": c.metric_change, "ci_low": c.ci_low, "ci_high": c.ci_high}
            row |= {"broken": c.n_broken, "fixed": c.n_fixed, "flips": c.n_flips, "p_holm": c.p_holm}
        rows.append(row)
    columns = ["layout", "n_a", "accuracy_a", "n_b", "accuracy_b", "n_shared"]
    columns += ["change", "ci_low", "ci_high", "broken", "fixed", "flips", "p_holm"]
    return pd.DataFrame(rows, columns=columns)


def _facts(store: Store, run_id: str) -> dict[str, str]:
    recipe, environment = store.recipe(run_id), store.environment(run_id)
    model = environment.get("model") or {}
    facts: dict[str, Any] = {"experiment": recipe.experiment, **recipe.params}
    facts |= {name: environment[name] for name in _ENVIRONMENT if environment.get(name) is not None}
    facts |= {f"model {name}": model[name] for name in _MODEL if model.get(name) is not None}
    return {name: _text(value) for name, value in facts.items()}


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or _ABSENT
    return str(value) if value != "" else _ABSENT
