"""Paper mode over several tasks: one run, rows named by their task, claims from what is complete."""

import pytest

from lab.experiments import protocol
from lab.experiments.events import Progress
from lab.experiments.protocol import LAYOUTS, ProtocolParams
from lab.runs.store import Store


def params(model: str, *tasks: str, **choices) -> ProtocolParams:
    values = {"n_queries": 6, "n_demos": 2, "device": "cpu", "dtype": "float32", **choices}
    return ProtocolParams(model=model, tasks=tasks, **values)


def test_claims_are_tested_over_all_tasks(model, label_task, number_task):
    asked = params(model, label_task, number_task)
    with Store() as store:
        cost, *_, result = protocol.run(asked, store)
    assert cost.n_prompts == len(result.predictions) == 5 * 6 * 2
    names = [name for name in asked.tasks]
    assert all(name.startswith("file-") for name in names)
    assert set(result.summary) >= {"experiment", "model", "n_queries", "claims", "verdict"}
    assert result.summary["n_queries"] == dict.fromkeys(names, 6)
    assert len(result.summary["claims"]) == 5 and len(result.tables["claims"]) == 5
    assert set(result.tables["accuracy"]["task"]) == set(names)
    assert "of 5 claims hold for this model on 2 tasks" in result.verdict


def test_a_run_stopped_after_its_first_task_tests_the_claims_on_that(model, label_task, number_task):
    asked = params(model, label_task, number_task)
    with Store() as store:
        events = protocol.run(asked, store)
        for event in events:
            if isinstance(event, Progress) and event.done == 5 * 6:
                break
        events.close()
        partial = protocol.read(asked, store)
        assert event.total == 60  # one progress over all tasks
        assert list(partial.summary["n_queries"]) == [asked.tasks[0]]
        whole = list(protocol.run(asked, store))[-1]
    assert len(whole.predictions) == 60


def test_nothing_answered_yet_is_said(model, label_task):
    asked = params(model, label_task)
    with Store() as store:
        events = protocol.run(asked, store)
        next(event for event in events if isinstance(event, Progress))
        events.close()
        assert protocol.read(asked, store).verdict == "No task is answered under every layout yet."


def test_the_layouts_are_the_papers():
    assert LAYOUTS == ("none", "ssp", "esp", "sum", "eum")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"tasks": ()}, "tasks must be one or more different tasks, got none"),
        ({"tasks": ("topic", "topic")}, "tasks must be one or more different tasks, got topic, topic"),
        ({"selection": "by hand", "demos": ("p0",)}, "several tasks cannot share demonstrations by hand"),
    ],
)
def test_a_wrong_parameter_is_refused(choices, message):
    with pytest.raises(ValueError, match=message):
        ProtocolParams(**choices)
