"""Figures: pure functions from results to plotly. Each title is a finding; nothing is measured here."""

from lab.figures.accuracy import accuracy_bars, accuracy_by_task, prediction_change_bars
from lab.figures.automaton import automaton_graph
from lab.figures.flows import margin_flip_curve, transitions_sankey
from lab.figures.growth import attention_map, growth_curves, matrices, profile_lines, seed_bands
from lab.figures.heads import head_map, stream_map
from lab.figures.orders import entropy_scatter, influence_curve, order_distribution
from lab.figures.scatter import scatter_plot
from lab.figures.sweep import sweep_map, twin_maps
from lab.figures.variance import variance_bars

__all__ = [
    "accuracy_bars",
    "accuracy_by_task",
    "attention_map",
    "automaton_graph",
    "entropy_scatter",
    "growth_curves",
    "head_map",
    "influence_curve",
    "margin_flip_curve",
    "matrices",
    "order_distribution",
    "prediction_change_bars",
    "profile_lines",
    "scatter_plot",
    "seed_bands",
    "stream_map",
    "sweep_map",
    "transitions_sankey",
    "twin_maps",
    "variance_bars",
]
