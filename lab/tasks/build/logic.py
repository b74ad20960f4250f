"""Build the task `logic`: short puzzles whose answer is yes or no.

Each kind of puzzle is a function (wanted answer, rng) -> text. Every puzzle is decidable:
its sentences force a yes or force a no. tests/tasks/test_build_logic.py derives each answer
again from the text alone, by trying all worlds.
Source: written for In-Context Lab.
"""

import random
from collections.abc import Callable
from itertools import pairwise

from lab.tasks.build.logic_words import ADJECTIVES, BOOLEANS, DAYS, NAMES, NOUNS, OBJECTS, RACES, RULES
from lab.tasks.build.task_file import FileHead, TaskFile
from lab.tasks.rows import Row

SEED = 20261125
N_POOL = 24
N_QUERIES = 80

Puzzle = Callable[[bool, random.Random], str]


def comparison(is_yes: bool, rng: random.Random) -> str:
    """Compare the ends of a chain of three: Ana > Ben, Ben > Cy, hence Ana > Cy."""
    more, less = rng.choice(ADJECTIVES)
    first, middle, last = rng.sample(NAMES, 3)
    premises = []
    for high, low in ((first, middle), (middle, last)):
        premises.append(rng.choice((f"{high} is {more} than {low}.", f"{low} is {less} than {high}.")))
    rng.shuffle(premises)
    yes, no = (
        (f"Is {first} {more} than {last}?", f"Is {last} {more} than {first}?"),
        (f"Is {last} {less} than {first}?", f"Is {first} {less} than {last}?"),
    )[rng.randrange(2)]
    return " ".join([*premises, yes if is_yes else no])


def race(is_yes: bool, rng: random.Random) -> str:
    """Order four participants by three statements and ask about two of them or about an end."""
    setting, before, after = rng.choice(RACES)
    order = rng.sample(NAMES, 4)
    premises = []
    for early, late in pairwise(order):
        premises.append(rng.choice((f"{early} {before} {late}.", f"{late} {after} {early}.")))
    rng.shuffle(premises)
    if rng.random() < 0.5:
        first, second = sorted(rng.sample(range(4), 2), reverse=not is_yes)
        question = f"Is it true that {order[first]} {before} {order[second]}?"
    else:
        place, end = rng.choice((("first", 0), ("last", 3)))
        others = [i for i in range(4) if i != end]
        question = f"Was {order[end if is_yes else rng.choice(others)]} {place}?"
    return " ".join([setting, *premises, question])


def syllogism(is_yes: bool, rng: random.Random) -> str:
    """Ask whether a conclusion follows from two premises about three invented kinds."""
    a, b, c = rng.sample(NOUNS, 3)
    premises, conclusion = rng.choice(
        (
            ((f"All {a} are {b}.", f"All {b} are {c}."), f"all {a} are {c}"),
            ((f"No {b} are {c}.", f"All {a} are {b}."), f"no {a} are {c}"),
            ((f"Some {a} are {b}.", f"All {b} are {c}."), f"some {a} are {c}"),
            ((f"All {a} are {b}.", f"No {c} are {b}."), f"no {c} are {a}"),
        )
        if is_yes
        else (
            ((f"All {a} are {b}.", f"All {b} are {c}."), f"all {c} are {a}"),
            ((f"All {a} are {b}.", f"All {c} are {b}."), f"all {a} are {c}"),
            ((f"Some {a} are {b}.", f"Some {b} are {c}."), f"some {a} are {c}"),
            ((f"No {a} are {b}.", f"No {b} are {c}."), f"no {a} are {c}"),
        )
    )
    return " ".join([*premises, f"Does it follow that {conclusion}?"])


def membership(is_yes: bool, rng: random.Random) -> str:
    """Place one individual by a rule about invented kinds, forwards or backwards."""
    a, b, c = rng.sample(NOUNS, 3)
    name = rng.choice(NAMES)
    yes = (
        f"All {a} are {b}. {name} is one of the {a}. Is {name} one of the {b}?",
        f"{name} is one of the {a}. All {b} are {c}. All {a} are {b}. Is {name} one of the {c}?",
        f"No {a} are {b}. {name} is one of the {a}. Is it true that {name} is not one of the {b}?",
    )
    no = (
        f"No {a} are {b}. {name} is one of the {a}. Is {name} one of the {b}?",
        f"All {a} are {b}. {name} is not one of the {b}. Is {name} one of the {a}?",
        f"{name} is one of the {a}. No {b} are {c}. All {a} are {b}. Is {name} one of the {c}?",
        f"All {a} are {b}. {name} is one of the {a}. Is it true that {name} is not one of the {b}?",
    )
    return rng.choice(yes if is_yes else no)


