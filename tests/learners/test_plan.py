"""The plan: every request once, only what is really shared, within its limits, fast."""

import time
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.learners.plan import Limits, Plan, plan_passes
from lab.learners.request import Request, shared_length

token = st.integers(0, 2)  # few tokens, so that prefixes are shared
prompts = st.lists(st.lists(token, min_size=1, max_size=12).map(tuple), min_size=0, max_size=30)
limits_of = st.builds(
    Limits,
    batch_tokens=st.sampled_from([1, 7, 40, 4096]),
    cache_bytes=st.sampled_from([1, 100, 2**30]),
    min_saved_tokens=st.sampled_from([0, 1, 5, 96]),
    share=st.booleans(),
    pad=st.booleans(),
)


@st.composite
def request_lists(draw) -> list[Request]:
    asked = []
    for prompt in draw(prompts):
        group = draw(st.integers(0, 2))
        if draw(st.booleans()):
            n_labels = draw(st.integers(1, 2))
            candidates = tuple((place,) * (1 + draw(st.integers(0, 2))) for place in range(n_labels))
            asked.append(Request(prompt, candidates, group=group))
        else:
            asked.append(Request(prompt, max_new_tokens=draw(st.integers(1, 3)), group=group))
    return asked


def depth_of(plan: Plan, node: int | None) -> int:
    return 0 if node is None else plan.nodes[node].length


def one_token(*prompts: tuple[int, ...]) -> list[Request]:
    return [Request(prompt, ((1,),)) for prompt in prompts]


@given(request_lists(), limits_of)
def test_every_request_is_in_exactly_one_pass(asked, limits):
    plan = plan_passes(asked, limits, bytes_per_token=3)
    assert sorted(row for batch in plan.passes for row in batch.rows) == list(range(len(asked)))
    assert [batch.index for batch in plan.passes] == list(range(len(plan.passes)))


@given(request_lists(), limits_of)
def test_prefixes_are_really_shared_and_leave_a_token_to_compute(asked, limits):
    plan = plan_passes(asked, limits)
    for node in plan.nodes:
        if node.parent is not None:
            parent = plan.nodes[node.parent]
            assert parent.length < node.length
            assert asked[parent.row].prompt[: parent.length] == asked[node.row].prompt[: parent.length]
    for batch in plan.passes:
        depth = depth_of(plan, batch.node)
        for row in batch.rows:
            assert len(asked[row].prompt) > depth
            if batch.node is not None:
                assert asked[row].prompt[:depth] == asked[plan.nodes[batch.node].row].prompt[:depth]


@given(request_lists(), limits_of)
def test_n_tokens_is_what_a_naive_count_of_the_plan_gives(asked, limits):
    plan = plan_passes(asked, limits)
    computed = sum(node.length - depth_of(plan, node.parent) for node in plan.nodes)
    for batch in plan.passes:
        for row in batch.rows:
            computed += len(asked[row].prompt) - depth_of(plan, batch.node)
            computed += sum(len(c) - 1 for c in asked[row].candidates) + asked[row].max_new_tokens
    assert plan.n_tokens == computed
    assert plan.n_tokens <= plan.n_tokens_unshared
    if not limits.share:
        assert plan.nodes == () and plan.n_tokens == plan.n_tokens_unshared


@given(request_lists(), limits_of)
def test_batches_keep_their_limits_unless_a_single_row_exceeds_them(asked, limits):
    plan = plan_passes(asked, limits, bytes_per_token=3)
    assert plan.n_rows_largest == max((batch.size for batch in plan.passes), default=0)
    for batch in plan.passes:
        rows = [asked[row] for row in batch.rows]
        assert len({row.group for row in rows}) == 1
        assert len({len(row.candidates) for row in rows}) == 1
        if not limits.pad:
            assert len({len(row.prompt) for row in rows}) == 1
        if len(rows) > 1:
            widest = max(len(row.prompt) for row in rows) - depth_of(plan, batch.node)
            assert len(rows) * widest <= limits.batch_tokens
            assert len(rows) * max(row.n_longest for row in rows) * 3 <= limits.cache_bytes


@given(request_lists(), limits_of)
def test_groups_are_answered_in_order(asked, limits):
    groups = [asked[batch.rows[0]].group for batch in plan_passes(asked, limits).passes]
    assert groups == sorted(groups)


@given(request_lists(), limits_of)
def test_the_plan_depends_on_requests_and_limits_alone(asked, limits):
    assert plan_passes(asked, limits) == plan_passes([replace(each) for each in asked], replace(limits))


