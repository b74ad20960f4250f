"""The 35 papers whose systems the lab makes work: what a person does with each, and the claim checked."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

_ASSETS = Path(__file__).resolve().parents[1] / "assets"
EXPERIMENTS_FOLDER = Path(__file__).parent / "experiments"


@dataclass(frozen=True)
class Paper:
    """A paper, what a person does with it here, and the claim that its check measures.

    `experiment` is the id of the experiment that answers it, None while there is none; `arxiv` its arXiv id.
    """

    id: str
    title: str
    what: str
    claim: str
    area: str
    arxiv: str
    experiment: str | None = None

    @property
    def state(self) -> str:
        """Say "ready" once an experiment names the paper, "planned" before."""
        return "planned" if self.experiment is None else "ready"


WAITING = {
    "ic-lora": "images/loras/coloured.safetensors",
    "ic-brush": "images/flux-emoji/fill/config.json",
    "icm-lora": "images/icm/model.safetensors",
    "segic": "vision/segic/model.safetensors",
    "painter": "vision/painter/config.json",
    "anypattern": "vision/stacker/model.safetensors",
}
"""Papers whose experiments wait for a model that is trained by this project: they stay planned without it."""


def with_experiments(experiments: Mapping[str, str]) -> tuple[Paper, ...]:
    """List the papers with their experiments, given as paper id to experiment id."""
    ready = {paper: each for paper, each in experiments.items() if not is_waiting(paper)}
    return tuple(replace(paper, experiment=ready.get(paper.id)) for paper in PAPERS)


def is_waiting(paper: str) -> bool:
    """Tell whether a paper's experiments can't run yet, because their model is not trained."""
    return paper in WAITING and not (_ASSETS / WAITING[paper]).is_file()


def declared_experiments(folder: Path = EXPERIMENTS_FOLDER) -> dict[str, str]:
    """Read from the experiments' sources which paper each names; importing them would take seconds.

    Returns:
        Paper id to experiment id, from calls `Experiment(id="...", ..., paper="...")`; the first of several.
    """
    declared: dict[str, str] = {}
    for path in sorted(folder.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if "Experiment(" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            named = _words_of_experiment(node)
            if "id" in named and "paper" in named:
                declared.setdefault(named["paper"], named["id"])
    return declared


def _words_of_experiment(node: ast.AST) -> dict[str, str]:
    """Return the text arguments of a call `Experiment(...)` by name; none of any other node."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func).split(".")[-1] != "Experiment":
        return {}
    return {
        word.arg: word.value.value
        for word in node.keywords
        if word.arg and isinstance(word.value, ast.Constant) and isinstance(word.value.value, str)
    }


