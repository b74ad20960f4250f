"""The terminal: the lab's runs, papers and checks without a browser."""
