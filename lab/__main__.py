"""`python -m lab`: the lab's experiments from a terminal."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from lab import __version__
from lab.cli.run import Registry, RunFailed, resume, run
from lab.cli.show import check, list_experiments, list_papers
from lab.runs.store import StoreError
from lab.weights import WeightsError

if TYPE_CHECKING:
    from lab.experiments.registry import Experiment

BAD_ARGUMENT, FAILED, INTERRUPTED = 2, 1, 130


class Parser(argparse.ArgumentParser):
    """A parser that answers a bad argument with one line instead of its whole usage."""

    def error(self, message: str) -> NoReturn:
        """Print the message with where help is, and exit with 2."""
        self.exit(BAD_ARGUMENT, f"lab: {' '.join(message.split())}; see `{self.prog} --help`\n")


def registry() -> "Sequence[Experiment]":
    """Import the experiments, which takes seconds: only the commands that need them call it."""
    from lab.experiments import EXPERIMENTS

    return EXPERIMENTS


def parser() -> Parser:
    """Describe the commands."""
    root = Parser(prog="python -m lab", description=__doc__, allow_abbrev=False)
    root.add_argument("--version", action="version", version=f"In-Context Lab {__version__}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, summary: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        added.add_argument("--json", action="store_true", help="print JSON on the last line of stdout")
        return added

    command("list", "list the experiments, with the paper each comes from and its state")
    making = command("run", "run an experiment; progress on stderr, the summary last on stdout")
    making.add_argument(
        "experiment", metavar="EXPERIMENT", nargs="?", help="an id that `list` shows; --recipe names it too"
    )
    making.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        dest="pairs",
        help="a parameter; a list as a,b; task=FILE takes a CSV or JSONL with input and output columns",
    )
    making.add_argument("--recipe", metavar="FILE", help="begin from the parameters of a recipe.json")
    going_on = command("resume", "go on where a run stopped; nothing already scored is scored again")
    going_on.add_argument("run_id", metavar="RUN_ID", help="the id that `run` printed")
    for each in (making, going_on):
        each.add_argument(
            "--out", metavar="DIR", help="write recipe, predictions, prompts, summary and figures"
        )
    command("papers", "list the 35 papers: experiment, state, the last check's figures")
    checking = command("check", "measure a paper's claims; exit 0 holds, 1 does not, 2 could not be run")
    checking.add_argument("paper", metavar="PAPER_ID", help="an id that `papers` shows")
    checking.add_argument("--quick", action="store_true", help="a coarser measurement in less time")
    checking.add_argument(
        "--keep", action="store_true", help="keep the full measurement as the study in assets/studies"
    )
    return root


def main(arguments: Sequence[str] | None = None, experiments: Registry = registry) -> int:
    """Obey a command line and return the exit code.

    Args:
        arguments: The words after `python -m lab`; those of this process by default.
        experiments: Gives the registry; called by the commands that need it.
    """
    given = parser().parse_args(arguments)
    try:
        return _obey(given, experiments)
    except (ValueError, StoreError, WeightsError) as error:
        print(f"lab: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_ARGUMENT
    except RunFailed as error:
        print(f"lab: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _obey(given: argparse.Namespace, experiments: Registry) -> int:
    match given.command:
        case "list":
            return list_experiments(experiments, given.json)
        case "run":
            return run(experiments, given.experiment, given.pairs, given.recipe, given.out, given.json)
        case "resume":
            return resume(experiments, given.run_id, given.out, given.json)
        case "papers":
            return list_papers(given.json)
        case _:
            return check(experiments, given.paper, given.quick, given.json, given.keep)


if __name__ == "__main__":
    sys.exit(main())
