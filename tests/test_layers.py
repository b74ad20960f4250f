"""Imports point down only; the heavy libraries are imported where they are used; gradio stays in the UI."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "lab").rglob("*.py"))
# from the top: a module may import its own layer and those after it
LAYERS = (
    ("lab.ui",),
    ("lab.__main__", "lab.cli", "lab.papers"),
    ("lab.experiments",),
    ("lab.figures",),
    ("lab.vision",),
    ("lab.images",),
    ("lab.worlds",),
    ("lab.training",),
    ("lab.learners",),
    ("lab.prompts",),
    ("lab.tasks",),
    ("lab.runs",),
    ("lab.stats",),
    ("lab.weights",),
    ("lab.place",),
)
HEAVY = {"torch", "transformers", "datasets", "diffusers", "peft"}
TORCH_ON_TOP = "lab.worlds.core"  # learners are written in torch; who uses them imports them late
ONLY_IN_UI = {"gradio", "spaces"}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def layer_of(module: str) -> int | None:
    """Return the layer, 0 the highest; None for `lab` itself and what is not ours."""
    for place, packages in enumerate(LAYERS):
        if any(module == package or module.startswith(f"{package}.") for package in packages):
            return place
    return None


def imports_of(tree: ast.AST, module: str, is_lazy: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield every imported module, and whether its import waits for a call or for a type checker."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, is_lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield (
                    (whole if layer_of(whole) != layer_of(node.module or "") else node.module or ""),
                    is_lazy,
                )
        else:
            waits = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            is_for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            yield from imports_of(node, module, is_lazy or waits or is_for_types)


def every_import() -> Iterator[tuple[str, str, bool]]:
    for path in SOURCES:
        module = module_of(path)
        for imported, is_lazy in imports_of(ast.parse(path.read_text(encoding="utf-8")), module):
            yield module, imported, is_lazy


def test_every_module_belongs_to_a_layer():
    assert [module_of(p) for p in SOURCES if layer_of(module_of(p)) is None] == ["lab"]


def test_imports_point_down_only():
    wrong = [
        f"{module} imports {imported}"
        for module, imported, _ in every_import()
        if layer_of(module) is not None
        and layer_of(imported) is not None
        and layer_of(imported) < layer_of(module)
    ]
    assert wrong == []


def test_gradio_is_imported_by_the_ui_alone():
    wrong = [
        f"{module} imports {imported}"
        for module, imported, _ in every_import()
        if imported.split(".")[0] in ONLY_IN_UI and layer_of(module) != 0
    ]
    assert wrong == []


def test_the_ui_is_imported_by_the_app_alone():
    importers = {module for module, imported, _ in every_import() if imported.startswith("lab.ui")}
    assert {module for module in importers if layer_of(module) != 0} == set()


def is_heavy(imported: str) -> bool:
    return imported.split(".")[0] in HEAVY or imported.startswith(TORCH_ON_TOP)


def test_heavy_libraries_are_imported_where_they_are_used():
    wrong = [
        f"{module} imports {imported}"
        for module, imported, is_lazy in every_import()
        if is_heavy(imported) and not is_lazy and not module.startswith(TORCH_ON_TOP)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "module", ["lab.experiments", "lab.learners.engine", "lab.prompts.tokens", "lab.__main__"]
)
def test_importing_the_lab_loads_no_heavy_library(module):
    unwanted = sorted(HEAVY | ONLY_IN_UI)
    code = f"import sys, {module}; print([name for name in {unwanted!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
