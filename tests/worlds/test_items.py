import pytest
import torch

from lab.worlds.abrupt import Abrupt, AbruptSettings
from lab.worlds.items import LAYOUTS, arranged, distinct_labels, label_word, noised, shuffled, written, zipf


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def batch():
    return Abrupt(AbruptSettings(n_classes=256, burstiness=2)).sample(60, seeded())


def pairs_of(batch) -> list[list[tuple]]:
    rows = zip(batch.items.tolist(), batch.labels.tolist(), batch.classes.tolist(), strict=True)
    return [sorted(zip(items[:-1], labels, classes[:-1], strict=True)) for items, labels, classes in rows]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_arrangement_moves_pairs_whole_and_leaves_the_query(batch, layout):
    moved = arranged(batch, layout)
    assert torch.equal(moved.items[:, -1], batch.items[:, -1])
    assert torch.equal(moved.target, batch.target)
    assert torch.equal(moved.is_match.sum(1), batch.is_match.sum(1))
    for before, after in zip(pairs_of(batch), pairs_of(moved), strict=True):
        assert before == after


def test_matches_come_first_or_last_and_the_others_keep_their_order(batch):
    first, last = arranged(batch, "match-first").is_match, arranged(batch, "match-last").is_match
    n = batch.is_match.sum(1)
    assert (first.long().argmin(1) == n).all()
    assert (last.long().argmax(1) == 8 - n).all()
    others = [each.classes[:, :-1][~each.is_match] for each in (batch, arranged(batch, "match-last"))]
    assert torch.equal(*others)


def test_reversing_twice_gives_back_what_was(batch):
    again = arranged(arranged(batch, "reversed"), "reversed")
    assert all(torch.equal(a, b) for a, b in zip(again, batch, strict=True))


def test_an_unknown_layout_is_refused(batch):
    with pytest.raises(ValueError, match="layout must be one of drawn, reversed"):
        arranged(batch, "sorted")


def test_sequences_are_written_with_numbers_and_letters(batch):
    text = written(batch)[0]
    pairs = text.split(" ")
    assert len(pairs) == 9
    classes = batch.classes[0].tolist()
    assert pairs[0] == f"{classes[0]}={label_word(batch.labels[0, 0].item())}"
    assert pairs[-1] == f"{classes[-1]}=?"


def test_noise_keeps_the_length_and_turns_the_direction():
    vectors = torch.randn(2000, 32, generator=seeded()) / 32**0.5
    for noise in (0.0, 0.5, 1.0):
        items = noised(vectors, noise, seeded(1))
        assert abs(items.norm(dim=1).mean() / vectors.norm(dim=1).mean() - 1) < 0.02
        cosine = torch.cosine_similarity(items, vectors, dim=1).mean()
        assert abs(cosine - 1 / (1 + noise**2) ** 0.5) < 0.02


def test_zipf_is_a_power_of_the_rank():
    assert zipf(4, 1.0).tolist() == pytest.approx([12 / 25, 6 / 25, 4 / 25, 3 / 25])
    assert zipf(5, 0.0).tolist() == pytest.approx([0.2] * 5)


def test_shuffled_rows_hold_what_they_did():
    rows = torch.arange(12).view(3, 4)
    assert torch.equal(shuffled(rows, seeded()).sort(1).values, rows)


def test_labels_of_a_sequence_differ():
    labels = distinct_labels(50, 8, 32, seeded())
    assert all(len(set(row)) == 8 for row in labels.tolist())
