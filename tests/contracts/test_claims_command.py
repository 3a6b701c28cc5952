"""Commands about proofs of every claim, about hidden inputs and for somebody: what `chain verify`, `calldata` and `contract` say of them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from eth_utils import keccak
from wide_cases import proven

from zkpredict.cli.main import main
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.compile import Settings, compile_sources
from zkpredict.prover.hiding import hide
from zkpredict.prover.prove import prove

JOB = "job 17"
CONTEXT = keccak(JOB.encode())


@pytest.fixture
def ran(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str]:
        code = main([*map(str, arguments)]) or 0
        found = capsys.readouterr()
        return code, found.out + found.err

    return run


def placed(case, folder, proof=None):
    """The case as the files that commands take."""
    case.model.commitment.save(folder / "c")
    (folder / "p").write_bytes((proof or case.proof).to_bytes())
    if case.case.hidden:
        case.checked.save(folder / "h")
    else:
        np.save(folder / "i.npy", case.image)
    return case


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("rational, margin, pairing", ("--pairing",), lambda case: f"says {case.proof.digit}, which leads every other class by at least 100."),
        ("threshold, double lanes", (), lambda case: "gives an output of at least -1,000,000,000."),
        ("logits", (), lambda case: f"says {case.proof.digit}, with the logits {', '.join(f'{value:,}' for value in case.proof.outputs)}."),
    ],
)
def test_each_claim_is_said_in_words_and_in_json(ran, tmp_path, name, options, words):
    case = placed(proven(name), tmp_path)
    code, said = ran("chain", "verify", "i.npy", "p", "--commitment", "c", *options)
    assert code == 0 and f"the network under {case.model.commitment.model_id.hex()[:16]}... {words(case)}\n" in said
    code, said = ran("chain", "verify", "i.npy", "p", "--commitment", "c", *options, "--json")
    facts = json.loads(said)
    outputs = {"outputs": list(case.proof.outputs)} if case.proof.outputs else {}
    claimed = {"valid": True, "digit": case.proof.digit, "claim": str(case.model.commitment.circuit.claim)} | outputs
    assert code == 0 and facts.items() >= claimed.items() and ("outputs" in facts) == bool(outputs)
    code, said = ran("calldata", "i.npy", "p", "--commitment", "c", *options, "--only", "javascript")
    assert code == 0 and f'"the network {words(case)[:-1]}"' in said


def test_a_hidden_input_is_checked_on_a_chain_for_somebody(ran, tmp_path):
    wide = proven("hidden")
    case = placed(wide, tmp_path, prove(wide.model, wide.opened, context=CONTEXT))
    state = ("--state", "chain.json")
    made = json.loads(ran("chain", "deploy", "--verifier", "--commitment", "c", *state, "--json")[1])["contract"]
    assert ran("chain", "register", "--commitment", "c", "--contract", made, *state)[0] == 0
    question = ("chain", "verify", "p", "--hidden", "h", "--commitment", "c", "--contract", made, *state)
    code, said = ran(*question, "--for", JOB)
    assert code == 0 and f"  context      {CONTEXT.hex()}: valid under no other\n" in said and "  hidden       commitment sha256 " in said
    facts = json.loads(ran(*question, "--context", CONTEXT.hex(), "--json")[1])
    assert facts["valid"] and facts["context"] == CONTEXT.hex() and "image_sha256" not in facts and len(facts["hidden_sha256"]) == 64
    for context in ((), ("--for", "job 18"), ("--context", "00" * 32)):
        code, said = ran(*question, *context)
        assert code == 1 and said.startswith("INVALID: OpeningFailed\n  the proof was made for other inputs, for another answer or --context, ")
    hide(case.image, 2048).hidden.save(tmp_path / "h2")
    code, said = ran("chain", "verify", "p", "--hidden", "h2", "--commitment", "c", "--contract", made, *state)
    assert (code, said) == (1, "INVALID: the hidden input has 20 bytes on 2048 rows, the circuit takes 20 on 1024\n")
    np.save(tmp_path / "i.npy", case.image)
    code, said = ran("chain", "verify", "i.npy", "p", "--commitment", "c", "--contract", made, *state)
    assert (code, said) == (2, "zkpredict: c is for hidden inputs: give the proof alone, and --hidden FILE\n")
    # as calldata
    call = ("calldata", "p", "--hidden", "h", "--commitment", "c")
    code, data = ran(*call, "--for", JOB, "--only", "call")
    assert code == 0 and case.contract.chain.call(case.contract.address, bytes.fromhex(data[2:])) == b""
    facts = json.loads(ran(*call, "--for", JOB, "--call", "verify", "--json")[1])
    assert (facts["function"], facts["context"]) == ("verifyFor", CONTEXT.hex())
    assert int.from_bytes(case.contract.chain.call(case.contract.address, bytes.fromhex(facts["call"][2:])), "big") == 1
    assert ran(*call)[0] == 1
    code, said = ran(*call, "--for", JOB, "--call", "answer", "--job", "0x" + "00" * 32)
    assert code == 2 and "--call answer takes no context: PaidPrediction's jobs are a provider's already" in said
    # as snippets
    _, text = ran(*call, "--for", JOB, "--only", "solidity")
    example = Contract.deploy(case.contract.chain, compile_sources({"Example.sol": text}, Settings.load())["Example"])[0]
    assert example.call("check", case.contract.address) is None
    _, text = ran(*call, "--for", JOB, "--only", "javascript")
    assert "// verifyFor(bytes32 modelId, bytes image, uint256 digit, bytes proof, bytes32 context) returns (bool)\n" in text
    # as files
    assert ran("contract", "--commitment", "c", "--out", "files")[0] == 0
    note = (tmp_path / "files" / "DEPLOY.md").read_text(encoding="utf-8")
    assert "`verifyFor` or `verifyForOrRevert`" in note and "`image` is the commitment of a hidden input: its points, 96 bytes each." in note
