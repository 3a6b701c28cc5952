"""What the kernel's tests share: refusals are held to their exact message."""

from contextlib import contextmanager

import pytest
from hypothesis import settings

# Times belong to kernel/timings.py; a busy machine must not fail a test of values.
settings.register_profile("kernel", deadline=None)
settings.load_profile("kernel")


@pytest.fixture(scope="session")
def refuses():
    @contextmanager
    def check(error, message):
        with pytest.raises(error) as caught:
            yield
        assert str(caught.value) == message

    return check
