"""Passes on a shared cache: the same answers as whole prompts, and what happens when memory runs out."""

import sys

import pytest
import torch
from asked import LABELS, largest_difference, naive, odd_ones, orders
from tiny_models import tiny_lm, tiny_network

from lab.learners import passes
from lab.learners.engine import Engine
from lab.learners.passes import Runner
from lab.learners.plan import Limits, Pass, plan_passes
from lab.learners.request import Request

DEEP = Limits(min_saved_tokens=5)


class Crowded:
    """Stands in a model's forward: raises as a full device does where a batch has more rows than fit."""

    def __init__(self, forward, most: int, message: str = "CUDA out of memory. Tried to allocate 2 GiB"):
        self.forward, self.most, self.message, self.sizes = forward, most, message, []

    def __call__(self, *args, **kwargs):
        n_rows = kwargs["input_ids"].shape[0]
        self.sizes.append(n_rows)
        if n_rows > self.most:
            raise RuntimeError(self.message)
        return self.forward(*args, **kwargs)


@pytest.fixture
def lm():
    return tiny_lm()


def crowd(lm, monkeypatch, most: int, **message) -> Crowded:
    crowded = Crowded(lm.model.forward, most, **message)
    monkeypatch.setattr(lm.model, "forward", crowded)
    return crowded


@pytest.mark.parametrize(
    "requests", [orders(), odd_ones(), orders(max_new_tokens=4)], ids=["orders", "odd", "text"]
)
def test_a_batch_that_does_not_fit_is_halved_until_it_does(lm, monkeypatch, requests):
    undisturbed = Engine(lm, requests, limits=DEEP).answer_all()
    engine = Engine(lm, requests, limits=DEEP)
    crowded = crowd(lm, monkeypatch, most=2)
    found = engine.answer_all()
    assert max(crowded.sizes) > 2
    assert [answer.text_tokens for answer in found] == [answer.text_tokens for answer in undisturbed]
    if found[0].logp:
        assert largest_difference(found, undisturbed) < 1e-5


def test_a_single_row_that_does_not_fit_names_its_length_and_the_remedy(lm, monkeypatch):
    engine = Engine(lm, orders(), limits=DEEP)
    crowd(lm, monkeypatch, most=0)
    with pytest.raises(MemoryError, match=r"a prompt of \d+ tokens does not fit .* choose a smaller model"):
        engine.answer_all()


def test_an_answer_is_given_after_memory_was_short_for_once(lm, monkeypatch):
    engine = Engine(lm, orders(), limits=DEEP)
    with monkeypatch.context() as short:
        crowd(lm, short, most=0)
        with pytest.raises(MemoryError):
            engine.answer_all()
    assert largest_difference(engine.answer_all(), naive(lm, orders())) < 1e-5


@pytest.mark.parametrize(
    "message", ["CUDA error: an illegal memory access was encountered", "shape mismatch"]
)
def test_other_errors_are_passed_on(lm, monkeypatch, message):
    crowded = crowd(lm, monkeypatch, most=0, message=message)
    with pytest.raises(RuntimeError, match=message):
        Engine(lm, orders(), limits=DEEP).answer_all()
    assert len(crowded.sizes) == 1


def test_prefixes_that_had_to_make_room_are_encoded_anew(lm, monkeypatch):
    requests = orders()
    monkeypatch.setattr(passes, "PREFIX_BYTES", 1)
    plan = plan_passes(requests, DEEP)
    runner = Runner(lm, requests, plan)
    found = {}
    for batch in reversed(plan.passes):  # the worst order: every chain of prefixes is missing
        found.update(zip(batch.rows, runner.run(batch), strict=True))
        assert len(runner._prefixes) == 1
    assert largest_difference([found[row] for row in range(len(requests))], naive(lm, requests)) < 1e-5


def test_a_pass_gives_the_same_bits_whether_or_not_others_ran_before(lm):
    requests = orders()
    plan = plan_passes(requests, DEEP)
    in_turn = Runner(lm, requests, plan)
    first = [in_turn.run(batch) for batch in plan.passes]
    assert [Runner(lm, requests, plan).run(batch) for batch in plan.passes] == first


def test_a_chain_of_a_thousand_prefixes_is_encoded_without_recursion():
    lm = tiny_lm()
    requests = [Request((7,) * place + (8,), ((1,),)) for place in range(1, 1050)]
    plan = plan_passes(requests, Limits(min_saved_tokens=0))
    assert len(plan.nodes) > sys.getrecursionlimit()
    last = plan.passes[-1]
    found = Runner(lm, requests, plan).run(last)
    assert largest_difference(found, naive(lm, [requests[row] for row in last.rows])) < 1e-4


def test_rows_that_end_early_leave_the_batch_and_the_others_go_on(lm):
    requests = orders(max_new_tokens=8)
    texts = [answer.text_tokens for answer in naive(lm, requests)]
    ends = texts[0][2]
    stopping = tiny_lm()
    object.__setattr__(stopping, "end_tokens", frozenset({ends}))
    expected = [answer.text_tokens for answer in naive(stopping, requests)]
    assert len({len(text) for text in expected}) > 1
    found = Engine(stopping, requests, limits=DEEP).answer_all()
    assert [answer.text_tokens for answer in found] == expected


def test_answers_may_be_of_different_lengths_in_one_batch(lm):
    requests = [Request((10, 11, 12), max_new_tokens=n) for n in (1, 5, 3)]
    found = Engine(lm, requests).answer_all()
    assert [len(answer.text_tokens) for answer in found] == [1, 5, 3]
    assert [answer.text_tokens for answer in found] == [answer.text_tokens for answer in naive(lm, requests)]


def test_only_the_last_place_of_each_row_is_projected_onto_the_vocabulary(lm, monkeypatch):
    shapes = []
    head = lm.model.lm_head.forward
    monkeypatch.setattr(lm.model.lm_head, "forward", lambda x: shapes.append(x.shape) or head(x))
    Engine(lm, orders(candidates=((5,), (6,))), limits=DEEP).answer_all()
    assert shapes and all(shape[1] == 1 for shape in shapes)


def test_the_model_stays_without_gradients_and_its_weights_as_they_are():
    lm = tiny_lm()
    Engine(lm, [Request((1, 2, 3), LABELS)]).run(Pass(0, (0,), None))
    fresh = tiny_network("llama").state_dict()
    assert all(torch.equal(weight, fresh[name]) for name, weight in lm.model.state_dict().items())
