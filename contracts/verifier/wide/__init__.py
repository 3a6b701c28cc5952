"""The verifier contract of a wide circuit: what tracks share is one formula in a loop, what rows share one progression."""
