"""What leaves this package for a chain: a statement with its proof as calldata and as snippets, and the verifier's sources, ABI and code as files.

    call = Handover.of(image, proof)
    call.calldata("verifyOrRevert")            # what a transaction to a verifier carries
    package(Package.universal(check))          # file names and texts
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.placement import AnyCircuit
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.contracts.artifact import Artifact
from zkpredict.contracts.verifier import generate
from zkpredict.contracts.verifier.compact import check_served
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_proof
from zkpredict.contracts.verifier.source import GENERATED
from zkpredict.contracts.verifier.universal import universal_name, universal_source
from zkpredict.contracts.verifier.wide.registration import calls as wide_calls, rows_of
from zkpredict.contracts.verifier.wide.numbers import wide_name
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.messages import Proof

CALLS = {"verify": "verifyFor", "verifyOrRevert": "verifyForOrRevert"}
"""The two functions of a verifier that calldata can be for, and what each is called for a proof with a context."""
ANSWER = "answer"
"""That of the consumer `PaidPrediction`, which takes no context: jobs are a provider's already."""
REGISTRATION = "zkpredict registration 1"
MADE_BY = "// Made by zkpredict contract."


@dataclass(frozen=True)
class Handover:
    """A statement and its proof as a contract takes them. `image`: the bytes, or the points of a hidden input's commitment; `proof` is in the
    form of `check`; `context`: whom or what the proof is for, 32 bytes, or none."""

    model_id: bytes
    image: bytes = field(repr=False)
    digit: int
    proof: bytes = field(repr=False)
    context: bytes = b""
    says: str = ""

    @classmethod
    def of(
        cls, image: bytes, proof: Proof, check: FinalCheck = FinalCheck.POINT_EVALUATION, context: bytes = b"", says: str = ""
    ) -> Handover:
        """The statement that `proof` is for, about `image` (of a hidden input `onchain_input`); nothing is checked here. `says`: what comes
        after "the network" in the snippets, for other claims than a class."""
        return cls(proof.model_id, image, proof.digit, onchain_proof(proof, check), context, says or f"says {proof.digit}")

    def function(self, call: str) -> str:
        """What `call` is called for this statement. Raises `UnusableInput` for a context where the function takes none."""
        if not self.context:
            return call
        if call not in CALLS:
            raise UnusableInput(f"`{call}` takes no context, and the proof is for one: call a verifier ({' or '.join(CALLS)}), or prove without")
        return CALLS[call]

    def calldata(self, call: str, job: bytes = b"") -> bytes:
        """Selector and ABI-encoded arguments. `job`: the id of the job that `answer` answers, 32 bytes."""
        function = self.function(call)
        if call == ANSWER:
            return generate.shipped(generate.CONSUMER).encode(ANSWER, job, self.image, self.digit, self.proof)
        more = (self.context,) if self.context else ()
        return generate.universal_artifact().encode(function, self.model_id, self.image, self.digit, self.proof, *more)

    def solidity(self) -> str:
        """A contract that checks exactly this statement."""
        function, name, value = self.function("verifyOrRevert"), "", ""
        if self.context:
            name, value = ", bytes32 context", f",\n            0x{self.context.hex()}"
        return f"""// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

interface IVerifier {{
    function {function}(bytes32 modelId, bytes calldata image, uint256 digit, bytes calldata proof{name}) external view;
}}

contract Example {{
    /// Reverts with the reason unless it is shown that the network under the model id, asked about this input, {self.says}.
    function check(IVerifier verifier) external view {{
        verifier.{function}(
            0x{self.model_id.hex()},
            hex"{self.image.hex()}",
            {self.digit},
            hex"{self.proof.hex()}"{value}
        );
    }}
}}
"""

    def javascript(self) -> str:
        """A program for Node 18 or later, without dependencies, that asks a verifier about this statement."""
        return f"""// node check.mjs RPC_URL VERIFIER_ADDRESS
const [url, verifier] = process.argv.slice(2);
// {self.function("verify")}(bytes32 modelId, bytes image, uint256 digit, bytes proof{", bytes32 context" if self.context else ""}) returns (bool)
const data = "0x{self.calldata("verify").hex()}";
const call = {{ jsonrpc: "2.0", id: 1, method: "eth_call", params: [{{ to: verifier, data }}, "latest"] }};
const reply = await fetch(url, {{ method: "POST", headers: {{ "content-type": "application/json" }}, body: JSON.stringify(call) }});
const {{ result, error }} = await reply.json();
if (error || !/^0x[0-9a-f]{{64}}$/.test(result)) throw new Error(error?.message ?? `no verifier answers at ${{verifier}}`);
console.log(BigInt(result) === 1n ? "the network {self.says}" : "not shown: ask {self.function("verifyOrRevert")} why");
"""


