"""Contracts that act on predictions: blocks they share, one folder of Solidity and one small client module for each system."""
