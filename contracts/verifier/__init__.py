"""The on-chain verifier of one circuit shape: Solidity made from the same constraint expressions as the Python verifiers."""
