"""Times belong to kernel/timings.py; a busy machine must not fail a test of values."""

from hypothesis import settings

settings.register_profile("kernel", deadline=None)
settings.load_profile("kernel")
