"""The public vectors: current, of the right kinds, and true: a changed file is stale, a changed multiple fails the pairing equation."""

import json

import pytest

from zkpredict.contracts.verifier.vectors import stored_statement
from zkpredict.tools import vectors
from zkpredict.tools.vectors import FOLDER, FUNCTIONS, VALID, Parts, text_of

KINDS = {
    "MalformedProof": (
        "empty", "cut", "a byte more", "another magic", "a point at infinity", "a point off the curve", "a point outside the subgroup",
        "a point not compressed", "a coordinate not below p", "scalar limb is r",
    ),
    "WrongStatement": ("another model id", "no such class", "a pixel less", "a pixel more", "another model's proof"),
    "FailedOpening": (
        "another digit", "another pixel", "points limb and horner swapped", *(f"point {name} negated" for name in vectors.POINTS),
        *(f"scalar {name} plus one" for name in vectors.SCALARS),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_vectors_are_current(name):
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == text_of(name)


def test_a_changed_file_is_stale(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(vectors, "FOLDER", tmp_path)
    monkeypatch.setattr(vectors, "FUNCTIONS", {"transcript": vectors.transcript_vectors})
    assert vectors.main([]) == 0 and vectors.main(["--check"]) == 0
    path = tmp_path / "transcript.json"
    path.write_text(path.read_text().replace("0x", "0x1", 1))
    assert vectors.main(["--check"]) == 1
    assert capsys.readouterr().out == "1 files are written\n1 files are current\ntranscript.json is stale\n"


def test_every_kind_of_refusal_has_its_forgeries():
    found = {case["why"]: case["error"] for case in json.loads((FOLDER / "proof.json").read_text())["invalid"]}
    expected = {why: kind for kind, reasons in KINDS.items() for why in reasons}
    aliases = {why: kind for why, kind in found.items() if "written otherwise" in why}
    assert found == expected | aliases and set(aliases.values()) == {"MalformedProof"}


@pytest.mark.parametrize("name", VALID, ids=lambda name: f"{name[0]} {name[1]}")
def test_every_multiple_of_a_fold_counts(name):
    parts = Parts(stored_statement(*name))
    assert parts.holds() and len(parts.multiples) == len(parts.statement.commitment.rows) + 10
    for point in parts.multiples:
        multiples = dict(parts.multiples)
        parts.multiples[point] += 1
        assert not parts.holds(), point
        parts.multiples = multiples


def test_mistakes_give_other_values():
    """A vector that a wrong reading would pass shows nothing."""
    found = json.loads((FOLDER / "transcript.json").read_text())
    for case, wrong in zip(found["valid"], found["invalid"], strict=True):
        for mistake, value in wrong.items():
            if mistake != "given":
                assert value != case["challenges"][mistake.rsplit(": ", 1)[1]], mistake
    linear = json.loads((FOLDER / "linearisation.json").read_text())
    assert all(one["constant"] != other["constant"] for one, other in zip(linear["valid"], linear["invalid"], strict=True))


def test_the_independent_verifier_says_the_same():
    """One of each kind, and what it would say if one said something else; making the files asks about all of them."""
    found = json.loads((FOLDER / "proof.json").read_text())
    kinds = list({case["error"]: case for case in found["invalid"]}.values())
    vectors.check_independently([found["valid"][0], *kinds])
    with pytest.raises(AssertionError, match="the verifiers disagree about cut: FailedOpening, MalformedProof"):
        vectors.check_independently([found["invalid"][1] | {"error": "FailedOpening"}])
    with pytest.raises(AssertionError, match="the verifiers disagree about a valid proof: accepted, FailedOpening"):
        vectors.check_independently([next({k: v for k, v in case.items() if k not in ("error", "why")} for case in kinds if case["error"] == "FailedOpening")])
