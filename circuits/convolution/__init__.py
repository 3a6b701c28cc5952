"""Wide circuits with convolutions: kernels are committed once, whatever the number of positions."""
