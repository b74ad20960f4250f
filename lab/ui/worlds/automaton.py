"""A language in hand: its automaton, a string that a click continues, and what the learner writes next."""

from html import escape
from typing import Any

import gradio as gr

from lab.figures import automaton_graph, profile_lines
from lab.figures.automaton import Edge, state_places, symbol_place
from lab.ui.opened import Opened
from lab.ui.run_controls import QUIET
from lab.ui.widgets.markup import note, stat_tiles
from lab.ui.widgets.plot_click import PlotClick
from lab.ui.worlds.along import title_at, training
from lab.ui.worlds.rooms import Room, kept_of, room_of
from lab.ui.worlds.view import View
from lab.ui.worlds.watch import NOT_KEPT, plotted
from lab.worlds.automata import Automata
from lab.worlds.exact.ngrams import of_symbols
from lab.worlds.languages import Language, Written, counted, draw, expected, string_of, write
from lab.worlds.shelf import Kept
from lab.worlds.strings import words_of

ABOUT = (
    "**Does the learner know what may come?** It reads whole strings of a language that it never met, and "
    "goes on. The automaton, which it can't see, tells whether each symbol may stand there. Click a state "
    "that can be reached, a symbol or a bar to go on with the string yourself."
)
N_SHOWN = 3
_NEAR = 0.16  # of a click to the middle of a state or a symbol
_CODE = '<code style="overflow-wrap:anywhere;white-space:normal">'
_STYLES = {True: "", False: "text-decoration:underline wavy #d55e00;font-weight:700", None: "opacity:.55"}


def suits(room: Room) -> bool:
    """Tell whether sequences of a world are strings of automata."""
    return room.world is Automata


def build(opened: gr.State) -> View:
    """Place the part inside the current block."""
    gr.Markdown(ABOUT, elem_id="worlds-automaton-about")
    with gr.Row():
        number = gr.Slider(
            1, 50, 1, step=1, label="Language", elem_id="worlds-automaton-number",
            info="Each has an automaton of its own.",
        )  # fmt: skip
        step = training("worlds-automaton-step")
        string = gr.Textbox(
            "", label="The string so far", elem_id="worlds-automaton-string",
            info="Letters, or none; then what follows is asked.",
        )  # fmt: skip
    with gr.Row():
        go_on = gr.Button("Let it write on", variant="primary", elem_id="worlds-automaton-write")
        anew = gr.Button("Begin a new string", elem_id="worlds-automaton-anew")
    told = gr.HTML(elem_id="worlds-automaton-told", padding=False)
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320):
            graph = gr.Plot(show_label=False, label="Automaton", elem_id="worlds-automaton")
        with gr.Column(min_width=320):
            bars = gr.Plot(show_label=False, label="What comes next", elem_id="worlds-automaton-next")
    on_graph, on_bars = PlotClick("worlds-automaton"), PlotClick("worlds-automaton-next")
    inputs, outputs = [opened, number, step, string], [told, graph, bars]

    def look(run: Opened | None, number: float, share: float, text: str) -> list[Any]:
        return _drawn(run, number, share, text, is_writing=False)

    def let_write(run: Opened | None, number: float, share: float, text: str) -> list[Any]:
        return _drawn(run, number, share, text, is_writing=True)

    def walk(run: Opened | None, number: float, text: str, event: gr.EventData) -> str:
        kept = _kept(run)
        return text if kept is None else continued(_language(kept, number), text, event.x, event.y)

    gr.on([string.input, string.submit, step.change], look, inputs, outputs, **QUIET)
    number.change(lambda: "", None, string, **QUIET).then(look, inputs, outputs, **QUIET)
    anew.click(lambda: "", None, string, **QUIET).then(look, inputs, outputs, **QUIET)
    go_on.click(let_write, inputs, outputs, **QUIET)
    for clicked in (on_graph, on_bars):
        clicked.select(walk, [opened, number, string], string, **QUIET).then(look, inputs, outputs, **QUIET)
    return View([number, step, string], outputs, lambda sight, *given: look(sight.run, *given))


def continued(language: Language, text: str, x: Any, y: Any) -> str:
    """Add the symbol that a click means: a bar's, an edge's, or that of the edge to a state.

    Args:
        language: Which.
        text: The string so far.
        x: A letter where a bar was clicked, else where the click was along the graph.
        y: Where it was upwards.

    Returns:
        The string; as it was where the click means nothing that may come.
    """
    words = words_of(language.n_symbols)
    try:
        here = language.path(string_of(text, language, len(text) + 1))[-1]
    except ValueError:
        return text
    after = language.edges(here)
    if isinstance(x, str):
        return text.strip() + x if x in [words[symbol] for symbol in after] else text
    if not all(isinstance(each, int | float) for each in (x, y)):
        return text
    places = state_places(len(language.following))
    for symbol, state in after.items():
        targets = (places[state], symbol_place(places[here], places[state]))
        if any(abs(x - across) < _NEAR and abs(y - up) < _NEAR for across, up in targets):
            return text.strip() + words[symbol]
    return text


