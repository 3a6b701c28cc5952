"""Errors every part of zkpredict raises for input it cannot use. The command line prints the message and exits with 2."""


class UnusableInput(ValueError):
    """Input that cannot be used: the message says what was wrong, where, and what to do."""


class MalformedFile(UnusableInput):
    """A file or byte string that is not the artefact it claims to be."""


class FalseClaim(UnusableInput):
    """A claim that the network's own answer contradicts. The command line exits with 1."""


class UnsupportedNetwork(UnusableInput):
    """A network that no circuit of this version can hold; the message names the layer, row or size."""
