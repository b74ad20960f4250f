"""A language in hand: paths, verdicts, and writers who are judged by the automaton alone."""

import pytest
import torch

from lab.experiments.worlds import writing
from lab.worlds.automata import Automata, AutomataSettings
from lab.worlds.growth import Snapshots
from lab.worlds.languages import Language, counted, draw, expected, string_of, write
from lab.worlds.shelf import Kept
from lab.worlds.strings import words_of

WORLD = Automata(AutomataSettings(n_tokens=48))
ABC = Language([[1, -1, -1], [-1, 2, 0], [0, -1, 1]], [0, 1, 3])  # a, then b or c, after b: a or c


@pytest.fixture(scope="module")
def learner():
    torch.manual_seed(0)
    return WORLD.build().eval()


def naive_verdicts(language, tokens):
    """Judge a row string by string, by whether each beginning is a path from the first state."""
    found, string = [], []
    for token in tokens:
        if token == language.n_symbols:
            found.append(False if not string else None)
            string = []
            continue
        was_path = len(language.path(string)) == len(string) + 1
        string.append(token)
        is_path = len(language.path(string)) == len(string) + 1
        found.append(is_path if was_path else None)
    return found


def test_a_path_goes_along_edges_and_ends_before_what_may_not_come():
    assert ABC.path([]) == [0]
    assert ABC.path([0, 1, 2, 2]) == [0, 1, 2, 1, 0]
    assert ABC.path([0, 0, 1]) == [0, 1]
    assert ABC.edges(1) == {1: 2, 2: 0}


def test_what_may_not_come_is_told_and_the_rest_of_its_string_is_not_judged():
    a, b, c, end = range(4)
    assert ABC.judged([a, b, end, b, a, end, a]) == [True, True, None, False, None, None, True]
    assert ABC.judged([end, a, c, c]) == [False, True, True, False]
    generator = torch.Generator().manual_seed(0)
    for number in range(5):
        language = draw(WORLD, number)
        row = torch.randint(language.n_symbols + 1, (40,), generator=generator).tolist()
        assert language.judged(row) == naive_verdicts(language, row)


@pytest.mark.parametrize("number", range(1, 9))
def test_the_context_is_whole_strings_of_the_language_all_of_whose_states_can_be_reached(number):
    language = draw(WORLD, number)
    assert language == draw(WORLD, number)
    assert language.context[-1] == language.n_symbols and len(language.context) <= 32
    assert False not in language.judged(language.context)
    reached, ends = {0}, [0]
    while ends:
        after = set(language.edges(ends.pop()).values()) - reached
        reached |= after
        ends += after
    assert reached == set(range(len(language.following)))
    assert all(language.edges(state) for state in reached)
    assert all(state not in language.edges(state).values() for state in reached)


def test_a_string_is_read_and_one_that_leaves_the_language_names_what_may_come():
    assert string_of(" ", ABC, 9) == [] and string_of("abc", ABC, 9) == [0, 1, 2]
    with pytest.raises(ValueError, match="a can't come after a: in state 1 comes b or c"):
        string_of("aa", ABC, 9)
    with pytest.raises(ValueError, match="b can't come after the start: in state 0 comes a"):
        string_of("b", ABC, 9)
    with pytest.raises(ValueError, match="one string is continued here"):
        string_of("a|a", ABC, 9)
    with pytest.raises(ValueError, match="not in the alphabet"):
        string_of("<b>", ABC, 9)
    with pytest.raises(ValueError, match="1 to 2 letters"):
        string_of("abab", ABC, 2)


def test_all_write_until_no_more_can_be_read_and_blind_ones_err_most(learner):
    language = draw(WORLD, 1)
    start = language.path([])[0]
    string = [next(iter(language.edges(start)))]
    with torch.no_grad():
        found = write(WORLD, learner, language, string)
        again = write(WORLD, learner, language, string)
    n_left = 47 - len(language.context) - 1
    assert list(found) == ["learner", "2-gram", "3-gram", "blindly"] and found == again
    assert all(len(row) == n_left for each in found.values() for row in each.rows)
    for each in found.values():
        for row, verdicts in zip(each.rows, each.verdicts, strict=True):
            assert verdicts == naive_verdicts(language, string + row)[1:]
    assert found["3-gram"].share_legal > 0.8 > 0.6 > found["blindly"].share_legal
    assert found["blindly"].n_judged == sum(
        verdict is not None for row in found["blindly"].verdicts for verdict in row
    )


def test_what_is_expected_is_what_the_world_tells_of_the_same_text(learner):
    language = draw(WORLD, 2)
    words = words_of(language.n_symbols)
    text = "".join(words[token] for token in language.context)
    with torch.no_grad():
        told = WORLD.told(learner, text).lines
        assert expected(WORLD, learner, language, []).tolist() == pytest.approx(told["learner"], abs=1e-6)
    assert counted(language, [], 2).tolist() == pytest.approx(told["2-gram"], abs=1e-6)


def test_shares_of_what_may_stand_are_told_by_language_and_on_the_whole(learner):
    rows = writing.shares(Kept(WORLD, learner, Snapshots(), []), 2)
    with torch.no_grad():
        again = write(WORLD, learner, draw(WORLD, 2), [])
    assert rows[1] == {name: each.share_legal for name, each in again.items()}
    first, second, whole = writing.told(rows).splitlines()
    assert first.startswith("language 1: learner ") and second.startswith("language 2: ")
    assert f"3-gram {(rows[0]['3-gram'] + rows[1]['3-gram']) / 2:.1%}" in whole
