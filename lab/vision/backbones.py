"""The list of backbones: the default from a package, others from the hub."""

from lab.learners.catalogue import allowed_models
from lab.place import is_shared
from lab.vision.backbone import Backbone
from lab.vision.hub_backbones import KNOWN, hub_backbone
from lab.weights import Progress

DEFAULT = "lite0"


def names() -> list[str]:
    """List the backbones that the lab names; any other of the same classes on the hub works as well."""
    return [DEFAULT, *KNOWN]


def check_may_load(name: str) -> None:
    """Refuse a model of the hub that this deployment may not load: a visitor must not fill the disk.

    Raises:
        ValueError: It is none that LAB_ALLOWED_MODELS lists, on a shared deployment.
    """
    if is_shared() and name not in allowed_models():
        raise ValueError(f"{name} is not loaded on this shared deployment: choose {DEFAULT}")


def load_backbone(name: str = DEFAULT, progress: Progress | None = None) -> Backbone:
    """Load a backbone by its id.

    Raises:
        ValueError: It may not be loaded in this deployment.
        WeightsError: It can't be had.
    """
    if name == DEFAULT:
        from lab.vision.lite import lite0

        return lite0()
    check_may_load(name)
    return hub_backbone(name, progress=progress)
