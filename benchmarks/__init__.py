"""Measurements: medians of several runs, whole processes where that is what a user waits for."""
