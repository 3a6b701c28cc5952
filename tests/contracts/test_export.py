"""The exported Solidity: compiled with the pinned solc, deployed as its manifest says, it predicts like the reference."""

from __future__ import annotations

import json
from functools import cache

import pytest
from networks import probing_images, random_exact, random_network, shipped

from zkpredict.circuits.files.storage import write_atomically
from zkpredict.cli.main import main
from zkpredict.contracts.artifact import Artifact
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.compile import Settings, compile_sources
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.open.exact import predictor as exact_predictor
from zkpredict.contracts.open.export import FORMAT, SolidityExport, export_exact, export_packed
from zkpredict.contracts.open.packed import predictor as packed_predictor
from zkpredict.prover.model import Model


@cache
def compiled(source: str) -> dict[str, Artifact]:
    return compile_sources({"Network.sol": source}, Settings.load())


def deploy(exported: SolidityExport, chain: EmbeddedChain) -> dict[str, str]:
    """Creates the compiled contracts as the manifest says; addresses by name."""
    made: dict[str, str] = {}
    for step in exported.manifest["deploy"]:
        arguments = [[made[name] for name in value] if isinstance(value, list) else made[value] for value in step["arguments"]]
        made[step["create"]] = Contract.deploy(chain, compiled(exported.source)[step["create"]], *arguments)[0].address
    return made


@pytest.mark.parametrize(
    ("network", "export", "predictor", "contracts"),
    [
        (random_network((400, 64, 10), 1), export_packed, packed_predictor, ["Weights0", "Network"]),
        (random_network((12, 9, 4), 2), export_packed, packed_predictor, ["Network"]),
        (random_exact((60, 20, 5), 3), export_exact, exact_predictor, ["Weights0", "Weights1", "Index", "Network"]),
    ],
    ids=["packed", "packed in one", "exact"],
)
def test_exported_contracts_match_reference(network, export, predictor, contracts):
    exported, chain = export(network), EmbeddedChain()
    made = deploy(exported, chain)
    assert list(made) == contracts
    contract = Contract(chain, made["Network"], predictor())
    for image in probing_images(network.shape[0], 4)[:3]:
        assert contract.call("logits", image.tobytes()) == tuple(map(int, network.infer(image[None]).logits[0]))
        assert contract.call("predict", image.tobytes()) == network.predict(image)
    for entry in exported.manifest["weights"]:
        assert len(chain.code(made[entry["contract"]])) == entry["bytes"] + 1


def test_exported_weights_must_be_the_networks_own():
    exported, chain = export_packed(random_network((400, 64, 10), 1)), EmbeddedChain()
    contracts = compiled(exported.source)
    assert Contract.deploy(chain, contracts["Network"], [Contract.deploy(chain, contracts["Weights0"])[0].address])
    for weights, name in (([], "UnevenWeights"), (["0x" + "11" * 20], "WrongWeights")):
        with pytest.raises(Reverted) as refusal:
            Contract.deploy(chain, contracts["Network"], weights)
        assert refusal.value.name == name


def test_the_command_writes_both_files(tmp_path, capsys):
    model, out = tmp_path / "m.model", tmp_path / "new" / "out"
    Model(shipped()).save(model)
    assert main(["export", "--target", "solidity", "--model", str(model), "--out", str(out), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    manifest = json.loads((out / "manifest.json").read_text())
    assert (result["mode"], manifest["mode"], manifest["format"]) == ("packed", "packed", FORMAT)
    assert manifest["shape"] == [784, 64, 10] and [step["create"] for step in manifest["deploy"]][-1] == "Network"
    assert (out / "Network.sol").read_text() == export_packed(shipped()).source
    exact = tmp_path / "e.exact"
    write_atomically(exact, random_exact((6, 3), 1).to_bytes())
    assert main(["export", "--model", str(exact), "--out", str(tmp_path / "exact")]) == 0
    assert "as exact contracts" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--mode", "exact"], "holds an integer network: use --mode packed"),
        (["--model", "missing.model"], "cannot read network missing.model"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path, capsys, arguments, message):
    model = tmp_path / "m.model"
    Model(random_network((4, 2), 1)).save(model)
    assert main(["export", "--model", str(model), "--out", str(tmp_path), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_said(tmp_path, capsys):
    model = tmp_path / "m.model"
    Model(random_network((4, 2), 1)).save(model)
    assert main(["export", "--model", str(model), "--out", str(model / "below")]) == 2
    assert "cannot make the folder" in capsys.readouterr().err
