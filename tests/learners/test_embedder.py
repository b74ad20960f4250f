"""Sentence embeddings; downloads 84 MB the first time."""

import numpy as np
import pytest

from lab.learners.embedder import N_DIMENSIONS, embed

TEXTS = [
    "A man is playing a guitar on stage.",
    "Someone performs music with a guitar.",
    "The central bank raised interest rates.",
    "Borrowing became dearer after the bank's decision.",
    "hm",
    "A long text. " * 200,
]


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    from conftest import SHARED_WEIGHTS

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_WEIGHTS", str(SHARED_WEIGHTS))
        return embed(TEXTS)


def test_rows_are_unit_vectors_in_single_precision(rows):
    assert rows.shape == (len(TEXTS), N_DIMENSIONS)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_a_paraphrase_is_closer_than_another_subject(rows):
    similarity = rows @ rows.T
    assert similarity[0, 1] > 0.5 > 0.2 > similarity[0, 2]
    assert similarity[2, 3] > similarity[2, 0]


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_row_depends_on_its_text_and_not_on_its_batch(rows, batch_size):
    np.testing.assert_allclose(embed(TEXTS[::-1], batch_size)[::-1], rows, atol=1e-5)


def test_no_text_gives_no_row(rows):
    assert embed([]).shape == (0, N_DIMENSIONS)


def test_an_empty_text_has_a_row(rows):
    assert np.isfinite(embed([""])).all()


def test_a_single_string_or_a_batch_of_none_is_refused():
    with pytest.raises(ValueError, match="write \\[text\\]"):
        embed("a text")
    with pytest.raises(ValueError, match="batch_size must be 1 or more, got 0"):
        embed(["a"], batch_size=0)


def test_rows_equal_those_of_sentence_transformers(rows):
    models = pytest.importorskip("sentence_transformers")
    from lab.learners.embedder import MINILM
    from lab.weights import fetch

    modules = getattr(models, "models", None) or pytest.importorskip("sentence_transformers.models")
    network = modules.Transformer(str(fetch(MINILM)), max_seq_length=256)
    reference = models.SentenceTransformer(
        modules=[network, modules.Pooling(N_DIMENSIONS), modules.Normalize()], device="cpu"
    )
    np.testing.assert_allclose(rows, reference.encode(TEXTS), atol=1e-5)
