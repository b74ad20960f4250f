"""The tiny worlds of the registry, one entry each, in the order of the tab."""

from lab.experiments.registry import Experiment, nothing_to_load
from lab.experiments.worlds.check_abrupt import check as check_of_abrupt
from lab.experiments.worlds.check_automata import check as check_of_automata
from lab.experiments.worlds.check_factors import check as check_of_factors
from lab.experiments.worlds.check_forgetting import check as check_of_forgetting
from lab.experiments.worlds.check_induction import check as check_of_induction
from lab.experiments.worlds.check_linear import check as check_of_linear
from lab.experiments.worlds.check_metaopt import check as check_of_metaopt
from lab.experiments.worlds.check_prism import check as check_of_prism
from lab.experiments.worlds.check_properties import check as check_of_properties
from lab.experiments.worlds.check_softmax import check as check_of_softmax
from lab.experiments.worlds.check_urns import check as check_of_urns
from lab.experiments.worlds.check_window import check as check_of_window
from lab.experiments.worlds.grown import grown
from lab.worlds.abrupt import Abrupt, AbruptSettings
from lab.worlds.automata import Automata, AutomataSettings
from lab.worlds.factors import Factors, FactorsSettings
from lab.worlds.forgetting import PartsOfSpeech, PartsOfSpeechSettings
from lab.worlds.induction import Induction, InductionSettings
from lab.worlds.linear import Linear, LinearSettings
from lab.worlds.metaopt import MetaOpt, MetaOptSettings
from lab.worlds.prism import Prism, PrismSettings
from lab.worlds.properties import Properties, PropertiesSettings
from lab.worlds.softmax import Softmax, SoftmaxSettings
from lab.worlds.urns import Urns, UrnsSettings
from lab.worlds.window import Window, WindowSettings

