"""The ideas that circuits are made of, one file each. `gates` is the registry of activations; `circuits.placement` places them all."""
