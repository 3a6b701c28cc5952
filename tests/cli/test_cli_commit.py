"""commit: secrets into the model, the rest into the open."""

import stat

import numpy as np
from cli_desk import expect_refusal

from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.prover.model import Model
from zkpredict.verifier.commitment import ModelCommitment


def test_commit_writes_secrets_into_the_model_and_the_rest_into_the_open(run, desk, committed):
    Model(committed.network).save(desk.model)
    desk.commitment.unlink()
    outcome = run("commit", "--model", desk.model, "--out", desk.commitment)
    assert (outcome.code, outcome.err) == (0, "")
    model, public = Model.load(desk.model), ModelCommitment.load(desk.commitment)
    assert model.commitment == public != committed.commitment
    lines = outcome.out.splitlines()
    assert lines[0].startswith(f"Model 36-12-4 is committed under {public.model_id.hex()}, made in ")
    assert lines[1] == f"  public    {desk.commitment}: {len(public.rows)} row commitments over 1024 rows"
    assert stat.S_IMODE(desk.model.stat().st_mode) == 0o600 and stat.S_IMODE(desk.commitment.stat().st_mode) == 0o644
    for secret in model.secrets:
        assert secret.to_bytes(32, "big") in desk.model.read_bytes()
        assert secret.to_bytes(32, "big") not in desk.commitment.read_bytes() and str(secret) not in outcome.out
    proven = run("prove", desk.image, "--model", desk.model, "--out", desk.proof)
    assert proven.code == run("verify", desk.image, desk.proof, "--commitment", desk.commitment).code == 0


def test_commit_twice_writes_the_same_commitment_unless_told(run, desk, committed):
    before = desk.contents()
    desk.commitment.unlink()
    outcome = run("commit", "--model", desk.model, "--out", desk.commitment)
    assert " (already made: written again)." in outcome.out.splitlines()[0] and desk.contents() == before
    said = run("commit", "--model", desk.model, "--out", desk.commitment, "--again", "--json").json
    assert set(said.pop("seconds")) == {"commit"}
    public = ModelCommitment.load(desk.commitment)
    assert public != committed.commitment and Model.load(desk.model).commitment == public
    assert said == {
        "model_id": public.model_id.hex(),
        "network": "36-12-4",
        "placement": "compact",
        "domain": 1024,
        "claim": "class",
        "rows": len(public.rows),
        "commitment": str(desk.commitment),
    }
    assert run("verify", desk.image, desk.proof, "--commitment", desk.commitment).code == 1


def test_commit_on_another_domain_only_when_told(run, desk):
    before = desk.contents()
    outcome = run("commit", "--model", desk.model, "--out", desk.commitment, "--domain", 2048)
    message = f"{desk.model} is committed on another domain: add --again to replace its commitment"
    expect_refusal(desk, before, outcome, message)
    assert run("commit", "--model", desk.model, "--out", desk.commitment, "--domain", 1024).code == 0
    assert desk.contents() == before
    assert run("commit", "--model", desk.model, "--out", desk.commitment, "--domain", 2048, "--again").code == 0
    assert ModelCommitment.load(desk.commitment).circuit.domain == 2048
    assert run("prove", desk.image, "--model", desk.model, "--out", desk.proof).code == 0
    assert run("verify", desk.image, desk.proof, "--commitment", desk.commitment).code == 0


def test_commit_refuses_networks_by_layer_and_row(run, desk):
    huge = DenseLayer(np.array([[1], [40000]]), np.array([0, 0]))
    Model(IntegerNetwork((huge, DenseLayer(np.array([[1, 1]]), np.array([0]))))).save(desk.model)
    before = desk.contents()
    outcome = run("commit", "--model", desk.model, "--out", desk.folder / "new")
    expect_refusal(desk, before, outcome, f"{desk.model} cannot be proven: layer 0 row 1 reaches up to 2^24 on some input, the limit is 32767")


def test_commit_to_the_second_edition_when_asked_for(run, desk, committed):
    """The same network, proven and verified there; proofs of either edition are refused for the other."""
    before = desk.contents()
    first = desk.commitment.read_bytes()
    refusal = run("commit", "--model", desk.model, "--out", desk.commitment, "--edition", 2, "--placement", "wide")
    expect_refusal(desk, before, refusal, "--placement does not go with --edition: it says which compact placement", code=2)
    message = f"{desk.model} is committed in another placement: add --again to replace its commitment"
    expect_refusal(desk, before, run("commit", "--model", desk.model, "--out", desk.commitment, "--edition", 2), message)
    said = run("commit", "--model", desk.model, "--out", desk.commitment, "--edition", 2, "--again", "--json").json
    assert (said["placement"], said["domain"], said["rows"]) == ("compact-2", 1024, 2)
    assert run("verify", desk.image, desk.proof, "--commitment", desk.commitment).code == 1
    assert run("prove", desk.image, "--model", desk.model, "--out", desk.proof, "--force").code == 0
    for more in ((), ("--independent",)):
        assert run("verify", desk.image, desk.proof, "--commitment", desk.commitment, *more).code == 0
    shown = run("inspect", desk.commitment).out
    assert "compact-2" in shown and "25" in shown
    desk.commitment.write_bytes(first)
    assert run("verify", desk.image, desk.proof, "--commitment", desk.commitment).code == 1


def test_commit_for_a_chain_takes_the_second_edition_where_it_fits(run, desk):
    assert run("commit", "--model", desk.model, "--out", desk.commitment, "--for", "chain", "--again").code == 0
    assert ModelCommitment.load(desk.commitment).circuit.to_bytes()[:5] == b"zkpC\x04"
    assert run("commit", "--model", desk.model, "--out", desk.commitment, "--for", "proof", "--again").code == 0
    assert ModelCommitment.load(desk.commitment).circuit.to_bytes()[:5] == b"zkpC\x01"