# fmt: off
PAPERS: tuple[Paper, ...] = (
    Paper("demo-position",
          "Where to Show Demos in Your Prompt: A Positional Bias of In-Context Learning",
          "move one block of demos through the slots of a chat prompt and see which answers flip",
          "the shared-prefix predictions equal a naive re-encoding's; each claim on position gets a "
          "paired test",
          "prompt layout", "2507.22887"),
    Paper("ic-lora",
          "In-Context LoRA for Diffusion Transformers",
          "lay out a canvas of panels with one caption, tune a LoRA on a few sets, then make or "
          "complete sets",
          "on unseen concepts the LoRA's sets succeed more often than the untuned model's and a "
          "single-panel LoRA's",
          "image sets", "2410.23775"),
    Paper("segic",
          "SEGIC: Unleashing the Emergent Correspondence for In-Context Segmentation",
          "paint masks on example images, then segment new ones; vary which examples, how many, in "
          "what order",
          "one-shot mIoU on unseen classes beats baselines without correspondence; each instruction "
          "can be ablated",
          "vision", "2311.14671"),
    Paper("painter",
          "Images Speak in Images: A Generalist Painter for In-Context Visual Learning",
          "show an image before and after an operation and have the same done to another image",
          "on unseen tasks over 90 % follow the pair shown; PSNR or IoU beats a control with the "
          "wrong pair",
          "vision", "2212.02499"),
    Paper("anypattern",
          "AnyPattern: Towards In-context Image Copy Detection",
          "show originals with their copies under a new kind of tampering, then look for such copies",
          "on unseen tamperings μAP is higher with the example pairs; stacking is compared with "
          "concatenation",
          "vision", "2404.13788"),
    Paper("ic-brush",
          "In-Context Brush: Zero-shot Customized Subject Insertion with Context-Aware Latent Space "
          "Manipulation",
          "put a subject from one picture into a masked region of another",
          "the subject is recognised more often as the shift grows; at strength 0 nothing changes",
          "image sets", "2505.20271"),
    Paper("icm-lora",
          "In-Context Meta LoRA Generation",
          "give examples of a task and get a LoRA for it without training",
          "on seen tasks at least 0.9 of a trained LoRA's gain, none with another task's vector; "
          "unseen tasks told",
          "image sets", "2501.17635"),
    Paper("m2ixt",
          "Lightweight In-Context Tuning for Multimodal Unified Models",
          "teach words for images by a few examples, with the in-context module and without",
          "on unseen combinations the module beats zero-shot and at least equals plain concatenation",
          "language models", "2310.05109"),
    Paper("aim",
          "AIM: Let Any Multi-modal Large Language Models Embrace Efficient In-Context Learning",
          "do the same with each image folded into the tokens of its label",
          "0.9 of full multimodal accuracy with a quarter of the demo tokens, and above text-only "
          "demos",
          "language models", "2406.07588"),
    Paper("icv",
          "In-context Vectors: Making In Context Learning More Effective and Controllable Through "
          "Latent Space Steering",
          "turn pairs of texts into a vector, steer by a slider, add and subtract vectors",
          "style moves 10 points at 0.9 content kept; the opposite reverses it, a random vector does "
          "little, strength 0 nothing",
          "language models", "2311.06668"),
    Paper("soft-injection",
          "Soft Injection of Task Embeddings Outperforms Prompt-Based In-Context Learning",
          "distil demos into a task embedding, learn which heads take it, answer with no demos in the "
          "prompt",
          "over 8 or more tasks the mean equals 10 demos or better, and beats hard, uniform and "
          "shuffled heads",
          "language models", "2507.20906"),
    Paper("udr",
          "Unified Demonstration Retriever for In-Context Learning",
          "compare ways to fetch demos for the same queries: random, BM25, dense, trained on the "
          "model's feedback",
          "NDCG@8 of usefulness falls from UDR to dense to BM25 to random; a control shows how much "
          "is label leak",
          "language models", "2305.04320"),
    Paper("ideal",
          "IDEAL: Influence-Driven Selective Annotations Empower In-Context Learners in Large "
          "Language Models",
          "choose under a budget which inputs are worth labelling and watch influence spread",
          "influence at least that of random, k-means and vote-k at two budgets; accuracy with its "
          "interval",
          "language models", "2310.10873"),
    Paper("uniicl",
          "UniICL: Unifying Demonstration Selection and Compression for In-Context Learning",
          "squeeze demos 4 to 16 times and pick them by similarity of what is left",
          "at 12 times most of the full demos' gain stays on familiar tasks; tokens, bytes and "
          "seconds are counted",
          "language models", "2405.17062"),
    Paper("recycle",
          "Can Few-shot Work in Long-Context? Recycling the Context to Generate Demonstrations",
          "ask about a long passage with demos that are made from that very passage",
          "answers and their attribution against zero-shot, by where the answer stands; may fail at "
          "this size",
          "language models", "2406.13632"),
    Paper("paraphrase",
          "Demonstrations Are All You Need: Advancing Offensive Content Paraphrasing using In-Context "
          "Learning",
          "vary number and order of demos, with and without an instruction, for rewriting rude text",
          "toxicity falls and meaning stays; sensitivity to order is told; nothing rude is shown "
          "unasked",
          "language models", "2310.10707"),
    Paper("attention-gate",
          "In-context KV-Cache Eviction for LLMs via Attention-Gate",
          "drop cached tokens under a budget and see which ones stay",
          "at the same cache size recall beats StreamingLLM's and H2O's",
          "language models", "2410.12876"),
    Paper("ic-pretraining",
          "In-Context Pretraining: Language Modeling Beyond Document Boundaries",
          "chain related documents into training contexts and train arms on equal tokens",
          "neighbours 3 times as similar as by chance, none repeated; related context lowers "
          "perplexity, 3 seeds",
          "language models", "2310.10638"),
    Paper("supportive-data",
          "Understanding In-Context Learning via Supportive Pretraining Data",
          "find training chunks whose gradient points where demos point, and train on them",
          "beats random chunks by over one deviation on 2 of 4 tasks; the opposite chunks do no "
          "better than random",
          "language models", "2306.15091"),
    Paper("inference-circuit",
          "Revisiting In-context Learning Inference Circuit in Large Language Models",
          "follow encode, merge and retrieve through the layers, cut a step, see what breaks",
          "the peaks come in order; cutting merge or retrieve costs 60 % of the gain, a random cut "
          "under 15 %",
          "language models", "2410.04468"),
    Paper("meta-optimizer",
          "Why Can GPT Learn In-Context? Language Models Secretly Perform Gradient Descent as Meta- "
          "Optimizers",
          "compare what demos do to activations with what fine-tuning on them does; add momentum to "
          "attention",
          "the dual form is exact to 1e-5; similarity beats random, beside an untrained control; "
          "momentum, 5 seeds",
          "language models", "2212.10559"),
    Paper("induction-heads",
          "What needs to go right for an induction head? A mechanistic study of in-context learning "
          "circuits and their formation",
          "train a small transformer live, clamp its subcircuits, switch heads off",
          "clamped matching needs half the steps, a clamped previous-token head fewer; .98 seen, .85 "
          "on new classes",
          "tiny worlds", "2404.07129"),
    Paper("abrupt-learning",
          "The mechanistic basis of data dependence and abrupt learning in an in-context "
          "classification task",
          "set classes, burstiness, skew and noise, and watch measures of progress",
          "bursty data with many classes gives learning in context only, the reverse in weights only",
          "tiny worlds", "2312.03002"),
    Paper("data-properties",
          "Data Distributional Properties Drive Emergent In-Context Learning in Transformers",
          "change burstiness, number of classes, skew and architecture",
          "burstiness ranks with in-context learning above .9; both kinds can coexist; recurrent nets "
          "lag",
          "tiny worlds", "2205.05055"),
    Paper("weight-forgetting",
          "Dual Process Learning: Controlling Use of In-Context vs. In-Weights Strategies with Weight "
          "Forgetting",
          "train plainly, with active or with temporary forgetting of the embeddings",
          "plain training ends below .1 on switched words, temporary forgetting above .6, and .85 on "
          "unseen ones",
          "tiny worlds", "2406.00053"),
    Paper("representation",
          "How Does Representation Impact In-Context Learning: An Exploration on a Synthetic Task",
          "mix fixed and random maps from labels to classes and probe what is stored where",
          "the in-context probe tracks accuracy above .9; the mix is first to reach .6 on equal "
          "samples",
          "tiny worlds", "2309.06054"),
    Paper("bayesian-prism",
          "In-Context Learning through the Bayesian Prism",
          "draw points and see a transformer beside the Bayesian answer, on mixtures and Fourier "
          "series",
          "within 5 % of the variance from the posterior mean; the spectral centroid within 15 %",
          "tiny worlds", "2306.04891"),
    Paper("rational-strategies",
          "In-Context Learning Strategies Emerge Rationally",
          "trade task diversity against training time, see memorising give way to generalising, fit "
          "the law",
          "distance under .15 for 4 tasks, over .7 for 512 and more, transient between; the law fits "
          "above .9",
          "tiny worlds", "2506.17859"),
    Paper("linear-regression",
          "In-Context Linear Regression Demystified: Training Dynamics and Mechanistic "
          "Interpretability of Multi-Head Softmax Attention",
          "vary heads, noise and length and read the key-query and output-value products",
          "off-diagonals and summed outputs within 5 %; debiased descent matched above .98; one head "
          "is worse",
          "tiny worlds", "2503.12734"),
    Paper("softmax-regression",
          "The Closeness of In-Context Learning and Weight Shifting for Softmax Regression",
          "hold the proved bounds against draws; compare one attention step with one gradient step",
          "no bound broken in 2,000 draws; cosine above .95; cross-entropy within .03 nats",
          "tiny worlds", "2304.13276"),
    Paper("sequential-functions",
          "Can Transformers Learn Sequential Function Classes In Context?",
          "choose window and function, randomise labels, shuffle the sequence",
          "last error half of plain ridge's and within twice windowed ridge's; shuffling at least "
          "doubles it",
          "tiny worlds", "2312.12655"),
    Paper("language-learning",
          "In-Context Language Learning: Architectures and Algorithms",
          "draw random automata and compare transformer, recurrent net and n-grams, with n-gram heads "
          "built in",
          "within .02 of bigrams and .03 below the recurrent arm in total variation; n-gram heads "
          "lower the loss",
          "tiny worlds", "2401.12973"),
    Paper("icrl-moe",
          "Mixture-of-Experts Meets In-Context Reinforcement Learning",
          "watch an agent look for a hidden goal and see which expert serves which token and task",
          "60 % of the best return by episode 5 on unseen goals; experts tell over .5 nat; dense arm "
          "beside it",
          "tiny worlds", "2506.05426"),
    Paper("preference",
          "Few-shot In-Context Preference Learning Using Large Language Models",
          "rank what agents do and let a language model propose the next rewards",
          "90 % of the optimum within 30 proposals; beats random on 15 of 20 seeds; swapped "
          "preferences hurt",
          "tiny worlds", "2410.17233"),
    Paper("forecasting",
          "TiRex: Zero-Shot Forecasting Across Long and Short Horizons with Enhanced In-Context "
          "Learning",
          "draw or upload a series and see its future as a fan; vary context and contiguous patch "
          "masking",
          "the 80 % band covers 72 to 88 %; masking cuts long-horizon loss by 10 %; seasonal naive is "
          "beaten",
          "forecasting", "2505.23719"),
)
# fmt: on
