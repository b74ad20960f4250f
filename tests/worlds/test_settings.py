from dataclasses import dataclass

import pytest

from lab.worlds.settings import Settings, bounds_of, choice, number


@dataclass(frozen=True)
class Weather(Settings):
    degrees: float = number(20.0, -40, 50, "Degrees", "How warm it is.")
    sky: str = choice("clear", ("clear", "grey"), "Sky", "What is above.")


def test_defaults_and_bounds_themselves_are_allowed():
    assert Weather().degrees == 20
    assert Weather(degrees=50).degrees == 50


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"degrees": 50.5}, r"degrees must be -40 to 50, got 50\.5"),
        ({"degrees": float("nan")}, "degrees must be -40 to 50, got nan"),
        ({"sky": "green"}, "sky must be one of clear, grey, got 'green'"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_the_bounds(wrong, message):
    with pytest.raises(ValueError, match=message):
        Weather(**wrong)


def test_bounds_are_listed_in_the_order_of_the_fields():
    assert list(bounds_of(Weather)) == ["degrees", "sky"]
    assert bounds_of(Weather)["sky"].choices == ("clear", "grey")
