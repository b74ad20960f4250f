"""The training loop: resuming, stopping, failing, and its schedule."""

from dataclasses import replace

import pytest
import torch

from lab.training.loop import Schedule, Step, train
from lab.training.record import curve

SCHEDULE = Schedule(n_steps=6, rate=0.1, n_warmup=2, flat=0.5, ema=0.9)


def new_modules(n_out: int = 3) -> dict[str, torch.nn.Module]:
    torch.manual_seed(1)
    return {"net": torch.nn.Sequential(torch.nn.Linear(4, n_out), torch.nn.Dropout(0.3))}


def loss_of_net(modules):
    """Return a loss that draws from the step's generator and, through dropout, from torch's own."""

    def loss_of(step: int, generator: torch.Generator) -> torch.Tensor:
        values = torch.randn(8, 4, generator=generator)
        return (modules["net"](values) - values[:, :1]).square().mean()

    return loss_of


def trained(checkpoint, n_stops=(), schedule=SCHEDULE, seed=0, new=new_modules):
    """Train to the end, stopping after so many steps each time and going on with fresh modules."""
    told = []
    for n_stop in (*n_stops, schedule.n_steps):
        modules = new()
        steps = train(modules, loss_of_net(modules), schedule, seed, checkpoint)
        for step in steps:
            told.append(step)
            if step.step == n_stop:
                break
        steps.close()
    return modules, told


def weights_of(modules) -> torch.Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in modules["net"].parameters()])


@pytest.mark.parametrize("n_stop", range(1, 7))
def test_a_training_resumed_at_any_step_ends_bit_identical_to_an_undisturbed_one(tmp_path, n_stop):
    whole, told = trained(None)
    resumed, told_in_parts = trained(tmp_path / "net.pt", n_stops=(n_stop,))
    assert torch.equal(weights_of(whole), weights_of(resumed))
    assert [(step.step, step.loss) for step in told] == [(step.step, step.loss) for step in told_in_parts]


def test_it_may_be_stopped_many_times(tmp_path):
    assert torch.equal(
        weights_of(trained(None)[0]), weights_of(trained(tmp_path / "net.pt", n_stops=(1, 2, 3, 5))[0])
    )


def test_a_finished_training_has_nothing_left_to_do(tmp_path):
    done, _ = trained(tmp_path / "net.pt")
    again = new_modules()
    assert list(train(again, loss_of_net(again), SCHEDULE, 0, tmp_path / "net.pt")) == []
    assert torch.equal(weights_of(done), weights_of(again))


def test_another_seed_trains_otherwise():
    assert not torch.equal(weights_of(trained(None)[0]), weights_of(trained(None, seed=1)[0]))


def test_stopping_early_keeps_the_state_and_leaves_modules_ready_for_use(tmp_path):
    modules = new_modules()
    steps = train(modules, loss_of_net(modules), SCHEDULE, 0, tmp_path / "net.pt")
    next(steps)
    next(steps)
    steps.close()
    kept = torch.load(tmp_path / "net.pt", weights_only=True)
    assert kept["done"] == 2
    assert not modules["net"].training
    assert torch.equal(modules["net"][0].bias.detach(), kept["average"]["net.0.bias"])
    assert [path.name for path in tmp_path.glob("net.pt*")] == ["net.pt"]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_raises_and_keeps_the_last_good_state(tmp_path, bad):
    modules = new_modules()
    good = loss_of_net(modules)

    def loss_of(step, generator):
        return good(step, generator) * (bad if step == 3 else 1)

    with pytest.raises(FloatingPointError, match=r"at step 4; lower the learning rate"):
        list(train(modules, loss_of, SCHEDULE, 0, tmp_path / "net.pt"))
    kept = torch.load(tmp_path / "net.pt", weights_only=True)
    assert kept["done"] == 3
    assert all(tensor.isfinite().all() for tensor in kept["weights"].values())
    resumed, _ = trained(tmp_path / "net.pt")
    assert torch.equal(weights_of(resumed), weights_of(trained(None)[0]))


def test_workers_follow_the_mean_of_losses_on_batches_of_their_own():
    net = torch.nn.Linear(4, 1)
    batches = [
        torch.randn(8, 4, generator=torch.Generator().manual_seed(7 * 1_000_003 + w * 2**40)) for w in (0, 1)
    ]
    expected = net(torch.cat(batches)).square().mean().item()  # batches are of one size
    steps = train(
        {"net": net},
        lambda step, generator: net(torch.randn(8, 4, generator=generator)).square().mean(),
        Schedule(n_steps=1, rate=0.1),
        seed=7,
        n_workers=2,
    )
    assert next(steps).loss == pytest.approx(expected, rel=1e-6)


