"""Build the tasks `plurals`, `past_tenses`, `antonyms` and `animals_young`.

Source: inflections from the dictionary of lemminflect, corrected by hand in the word lists;
antonyms and names of young animals are written by hand.
"""

from lemminflect import getInflection

from lab.tasks.build.task_file import FileHead, TaskFile
from lab.tasks.build.word_list import Entry, Tiers, draw, read_entries
from lab.tasks.rows import Row

HAND_WRITTEN = "Written for In-Context Lab."
INFLECTED = "Word list written for In-Context Lab; inflections from lemminflect 0.2.3, corrected by hand."


def inflection_row(entry: Entry, tag: str) -> Row:
    """Inflect a word: the list's own answers where it gives any, else lemminflect's first form.

    lemminflect's further forms are not accepted: they hold uncountable uses ("dog", plural "dog").

    Args:
        entry: A line of the list.
        tag: Penn Treebank tag, "NNS" for a plural or "VBD" for a past tense.

    Raises:
        ValueError: If neither knows the word.
    """
    forms = entry.values or getInflection(entry.key, tag, inflect_oov=False)[:1]
    if not forms:
        raise ValueError(f"lemminflect has no {tag} of {entry.key}: write it into the list")
    return Row(entry.key, forms[0], tuple(forms[1:]))


def plurals() -> TaskFile:
    """Build the task that maps a noun to its plural."""
    tiers = Tiers(*([inflection_row(e, "NNS") for e in tier] for tier in read_entries("plurals")))
    head = _head(
        "plurals",
        "Plural of a noun",
        "Write the plural of the noun.",
        ("Singular", "Plural"),
        INFLECTED,
    )
    return TaskFile(head, *draw(tiers, max_share=0.02))


def past_tenses() -> TaskFile:
    """Build the task that maps a verb to its simple past."""
    tiers = Tiers(*([inflection_row(e, "VBD") for e in tier] for tier in read_entries("past_tenses")))
    head = _head(
        "past_tenses",
        "Past tense of a verb",
        "Write the past tense of the verb.",
        ("Verb", "Past tense"),
        INFLECTED,
    )
    return TaskFile(head, *draw(tiers, max_share=0.02))


def antonyms() -> TaskFile:
    """Build the task that maps a word to its opposite."""
    head = _head(
        "antonyms",
        "Opposite of a word",
        "Write the opposite of the word.",
        ("Word", "Opposite"),
        HAND_WRITTEN,
    )
    return TaskFile(head, *draw(_listed_rows("antonyms"), max_share=0.05))


def animals_young() -> TaskFile:
    """Build the task that maps an adult animal to the name of its young."""
    head = _head(
        "animals_young",
        "Name of a young animal",
        "Write what the young of the animal is called.",
        ("Animal", "Young"),
        HAND_WRITTEN,
    )
    return TaskFile(head, *draw(_listed_rows("animals_young"), max_share=0.12))


def _listed_rows(name: str) -> Tiers[Row]:
    return Tiers(*([Row(e.key, e.values[0], e.values[1:]) for e in tier] for tier in read_entries(name)))


def _head(id: str, title: str, instruction: str, names: tuple[str, str], source: str) -> FileHead:
    return FileHead(
        id=id,
        title=title,
        family="question answering",
        metric="answer",
        instruction=instruction,
        input_name=names[0],
        output_name=names[1],
        labels=(),
        max_new_tokens=12,
        licence="CC0-1.0",
        source=source,
    )
