"""Speed and memory on the machine at hand, against peers, in one run: `make bench [ONLY=name]`."""
