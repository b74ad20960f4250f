"""Derive the answer of every logic puzzle again, from its text, by trying all worlds.

A world is an order of people, a set of things that exist, a day, an owner or a pair of truth
values. The answer is yes if the question holds in every world in which the premises hold,
and no if it holds in none (for "does it follow that": not in all).
"""

import json
import re
from itertools import chain, combinations, permutations, product
from pathlib import Path

import pytest

PUZZLES = Path(__file__).parents[2] / "assets" / "tasks" / "logic.jsonl"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
OPPOSITES = dict(
    taller="shorter", older="younger", faster="slower", heavier="lighter", stronger="weaker",
    richer="poorer", louder="quieter", happier="sadder", tidier="messier", bigger="smaller",
    cleaner="dirtier", politer="ruder",
)  # fmt: skip
EARLIER = r"finished before|arrived before|got there before|stood ahead of|spoke before|left earlier than"
LATER = r"finished after|arrived after|got there after|stood behind|spoke after|left later than"


def verdict(holds_in_each_world):
    """Return yes or no; an undecided puzzle is an error."""
    found = set(holds_in_each_world)
    assert len(found) == 1, f"undecided or contradictory: {found}"
    return "yes" if found.pop() else "no"


def solve_order(text):
    """Try every order of the people; a relation says who stands earlier in it."""
    *premises, question = re.split(r"(?<=[.?]) ", text)
    fact = rf"(\w+) (?:is )?({EARLIER}|{LATER}|\w+er than) (\w+)"
    facts = [m.groups() for m in re.finditer(fact, " ".join(premises))]
    people = sorted({name for a, _, b in facts for name in (a, b)})

    def is_true(order, a, relation, b):
        word = relation.split()[0]
        is_later = re.fullmatch(LATER, relation) or word in OPPOSITES.values()
        assert is_later or re.fullmatch(EARLIER, relation) or word in OPPOSITES
        return order.index(a) > order.index(b) if is_later else order.index(a) < order.index(b)

    worlds = [o for o in permutations(people) if all(is_true(o, *f) for f in facts)]
    if end := re.fullmatch(r"Was (\w+) (first|last)\?", question):
        return verdict(o[0 if end[2] == "first" else -1] == end[1] for o in worlds)
    asked = re.fullmatch(r"(?:Is it true that|Is) (\w+) (.+) (\w+)\?", question).groups()
    return verdict(is_true(o, *asked) for o in worlds)


def solve_kinds(text):
    """Try every set of existing things; a thing is the set of kinds it belongs to."""
    rules = re.findall(r"(All|No|Some|all|no|some) (\w+) are (\w+)", text)
    kinds = sorted(
        {kind for _, a, b in rules for kind in (a, b)} | set(re.findall(r"one of the (\w+)", text))
    )
    things = [frozenset(s) for n in range(len(kinds) + 1) for s in combinations(kinds, n)]
    worlds = chain.from_iterable(combinations(things, n) for n in range(len(things) + 1))

    def is_true(world, quantity, a, b):
        both = [thing for thing in world if a in thing and b in thing]
        only_a = [thing for thing in world if a in thing and b not in thing]
        return {"all": not only_a, "no": not both, "some": bool(both)}[quantity.lower()]

    if "Does it follow" in text:
        *premises, conclusion = rules
        worlds = [w for w in worlds if all(is_true(w, *rule) for rule in premises)]
        return "yes" if all(is_true(w, *conclusion) for w in worlds) else "no"

    facts = re.findall(r"\w+ is (not )?one of the (\w+)\.", text)
    inverted, asked = re.search(r"Is (?:it true that \w+ is (not)|\w+) one of the (\w+)\?", text).groups()
    return verdict(
        (asked in hero) != bool(inverted)
        for world in worlds
        if all(is_true(world, *rule) for rule in rules)
        for hero in world
        if all((kind in hero) != bool(negated) for negated, kind in facts)
    )


