"""Build the task `arithmetic`: small word problems and expressions with a number as the answer.

Each story frame of arithmetic_frames.txt is used once, so no two problems share their wording.
Source: written for In-Context Lab.
"""

import random
import re
from pathlib import Path

from lab.tasks.build.task_file import FileHead, TaskFile
from lab.tasks.rows import Row

SEED = 20261125
N_POOL = 24
N_QUERIES = 80
FRAMES = Path(__file__).parent / "arithmetic_frames.txt"
NAMES = [
    "Ada",
    "Ben",
    "Clara",
    "David",
    "Emma",
    "Felix",
    "Grace",
    "Hugo",
    "Ines",
    "Jonas",
    "Kim",
    "Lena",
    "Mateo",
    "Nora",
    "Omar",
    "Paula",
    "Quinn",
    "Rosa",
    "Sam",
    "Tara",
    "Uri",
    "Vera",
    "Will",
    "Yara",
    "Zoe",
    "Amir",
    "Bella",
    "Carl",
    "Dina",
    "Eli",
]

# Wording and formula of the problems without a story; each is used once.
EXPRESSIONS = (
    ("What is {a} + {b}?", "a+b", "a:11-40 b:5-30"),
    ("What is {a} - {b}?", "a-b", "a:30-60 b:5-25"),
    ("What is {a} x {b}?", "a*b", "a:3-9 b:3-9"),
    ("What is {a*b} divided by {a}?", "b", "a:2-9 b:3-9"),
    ("{a} + {b} + {c} =", "a+b+c", "a:3-12 b:3-12 c:3-12"),
    ("{a} - {b} + {c} =", "a-b+c", "a:12-25 b:3-11 c:2-9"),
    ("{a} x {b} + {c} =", "a*b+c", "a:2-6 b:3-8 c:2-9"),
    ("Calculate ({a} + {b}) x {c}.", "(a+b)*c", "a:2-6 b:2-6 c:2-5"),
    ("What is half of {a*2}?", "a", "a:6-24"),
    ("What is double {a}?", "a*2", "a:8-29"),
    ("What is three times {a}?", "a*3", "a:4-15"),
    ("Which number is {a} more than {b}?", "a+b", "a:4-15 b:12-30"),
    ("Which number is {a} less than {b}?", "b-a", "a:4-11 b:14-40"),
    ("Add {a} to the product of {b} and {c}.", "a+b*c", "a:2-9 b:2-6 c:3-7"),
    ("Take {a} away from the sum of {b} and {c}.", "b+c-a", "a:2-9 b:6-14 c:5-14"),
    ("{a} + ? = {a+b}. Which number is missing?", "b", "a:5-20 b:4-15"),
    ("? - {a} = {b}. Which number is missing?", "a+b", "a:4-14 b:5-20"),
    ("{a} x ? = {a*b}. Which number is missing?", "b", "a:3-9 b:3-9"),
    ("What is the difference between {a} and {b}?", "a-b", "a:25-50 b:6-24"),
    ("Which number comes right after {a}?", "a+1", "a:19-98"),
    ("Start at {a} and count on by {b}, twice. Where do you land?", "a+2*b", "a:5-20 b:2-6"),
    ("How much is a quarter of {a*4}?", "a", "a:3-12"),
    ("Continue the row: {a}, {a+b}, {a+2*b}, ?", "a+3*b", "a:2-10 b:2-7"),
    ("What is the sum of {a}, {b} and {a}?", "a+b+a", "a:4-12 b:5-15"),
)


def evaluate(formula: str, letters: dict[str, int]) -> int:
    """Compute a formula of this folder, such as "a*b+c", for the numbers of its letters."""
    return eval(formula, {"__builtins__": {}}, letters)


def fill(text: str, formula: str, ranges: str, rng: random.Random) -> Row:
    """Draw numbers and names for a frame and compute its answer.

    Args:
        text: The wording; {..} holds a formula, or N or M for two different names.
        formula: The answer.
        ranges: Letters with their inclusive bounds, "a:3-15 b:2-12".
        rng: Source of randomness.
    """
    bounds = re.findall(r"(\w):(\d+)-(\d+)", ranges)
    letters: dict[str, int] = {}
    # Equal numbers make problems that can be solved for a wrong reason: 19 - 5 + 5.
    while len(set(letters.values())) < len(bounds):
        letters = {letter: rng.randint(int(low), int(high)) for letter, low, high in bounds}
    people = dict(zip("NM", rng.sample(NAMES, 2), strict=True))
    wording = re.sub(r"{(.+?)}", lambda m: people.get(m[1]) or str(evaluate(m[1], letters)), text)
    return Row(wording, str(evaluate(formula, letters)))


def arithmetic() -> TaskFile:
    """Build the task; pool and queries mix stories of one step, of two steps and expressions."""
    rng = random.Random(SEED)
    stories = [
        [part.strip() for part in line.split("|")]
        for line in FRAMES.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith(("#", "---"))
    ]
    rows = [fill(text, formula, ranges, rng) for ranges, formula, text in stories]
    rows += [fill(text, formula, ranges, rng) for text, formula, ranges in EXPRESSIONS]
    rng.shuffle(rows)
    head = FileHead(
        id="arithmetic",
        title="Small arithmetic problems",
        family="reasoning",
        metric="number",
        instruction="Solve the problem. Answer with a number.",
        input_name="Problem",
        output_name="Answer",
        labels=(),
        max_new_tokens=8,
        licence="CC0-1.0",
        source="Written for In-Context Lab.",
    )
    return TaskFile(head, rows[:N_POOL], rows[N_POOL : N_POOL + N_QUERIES])