def negation(is_yes: bool, rng: random.Random) -> str:
    """Undo one, two or three negations of a sentence."""
    subject, state, opposite = rng.choice(BOOLEANS)
    sentence, n_negations = rng.choice(
        (
            (f"It is false that {subject} is {state}.", 1),
            (f"It is not true that {subject} is not {state}.", 2),
            (f"It is not true that it is false that {subject} is not {state}.", 3),
        )
    )
    is_state = n_negations % 2 == 0
    asked = state if is_state == is_yes else opposite
    rule = f"T{subject[1:]} is either {state} or {opposite}."
    return f"{rule} {sentence} Is {subject} {asked}?"


def elimination(is_yes: bool, rng: random.Random) -> str:
    """Find who has the only object when all others are ruled out."""
    thing = rng.choice(OBJECTS)
    people = rng.sample(NAMES, rng.choice((2, 3)))
    owner, *others = rng.sample(people, len(people))
    listed = " or ".join([", ".join(people[:-1]), people[-1]])
    excluded = " ".join(f"{person} does not have it." for person in others)
    asked = owner if is_yes else rng.choice(others)
    return f"Exactly one of them has the {thing}: {listed}. {excluded} Does {asked} have the {thing}?"


def implication(is_yes: bool, rng: random.Random) -> str:
    """Apply a rule forwards (modus ponens) or backwards (modus tollens)."""
    cause, effect = rng.choice(RULES)
    word = rng.choice(("If", "Whenever"))
    if is_yes:
        given, question = rng.choice(
            (
                ((cause.stated, effect.stated, cause.stated), effect.asked),
                ((cause.denied, effect.stated, cause.denied), effect.asked),
                ((cause.denied, effect.stated, effect.denied), cause.asked),
            )
        )
    else:
        given, question = rng.choice(
            (
                ((cause.stated, effect.denied, cause.stated), effect.asked),
                ((cause.stated, effect.stated, effect.denied), cause.asked),
                ((cause.stated, effect.denied, effect.stated), cause.asked),
            )
        )
    return f"{word} {given[0]}, {given[1]}. Today {given[2]}. {question}"


def weekday(is_yes: bool, rng: random.Random) -> str:
    """Count days forwards or backwards from an event whose day is known."""
    known, asked = rng.sample(("fair", "concert", "match", "exam", "picnic", "party", "play"), 2)
    n_days = rng.choice((1, 2, 3))
    direction = rng.choice((1, -1))
    day = rng.randrange(7)
    target = day + direction * n_days
    if not is_yes:
        target += rng.choice((1, -1))
    days = "one day" if n_days == 1 else f"{('two', 'three')[n_days - 2]} days"
    facts = [
        f"The {known} is on {DAYS[day]}.",
        f"The {asked} is {days} {'after' if direction > 0 else 'before'} the {known}.",
    ]
    rng.shuffle(facts)
    return f"{' '.join(facts)} Is the {asked} on {DAYS[target % 7]}?"


PUZZLES: tuple[Puzzle, ...] = (
    comparison,
    race,
    syllogism,
    membership,
    negation,
    elimination,
    implication,
    weekday,
)


def is_near_duplicate(text: str, seen: list[str]) -> bool:
    """Say whether at most three words tell a text from one of those seen.

    >>> is_near_duplicate("All wugs are zibs.", ["All wugs are torks."])
    True
    """
    words = text.split()
    for other in seen:
        pairs = list(zip(words, other.split(), strict=False))
        if len(pairs) == len(words) == len(other.split()) and sum(a != b for a, b in pairs) <= 3:
            return True
    return False


def balanced_rows(n_rows: int, seen: list[str], rng: random.Random) -> list[Row]:
    """Write puzzles in pairs of one yes and one no, the kinds taken in turn.

    Args:
        n_rows: Even number of rows.
        seen: Puzzles already written; the new ones are added to it.
        rng: Source of randomness.
    """
    rows: list[Row] = []
    for i in range(n_rows // 2):
        pair = []
        # The shift gives the two puzzles of a pair different kinds.
        for is_yes, shift in ((True, 0), (False, 3)):
            puzzle = PUZZLES[(i + shift) % len(PUZZLES)]
            text = puzzle(is_yes, rng)
            while is_near_duplicate(text, seen):
                text = puzzle(is_yes, rng)
            seen.append(text)
            pair.append(Row(text, "yes" if is_yes else "no"))
        rows.extend(rng.sample(pair, 2))
    return rows


def logic() -> TaskFile:
    """Build the task: half of the answers are yes in every prefix of even length."""
    rng = random.Random(SEED)
    seen: list[str] = []
    pool = balanced_rows(N_POOL, seen, rng)
    head = FileHead(
        id="logic",
        title="Small logic puzzles",
        family="reasoning",
        metric="label",
        instruction="Answer the question with yes or no.",
        input_name="Puzzle",
        output_name="Answer",
        labels=("yes", "no"),
        max_new_tokens=4,
        licence="CC0-1.0",
        source="Written for In-Context Lab.",
    )
    return TaskFile(head, pool, balanced_rows(N_QUERIES, seen, rng))
