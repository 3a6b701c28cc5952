"""Errors every part of zkpredict raises for input it cannot use. The command line prints the message and exits with 2."""


class UnusableInput(ValueError):
    """Input that cannot be used: the message says what was wrong, where, and what to do."""


class MalformedFile(UnusableInput):
    """A file or byte string that is not the artefact it claims to be."""


class FalseClaim(UnusableInput):
    """A claim that the network's own answer contradicts. The command line exits with 1."""


class UnsupportedNetwork(UnusableInput):
    """A network that no circuit of this version can hold; the message names the layer, row or size."""


def bits(value: int) -> str:
    """A bound on the magnitude of `value` that tells no more than its bits: "2^k", the smallest power of two that it does not pass.

    For messages: exact worst cases are sums over a row of private weights.
    """
    return f"2^{bit_bound(value)}"


def bit_bound(value: int) -> int:
    """The smallest k with |value| <= 2^k."""
    return max(abs(value) - 1, 0).bit_length()