def solve_two_states(text):
    """Peel off the negations for both states of the thing."""
    rule, claim, question = re.split(r"(?<=\.) ", text)
    states = re.search(r"either (\w+) or (\w+)\.", rule).groups()

    def is_true(sentence, state):
        for prefix in ("it is false that ", "it is not true that "):
            if sentence.lower().startswith(prefix):
                return not is_true(sentence[len(prefix) :], state)
        negated, word = re.search(r" is (not )?(\w+)\.?$", sentence).groups()
        return (word == state) != bool(negated)

    asked = question.rstrip("?").split()[-1]
    return verdict(state == asked for state in states if is_true(claim, state))


def solve_owner(text):
    """Try every owner."""
    people = re.findall(r"\w+", re.search(r": (.+?)\.", text)[1].replace(" or ", " "))
    excluded = re.findall(r"(\w+) does not have it", text)
    asked = re.search(r"Does (\w+) have", text)[1]
    return verdict(owner == asked for owner in people if owner not in excluded)


def solve_rule(text):
    """Try all truth values of cause and effect, matched by subject."""
    cause, effect, fact, question = re.fullmatch(
        r"(?:If|Whenever) (.+?), (.+?)\. Today (.+?)\. Does (.+) today\?", text
    ).groups()

    def same_subject(clause, other):
        n = 1 if clause.split()[0] in ("it", "Grandma", "Grandpa") else 2
        return clause.split()[:n] == other.split()[:n]

    def is_true(clause, values):
        value = values[0] if same_subject(clause, cause) else values[1]
        assert same_subject(clause, cause) or same_subject(clause, effect)
        return value != (" does not " in clause)

    return verdict(
        is_true(question, values)
        for values in product((True, False), repeat=2)
        if (not is_true(cause, values) or is_true(effect, values)) and is_true(fact, values)
    )


def solve_weekday(text):
    """Try every day for the event that is asked for."""
    known, day = re.search(r"The (\w+) is on (\w+)\.", text).groups()
    asked, n, direction, base = re.search(
        r"The (\w+) is (one|two|three) days? (after|before) the (\w+)\.", text
    ).groups()
    assert base == known
    n_days = ("one", "two", "three").index(n) + 1
    step = n_days if direction == "after" else -n_days
    named = re.search(rf"Is the {asked} on (\w+)\?", text)[1]
    return verdict(d == named for i, d in enumerate(DAYS) if (i - step) % 7 == DAYS.index(day))


SOLVERS = (
    (r"Exactly one of them", solve_owner),
    (r"(If|Whenever) ", solve_rule),
    (r".*is either", solve_two_states),
    (r".* are ", solve_kinds),
    (r".*days? (after|before)", solve_weekday),
    (r".*", solve_order),
)


def solve(text):
    return next(solver for pattern, solver in SOLVERS if re.match(pattern, text))(text)


ROWS = [json.loads(line) for line in PUZZLES.read_text("utf-8").splitlines()[1:]]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["input"][:40])
def test_trying_all_worlds_gives_the_shipped_answer(row):
    assert solve(row["input"]) == row["output"]


def test_no_two_puzzles_share_their_premises():
    premises = [row["input"].rpartition(". ")[0] for row in ROWS]
    assert len(set(premises)) == len(premises)


def test_any_two_puzzles_of_equal_length_differ_in_more_than_three_words():
    for one, other in combinations([row["input"].split() for row in ROWS], 2):
        if len(one) == len(other):
            assert sum(a != b for a, b in zip(one, other, strict=True)) > 3


def test_every_kind_of_puzzle_has_both_answers():
    answers = {}
    for row in ROWS:
        pattern = next(pattern for pattern, _ in SOLVERS if re.match(pattern, row["input"]))
        answers.setdefault(pattern, []).append(row["output"])
    assert len(answers) == len(SOLVERS)
    for kind in answers.values():
        assert 0.35 <= kind.count("yes") / len(kind) <= 0.65
