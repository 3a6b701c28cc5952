"""Batches: several inputs of one model in one wide proof, side by side on a track and on further tracks."""
