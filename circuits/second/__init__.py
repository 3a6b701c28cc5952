"""The second edition of compact circuits (docs/second-edition.md): fewer points to sum, so the cheapest to verify on-chain."""