def test_a_training_with_workers_resumes_bit_identical(tmp_path):
    def ended(checkpoint, *stops):
        for stop in (*stops, 4):
            torch.manual_seed(0)
            net = torch.nn.Linear(4, 1)

            def loss_of(step, generator, net=net):
                return net(torch.randn(8, 4, generator=generator)).square().mean()

            for step in train({"net": net}, loss_of, Schedule(4, 0.1, ema=0.9), 0, checkpoint, n_workers=2):
                if step.step == stop:
                    break
        return net.weight.detach()

    assert torch.equal(ended(None), ended(tmp_path / "net.pt", 2))


def test_the_checkpoint_of_another_model_is_refused(tmp_path):
    trained(tmp_path / "net.pt")
    others = {"other": torch.nn.Linear(4, 3)}
    with pytest.raises(ValueError, match="checkpoint of another model"):
        next(train(others, lambda step, generator: torch.zeros(()), SCHEDULE, 0, tmp_path / "net.pt"))


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError):
        trained(tmp_path / "file" / "net.pt")


def test_a_gradient_that_lies_otherwise_in_memory_than_its_weights_is_followed_all_the_same():
    weights, data = torch.randn(2, 6), torch.randn(3, 2)
    ours, plain = torch.nn.Parameter(weights.clone()), torch.nn.Parameter(weights.clone())

    def loss_of(matrix):
        return (data @ matrix.T.contiguous().T).square().sum()

    (gradient,) = torch.autograd.grad(loss_of(ours), [ours])
    assert gradient.stride() != ours.stride()
    module = torch.nn.ParameterDict({"matrix": ours})
    schedule = Schedule(5, 0.1, n_warmup=1, flat=1.0, clip=1e9)
    for _ in train({"module": module}, lambda step, generator: loss_of(ours), schedule, 0):
        pass
    optimiser = torch.optim.AdamW([plain], 0.1, betas=(0.9, 0.99), weight_decay=schedule.decay)
    for _ in range(5):
        optimiser.zero_grad()
        loss_of(plain).backward()
        optimiser.step()
    assert torch.allclose(ours, plain, atol=1e-5)


def test_weights_that_ask_for_no_gradient_stay():
    modules = new_modules()
    modules["net"][0].bias.requires_grad_(False)
    bias, weight = (tensor.detach().clone() for tensor in (modules["net"][0].bias, modules["net"][0].weight))
    list(train(modules, loss_of_net(modules), SCHEDULE, 0))
    assert torch.equal(modules["net"][0].bias, bias)
    assert not torch.equal(modules["net"][0].weight, weight)


def test_the_average_after_one_step_has_moved_nine_elevenths_of_the_way():
    one = Schedule(n_steps=1, rate=0.1, n_warmup=1, flat=1.0)
    start = weights_of(new_modules())
    last = weights_of(trained(None, schedule=one)[0])
    average = weights_of(trained(None, schedule=Schedule(1, 0.1, n_warmup=1, flat=1.0, ema=0.99))[0])
    # the decay at step 1 is min(0.99, (1 + 1) / (10 + 1))
    torch.testing.assert_close(average, start + 9 / 11 * (last - start))


def test_the_rate_rises_linearly_rests_and_falls_linearly():
    schedule = Schedule(n_steps=100, rate=2.0, n_warmup=10, flat=0.6, floor=0.05)
    assert [schedule.rate_at(step) for step in (0, 4, 9)] == pytest.approx([0.2, 1.0, 2.0])
    assert {schedule.rate_at(step) for step in range(9, 60)} == {2.0}
    # half of the fall is gone at step 80 of 100; the floor is reached where 1 - (s - 60) / 40 = 0.05: s = 98
    assert schedule.rate_at(79) == pytest.approx(1.0)
    assert [schedule.rate_at(step) for step in (97, 98, 99)] == pytest.approx([0.1, 0.1, 0.1])


def test_without_a_warm_up_and_a_fall_the_rate_is_constant():
    schedule = Schedule(n_steps=5, rate=0.3, n_warmup=0, flat=1.0)
    assert [schedule.rate_at(step) for step in range(5)] == [0.3] * 5


def test_the_curve_of_a_resumed_training_tells_no_step_twice(tmp_path):
    path = tmp_path / "part.csv"
    told = [Step(step, 100, 1 / step, 0.5 * step) for step in range(1, 101)]
    list(curve(iter(told[:75]), path))
    again = [replace(step, seconds=0.5 * (step.step - 50)) for step in told[50:]]  # broken off, saved at 50
    list(curve(iter(again), path))
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    assert [int(row[0]) for row in rows] == [25, 50, 75, 100]
    assert [float(row[2]) for row in rows] == [12.5, 25.0, 37.5, 50.0]
