"""The examples in the docstrings of lab.images hold."""

import doctest
import importlib
import pkgutil

import pytest

import lab.images

MODULES = sorted(module.name for module in pkgutil.walk_packages(lab.images.__path__, "lab.images."))


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