@dataclass(frozen=True)
class Package:
    """A verifier to hand over: the compiled contract, its Solidity file, and the hand-written sources that it imports."""

    artifact: Artifact
    source: str = field(repr=False)
    imported: tuple[str, ...]
    serves: str

    @classmethod
    def universal(cls, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> Package:
        """The verifier of every compact circuit."""
        name = universal_name(check)
        artifact = generate.universal_artifact(check)
        return cls(artifact, _generated(name) or universal_source(check), generate.UNIVERSAL_SOURCES, "models of every compact circuit")

    @classmethod
    def specialised(cls, circuit: AnyCircuit, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> Package:
        """The verifier of one circuit. Raises `UnusableInput` where none ships and none can be compiled."""
        artifact, shape = generate.artifact(circuit, check), "-".join(map(str, circuit.widths))
        if isinstance(circuit, WideCircuit):
            sources = generate.wide_sources(circuit, check)
            own = sources.pop(f"{wide_name(circuit, check)}.sol")
            return cls(artifact, own, tuple(sources), f"{shape} models on {circuit.domain} rows, claim {circuit.claim}")
        name = generate.compact_name(circuit, check)
        return cls(artifact, _generated(name) or generate.compact_source(circuit, check), generate.SHARED_SOURCES, f"{shape} models on {circuit.domain} rows")

    @property
    def is_universal(self) -> bool:
        return self.artifact.name.startswith(universal_name())


def _generated(name: str) -> str:
    path = GENERATED / f"{name}.sol"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def package(found: Package, commitment: ModelCommitment | None = None) -> dict[str, str]:
    """Every file by its name: sources, artefacts (ABI and code), a note on deployment, and how to register the model of a commitment."""
    consumer = generate.shipped(generate.CONSUMER)
    sources = {f"{found.artifact.name}.sol": found.source}
    sources |= {name: generate.hand_written(name) for name in (*found.imported, f"{generate.CONSUMER}.sol")}
    files = {name: _marked(text) for name, text in sorted(sources.items())}
    files |= {f"{artifact.name}.json": artifact.to_json() for artifact in (found.artifact, consumer)}
    if commitment is not None:
        files["registration.json"] = json.dumps(registration(found, commitment), indent=1) + "\n"
    return files | {"DEPLOY.md": deployment_note(found, consumer, commitment)}


def _marked(text: str) -> str:
    """A source with a line that says who wrote the file, behind its licence and compiler version."""
    licence, version, rest = text.split("\n", 2)
    return f"{licence}\n{version}\n\n{MADE_BY}\n\n{rest.lstrip()}"


def registration(found: Package, commitment: ModelCommitment) -> dict[str, Any]:
    """The calls, in order, after which a new verifier knows the model."""
    circuit = commitment.circuit
    if found.is_universal:
        check_served(circuit)
        calls = [("registerCircuit", (circuit.to_bytes(),)), ("register", (circuit.digest, rows_of(commitment)))]
    elif isinstance(circuit, WideCircuit):
        calls = wide_calls(commitment)
    else:
        calls = [("register", (rows_of(commitment),))]
    return {
        "format": REGISTRATION,
        "model_id": f"0x{commitment.model_id.hex()}",
        "circuit_digest": f"0x{circuit.digest.hex()}",
        "calls": [{"function": name, "data": f"0x{found.artifact.encode(name, *arguments).hex()}"} for name, arguments in calls],
    }


def deployment_note(found: Package, consumer: Artifact, commitment: ModelCommitment | None) -> str:
    """What to do with the files, for people with tools of their own."""
    artifact = found.artifact
    calls = "registerCircuit(bytes)`, once per shape, and `register(bytes32 circuitDigest, bytes rows)" if found.is_universal else "register(bytes rows)"
    if any(entry.get("name") == "registerParts" for entry in artifact.abi):
        calls = "storeRows(bytes rows)` for every 255 rows, in any order and by anybody, and `registerParts(bytes32 modelId, bytes32[] partIds)"
    model = (
        f"`registration.json` holds the calldata of each, in order, for the model 0x{commitment.model_id.hex()}:\n\n"
        "    for data in $(jq -r '.calls[].data' registration.json); do cast send $VERIFIER $data; done\n"
        if commitment
        else "`zkpredict contract --commitment FILE` writes their calldata, and `zkpredict chain register` sends them.\n"
    )
    taken = ""
    if any(entry.get("name") == "InputPointAtInfinity" for entry in artifact.abi):
        taken = "`image` is the commitment of a hidden input: its points, 96 bytes each. "
    pairing = "_pairing" in artifact.name
    kind = ("--universal" if found.is_universal else "--commitment FILE") + (" --pairing" if pairing else "")
    return f"""# Deploy {artifact.name}, as `zkpredict contract` wrote it

`{artifact.name}.sol` checks proofs about {found.serves}. `{artifact.name}.json` has its ABI and code: {len(artifact.runtime):,} bytes, made of these sources by solc
{artifact.compiler} with the settings in that file. It has no owner, no proxy, no constructor arguments, and holds no money; nobody can change it.

It needs a chain with the Prague rules: the precompiles of EIP-2537{"" if pairing else " and EIP-4844's point evaluation"}. Ask before you spend: `zkpredict chain deploy` does.

1. Deploy it, with `zkpredict chain deploy --verifier --rpc-url $ETH_RPC_URL --key-file KEY {kind}` or any other tool:

       cast send --create 0x$(jq -r .bytecode {artifact.name}.json)

   Its code must then be the `runtime` of the JSON file, byte for byte; `zkpredict chain verify` compares.

2. Register the model: `{calls}`.
   Anybody may; it gives no right over the model. {model}
3. Call `verify` (true, or false for "not shown") or `verifyOrRevert` (which says why); for a proof that was made for somebody `verifyFor` or `verifyForOrRevert`, with
   its context. {taken}`zkpredict calldata` makes the calldata.

## A contract that pays

`{consumer.name}.sol` takes the verifier's address. A customer calls `post(modelId, keccak256(image), provider, deadline)` with the price; the provider calls
`answer(jobId, image, digit, proof)` and is paid, once; after the deadline the customer may `cancel`. `zkpredict calldata IMAGE PROOF --commitment FILE --call answer --job ID`
makes the provider's calldata. A proof is bound to model, image and class, to no sender: a consumer keeps its own record of what it has acted on, as this one does.
"""
