"""Circuits with convolutions whose rows of weights are shared by all layers: the cheapest to verify on a chain."""
