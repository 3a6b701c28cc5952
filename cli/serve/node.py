"""One node that the server was given: the verifier contract on it asks nothing to read, and one account signs: the visitor's wallet,
or the account of a key file here, never both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.claimwords import claim_facts

if TYPE_CHECKING:
    from zkpredict.contracts.chain.rpc import RpcChain
    from zkpredict.contracts.verifier.encoding import FinalCheck
    from zkpredict.verifier.commitment import ModelCommitment
    from zkpredict.verifier.messages import Proof

Answer = dict[str, Any]


@dataclass(frozen=True)
class NodeSettings:
    """A node, the verifier contract on it, and the key file of the account that signs here (None: the visitor's wallet signs)."""

    url: str
    contract: str
    key_file: str | None = None


def node_settings(url: str | None, contract: str | None, key_file: str | None) -> NodeSettings | None:
    """What the options say. Raises `UnusableInput` for half of them."""
    if url is None:
        if contract is not None or key_file is not None:
            raise UnusableInput("--contract and --key-file go with --rpc-url")
        return None
    if contract is None:
        raise UnusableInput("--rpc-url needs --contract ADDRESS of a verifier that knows the model (`zkpredict chain deploy --verifier`, then `register`)")
    return NodeSettings(url, contract, key_file)


@dataclass
class NodeDesk:
    """What is asked of the node."""

    commitment: ModelCommitment
    settings: NodeSettings

    @cached_property
    def chain(self) -> RpcChain:
        from zkpredict.contracts.chain.rpc import RpcChain, read_key

        return RpcChain(self.settings.url, None if self.settings.key_file is None else read_key(self.settings.key_file))

    @cached_property
    def contract(self) -> str:
        """The address, checksummed. Raises `UnusableInput`."""
        from zkpredict.cli.chain import checked_address

        return checked_address(self.chain, self.settings.contract)

    @cached_property
    def check(self) -> FinalCheck:
        """Which form of proof the contract takes."""
        from zkpredict.circuits.placement import form
        from zkpredict.contracts.verifier.client import final_check, verifier_at

        return final_check(verifier_at(self.chain, self.contract), form(self.commitment.circuit))

    def facts(self) -> Answer:
        """Looks at the node before anybody asks: the contract must be this circuit's verifier and know the model. Raises `UnusableInput`."""
        from zkpredict.contracts.chain.interface import Reverted
        from zkpredict.contracts.verifier.client import is_registered
        from zkpredict.contracts.verifier.identity import compare_code

        try:
            compare_code(self.chain, self.contract, self.commitment.circuit)
            known = is_registered(self.chain, self.contract, self.commitment)
        except Reverted as refusal:
            raise UnusableInput(f"the contract at {self.contract} is no verifier: {refusal}") from None
        if not known:
            raise UnusableInput(f"the verifier at {self.contract} does not know the model: `zkpredict chain register` makes it known")
        signs = "wallet" if self.settings.key_file is None else "server"
        return {"chain_id": self.chain.chain_id, "contract": self.contract, "signs": signs}

    def verdict(self, image: bytes, proof: Proof) -> Answer:
        """What the contract says, free of charge."""
        from zkpredict.contracts.verifier.client import verify_on_chain

        said = verify_on_chain(self.chain, self.contract, self.commitment, image, proof)
        if said.accepted:
            return {"valid": True, "digit": proof.digit, **claim_facts(self.commitment.circuit, proof.outputs)}
        return {"valid": False, "kind": said.reason, "reason": spoken(said.reason, said.arguments)}

    def send(self, image: bytes, proof: Proof) -> Answer:
        """A transaction signed with the key file. What the contract would refuse is not sent."""
        from zkpredict.contracts.chain.interface import Reverted
        from zkpredict.contracts.verifier.client import send_verification

        try:
            receipt = send_verification(self.chain, self.contract, self.commitment, image, proof)
        except Reverted as error:
            return {"valid": False, "kind": error.name or "Reverted", "reason": str(error)}
        return {"valid": True, "transaction": receipt.transaction, "gas": receipt.gas_used}


def spoken(name: str, arguments: tuple[Any, ...]) -> str:
    """A contract's refusal as people read it."""
    shown = [f"0x{one.hex()}" if isinstance(one, bytes) else str(one) for one in arguments]
    return f"the contract refuses: {name}" + (f"({', '.join(shown)})" if shown else "")
