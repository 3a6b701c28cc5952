"""Solidity verifiers of circuits of the second edition."""
