"""ImageStacker: what is stacked, what each arm can see, retrieval, and the measures of finding copies."""

import numpy as np
import pytest
import torch
from polygons import polygon_atlas
from tiny_vision import noisy, squares

from lab.training.loop import Schedule
from lab.vision.backbone import centred
from lab.vision.copy_measures import micro_average_precision
from lab.vision.scenes import scenes
from lab.vision.stacker import Prompt, described, load_stacker, new_stacker, retrieved, stacked
from lab.vision.tampers.listed import find_pattern
from lab.vision.train import stacker as training
from lab.vision.train.stacker import shown_patterns, train_stacker
from lab.weights import WeightsError

PICTURES = [
    noisy(squares((colour, 8 * place, 40 - 8 * place)))
    for place, colour in enumerate(("red", "green", "blue"))
]
PROMPT = Prompt(255 - PICTURES[1], PICTURES[1])


@pytest.fixture(scope="module", params=[False, True], ids=["stacked", "late"])
def network(request):
    torch.manual_seed(0)
    return new_stacker(5, is_late=request.param).eval()


def test_nine_channels_are_query_replica_and_original_or_the_query_three_times():
    found = stacked(PICTURES[:2], [PROMPT, None])
    assert found.shape == (2, 64, 64, 9) and found.dtype == np.uint8
    assert np.array_equal(found[0], np.concatenate([PICTURES[0], *PROMPT], axis=2))
    assert np.array_equal(found[1], np.concatenate([PICTURES[1]] * 3, axis=2))


def test_descriptors_have_length_one_and_depend_on_the_prompt(network):
    found = described(PICTURES, [None] * 3, network)
    assert found.descriptor.shape == (3, 128) and found.pattern.shape == (3, 5)
    np.testing.assert_allclose(np.linalg.norm(found.descriptor, axis=1), 1, atol=1e-5)
    prompted = described(PICTURES, [PROMPT] * 3, network)
    assert np.abs(prompted.descriptor - found.descriptor).max() > 1e-3
    parts = described(PICTURES, [None] * 3, network, n_batch=2)
    np.testing.assert_allclose(parts.descriptor, found.descriptor, atol=1e-5)


def test_late_fusion_describes_each_picture_by_itself():
    torch.manual_seed(0)
    late = new_stacker(5, is_late=True).eval()
    trunk = []
    late.trunk.register_forward_hook(lambda module, inputs, output: trunk.append(output))
    with torch.inference_mode():
        late(centred(stacked(PICTURES[:1], [PROMPT])))
        late(centred(stacked([PICTURES[0]], [Prompt(PICTURES[2], PICTURES[1])])))
    assert torch.allclose(trunk[0][0], trunk[1][0]) and torch.allclose(trunk[0][2], trunk[1][2])
    assert not torch.allclose(trunk[0][1], trunk[1][1])  # only the replica differs


def test_the_prompt_that_is_disguised_alike_is_retrieved(network):
    pool = [Prompt(PICTURES[0], PICTURES[0]), Prompt(PICTURES[2], PICTURES[2])]
    assert retrieved([PICTURES[2], PICTURES[0]], pool, network) == [pool[1], pool[0]]
    with pytest.raises(ValueError, match="the pool of prompts is empty"):
        retrieved(PICTURES, [], network)


def test_average_precision_of_a_ranking_that_is_done_by_hand():
    scores = np.array([[0.9, 0.1, 0.5], [0.8, 0.7, 0.2]])
    is_match = np.array([[True, False, False], [False, True, False]])
    # together: .9 true, .8 false, .7 true, …: precision 1 and 2/3
    assert micro_average_precision(scores, is_match) == pytest.approx((1 + 2 / 3) / 2)
    tied = micro_average_precision(np.array([[0.5, 0.5]]), np.array([[True, False]]))
    assert tied == 0.5  # the wrong one counts first
    with pytest.raises(ValueError, match="nothing to find"):
        micro_average_precision(scores, np.zeros_like(is_match))


@pytest.mark.parametrize("seed", range(4))
def test_average_precision_equals_the_definition(seed):
    random = np.random.default_rng(seed)
    scores, is_match = random.random((5, 30)), random.random((5, 30)) < 0.1
    is_match[0, 0] = True
    pairs = sorted(zip(scores.ravel(), is_match.ravel(), strict=True), reverse=True)
    precisions = [sum(hit for _, hit in pairs[:n]) / n for n in range(1, len(pairs) + 1) if pairs[n - 1][1]]
    assert micro_average_precision(scores, is_match) == pytest.approx(np.mean(precisions))


def test_training_shows_no_held_out_pattern_and_learns(monkeypatch):
    assert len(shown_patterns()) == 38 and not any(each.is_held_out for each in shown_patterns())
    pictures = scenes(polygon_atlas(), 24, seed=0)
    assert all(each.shape == (64, 64, 3) for each in pictures)
    monkeypatch.setattr(training, "BATCH", 8)
    known = [find_pattern(name) for name in ("invert", "mirror", "noise")]
    _, steps = train_stacker(pictures, None, schedule=Schedule(80, 1e-3, 5), known=known)
    losses = [step.loss for step in steps]
    assert losses[0] > np.log(8)  # at first no copy lies nearer to its own original
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:5])


def test_a_missing_network_names_the_remedy(tmp_path):
    with pytest.raises(WeightsError, match=r"python -m lab\.vision\.train stacker"):
        load_stacker(tmp_path)
