"""Derive the answer of every arithmetic problem again, from the numbers in its text.

Each problem is recognised by a phrase; its formula is written here from reading the text and
works on the numbers in the order of the text, so it shares nothing with the generator.
"""

import json
import re
from pathlib import Path

import pytest

PROBLEMS = Path(__file__).parents[2] / "assets" / "tasks" / "arithmetic.jsonl"


def add(*n):
    return sum(n)


def subtract(first, *others):
    return first - sum(others)


def multiply(a, b):
    return a * b


def divide(a, b):
    assert a % b == 0
    return a // b


def divide_by_first(a, b):
    return divide(b, a)


DERIVATIONS = {
    "marbles": add,
    "birds on a fence": subtract,
    "loaves": add,
    "stickers": subtract,
    "boxes holds": multiply,
    "cookies equally": divide,
    "A ticket costs": multiply,
    "A book has": subtract,
    "years older": add,
    "years old and": subtract,
    "tomato plants in each row": multiply,
    "equal teams": divide,
    "olives": subtract,
    "points": subtract,
    "wheels do": multiply,
    "holiday lasts": lambda weeks: 7 * weeks,
    "pairs of socks": lambda pairs: 2 * pairs,
    "A ribbon": divide,
    "gets off": add,
    "it rained": add,
    "A toy costs": lambda price, paid: paid - price,
    "cartons": multiply,
    "twice as many": lambda n: n + n,
    "A rope": lambda n: divide(n, 2),
    "wants to plant": subtract,
    "A film starts": add,
    "degrees colder": subtract,
    "swims": multiply,
    "A farmer keeps": add,
    "wear glasses": subtract,
    "A van can carry": divide_by_first,
    "A picture book": multiply,
    "A bee visits": multiply,
    "glues": divide,
    "tower": subtract,
    "for the tram": add,
    "A recipe": subtract,
    "months are there": lambda years: 12 * years,
    "five-dollar bills": lambda bills: 5 * bills,
    "A bill of": divide,
    "balloons": lambda had, popped, new: had - popped + new,
    "muffins": subtract,
    "shells on Friday": add,
    "packs of": lambda packs, pens, free: packs * pens + free,
    "saves": lambda dollars, weeks, found: dollars * weeks + found,
    "A shelf": lambda boards, jars, taken: boards * jars - taken,
    "cards more than": lambda own, more: own + own + more,
    "fewer": lambda first, fewer: first + first - fewer,
    "grapes": lambda grapes, bowls, eaten: divide(grapes, bowls) - eaten,
    "sandwiches": lambda dollars, n, price: dollars - n * price,
    "A bus has": lambda riders, off, on: riders - off + on,
    "pears": lambda n, price, m, other_price: n * price + m * other_price,
    "twice as far": lambda n: 3 * n,
    "hens": lambda hens, cows, hen_legs, cow_legs: hens * hen_legs + cows * cow_legs,
    "tricycles": lambda n, wheels, m, other: n * wheels + m * other,
    "pages a day": lambda pages, days, more: pages * days + more,
    "A tank": subtract,
    "vases": lambda flowers, vases, more: divide(flowers, vases) + more,
    "An elevator": lambda floor, up, down: floor + up - down,
    "A hotel": lambda floors, halls, rooms: floors * halls * rooms,
    "cousin": subtract,
    "coins and collects": lambda coins, more, months: coins + more * months,
    "A candle": lambda height, loss, hours: height - loss * hours,
    "A table is": lambda length, width: 2 * length + 2 * width,
    "The red team": add,
    "toys into bags": lambda toys, size, price: divide(toys, size) * price,
    "nuts": subtract,
    "buns": lambda trays, buns, burnt: trays * buns - burnt,
    "hats": subtract,
    "chair is broken": lambda rows, chairs: rows * chairs - 1,
    "pictures before lunch": add,
    "A path": subtract,
    "identical tickets": lambda n, price, m: divide(price, n) * m,
    "beads": lambda bags, beads, lost: bags * beads - lost,
    "A cook needs": lambda soup, more: soup + soup + more,
    "girls and": lambda girls, boys, gone: girls + boys - gone,
    "The first box": lambda first, less: first + first - less,
    "lemons": lambda bags, each, left: bags * each + left,
    "pencils": lambda pencils, pupils, lost: divide(pencils, pupils) - lost,
    "plums": lambda own, added, eaten: own + added - eaten,
    "divided by": divide,
    "half of": lambda n: divide(n, 2),
    "What is double": lambda n: n + n,
    "three times": lambda n: n + n + n,
    "Which number is [0-9]+ more than": add,
    "Which number is [0-9]+ less than": lambda less, n: n - less,
    "to the product": lambda n, a, b: n + a * b,
    "away from the sum": lambda n, a, b: a + b - n,
    r"^\d+ \+ \? =": lambda a, total: total - a,
    r"^\? - ": lambda a, rest: rest + a,
    r"x \? =": divide_by_first,
    "difference between": subtract,
    "right after": lambda n: n + 1,
    "count on by": lambda start, step: start + step + step,
    "a quarter of": lambda n: divide(n, 4),
    "Continue the row": lambda a, b, c: c + (b - a),
    "What is the sum of": add,
    r"^(What is |Calculate )?[(]?\d+ [-+x] \d+[-+x() \d]*[?=.]$": None,
}

ROWS = [json.loads(line) for line in PROBLEMS.read_text("utf-8").splitlines()[1:]]


def phrases_in(text):
    return [phrase for phrase in DERIVATIONS if re.search(phrase, text)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["input"][:40])
def test_deriving_again_gives_the_shipped_answer(row):
    (phrase,) = phrases_in(row["input"])
    numbers = [int(n) for n in re.findall(r"\d+", row["input"])]
    if DERIVATIONS[phrase] is None:
        expression = re.sub(r"[^-+x()\d ]", "", re.sub("What|is|Calculate", "", row["input"]))
        answer = eval(expression.replace("x", "*"))
    else:
        answer = DERIVATIONS[phrase](*numbers)
    assert row["output"] == str(answer)
    assert 0 < answer < 100


def test_no_two_stories_share_their_phrase():
    found = [phrase for row in ROWS for phrase in phrases_in(row["input"])]
    repeated = {phrase for phrase in found if found.count(phrase) > 1}
    assert {phrase for phrase in repeated if DERIVATIONS[phrase]} == set()
