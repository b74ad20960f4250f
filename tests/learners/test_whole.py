"""The naive runner, which is the oracle of the others, against the model called by hand."""

import pytest
import torch
from tiny_models import tiny_lm

from lab.learners.plan import Pass
from lab.learners.request import Request
from lab.learners.whole import WholeRunner


@pytest.fixture(scope="module")
def lm():
    return tiny_lm()


def test_a_score_is_the_product_of_the_conditional_probabilities(lm):
    prompt, candidate = (10, 20, 30), (40, 50)
    (answer,) = WholeRunner(lm, [Request(prompt, (candidate,))]).run(Pass(0, (0,), None))
    by_hand = 0.0
    for place, token in enumerate(candidate):
        logits = lm.model(input_ids=torch.tensor([[*prompt, *candidate[:place]]])).logits[0, -1]
        by_hand += float(torch.softmax(logits.double(), -1)[token].log())
    assert answer.logp[0] == pytest.approx(by_hand, abs=1e-5)


def test_probabilities_of_all_single_tokens_sum_to_one(lm):
    request = Request((10, 20), tuple((token,) for token in range(300)))
    (answer,) = WholeRunner(lm, [request]).run(Pass(0, (0,), None))
    assert sum(torch.tensor(answer.logp).exp()) == pytest.approx(1.0, abs=1e-5)


def test_generation_equals_that_of_transformers(lm):
    prompt = (10, 20, 30, 40)
    (answer,) = WholeRunner(lm, [Request(prompt, max_new_tokens=12)]).run(Pass(0, (0,), None))
    ids = torch.tensor([prompt])
    full = lm.model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False)
    expected = full[0, len(prompt) :].tolist()
    if 0 in expected:
        expected = expected[: expected.index(0)]
    assert list(answer.text_tokens) == expected


def test_the_token_that_ends_an_answer_is_not_part_of_it(lm):
    prompt = (10, 20, 30, 40)
    free = WholeRunner(lm, [])._generate(Request(prompt, max_new_tokens=6))
    lm_that_stops = tiny_lm()
    object.__setattr__(lm_that_stops, "end_tokens", frozenset({free[2]}))
    assert (
        WholeRunner(lm_that_stops, [])._generate(Request(prompt, max_new_tokens=6))
        == free[: free.index(free[2])]
    )
