import pytest
import torch

from lab.worlds.exact.pfa import FEWEST_SYMBOLS, LONGEST, NONE, draw_automata, draw_strings


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


FOLLOWING = draw_automata(500, (3, 6), 8, 3, seeded())


def test_edges_lead_to_different_states_and_never_back():
    assert FOLLOWING.shape == (500, 6, 8)
    for automaton in FOLLOWING.tolist():
        for state, row in enumerate(automaton):
            targets = [target for target in row if target != NONE]
            assert 1 <= len(targets) <= 3
            assert len(set(targets)) == len(targets)
            assert state not in targets


def test_sizes_are_those_asked_for():
    sizes = FOLLOWING.flatten(1).amax(1) + 1
    assert sizes.max() == 6  # no edge leads out of the states that there are
    assert ((FOLLOWING[:, :3] != NONE).any(2)).all()
    used = (FOLLOWING != NONE).any(1).sum(1)
    assert used.max() <= 8
    assert (draw_automata(300, (3, 6), 4, 3, seeded()) != NONE).any(1).sum(1).max() == FEWEST_SYMBOLS


def test_with_one_edge_a_state_has_one_way_on():
    following = draw_automata(50, (3, 6), 8, 1, seeded())
    assert ((following != NONE).sum(2) == 1).all()
    assert (draw_strings(following, 40, seeded()).truth.amax(2) == 1).all()


def test_automata_are_larger_where_asked():
    following = draw_automata(200, (7, 9), 8, 3, seeded())
    assert ((following[:, :7] != NONE).sum(2) >= 1).all()
    assert following.max() == 8


def test_strings_follow_their_automaton():
    batch = draw_strings(FOLLOWING, 60, seeded())
    for row in range(50):
        state = 0
        for token, truth in zip(batch.tokens[row].tolist(), batch.truth[row], strict=True):
            edges = FOLLOWING[row, state] != NONE
            assert torch.allclose(truth, edges / edges.sum())
            if token == 8:
                state = 0
            else:
                assert truth[token] > 0
                state = FOLLOWING[row, state, token].item()


def test_symbols_come_as_often_as_the_truth_says():
    batch = draw_strings(FOLLOWING, 60, seeded())
    drawn = torch.nn.functional.one_hot(batch.tokens, 9)[..., :8].float()
    for share in (1 / 3, 1 / 2):
        is_even = ((batch.truth - share).abs() < 1e-6) & batch.is_symbol[:, :, None]
        assert drawn[is_even].mean().item() == pytest.approx(share, abs=0.02)


def test_lengths_of_strings_are_even_from_1_to_15():
    batch = draw_strings(FOLLOWING, 200, seeded())
    lengths = []
    for tokens in batch.tokens.tolist():
        text = "".join("x" if token < 8 else "|" for token in tokens)
        lengths += [len(each) for each in text.split("|")[:5]]
    counts = torch.tensor(lengths).bincount()
    assert len(counts) == LONGEST + 1 and counts[0] == 0
    assert (counts[1:] / len(lengths)).sub(1 / LONGEST).abs().max() < 0.02


def test_the_same_generator_draws_the_same():
    assert torch.equal(draw_automata(500, (3, 6), 8, 3, seeded()), FOLLOWING)
    assert torch.equal(
        draw_strings(FOLLOWING, 20, seeded(3)).tokens, draw_strings(FOLLOWING, 20, seeded(3)).tokens
    )
