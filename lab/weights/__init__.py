"""Where weights come from: one function, `fetch`, whatever the source; named, licensed, verified, cached."""

from lab.weights.cache import fetch, manifest_of
from lab.weights.manifest import Manifest
from lab.weights.source import (
    Folder,
    HubModel,
    NodePackage,
    Package,
    Progress,
    Source,
    WeightsError,
    weights_home,
)

__all__ = [
    "Folder",
    "HubModel",
    "Manifest",
    "NodePackage",
    "Package",
    "Progress",
    "Source",
    "WeightsError",
    "fetch",
    "manifest_of",
    "weights_home",
]
