"""Makes the digit pictures of this folder again from the test images of the repository: python examples/make.py"""

from pathlib import Path

from PIL import Image

from zkpredict.circuits.files.idx import read_image

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "tests" / "data" / "t10k-images-idx3-ubyte.gz"
DIGITS = {"seven": 0, "two": 1, "zero": 3, "unlike-five": 8}

for name, index in DIGITS.items():
    Image.fromarray(read_image(IMAGES, index)).save(HERE / f"{name}.png", optimize=True)
