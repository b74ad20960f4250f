"""What the learner that ships writes of languages that it never met: how much of it may stand there.

python -m lab.experiments.worlds.writing [N]
"""

import sys
from collections.abc import Mapping
from statistics import fmean

from lab.worlds import shipped
from lab.worlds.automata import Automata
from lab.worlds.languages import N_COPIES, draw, write
from lab.worlds.shelf import Kept

N_LANGUAGES = 12


def shares(kept: Kept, n_languages: int) -> list[dict[str, float]]:
    """Let a learner, n-grams and one who draws blindly write on in the first languages.

    Returns:
        Of each language, the share of judged tokens that may stand where they do, by writer.
    """
    import torch

    world = kept.world
    assert isinstance(world, Automata)
    with torch.no_grad():
        return [
            {
                name: each.share_legal
                for name, each in write(world, kept.learner, draw(world, number), []).items()
            }
            for number in range(1, n_languages + 1)
        ]


def told(rows: list[dict[str, float]]) -> str:
    """Write a line a language, then their mean."""
    mean = {name: fmean(row[name] for row in rows) for name in rows[0]}
    lines = [f"language {number}: {_listed(row)}" for number, row in enumerate(rows, start=1)]
    return "\n".join([*lines, f"mean of {len(rows)}: {_listed(mean)} (texts of {N_COPIES} copies each)"])


def _listed(row: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:.1%}" for name, share in row.items())


if __name__ == "__main__":
    (path,) = shipped.FOLDER.glob(f"{Automata.id}-{shipped.RUN_ID}.safetensors")
    found = shipped.find(path.stem.removeprefix(f"{Automata.id}-"), Automata())
    assert found is not None
    print(told(shares(found, int(sys.argv[1]) if len(sys.argv) > 1 else N_LANGUAGES)))
