"""Drawings that need no network."""

import pytest
from polygons import polygon_atlas

from lab.images.emoji import Atlas


@pytest.fixture(scope="session")
def drawings() -> Atlas:
    """Return an atlas of polygons in the shape of the real one."""
    return polygon_atlas()
