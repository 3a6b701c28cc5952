"""Files of inputs."""

import pytest
from PIL import Image


@pytest.fixture
def save(tmp_path):
    """Writes bytes or a Pillow image to a file of that name and returns its path."""

    def write(name: str, content, **options):
        path = tmp_path / name
        content.save(path, **options) if isinstance(content, Image.Image) else path.write_bytes(content)
        return path

    return write
