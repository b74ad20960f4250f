"""Task vectors on a small random model: what they depend on, and that reading leaves nothing behind."""

from dataclasses import replace

import pytest
import torch
from made_loras import noise_vector
from tiny_flux import tiny_model

from lab.images import adapters
from lab.images.lora_vector import from_vector
from lab.images.task_vector import captured, task_vector
from lab.images.tasks import find_task, task_sets
from lab.learners.embedder import N_DIMENSIONS


@pytest.fixture(scope="module")
def model():
    return tiny_model()


def examples(task: str, drawings, seed: int = 0, n: int = 3):
    return task_sets(find_task(task), n, "train", seed, drawings)


def test_it_joins_the_pooled_caption_and_the_mean_image_token(model, drawings):
    found = task_vector(model, examples("coloured", drawings))
    assert found.shape == (N_DIMENSIONS + 64,) and found.dtype == torch.float32
    sets = examples("coloured", drawings)
    pooled = model.encode_text([each.caption for each in sets], sets[0].grid).pooled.mean(0)
    torch.testing.assert_close(found[:N_DIMENSIONS], pooled)


def test_the_same_examples_give_the_same_vector_and_another_task_another(model, drawings):
    one = task_vector(model, examples("coloured", drawings))
    torch.manual_seed(99)
    assert torch.equal(task_vector(model, examples("coloured", drawings)), one)
    other = task_vector(model, examples("rendered", drawings))
    assert not torch.allclose(other[:N_DIMENSIONS], one[:N_DIMENSIONS])
    assert not torch.allclose(other[N_DIMENSIONS:], one[N_DIMENSIONS:])


def test_the_canvases_count_not_only_the_captions(model, drawings):
    sets = examples("coloured", drawings)
    dark = [replace(each, pixels=each.pixels // 2) for each in sets]
    one, other = task_vector(model, sets), task_vector(model, dark)
    assert torch.equal(other[:N_DIMENSIONS], one[:N_DIMENSIONS])
    assert not torch.allclose(other[N_DIMENSIONS:], one[N_DIMENSIONS:])


def test_the_base_alone_reads_and_no_hook_is_left(drawings):
    model = tiny_model()
    alone = task_vector(model, examples("coloured", drawings))
    from_vector(model, noise_vector(model), "iclora_loud")
    adapters.weigh(model, {"iclora_loud": 1.0})
    torch.testing.assert_close(task_vector(model, examples("coloured", drawings)), alone)
    assert not any(module._forward_hooks for module in model.transformer.modules())


def test_a_pass_that_fails_leaves_no_hook(model):
    block = model.transformer.transformer_blocks[-1]
    with pytest.raises(TypeError), captured(block):
        block("not a tensor")
    assert not block._forward_hooks


def test_examples_of_no_or_several_grids_are_refused(model, drawings):
    with pytest.raises(ValueError, match="at least one"):
        task_vector(model, [])
    with pytest.raises(ValueError, match="different grids"):
        task_vector(model, examples("coloured", drawings) + examples("growth", drawings))