WORLDS: tuple[Experiment, ...] = (
    Experiment(
        id="induction",
        title="Induction heads",
        question="What needs to go right for an induction head?",
        paper="induction-heads",
        source="Singh et al. 2024, What needs to go right for an induction head? (arXiv:2404.07129)",
        check=check_of_induction,
        example={"n_steps": 100, "n_heads": 1, "n_queries": 40},
        docs="docs/experiments/worlds.md",
        load=nothing_to_load,
        **grown("induction", Induction, InductionSettings)._asdict(),
    ),
    Experiment(
        id="abrupt",
        title="Abrupt learning",
        question="Why does in-context learning come all at once, and when do the weights win instead?",
        paper="abrupt-learning",
        source="Reddy 2023, The mechanistic basis of data dependence and abrupt learning (arXiv:2312.03002)",
        check=check_of_abrupt,
        example={"n_steps": 100, "n_classes": 64, "n_queries": 40},
        docs="docs/experiments/worlds.md",
        load=nothing_to_load,
        **grown("abrupt", Abrupt, AbruptSettings)._asdict(),
    ),
    Experiment(
        id="properties",
        title="Data properties",
        question="Which properties of the data make a learner use its context, which make it memorise?",
        paper="data-properties",
        source="Chan et al. 2022, Data Distributional Properties Drive Emergent ICL (arXiv:2205.05055)",
        check=check_of_properties,
        example={"n_steps": 100, "n_classes": 64, "n_queries": 40},
        docs="docs/experiments/worlds.md",
        load=nothing_to_load,
        **grown("properties", Properties, PropertiesSettings)._asdict(),
    ),
    Experiment(
        id="linear",
        title="Linear regression",
        question="What does a layer of attention compute when it learns linear regression in context?",
        paper="linear-regression",
        source="He et al. 2025, In-Context Linear Regression Demystified (arXiv:2503.12734)",
        check=check_of_linear,
        example={"n_steps": 200, "n_queries": 40},
        docs="docs/experiments/worlds.md",
        load=nothing_to_load,
        **grown("linear", Linear, LinearSettings)._asdict(),
    ),
    Experiment(
        id="softmax",
        title="Softmax regression",
        question="Does attention answer a softmax regression as a step of gradient descent would?",
        paper="softmax-regression",
        source="Li et al. 2023, The Closeness of In-Context Learning and Weight Shifting (arXiv:2304.13276)",
        check=check_of_softmax,
        example={"n_steps": 200, "n_queries": 40},
        docs="docs/experiments/worlds.md",
        load=nothing_to_load,
        **grown("softmax", Softmax, SoftmaxSettings)._asdict(),
    ),
    Experiment(
        id="metaopt",
        title="Meta-optimizers",
        question="Do demonstrations act on a learner as gradient descent on them would?",
        paper="meta-optimizer",
        source="Dai et al. 2023, Why Can GPT Learn In-Context? (arXiv:2212.10559)",
        check=check_of_metaopt,
        example={"n_steps": 100, "n_queries": 40},
        docs="docs/experiments/worlds.md",
        load=nothing_to_load,
        **grown("metaopt", MetaOpt, MetaOptSettings)._asdict(),
    ),
    Experiment(
        id="prism",
        title="Bayesian prism",
        question="Does a transformer answer as Bayes does?",
        paper="bayesian-prism",
        source="Panwar et al. 2024, In-Context Learning through the Bayesian Prism (arXiv:2306.04891)",
        check=check_of_prism,
        example={"n_steps": 200, "n_queries": 40},
        docs="docs/experiments/worlds.md",
        load=nothing_to_load,
        **grown("prism", Prism, PrismSettings)._asdict(),
    ),
    Experiment(
        id="window",
        title="Sequential functions",
        question="Can functions of a sequence, not of a set of pairs, be learned in context?",
        paper="sequential-functions",
        source="Campbell et al. 2023, Can Transformers Learn Sequential Function Classes? (arXiv:2312.12655)",
        check=check_of_window,
        example={"n_steps": 200, "n_queries": 40},
        docs="docs/experiments/worlds.md",
        load=nothing_to_load,
        **grown("window", Window, WindowSettings)._asdict(),
    ),
    Experiment(
        id="urns",
        title="Balls and urns",
        question="When does a learner know its tasks by heart, and when does it learn from the context?",
        paper="rational-strategies",
        source="Wurgaft et al. 2025, In-Context Learning Strategies Emerge Rationally (arXiv:2506.17859)",
        check=check_of_urns,
        example={"n_steps": 100, "n_urns": 4, "n_queries": 40},
        docs="docs/experiments/worlds.md",
        load=nothing_to_load,
        **grown("urns", Urns, UrnsSettings)._asdict(),
    ),
    Experiment(
        id="automata",
        title="Random languages",
        question="Can a model learn a language that it never met, from the strings in its context?",
        paper="language-learning",
        source="Akyürek et al. 2024, In-Context Language Learning (arXiv:2401.12973)",
        check=check_of_automata,
        example={"n_steps": 100, "n_tokens": 48, "n_queries": 40},
        docs="docs/experiments/worlds.md",
        load=nothing_to_load,
        **grown("automata", Automata, AutomataSettings)._asdict(),
    ),
    Experiment(
        id="forgetting",
        title="Forgetting embeddings",
        question="Can a learner know words by heart and still read what the context says of them?",
        paper="weight-forgetting",
        source="Anand et al. 2024, Dual Process Learning (arXiv:2406.00053)",
        check=check_of_forgetting,
        example={"n_steps": 100, "n_queries": 40},
        docs="docs/experiments/worlds.md",
        load=nothing_to_load,
        **grown("forgetting", PartsOfSpeech, PartsOfSpeechSettings)._asdict(),
    ),
    Experiment(
        id="factors",
        title="Factors of pictures",
        question="Is it easier to learn from a context when one knows already what to look at?",
        paper="representation",
        source="Fu et al. 2023, How Does Representation Impact In-Context Learning (arXiv:2309.06054)",
        check=check_of_factors,
        example={"n_steps": 100, "n_queries": 40},
        docs="docs/experiments/worlds.md",
        load=nothing_to_load,
        **grown("factors", Factors, FactorsSettings)._asdict(),
    ),
)
