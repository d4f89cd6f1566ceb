"""The load generator, and what the program is measured with. Run `python -m bench.measure`."""
