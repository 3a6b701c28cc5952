"""Real Script interpreters, used when they are installed: `bsv-sdk` (fast, native) and `bitcoinx` (node limits enforced).

They are other people's programs with their own licences; nothing of them is part of this package, and nothing but
checking a spend needs them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from importlib.metadata import version
from types import ModuleType

from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.bitcoin.limits import NodeLimits
from zkpredict.contracts.bitcoin.transaction import GROUP_ORDER, SIGHASH_ALL_FORKID, Output, Transaction

_MANY_OPERATIONS = (1 << 32) - 1
_MANY_KEYS = (1 << 32) - 1


class SpendRefused(Exception):
    """An interpreter does not let this input spend its output; the message is its reason."""


class BsvSdk:
    """The `Spend` class of PyPI `bsv-sdk`: native where its wheel carries the extension."""

    name = "bsv-sdk"

    def __init__(self) -> None:
        self._scripts = _installed("bsv.script.script", self.name)
        self._spends = _installed("bsv.script.spend", self.name)
        self._inputs = _installed("bsv.transaction_input", self.name)
        self._outputs = _installed("bsv.transaction_output", self.name)
        self._constants = _installed("bsv.constants", self.name)
        self.version = version(self.name)
        self._parsed = lru_cache(maxsize=8)(self._scripts.Script)

    def check(self, transaction: Transaction, index: int, spent: Output) -> None:
        """Raises `SpendRefused` unless input `index` may spend `spent`."""
        unlocking = transaction.inputs[index]
        others = [
            self._inputs.TransactionInput(
                source_txid=other.outpoint.txid,
                source_output_index=other.outpoint.index,
                sequence=other.sequence,
                sighash=self._constants.SIGHASH(SIGHASH_ALL_FORKID),
            )
            for position, other in enumerate(transaction.inputs) if position != index
        ]
        outputs = [
            self._outputs.TransactionOutput(locking_script=self._scripts.Script(output.script), satoshis=output.satoshis)
            for output in transaction.outputs
        ]
        spend = self._spends.Spend({
            "sourceTXID": unlocking.outpoint.txid,
            "sourceOutputIndex": unlocking.outpoint.index,
            "sourceSatoshis": spent.satoshis,
            "lockingScript": self._parsed(spent.script),
            "transactionVersion": transaction.version,
            "otherInputs": others,
            "outputs": outputs,
            "inputIndex": index,
            "unlockingScript": self._scripts.Script(unlocking.unlocking),
            "inputSequence": unlocking.sequence,
            "lockTime": transaction.lock_time,
        })
        try:
            accepted = spend.validate()
        except RuntimeError as error:
            raise SpendRefused(_first_line(error).removeprefix("Script evaluation error: ")) from None
        if not accepted:
            raise SpendRefused("evaluates to false")


class BitcoinX:
    """PyPI `bitcoinx` with the node's default policy limits and standard flags."""

    name = "bitcoinx"

    def __init__(self, limits: NodeLimits = NodeLimits()) -> None:
        self._library = _installed("bitcoinx", self.name)
        self.version = version(self.name)
        policy = self._library.MinerPolicy(
            max_script_size=limits.script_bytes,
            max_script_num_length=limits.number_bytes,
            max_stack_memory_usage=limits.stack_bytes,
            max_ops_per_script=_MANY_OPERATIONS,
            max_pubkeys_per_multisig=_MANY_KEYS,
        )
        self._limits = self._library.InterpreterLimits(policy, is_genesis_enabled=True, is_consensus=False)

    def check(self, transaction: Transaction, index: int, spent: Output) -> None:
        """Raises `SpendRefused` unless input `index` may spend `spent`."""
        library = self._library
        context = library.TxInputContext(
            library.Tx.from_bytes(transaction.to_bytes()), index, library.TxOutput(spent.satoshis, library.Script(spent.script))
        )
        try:
            accepted = context.verify_input(self._limits, True)
        except library.InterpreterError as error:
            raise SpendRefused(_first_line(error) or type(error).__name__) from None
        if not accepted:
            raise SpendRefused("evaluates to false")


Interpreter = BsvSdk | BitcoinX
INTERPRETERS: dict[str, type[Interpreter]] = {BsvSdk.name: BsvSdk, BitcoinX.name: BitcoinX}


def open_interpreter(name: str | None = None) -> Interpreter:
    """The interpreter called `name`, or the fastest one installed. Raises `UnusableInput` with what to install."""
    if name is not None:
        return INTERPRETERS[name]()
    for known in INTERPRETERS.values():
        try:
            return known()
        except UnusableInput:
            continue
    raise UnusableInput(f"running a script needs an interpreter: pip install {' or pip install '.join(INTERPRETERS)}")


def signer(key: bytes) -> Callable[[bytes], bytes]:
    """Signs 32-byte digests with a 32-byte secp256k1 key, as low-s DER (deterministic nonces, by `bsv-sdk`).

    Raises `UnusableInput` when the key is out of range or `bsv-sdk` is not installed.
    """
    keys = _installed("bsv.keys", BsvSdk.name)
    if not 0 < int.from_bytes(key, "big") < GROUP_ORDER or len(key) != 32:
        raise UnusableInput("a signing key is 32 bytes, above zero and below the group order of secp256k1")
    return lambda digest: keys.PrivateKey(key).sign(digest, hasher=None)


def _installed(module: str, package: str) -> ModuleType:
    try:
        return import_module(module)
    except ImportError:
        raise UnusableInput(f"the interpreter {package} is not installed: pip install {package}") from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
