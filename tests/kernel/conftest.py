"""What the kernel's tests share: refusals are held to their exact message."""

from contextlib import contextmanager

import pytest


@pytest.fixture(scope="session")
def refuses():
    @contextmanager
    def check(error, message):
        with pytest.raises(error) as caught:
            yield
        assert str(caught.value) == message

    return check
