"""Make a LoRA for a task from a task vector: a conditional variational autoencoder over LoRA vectors.

The collection holds late states of LoRAs tuned on several tasks with several seeds. A vector is normalised
and described by its principal components (`lab.images.lora_basis`); two small perceptrons then learn to
encode that description, given the task vector, into a few latents, and to decode it again. To make a LoRA the
latents are drawn from the prior: nothing is tuned.

| here | paper | what |
|---|---|---|
| condition | c | the task vector, each number brought to mean 0 and deviation 1 over the collection |
| `mean`, `logvar` | μ, log σ² | what the encoder says of the latents |
| z | z | latents; N(0, 1) where a LoRA is made |
| `KL_WEIGHT` | | weight of the divergence from the prior beside the error of reconstruction |

Source: Shao et al. 2025, In-Context Meta LoRA Generation (arXiv:2501.17635). Their autoencoder convolves the
flattened vector and has over a hundred megabytes; principal components do that work here.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lab.images.concepts import ASSETS
from lab.images.lora_basis import Basis, fit_basis
from lab.weights import WeightsError

if TYPE_CHECKING:
    import torch

FOLDER = ASSETS / "icm"
HELD_OUT = ("sandstorm", "rendered")
"""Tasks that the collection leaves out: no LoRA of theirs is seen, only their task vectors afterwards."""
N_COMPONENTS = 24
N_LATENTS = 16
KL_WEIGHT = 0.005
_N_HIDDEN = 256
_FAR = 3.0  # a condition is held within so many deviations: beyond lies what no task taught
_FLOOR = 0.1  # the least deviation of a condition's number, as a fraction of their root mean square


@dataclass(frozen=True, eq=False)
class Cvae:
    """A trained generator of LoRAs.

    Args:
        net: Its encoder and decoder.
        basis: Turns vectors into coefficients and back.
        condition_mean: Mean of the task vectors in the collection, shape (n_condition,).
        condition_std: Their deviation, same shape.
        base: The base that its LoRAs are for, by `lab.images.lora_vector.fingerprint`.
    """

    net: "torch.nn.ModuleDict"
    basis: Basis
    condition_mean: "torch.Tensor"
    condition_std: "torch.Tensor"
    base: str

    def condition(self, task_vectors: "torch.Tensor") -> "torch.Tensor":
        """Normalise task vectors, shape (…, n_condition)."""
        return ((task_vectors - self.condition_mean) / self.condition_std).clamp(-_FAR, _FAR)


class Trained(NamedTuple):
    """A tuned LoRA to compare with: its vector (n_numbers,) and its task vector (n_condition,)."""

    vector: "torch.Tensor"
    task_vector: "torch.Tensor"


def new_cvae(
    vectors: "torch.Tensor",
    task_vectors: "torch.Tensor",
    tensor_sizes: Sequence[int],
    base: str = "",
    n_components: int = N_COMPONENTS,
) -> Cvae:
    """Return an untrained generator, normalised for a collection.

    Args:
        vectors: LoRA vectors, shape (n, n_numbers).
        task_vectors: Any number of task vectors of the same tasks, shape (m, n_condition).
        tensor_sizes: As in `fit_basis`.
        base: The base's fingerprint.
        n_components: Principal components that describe a vector.
    """
    basis = fit_basis(vectors, tensor_sizes, n_components)
    std = task_vectors.std(0, correction=0)
    std = std.clamp(min=max(1e-8, _FLOOR * float(std.square().mean().sqrt())))
    net = _new_net(basis.n_components, task_vectors.shape[1])
    return Cvae(net, basis, task_vectors.mean(0), std, base)


def loss(
    net: "torch.nn.ModuleDict",
    coefficients: "torch.Tensor",
    condition: "torch.Tensor",
    noise: "torch.Tensor",
) -> "torch.Tensor":
    """Return the loss of a batch: mean squared error of the coefficients + `KL_WEIGHT` · divergence.

    Args:
        net: Encoder and decoder.
        coefficients: Shape (n, n_components).
        condition: Normalised task vectors, shape (n, n_condition).
        noise: N(0, 1), shape (n, N_LATENTS).
    """
    mean, logvar = encode(net, coefficients, condition)
    found = decode(net, mean + noise * (logvar / 2).exp(), condition)
    return ((found - coefficients) ** 2).mean() + KL_WEIGHT * divergence(mean, logvar).mean()


def encode(
    net: "torch.nn.ModuleDict", coefficients: "torch.Tensor", condition: "torch.Tensor"
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Return mean and log-variance of the latents, each (n, N_LATENTS)."""
    import torch

    mean, logvar = net["encoder"](torch.cat([coefficients, condition], dim=-1)).chunk(2, dim=-1)
    return mean, logvar.clamp(-12, 6)


def decode(net: "torch.nn.ModuleDict", latents: "torch.Tensor", condition: "torch.Tensor") -> "torch.Tensor":
    """Return coefficients, shape (n, n_components)."""
    import torch

    return net["decoder"](torch.cat([latents, condition], dim=-1))


