"""What ships is current: artefacts are what the pinned solc makes of the sources, gas.csv is what the contracts cost."""

from __future__ import annotations

import pytest
from eth_utils import keccak
from support import refuses

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.contracts import checkout, gas
from zkpredict.contracts import compile as compiler
from zkpredict.contracts.artifact import Artifact, load
from zkpredict.contracts.chain.interface import MAX_CODE_BYTES
from zkpredict.contracts.compile import NODE_MODULES_VARIABLE, Settings, Unit, compile_sources, units
from zkpredict.contracts.verifier import gas as verifier_gas, vectors

EMPTY = "// SPDX-License-Identifier: MIT\npragma solidity 0.8.37;\n"


PLAIN = units()[0]
SHIPPED = [(unit, name) for unit in units() for name in unit.shipped()]


@pytest.mark.parametrize("unit", units(), ids=lambda unit: unit.name)
def test_artifacts_are_current(unit):
    assert compiler.differences(unit) == []


def test_every_artifact_is_made_by_a_unit(monkeypatch):
    assert compiler.orphans() == []
    monkeypatch.setattr(Unit, "shipped", lambda unit: ())
    assert "ExactPredictor.json is made by nothing" in compiler.orphans()


def test_a_changed_source_is_noticed(monkeypatch):
    sources = PLAIN.sources()
    sources["ExactPredictor.sol"] = sources["ExactPredictor.sol"].replace("i = 1; i < values", "i = 0; i < values")
    monkeypatch.setattr(Unit, "sources", lambda unit: sources)
    assert compiler.differences(PLAIN) == ["ExactPredictor.json is stale"]


@pytest.mark.parametrize(("unit", "name"), SHIPPED, ids=[name for _, name in SHIPPED])
def test_artifacts_say_how_they_were_made_and_fit(unit, name):
    artifact, settings = load(name), unit.settings
    assert (artifact.name, artifact.compiler, artifact.settings) == (name, settings.compiler, settings.settings)
    assert len(artifact.runtime) <= MAX_CODE_BYTES and artifact.abi
    assert Artifact.from_json(artifact.to_json()) == artifact


def test_artifacts_that_are_none_are_refused():
    with pytest.raises(UnusableInput, match="no compiled contract is called Nothing"):
        load("Nothing")
    for text in ("", "{}", '{"name": 1}'):
        with pytest.raises(MalformedFile, match="contract artefact"):
            Artifact.from_json(text)


def test_arguments_are_checked_before_anything_is_sent():
    artifact = load("PackedPredictor")
    with pytest.raises(UnusableInput, match=r"has no function called guess; it has .*predict\(bytes\)"):
        artifact.encode("guess")
    with pytest.raises(UnusableInput, match=r"PackedPredictor.predict takes 1 arguments \(bytes\), got 0"):
        artifact.encode("predict")
    with pytest.raises(UnusableInput, match="PackedPredictor.predict: "):
        artifact.encode("predict", 5)
    with pytest.raises(MalformedFile, match="returned 3 bytes that are not"):
        artifact.decode("predict", b"abc")


def test_what_a_contract_answers_is_decoded_or_refused(probe):
    """Strings that are no UTF-8 and records of another form: contracts are strangers too."""
    said = keccak(text="Error(string)")[:4]
    text = (32).to_bytes(32, "big") + (2).to_bytes(32, "big")
    assert probe.decode_error(said + text + b"no".ljust(32, b"\0")) == ("Error", ("no",))
    assert probe.decode_error(said + text + b"\xff\xfe".ljust(32, b"\0")) == ("", ())
    stored, by = keccak(text="Stored(address,uint256,bytes)"), b"\x11".rjust(32, b"\0")
    data = (7).to_bytes(32, "big") + (64).to_bytes(32, "big") + bytes(32)
    assert probe.decode_event((stored, by), data) == ("Stored", {"by": f"0x{by[12:].hex()}", "value": 7, "note": b""})
    for topics, record in (((stored, by), data[:40]), ((stored,), data), ((stored, by, by), data), ((stored, b"\xff" * 32), data)):
        with pytest.raises(MalformedFile, match="^Probe has no such Stored event: "):
            probe.decode_event(topics, record)


