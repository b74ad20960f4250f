"""List the words of the logic puzzles: names, invented kinds, relations and rules."""

from typing import NamedTuple

NAMES = [
    "Ana",
    "Ben",
    "Cleo",
    "Dan",
    "Eva",
    "Finn",
    "Gina",
    "Hal",
    "Ida",
    "Jack",
    "Kate",
    "Leo",
    "Mia",
    "Nick",
    "Olga",
    "Pia",
    "Ralf",
    "Sue",
    "Tom",
    "Uma",
    "Vic",
    "Wendy",
    "Xena",
    "Yann",
    "Zara",
    "Alma",
    "Boris",
    "Carla",
    "Dora",
    "Emil",
    "Fay",
    "Gus",
]

NOUNS = [
    "wugs",
    "blickets",
    "daxes",
    "florps",
    "grunks",
    "zibs",
    "torks",
    "mivs",
    "plons",
    "snarps",
    "quobs",
    "blens",
    "dorbs",
    "frams",
    "glips",
    "hools",
    "jaffs",
    "keps",
    "lurms",
    "norgs",
    "pims",
    "rells",
    "skoffs",
    "trivs",
    "vops",
    "yorps",
    "zans",
]

# more, less
ADJECTIVES = (
    ("taller", "shorter"),
    ("older", "younger"),
    ("faster", "slower"),
    ("heavier", "lighter"),
    ("stronger", "weaker"),
    ("richer", "poorer"),
    ("louder", "quieter"),
    ("happier", "sadder"),
    ("tidier", "messier"),
    ("bigger", "smaller"),
    ("cleaner", "dirtier"),
    ("politer", "ruder"),
)

# setting, earlier-later relation, later-earlier relation
RACES = (
    ("Four runners ran a race.", "finished before", "finished after"),
    ("Four friends came to a party.", "arrived before", "arrived after"),
    ("Four swimmers reached the shore.", "got there before", "got there after"),
    ("Four people stood in a queue.", "stood ahead of", "stood behind"),
    ("Four pupils gave a talk.", "spoke before", "spoke after"),
    ("Four guests left the hotel.", "left earlier than", "left later than"),
)

# subject, state, the only other state
BOOLEANS = (
    ("the door", "open", "closed"),
    ("the lamp", "on", "off"),
    ("the box", "full", "empty"),
    ("the road", "wet", "dry"),
    ("the cat", "awake", "asleep"),
    ("the soup", "hot", "cold"),
    ("the shirt", "clean", "dirty"),
    ("the shop", "busy", "quiet"),
    ("the stone", "smooth", "rough"),
    ("the number", "even", "odd"),
    ("the window", "dark", "bright"),
    ("the answer", "right", "wrong"),
    ("the seat", "taken", "free"),
    ("the gate", "locked", "unlocked"),
    ("the coin", "real", "fake"),
    ("the bread", "fresh", "stale"),
)

OBJECTS = [
    "key",
    "map",
    "ball",
    "ticket",
    "umbrella",
    "lantern",
    "whistle",
    "compass",
    "letter",
    "ring",
    "apple",
    "kite",
    "drum",
    "camera",
    "scarf",
    "button",
    "torch",
    "purse",
]

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


class Clause(NamedTuple):
    """A sentence about today with a full verb, so that it can be denied and asked with "do".

    >>> Clause("the bell", "ring").denied
    'the bell does not ring'
    """

    subject: str
    verb: str
    rest: str = ""

    @property
    def stated(self) -> str:
        """Say that it is so."""
        return f"{self.subject} {self.verb}s{self.rest}"

    @property
    def denied(self) -> str:
        """Say that it is not so."""
        return f"{self.subject} does not {self.verb}{self.rest}"

    @property
    def asked(self) -> str:
        """Ask whether it is so."""
        return f"Does {self.subject} {self.verb}{self.rest} today?"


# cause, effect
RULES = (
    (Clause("it", "rain"), Clause("the street", "get", " wet")),
    (Clause("the bell", "ring"), Clause("the dog", "bark")),
    (Clause("the sun", "shine"), Clause("the cat", "sleep", " outside")),
    (Clause("the wind", "blow"), Clause("the mill", "turn")),
    (Clause("the baker", "stay", " at home"), Clause("the shop", "close", " early")),
    (Clause("the river", "rise"), Clause("the ferry", "leave", " late")),
    (Clause("the oven", "work"), Clause("the cook", "smile")),
    (Clause("Grandma", "visit"), Clause("Grandpa", "bake", " a cake")),
    (Clause("the lifeguard", "arrive"), Clause("the pool", "open")),
    (Clause("the train", "stop", " here"), Clause("the porter", "wave")),
    (Clause("the snow", "melt"), Clause("the stream", "flood", " the field")),
    (Clause("the teacher", "call", " in sick"), Clause("the class", "play", " chess")),
    (Clause("the baby", "scream"), Clause("the nurse", "sing")),
    (Clause("the alarm", "sound"), Clause("the guard", "run", " outside")),
    (Clause("the team", "win"), Clause("the town", "dance")),
)
