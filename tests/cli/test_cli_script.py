"""`zkpredict script` at its edges: options that would be ignored, and idx files without an image or with other labels."""

import pytest
from cli_desk import SPEND, expect_refusal


@pytest.fixture
def scripts(run, desk):
    """An open script and a pot of the desk's model."""
    point = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    terms = ["--digit", desk.digit, "--claimant", point, "--owner", point, "--refund-after", 900_000]
    paths = desk.folder / "open.script", desk.folder / "pot.script"
    for path, options in zip(paths, ([], terms)):
        assert run("script", "build", desk.model, "--out", path, *options).code == 0
    return paths


@pytest.mark.parametrize("option", ["--key", "--signature"])
def test_nothing_is_signed_for_a_script_that_is_no_pot(run, desk, scripts, option):
    spend = ["script", "spend", scripts[0], desk.image, *SPEND, "--digit", desk.digit, "--out", desk.folder / "tx"]
    message = f"{option} does not go with SCRIPT {scripts[0]}: it is no pot, so nothing is signed"
    expect_refusal(desk, desk.contents(), run(*spend, option, "07" * 32), message)
    assert run(*spend).code == 0


@pytest.mark.parametrize(
    ("options", "name"), [(["i.png"], "IMAGE"), (["--idx", "i.idx"], "--idx"), (["--index", 0], "--index"), (["--digit", 0], "--digit")]
)
def test_a_refund_shows_nothing(run, desk, scripts, options, name):
    refund = ["script", "spend", scripts[1], *SPEND, "--refund-at", 900_000, "--out", desk.folder / "tx"]
    message = f"{name} does not go with --refund-at: a refund shows no image and claims no digit"
    expect_refusal(desk, desk.contents(), run(*refund[:3], *options, *refund[3:]), message)
    assert run(*refund).out.startswith("Sign this digest with the owner's key")


def idx(*sizes: int) -> bytes:
    count = 1
    for size in sizes:
        count *= size
    return bytes([0, 0, 8, len(sizes)]) + b"".join(size.to_bytes(4, "big") for size in sizes) + bytes(count)


def test_bench_needs_images_and_a_label_for_each(run, desk):
    none, two, one = (desk.folder / name for name in ("none", "two", "one"))
    for path, sizes in ((none, (0, 6, 6)), (two, (2, 6, 6)), (one, (1,))):
        path.write_bytes(idx(*sizes))
    before = desk.contents()
    bench = ["script", "bench", desk.model, "--idx"]
    expect_refusal(desk, before, run(*bench, none), f"{none} holds no image")
    expect_refusal(desk, before, run(*bench, two, "--labels", one), f"{two} holds 2 images, {one} 1 labels")