@given(prompts.filter(len))
def test_sharing_without_a_threshold_computes_every_distinct_prefix_once(texts):
    """The least there is: one computation a distinct prefix, and the last token of every prompt by itself."""
    plan = plan_passes(one_token(*texts), Limits(min_saved_tokens=0))
    prefixes = {text[:end] for text in texts for end in range(1, len(text))}
    # a prefix that one prompt alone has is computed in that prompt's suffix: once as well
    assert plan.n_tokens == len(prefixes) + len(texts)


def test_all_orders_of_four_demonstrations_cost_64_instead_of_96_blocks():
    """sum_j 4!/(4-j)! = 64 blocks of 10 tokens in the trie, 4 * 4! = 96 without it."""
    blocks = [tuple(range(10 * b, 10 * b + 10)) for b in range(4)]
    asked = one_token(*((*sum(order, ()), 99) for order in permutations(blocks)))
    plan = plan_passes(asked, Limits(min_saved_tokens=1))
    # the last block is fixed by the three before it: every order shares what all but one have in common
    assert plan.n_tokens == 64 * 10 + 24
    assert plan.n_tokens_unshared == 96 * 10 + 24
    depths = {None: 0}
    for place, node in enumerate(plan.nodes):
        depths[place] = depths[node.parent] + 1
    assert max(depths.values()) == 2


def test_deep_sharing_is_found_under_a_head_that_is_too_short_to_share():
    head = (1, 2)
    tails = [head + (10 + t,) * 100 for t in range(3)]
    asked = one_token(*((*tail, 90 + q) for tail in tails for q in range(4)))
    plan = plan_passes(asked, Limits(min_saved_tokens=96))
    assert [(node.length, node.parent) for node in plan.nodes] == [(102, None)] * 3
    assert plan.n_tokens == 3 * 102 + 12


def test_a_prompt_that_is_the_prefix_of_others_does_not_hide_what_those_share():
    short = (1,) * 10
    long = [short + (2,) * 200 + (3 + q,) for q in range(5)]
    plan = plan_passes(one_token(short, *long), Limits())
    assert max(node.length for node in plan.nodes) == 210
    assert plan.n_tokens == 10 + 210 + 5


def test_copies_of_a_prompt_share_all_but_its_last_token():
    plan = plan_passes(one_token(*[tuple(range(50))] * 8), Limits())
    assert [node.length for node in plan.nodes] == [49]
    assert plan.n_tokens == 49 + 8


def test_a_prefix_is_shared_only_where_that_saves_enough():
    asked = one_token(*((7,) * 96 + (q, q) for q in range(2)))
    assert len(plan_passes(asked, Limits(min_saved_tokens=96)).nodes) == 1
    assert len(plan_passes(asked, Limits(min_saved_tokens=97)).nodes) == 0


def test_five_thousand_nested_prompts_are_planned_without_recursion():
    asked = one_token(*((0,) * place + (1,) for place in range(5000)))
    plan = plan_passes(asked, Limits(min_saved_tokens=0))
    assert len(plan.nodes) == 4998
    assert plan.n_tokens == 4998 + 5000 + 1


def test_ten_thousand_prompts_of_300_tokens_are_planned_in_seconds():
    heads = [tuple((h * 7 + t) % 300 for t in range(250)) for h in range(5)]
    asked = one_token(
        *(heads[q % 5] + tuple((q * 31 + t * t) % 300 for t in range(50)) for q in range(10_000))
    )
    started = time.perf_counter()
    plan = plan_passes(asked, Limits(batch_tokens=32768))
    assert time.perf_counter() - started < 10
    assert plan.n_tokens < 0.2 * plan.n_tokens_unshared


def test_nothing_asked_is_an_empty_plan():
    assert plan_passes([], Limits()) == Plan((), (), 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Request((), ((1,),)), "prompt must have at least one token"),
        (lambda: Request((1,)), "give either candidates to score or max_new_tokens"),
        (lambda: Request((1,), ((1,),), 3), "give either candidates to score or max_new_tokens"),
        (lambda: Request((1,), ((1,), ())), "every candidate must have at least one token"),
    ],
)
def test_a_request_that_asks_nothing_or_two_things_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_the_longest_sequence_counts_the_longest_candidate():
    request = Request((1, 2, 3), ((1,), (1, 2, 3)))
    assert (request.n_longest, request.n_continuation_tokens) == (6, 2)
    assert Request((1, 2), max_new_tokens=5).n_longest == 7


@given(st.lists(token), st.lists(token))
@settings(max_examples=50)
def test_shared_length_is_that_of_the_common_prefix(first, second):
    n = shared_length(first, second)
    assert first[:n] == second[:n]
    assert n in (len(first), len(second)) or first[n] != second[n]