def divergence(mean: "torch.Tensor", logvar: "torch.Tensor") -> "torch.Tensor":
    """Return KL(N(μ, σ²) ‖ N(0, 1)) in nats, summed over the latents, shape (n,).

    Source: Kingma & Welling 2014 (arXiv:1312.6114), appendix B.
    """
    return 0.5 * (mean**2 + logvar.exp() - 1 - logvar).sum(-1)


def generate(cvae: Cvae, task_vector: "torch.Tensor", seed: int | None = None) -> "torch.Tensor":
    """Make a LoRA for a task.

    Args:
        cvae: The generator.
        task_vector: Of the task, shape (n_condition,).
        seed: Draws the latents; None takes z = 0, the middle of what the generator knows of the task.

    Returns:
        A LoRA vector, shape (n_numbers,), for `lab.images.lora_vector.from_vector`.
    """
    import torch

    latents = torch.zeros(N_LATENTS)
    if seed is not None:
        latents = torch.randn(N_LATENTS, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        return cvae.basis.vectors(decode(cvae.net, latents, cvae.condition(task_vector)))


def interpolate(cvae: Cvae, task_a: "torch.Tensor", task_b: "torch.Tensor", n: int) -> "torch.Tensor":
    """Make LoRAs for tasks on the line from one task vector to another, z = 0.

    Args:
        cvae: The generator.
        task_a: Task vector of the first LoRA, shape (n_condition,).
        task_b: Task vector of the last.
        n: How many, both ends included, 2 or more.

    Returns:
        LoRA vectors, shape (n, n_numbers).
    """
    import torch

    if n < 2:
        raise ValueError(f"n must be 2 or more, since both ends count, got {n}")
    return torch.stack([generate(cvae, torch.lerp(task_a, task_b, place / (n - 1))) for place in range(n)])


def nearest(cvae: Cvae, task_vector: "torch.Tensor", among: Mapping[str, Trained]) -> str:
    """Return the task whose task vector, normalised, lies nearest to a given one."""
    here = cvae.condition(task_vector)
    return min(among, key=lambda task: float((cvae.condition(among[task].task_vector) - here).norm()))


def save(cvae: Cvae, trained: Mapping[str, Trained], folder: Path) -> None:
    """Write a generator and the tuned LoRAs that it is compared with, whole or not at all; both to one file.

    Directions and tuned vectors are kept in half precision.
    """
    from safetensors.torch import save_file

    tensors = {f"net.{name}": tensor.detach() for name, tensor in cvae.net.state_dict().items()}
    tensors |= {
        "basis.mean": cvae.basis.mean,
        "basis.std": cvae.basis.std,
        "basis.components": cvae.basis.components.half(),
        "condition.mean": cvae.condition_mean,
        "condition.std": cvae.condition_std,
    }
    for task, each in trained.items():
        tensors[f"trained.{task}.vector"] = each.vector.half()
        tensors[f"trained.{task}.task_vector"] = each.task_vector
    about = {"base": cvae.base, "scale": repr(cvae.basis.scale), "tasks": json.dumps(list(trained))}
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"model.safetensors.{os.getpid()}"
    try:
        whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
        save_file(whole, fresh, metadata={"format": "pt", **about})
        os.replace(fresh, folder / "model.safetensors")
    finally:
        fresh.unlink(missing_ok=True)


def load(folder: Path, base: str | None = None) -> tuple[Cvae, dict[str, Trained]]:
    """Read what `save` wrote.

    Args:
        folder: Where the file lies.
        base: The fingerprint of the base at hand; None takes any.

    Raises:
        WeightsError: There is no file, it is damaged, or its LoRAs are for another base.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / "model.safetensors"
    remedy = "Restore it from the repository, or train it: python -m lab.images.train icm."
    if not path.is_file():
        raise WeightsError(f"the generator of LoRAs is missing: no {path}. {remedy}")
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata()
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        basis = Basis(
            tensors["basis.mean"], tensors["basis.std"], tensors["basis.components"], float(about["scale"])
        )
        net = _new_net(basis.n_components, len(tensors["condition.mean"]))
        net.load_state_dict({name[4:]: tensor for name, tensor in tensors.items() if name.startswith("net.")})
        cvae = Cvae(net.eval(), basis, tensors["condition.mean"], tensors["condition.std"], about["base"])
        trained = {
            task: Trained(tensors[f"trained.{task}.vector"], tensors[f"trained.{task}.task_vector"])
            for task in json.loads(about["tasks"])
        }
    except (SafetensorError, RuntimeError, KeyError, TypeError) as error:
        raise WeightsError(f"{path} does not hold this version's generator. {remedy}") from error
    if base is not None and cvae.base != base:
        raise WeightsError(f"{path} makes LoRAs for another base ({cvae.base}, here {base}). {remedy}")
    return cvae, trained


def _new_net(n_components: int, n_condition: int) -> "torch.nn.ModuleDict":
    from torch import nn

    def perceptron(n_in: int, n_out: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Linear(n_in, _N_HIDDEN), nn.SiLU(),
            nn.Linear(_N_HIDDEN, _N_HIDDEN), nn.SiLU(),
            nn.Linear(_N_HIDDEN, n_out),
        )  # fmt: skip

    return nn.ModuleDict(
        {
            "encoder": perceptron(n_components + n_condition, 2 * N_LATENTS),
            "decoder": perceptron(N_LATENTS + n_condition, n_components),
        }
    )