def test_the_compiler_refuses_warnings_and_other_versions(monkeypatch, tmp_path):
    with pytest.raises(UnusableInput, match="Unused local variable"):
        compile_sources({"A.sol": EMPTY + "contract A { function f() external pure { uint256 x; } }"}, Settings.load())
    with pytest.raises(UnusableInput, match="ParserError"):
        compile_sources({"A.sol": EMPTY + "contract"}, Settings.load())
    (tmp_path / "solc").mkdir()
    (tmp_path / "solc" / "package.json").write_text('{"version": "0.8.1"}')
    monkeypatch.setenv(NODE_MODULES_VARIABLE, str(tmp_path))
    with pytest.raises(UnusableInput, match=r"solc 0.8.37 is pinned, .* has 0.8.1"):
        compile_sources({"A.sol": EMPTY}, Settings.load())
    monkeypatch.setenv(NODE_MODULES_VARIABLE, str(tmp_path / "missing"))
    with pytest.raises(UnusableInput, match=r"no Solidity compiler in .*/missing: in a folder of yours `npm install solc@0.8.37`, and set ZKPREDICT_NODE_MODULES to its"):
        compile_sources({"A.sol": EMPTY}, Settings.load())


def test_a_checkout_and_a_wheel_say_each_how_to_get_the_compiler(monkeypatch, tmp_path):
    monkeypatch.delenv(NODE_MODULES_VARIABLE, raising=False)
    settings = Settings.load()
    monkeypatch.setattr(compiler, "FOLDER", tmp_path / "contracts")
    for text, way in ((None, "in a folder of yours `npm install solc@0.8.37`, and set ZKPREDICT_NODE_MODULES to its node_modules"), ("{}", f"run `npm ci` in {tmp_path}")):
        if text is not None:
            (tmp_path / "package.json").write_text(text)
        with refuses(UnusableInput, f"this contract is compiled when it is asked for, and there is no Solidity compiler in {tmp_path / 'node_modules'}: {way}"):
            compile_sources({"A.sol": EMPTY}, settings)


def test_warnings_about_sources_from_npm_are_not_ours(monkeypatch):
    vote = EMPTY + 'import {Votes} from "@openzeppelin/contracts/governance/utils/Votes.sol";\nabstract contract A is Votes {}'
    assert "A" in compile_sources({"A.sol": vote}, Settings.load())
    with pytest.raises(UnusableInput, match="Unused local variable"):
        compile_sources({"A.sol": vote + "contract B { function f() external pure { uint256 x; } }"}, Settings.load())


def test_an_import_that_is_nowhere_is_named():
    for written, message in (
        ("./B.sol", "A.sol imports B.sol, which is not among the sources"),
        ("@openzeppelin/contracts/No.sol", "A.sol imports @openzeppelin/contracts/No.sol, but there is no "),
        ("zkpredict/verifier/No.sol", "A.sol imports zkpredict/verifier/No.sol, but there is no "),
    ):
        with pytest.raises(UnusableInput) as refused:
            compile_sources({"A.sol": f'{EMPTY}import "{written}";'}, Settings.load())
        assert str(refused.value).startswith(message)


def test_a_unit_that_does_not_exist_is_named(capsys):
    assert compiler.main(["--only", "pya"]) == 2
    assert capsys.readouterr().err.startswith("no unit is called pya; there are open, ")


def test_gas_report_is_current():
    rows = gas.measure()
    assert gas.to_csv(rows) == gas.FILE.read_text(encoding="utf-8")
    costs = {row.name: row.gas for row in rows}
    assert costs["packed predict typical"] < 150_000


@pytest.mark.parametrize("module", [gas, verifier_gas, vectors])
def test_developers_commands_explain_themselves_and_do_nothing_else(monkeypatch, capsys, module):
    def never(*_: object) -> None:
        pytest.fail("it must not measure or write")

    for work in ("measure", "rows", "_made", "write_atomically"):
        monkeypatch.setattr(module, work, never, raising=False)
    for arguments, code, stream, said in (
        (["--help"], 0, "out", f"usage: python -m {module.__name__} "),
        (["--nonsense"], 2, "err", "error: unrecognized arguments: --nonsense"),
        (["extra"], 2, "err", "error: unrecognized arguments: extra"),
    ):
        with pytest.raises(SystemExit) as ended:
            module.main(arguments)
        assert ended.value.code == code and said in getattr(capsys.readouterr(), stream)


@pytest.mark.parametrize("module", [gas, vectors])
def test_commands_that_need_a_checkout_say_so(monkeypatch, tmp_path, capsys, module):
    monkeypatch.setattr(checkout, "ROOT", tmp_path)
    assert module.main([]) == 2
    missing = tmp_path / "examples" / "mnist.model"
    assert capsys.readouterr().err == f"this command needs a checkout of the repository: there is no {missing}\n"
