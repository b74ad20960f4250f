"""The registry: every experiment of the lab, one entry each.

To add an experiment: its module here, one entry below, its tab in lab/ui, its test, its page in
docs/experiments.
"""

from lab.experiments import factorial, image_run, order, panels, position, protocol, sets
from lab.experiments.check_ic_lora import check as check_of_ic_lora
from lab.experiments.check_position import check as check_demo_position
from lab.experiments.registry import Experiment

_IC_LORA = "Huang et al. 2024, In-Context LoRA for Diffusion Transformers (arXiv:2410.23775), section 3"
_DPP = "Cobbina & Zhou 2025, Where to show Demos in Your Prompt (arXiv:2507.22887)"

EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        id="position",
        title="Position",
        question="Where in the prompt should the demonstrations stand?",
        paper="demo-position",
        source=_DPP,
        params=position.PositionParams,
        run=position.run,
        cost=position.cost,
        read=position.read,
        summarise=position.summarise,
        check=check_demo_position,
        example={"task": "topic", "n_queries": 24},
        docs="docs/experiments/position.md",
    ),
    Experiment(
        id="order",
        title="Order",
        question="Does the order of the demonstrations matter, and is the best order really better?",
        paper="demo-position",
        source="Lu et al. 2022, Fantastically Ordered Prompts (arXiv:2104.08786), sections 2 and 3",
        params=order.OrderParams,
        run=order.run,
        cost=order.cost,
        read=order.read,
        summarise=order.summarise,
        check=check_demo_position,
        example={"task": "topic", "n_queries": 12, "n_demos": 3, "n_orders": 6, "n_held_out": 12},
        docs="docs/experiments/order.md",
    ),
    Experiment(
        id="factorial",
        title="Position × order × demonstrations",
        question="What moves the accuracy most: the slot, the order, or which demonstrations are shown?",
        paper="demo-position",
        source="Li et al. 2025, Order Matters (arXiv:2511.09700), with the slot as a third factor",
        params=factorial.FactorialParams,
        run=factorial.run,
        cost=factorial.cost,
        read=factorial.read,
        summarise=factorial.summarise,
        check=check_demo_position,
        example={"task": "topic", "n_queries": 12, "n_orders": 2, "n_sets": 2, "slots": ("sum", "eum")},
        docs="docs/experiments/factorial.md",
    ),
    Experiment(
        id="protocol",
        title="Paper mode",
        question="Which claims of the DPP paper hold for this model?",
        paper="demo-position",
        source=_DPP,
        params=protocol.ProtocolParams,
        run=protocol.run,
        cost=protocol.cost,
        read=protocol.read,
        summarise=protocol.summarise,
        check=check_demo_position,
        example={"tasks": ("topic", "capitals"), "n_queries": 16},
        docs="docs/experiments/protocol.md",
    ),
    Experiment(
        id="panels",
        title="Panel lab",
        question="Does it matter where a panel stands, and in which order the caption tells the panels?",
        paper="ic-lora",
        source=_IC_LORA,
        params=panels.PanelsParams,
        run=panels.run,
        cost=panels.cost,
        read=panels.read,
        summarise=panels.summarise,
        check=check_of_ic_lora,
        example={"n_queries": 4, "n_steps": 4},
        docs="docs/experiments/panels.md",
        load=image_run.load,
    ),
    Experiment(
        id="sets",
        title="Set success",
        question="Does a LoRA tuned on a few sets make new sets come out right?",
        paper="ic-lora",
        source=_IC_LORA,
        params=sets.SetsParams,
        run=sets.run,
        cost=sets.cost,
        read=sets.read,
        summarise=sets.summarise,
        check=check_of_ic_lora,
        example={"n_queries": 4, "n_steps": 4, "arms": ("base", "lora")},
        docs="docs/experiments/sets.md",
        load=image_run.load,
    ),
)