def _drawn(run: Opened | None, number: float, share: float, text: str, is_writing: bool) -> list[Any]:
    if run is None or not suits(room_of(run)):
        return ["", plotted(None), plotted(None)]
    kept = kept_of(run)
    if kept is None:
        return [note("info", NOT_KEPT), plotted(None), plotted(None)]
    language = _language(kept, number)
    try:
        string = string_of(text, language, kept.world.settings.n_tokens - len(language.context) - 2)
    except ValueError as error:
        return [note("warn", str(error)), plotted(None), plotted(None)]
    return seen(kept, share, language, string, is_writing)


def seen(kept: Kept, share: float, language: Language, string: list[int], is_writing: bool) -> list[Any]:
    """Return what is told and drawn of a learner, a language and a string of it."""
    import torch

    world = kept.world
    assert isinstance(world, Automata)
    step, learner = kept.at(share)
    with torch.no_grad():
        p = of_symbols(expected(world, learner, language, string)).tolist()
        written = write(world, learner, language, string) if is_writing else None
    told = context_html(language, string, written)
    return [told, plotted(graph_of(language, string, p)), plotted(_bars(kept, step, language, string, p))]


def graph_of(language: Language, string: list[int], p: list[float]) -> Any:
    """Draw the automaton where a string leads; `p` is what the learner expects, if the string goes on."""
    words, here = words_of(language.n_symbols), language.path(string)[-1]
    edges = []
    for start in range(len(language.following)):
        after = language.edges(start)
        for symbol, end in after.items():
            says = f"; the learner says {p[symbol]:.0%}" if start == here else ""
            edges.append(Edge(start, end, words[symbol], f"{start} → {end}: 1 of {len(after)}{says}"))
    may = " or ".join(words[symbol] for symbol in language.edges(here))
    legal = sum(p[symbol] for symbol in language.edges(here))
    so_far = "".join(words[symbol] for symbol in string)
    title = (
        f"{f'After {so_far}' if so_far else 'At the start'} it is in state {here}: next comes {may}. The "
        f"learner gives {legal:.0%} to what may come"
    )
    return automaton_graph(len(language.following), edges, here, title)


def _bars(kept: Kept, step: int, language: Language, string: list[int], p: list[float]) -> Any:
    after = language.edges(language.path(string)[-1])
    truth = [float(symbol in after) / len(after) for symbol in range(language.n_symbols)]
    lines = {"learner": p, "automaton": truth}
    lines |= {f"{order}-gram": of_symbols(counted(language, string, order)).tolist() for order in (2, 3)}
    apart = sum(abs(ours - right) for ours, right in zip(p, truth, strict=True)) / 2
    title = title_at(f"The learner is {apart:.2f} from the automaton (total variation)", step, kept)
    names = words_of(language.n_symbols)[:-1]
    return profile_lines(names, lines, title, "what comes next", "probability, if the string goes on")


def context_html(language: Language, string: list[int], written: dict[str, Written] | None) -> str:
    """Show what is read, and what was written after it: what may not stand there is underlined."""
    words = words_of(language.n_symbols)
    read = escape("".join(words[token] for token in language.context))
    begun = escape("".join(words[token] for token in string))
    lines = [f"<p><b>It reads</b> {_CODE}{read}</code> <b>{begun or '…'}</b></p>"]
    if written is None:
        return "".join(lines)
    learner = written["learner"]
    for row, verdicts in list(zip(learner.rows, learner.verdicts, strict=True))[:N_SHOWN]:
        marked = "".join(
            f'<span style="{_STYLES[verdict]}">{escape(words[token])}</span>'
            for token, verdict in zip(row, verdicts, strict=True)
        )
        lines.append(f"<p><b>It writes</b> {_CODE}{begun}{marked}</code></p>")
    lines.append(
        "<p>Underlined: may not come there. Pale: not judged, because the string left the language.</p>"
    )
    tiles = [
        (f"May come, {name}", f"{each.share_legal:.0%}", f"of {each.n_judged} symbols")
        for name, each in written.items()
        if each.n_judged
    ]
    return stat_tiles(tiles) + "".join(lines)


def _language(kept: Kept, number: float) -> Language:
    world = kept.world
    assert isinstance(world, Automata)
    return draw(world, max(1, min(50, int(number))))


def _kept(run: Opened | None) -> Kept | None:
    return kept_of(run) if run is not None and suits(room_of(run)) else None
