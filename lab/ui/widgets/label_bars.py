"""How probable is each label? Small bars that read as a list without colour or sight."""

import math
from collections.abc import Sequence
from html import escape

from lab.stats.flips import NEAR_TIE_NATS


def label_bars_html(
    labels: Sequence[str],
    probabilities: Sequence[float],
    gold: str = "",
    prediction: str = "",
    margin: float | None = None,
) -> str:
    """Draw one bar a label, the right one marked with ✓, the predicted one bold.

        shares = label_probabilities(row)      # {label: probability}
        html = label_bars_html(list(shares), list(shares.values()), row.gold, row.prediction, row.margin)
        gr.HTML(html, padding=False)

    Args:
        labels: Texts as the model scored them; escaped here.
        probabilities: One a label, 0..1.
        gold: The right label, "" if there is none.
        prediction: The answer; "" takes the likeliest label.
        margin: Nats between the two best labels; None or NaN leaves the line below out.

    Raises:
        ValueError: If there are not as many probabilities as labels, or one lies outside 0..1.
    """
    if len(labels) != len(probabilities):
        raise ValueError(f"probabilities must be one a label ({len(labels)}), got {len(probabilities)}")
    wrong = [p for p in probabilities if not -1e-6 <= p <= 1 + 1e-6]
    if wrong:
        raise ValueError(f"probabilities must lie in 0..1, got {wrong[0]}")
    if not labels:
        return '<p class="lab-bars-note">No labels are scored here.</p>'
    best = prediction or labels[max(range(len(labels)), key=lambda i: probabilities[i])]
    rows = [
        _bar(label, p, label == gold, label == best, bool(gold))
        for label, p in zip(labels, probabilities, strict=True)
    ]
    return f'<ul class="lab-bars">{"".join(rows)}</ul>{_margin(margin)}'


def _bar(label: str, p: float, is_gold: bool, is_best: bool, has_gold: bool) -> str:
    state = "right" if is_gold else "wrong" if has_gold else "plain"
    classes = f"lab-bar-row lab-bar-{state}" + (" lab-bar-best" if is_best else "")
    words = (", predicted" if is_best else "") + (", right answer" if is_gold else "")
    mark, width = "✓" if is_gold else "", 100 * min(max(p, 0.0), 1.0)
    return (
        f'<li class="{classes}"><span class="lab-bar-label"><bdi>{escape(label)}</bdi>'
        f'<span class="lab-bar-mark" aria-hidden="true">{mark}</span>'
        f'<span class="lab-sr">{words}</span></span>'
        f'<span class="lab-bar-track" aria-hidden="true"><span style="width:{width:.1f}%"></span></span>'
        f'<span class="lab-bar-value">{100 * p:.0f} %</span></li>'
    )


def _margin(margin: float | None) -> str:
    if margin is None or math.isnan(margin):
        return ""
    tie = " (a near-tie: rounding alone could flip it)" if margin < NEAR_TIE_NATS else ""
    return f'<p class="lab-bars-note">Margin {margin:.2f} nats{tie}.</p>'
