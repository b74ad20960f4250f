"""Predictions tables for the tests of lab/stats."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import pytest


def _labelled(said: Mapping[str, Sequence[str]], gold: Sequence[str], labels: Sequence[str]) -> pd.DataFrame:
    rows = []
    for layout, predictions in said.items():
        for query, (prediction, right) in enumerate(zip(predictions, gold, strict=True)):
            # The predicted label is 1 nat ahead of the first other one.
            logp = {f"logp_{label}": -1.0 - (label != prediction) for label in labels}
            rows.append(
                {
                    "run_id": "r",
                    "query_id": f"q{query}",
                    "layout": layout,
                    "prediction": prediction,
                    "gold": right,
                    "correct": float(prediction == right),
                    "margin": 1.0,
                    **logp,
                    "n_tokens": 10,
                    "seconds": 0.1,
                }
            )
    return pd.DataFrame(rows)


def _generated(said: Mapping[str, Sequence[str]], correct: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    rows = [
        {"run_id": "r", "query_id": f"q{query}", "layout": layout, "prediction": text, "gold": "g"}
        | {"correct": float(correct[layout][query]), "margin": np.nan, "n_tokens": 10, "seconds": 0.1}
        for layout, texts in said.items()
        for query, text in enumerate(texts)
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def labelled() -> Callable[..., pd.DataFrame]:
    """Build a table of scored labels: labelled({layout: predictions}, gold, labels)."""

    def build(said: Mapping[str, Sequence[str]], gold: Sequence[str], labels: Sequence[str] = "ab"):
        return _labelled(said, gold, labels)

    return build


@pytest.fixture(scope="session")
def generated() -> Callable[..., pd.DataFrame]:
    """Build a table of generated answers: generated({layout: texts}, {layout: correct})."""
    return _generated


@pytest.fixture(scope="session")
def discordant(labelled: Callable[..., pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    """Build sum and eum over n queries with b right→wrong and c wrong→right; all others are right."""

    def build(b: int, c: int, n: int) -> pd.DataFrame:
        reference = ["a"] * b + ["b"] * c + ["a"] * (n - b - c)
        layout = ["b"] * b + ["a"] * c + ["a"] * (n - b - c)
        return labelled({"sum": reference, "eum": layout}, ["a"] * n)

    return build
