"""Which figures each experiment shows."""


def position_figures(*args):
    return {}


def order_figures(*args):
    return {}


def factorial_figures(*args):
    return {}


def protocol_figures(*args):
    return {}
