"""Full studies that took hours, kept with the code: claims, tables, and what they were measured with.

A stored study is never a verdict of this machine: a check measures anew and shows the study beside it, and
says so where the weights are no longer those of the study.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab.experiments.registry import CheckResult
from lab.runs.plain import plain

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "studies"


@dataclass(frozen=True)
class Study:
    """A full check as it was made once.

    Args:
        paper: The paper's id.
        holds: Its verdict then.
        claims: Claim, measured and verdict of each.
        tables: Rows by the name of the table.
        weights: Digests of the weights that it was made with.
        environment: Machine, versions, commit and time.
    """

    paper: str
    holds: bool | None
    claims: list[dict[str, str]]
    tables: dict[str, list[dict[str, Any]]]
    weights: dict[str, str]
    environment: dict[str, Any]

    def provenance(self, weights: Mapping[str, str]) -> str:
        """Say when and where it was made, and whether with these weights."""
        made = self.environment
        others = sorted(name for name, digest in self.weights.items() if weights.get(name) != digest)
        with_these = f"with other weights ({', '.join(others)})" if others else "with these weights"
        return (
            f"full study of {str(made.get('time'))[:10]}, commit {str(made.get('commit'))[:12]}, "
            f"{made.get('cores')} cores of {made.get('cpu')}, {with_these}"
        )


def keep(
    result: CheckResult,
    weights: Mapping[str, str],
    made_with: Mapping[str, Any],
    folder: Path | None = None,
) -> Path:
    """Write a full check as a study.

    Args:
        result: What was measured.
        weights: Digests of the weights that it was measured with.
        made_with: The `environment` when it began.
        folder: Where to write.

    Raises:
        OSError: It can't be written.
    """
    study = Study(result.paper, result.holds, result.claims, result.tables, dict(weights), dict(made_with))
    path = (folder or FOLDER) / f"{result.paper}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(plain(asdict(study)), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def stored(paper: str, folder: Path | None = None) -> Study | None:
    """Read the study of a paper; None where there is none."""
    path = (folder or FOLDER) / f"{paper}.json"
    return Study(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def table(folder: Path | None = None) -> str:
    """Write what holds in every stored study as a table in Markdown; those only told are left out."""
    lines = ["| paper | claims that hold | that do not hold here | undecided |", "|---|---|---|---|"]
    for path in sorted((folder or FOLDER).glob("*.json")):
        study = stored(path.stem, folder)
        assert study is not None
        verdicts = [claim["verdict"] for claim in study.claims]
        counts = [str(verdicts.count(each) or "") for each in ("holds", "does not hold here", "undecided")]
        lines.append(f"| [{study.paper}](docs/papers/{study.paper}.md) | {' | '.join(counts)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
