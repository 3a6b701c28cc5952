"""`zkpredict script`: the network as a Bitcoin script, built, run in a real interpreter, and spent."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.kinds import recognise
from zkpredict.circuits.files.outputs import EXACT, SCRIPT, TRANSACTION
from zkpredict.circuits.files.storage import read_file, refuse_to_replace, write_atomically
from zkpredict.cli.console import REFUSED, Console
from zkpredict.cli.network import exact_network, read_network
from zkpredict.cli.parser import add_force_option, add_json_option
from zkpredict.cli.statement import add_image_options, image_name, milliseconds, read_statement_image, refuse_same_file, refuse_together

if TYPE_CHECKING:
    import numpy as np

    from zkpredict.contracts.bitcoin.interpreters import Interpreter
    from zkpredict.contracts.bitcoin.measure import Tally
    from zkpredict.contracts.bitcoin.paid import Unsigned
    from zkpredict.contracts.bitcoin.transaction import Transaction

EXAMPLE = """zkpredict script build examples/mnist.model --out mnist.script
zkpredict script run mnist.script examples/seven.png --digit 7"""
DEFAULT_RATE = "100"
SPEND_OVERHEAD = 200
_REFUND_BYTES = 360
_HEX_FILE_LIMIT = 1 << 24


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary, example, arguments, action in _ACTIONS:
        sub = actions.add_parser(name, help=summary, description=summary, example=example)
        arguments(sub)
        add_json_option(sub, default=argparse.SUPPRESS)
        sub.set_defaults(act=action)


def run(arguments: argparse.Namespace, console: Console) -> int | None:
    return arguments.act(arguments, console)


def _scale_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("keras", metavar="MODEL", help="a float model of dense ReLU layers: .keras, .h5 or .onnx")
    parser.add_argument("--input-scale", metavar="SCALE", help="how a byte becomes an input, if the model does not say: unit, signed, bytes, LOW:HIGH")
    parser.add_argument("--out", required=True, metavar="FILE", help="exact network file to write")
    add_force_option(parser)


def _scale(arguments: argparse.Namespace, console: Console) -> None:
    from zkpredict.training.importers import read_model
    from zkpredict.training.inputs import parse_input_scale

    refuse_same_file(arguments.out, Keras_model=arguments.keras)
    refuse_to_replace(arguments.out, EXACT, arguments.force)
    with console.step("read"):
        imported = read_model(arguments.keras)
        scale = parse_input_scale(arguments.input_scale, imported.inputs) if arguments.input_scale else imported.demand()
        network = exact_network(imported.over(scale))
    data = network.to_bytes()
    write_atomically(arguments.out, data, private=True)
    console.result(
        {"network": network.name, "file": arguments.out, "bytes": len(data)},
        [f"{arguments.out} holds {network.name} in 10^8 fixed point ({len(data):,} bytes, private: it is the weights)."],
    )


def _build_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", metavar="NETWORK", help="a model file (packed), what `script scale` made (exact), or .keras")
    parser.add_argument("--out", required=True, metavar="SCRIPT", help="locking script to write, as hex")
    add_force_option(parser)
    parser.add_argument("--rate", default=DEFAULT_RATE, metavar="R", help="fee in satoshis per 1,000 bytes (100)")
    pot = parser.add_argument_group("pay whoever holds the claimant's key for an image of the class, refund the owner later")
    pot.add_argument("--digit", type=int, metavar="D", help="class of the images that are paid for")
    pot.add_argument("--claimant", metavar="KEY", help="public key that claims, 66 hex digits")
    pot.add_argument("--owner", metavar="KEY", help="public key that is refunded, 66 hex digits")
    pot.add_argument("--refund-after", type=int, metavar="T", help="block height, or seconds since 1970 from 500,000,000 on")


def _build(arguments: argparse.Namespace, console: Console) -> None:
    from zkpredict.contracts.bitcoin.compiler import claim_script, compile_script
    from zkpredict.contracts.bitcoin.limits import NodeLimits
    from zkpredict.contracts.bitcoin.paid import Pot
    from zkpredict.contracts.bitcoin.transaction import fee, fee_rate

    refuse_same_file(arguments.out, network=arguments.network)
    rate = fee_rate(arguments.rate)
    terms = (arguments.digit, arguments.claimant, arguments.owner, arguments.refund_after)
    if any(term is None for term in terms) and any(term is not None for term in terms):
        raise UnusableInput("a pot needs all of --digit, --claimant, --owner and --refund-after")
    with console.step("compile"):
        classifier = compile_script(read_network(arguments.network, None))
        if arguments.digit is None:
            lock = claim_script(classifier)
        else:
            keys = (_from_hex(arguments.claimant, "--claimant"), _from_hex(arguments.owner, "--owner"))
            lock = Pot(classifier, arguments.digit, *keys, arguments.refund_after).lock()
    data = lock.code.hex().encode() + b"\n"
    refuse_to_replace(arguments.out, SCRIPT, arguments.force, [data])
    write_atomically(arguments.out, data)
    limits, demand = NodeLimits(), lock.demand
    fees = {
        "satoshis_per_kilobyte": float(rate),
        "fund_satoshis": fee(len(lock.code) + SPEND_OVERHEAD, rate),
        "spend_satoshis": fee(classifier.pixels + SPEND_OVERHEAD, rate),
    }
    width = max(map(len, lock.sizes))
    console.result(
        {
            "network": classifier.name, "script": arguments.out, "script_bytes": len(lock.code), "sections": lock.sizes,
            "largest_number_bytes": demand.number_bytes, "stack_bytes_at_most": demand.stack_bytes, "fees": fees,
        },
        [
            f"{arguments.out} accepts what {classifier.name} says about {classifier.pixels} bytes of image.",
            *(f"  {name:<{width}}  {size:>9,} bytes" for name, size in lock.sizes.items()),
            f"  {'script':<{width}}  {len(lock.code):>9,} bytes of {limits.script_bytes:,}",
            f"  {'largest number':<{width}}  {demand.number_bytes:>9,} bytes of {limits.number_bytes:,}",
            f"  {'stack, at most':<{width}}  {demand.stack_bytes:>9,} bytes of {limits.stack_bytes:,}",
            f"  fees at {rate} satoshis per 1,000 bytes: {fees['fund_satoshis']:,} to fund an output, "
            f"{fees['spend_satoshis']:,} to spend it",
            "  public: whoever sees the script can read every weight",
        ],
    )


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("script", metavar="SCRIPT", help="what `script build` wrote")
    parser.add_argument("image", nargs="?", metavar="IMAGE", help="PNG, JPEG or .npy (uint8)")
    parser.add_argument("--digit", type=int, required=True, metavar="D", help="the claimed class")
    add_image_options(parser)
    _interpreter_argument(parser)


def _run(arguments: argparse.Namespace, console: Console) -> int:
    from zkpredict.contracts.bitcoin.compiler import is_pot, pixels_of
    from zkpredict.contracts.bitcoin.interpreters import open_interpreter
    from zkpredict.contracts.bitcoin.measure import refusal

    interpreter = open_interpreter(arguments.interpreter)
    lock = _read_hex(arguments.script, "locking script")
    if is_pot(lock):
        raise UnusableInput(f"{arguments.script} is a pot that also wants a signature: use `zkpredict script spend`")
    image = read_statement_image(arguments, console, arguments.image, pixels_of(lock))
    with console.step("run"):
        reason = refusal(interpreter, lock, image, arguments.digit)
    took = milliseconds(console.times["run"])
    console.result(
        {
            "accepted": reason is None, "reason": reason, "digit": arguments.digit, "interpreter": interpreter.name,
            "image_sha256": image_name(image), "seconds": console.times["run"],
        },
        [
            f"ACCEPTED: the script says {arguments.digit} ({interpreter.name} {interpreter.version}, {took})"
            if reason is None else f"REFUSED by {interpreter.name} {interpreter.version}: {reason}"
        ],
    )
    return 0 if reason is None else REFUSED


def _spend_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("script", metavar="SCRIPT", help="locking script of the output, from `script build`")
    parser.add_argument("image", nargs="?", metavar="IMAGE", help="PNG, JPEG or .npy (uint8); none for a refund")
    parser.add_argument("--txid", required=True, help="transaction that holds the output")
    parser.add_argument("--vout", type=int, required=True, metavar="N", help="index of the output")
    parser.add_argument("--satoshis", type=int, required=True, metavar="S", help="amount of the output")
    parser.add_argument("--to", required=True, metavar="ADDRESS", help="where the amount goes, less the fee")
    parser.add_argument("--out", required=True, metavar="TX", help="transaction to write, as hex")
    add_force_option(parser)
    parser.add_argument("--rate", default=DEFAULT_RATE, metavar="R", help="fee in satoshis per 1,000 bytes (100)")
    parser.add_argument("--digit", type=int, metavar="D", help="the claimed class, when the script is no pot")
    parser.add_argument("--refund-at", type=int, metavar="T", help="refund the owner; T becomes the lock time")
    signing = parser.add_mutually_exclusive_group()
    signing.add_argument("--key", metavar="FILE", help="file with the signing key, 64 hex digits (needs bsv-sdk)")
    signing.add_argument("--signature", metavar="HEX", help="DER signature of the digest an earlier run without it printed")
    add_image_options(parser)
    _interpreter_argument(parser)


def _spend(arguments: argparse.Namespace, console: Console) -> int | None:
    from zkpredict.contracts.bitcoin.compiler import claim, is_pot
    from zkpredict.contracts.bitcoin.paid import claim as claim_pot, refund

    files = {"locking_script": arguments.script, "image": arguments.image, "idx_file": arguments.idx, "signing_key": arguments.key}
    refuse_same_file(arguments.out, **files)
    refuse_to_replace(arguments.out, TRANSACTION, arguments.force)
    lock = _read_hex(arguments.script, "locking script")
    if arguments.refund_at is not None:
        shown = {"IMAGE": arguments.image, "--idx": arguments.idx, "--index": arguments.index, "--digit": arguments.digit}
        refuse_together("--refund-at", shown, "a refund shows no image and claims no digit")
        return _sign_and_write(arguments, console, lock, refund(lock, _draft(arguments, _REFUND_BYTES), 0, arguments.satoshis))
    if not is_pot(lock):
        signing = {"--key": arguments.key, "--signature": arguments.signature}
        refuse_together(f"SCRIPT {arguments.script}", signing, "it is no pot, so nothing is signed")
    image = _claim_image(arguments, console, lock)
    draft = _draft(arguments, image.size)
    if is_pot(lock):
        return _sign_and_write(arguments, console, lock, claim_pot(lock, draft, 0, arguments.satoshis, image))
    return _check_and_write(arguments, console, lock, draft.unlocked(0, claim(image, arguments.digit)))


def _claim_image(arguments: argparse.Namespace, console: Console, lock: bytes) -> np.ndarray:
    from zkpredict.contracts.bitcoin.compiler import is_pot, pixels_of

    if is_pot(lock) == (arguments.digit is not None):
        raise UnusableInput("--digit is needed by a script that is no pot; a pot has its digit in the script")
    return read_statement_image(arguments, console, arguments.image, pixels_of(lock))


def _draft(arguments: argparse.Namespace, payload_bytes: int) -> Transaction:
    """The transaction without its unlocking script; the fee is for `payload_bytes` beside keys, amounts and signatures."""
    from zkpredict.contracts.bitcoin.transaction import Input, Outpoint, Output, Transaction, fee, fee_rate, pay_to_address

    cost = fee(payload_bytes + SPEND_OVERHEAD, fee_rate(arguments.rate))
    if cost >= arguments.satoshis:
        raise UnusableInput(f"the fee of {cost:,} satoshis leaves nothing of {arguments.satoshis:,}")
    return Transaction(
        (Input(Outpoint(arguments.txid, arguments.vout)),),
        (Output(arguments.satoshis - cost, pay_to_address(arguments.to)),),
        arguments.refund_at or 0,
    )


def _sign_and_write(arguments: argparse.Namespace, console: Console, lock: bytes, unsigned: Unsigned) -> int | None:
    """Signs with the key or the given signature; with neither, says what to sign."""
    from zkpredict.contracts.bitcoin.interpreters import signer

    if arguments.signature is not None:
        signature = _from_hex(arguments.signature, "--signature")
    elif arguments.key is not None:
        signature = signer(_read_hex(arguments.key, "signing key"))(unsigned.digest)
    else:
        who = "owner" if arguments.refund_at is not None else "claimant"
        console.result(
            {"digest": unsigned.digest.hex(), "signed": False},
            [f"Sign this digest with the {who}'s key, then repeat with --signature:", unsigned.digest.hex()],
        )
        return None
    return _check_and_write(arguments, console, lock, unsigned.signed(signature))


def _check_and_write(arguments: argparse.Namespace, console: Console, lock: bytes, transaction: Transaction) -> int | None:
    from zkpredict.contracts.bitcoin.interpreters import SpendRefused, open_interpreter
    from zkpredict.contracts.bitcoin.transaction import Output

    interpreter = open_interpreter(arguments.interpreter)
    try:
        with console.step("check"):
            interpreter.check(transaction, 0, Output(arguments.satoshis, lock))
    except SpendRefused as error:
        console.result(
            {"accepted": False, "reason": str(error), "interpreter": interpreter.name},
            [f"REFUSED by {interpreter.name} {interpreter.version}: {error}", "Nothing was written."],
        )
        return REFUSED
    data = transaction.to_bytes()
    write_atomically(arguments.out, data.hex().encode() + b"\n")
    paid = transaction.outputs[0].satoshis
    console.result(
        {
            "accepted": True, "txid": transaction.txid, "transaction": arguments.out, "bytes": len(data),
            "pays_satoshis": paid, "fee_satoshis": arguments.satoshis - paid, "lock_time": transaction.lock_time,
            "interpreter": interpreter.name,
        },
        [
            f"{arguments.out} spends {arguments.txid}:{arguments.vout}, accepted by {interpreter.name} {interpreter.version}.",
            f"  txid  {transaction.txid}",
            f"  pays  {paid:,} satoshis; fee {arguments.satoshis - paid:,} for {len(data):,} bytes",
        ],
    )
    return None


def _bench_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", metavar="NETWORK", help="a model file (packed), what `script scale` made (exact), or .keras")
    parser.add_argument("--idx", required=True, metavar="FILE", help="images, idx (.gz too)")
    parser.add_argument("--labels", metavar="FILE", help="their labels: also report the accuracy of the reference")
    parser.add_argument("--images", type=int, default=200, metavar="N", help="right claims to run in each interpreter (200)")
    parser.add_argument("--wrong", type=int, default=100, metavar="N", help="wrong claims to run in each interpreter (100)")
    parser.add_argument("--full", action="store_true", help="every image in the fastest, 1,000 wrong claims in both")


def _bench(arguments: argparse.Namespace, console: Console) -> int:
    from zkpredict.contracts.bitcoin.compiler import claim_script, compile_script
    from zkpredict.contracts.bitcoin.interpreters import INTERPRETERS
    from zkpredict.contracts.bitcoin.measure import wrong_claims

    if arguments.images < 1 or arguments.wrong < 1:
        raise UnusableInput("--images and --wrong are at least 1")
    network = read_network(arguments.network, None)
    images, labels = _labelled_images(arguments)
    with console.step("reference"):
        digits = network.infer(images).digits
    classifier = compile_script(network)
    lock = claim_script(classifier).code
    wrong = wrong_claims(images, digits, classifier.classes, 1_000 if arguments.full else arguments.wrong)
    facts = {"network": classifier.name, "script_bytes": len(lock), "interpreters": {}}
    lines = [f"{classifier.name}: {len(lock):,} bytes of locking script"]
    if labels is not None:
        facts["accuracy"] = float((digits == labels).mean())
        lines.append(f"  reference  {facts['accuracy']:.2%} of {len(images):,} labels")
    good = True
    for number, opened in enumerate(INTERPRETERS.values()):
        interpreter = opened()
        count = len(images) if arguments.full and number == 0 else min(arguments.images, len(images))
        right = list(zip(images[:count], digits[:count].tolist(), strict=True))
        right_tally, wrong_tally = _tallies(console, interpreter, lock, right, wrong)
        good = good and right_tally.accepted == right_tally.claims and wrong_tally.accepted == 0
        facts["interpreters"][interpreter.name] = _tally_facts(interpreter, right_tally, wrong_tally)
        lines.append(_tally_line(interpreter, right_tally, wrong_tally))
    console.result(facts, lines)
    return 0 if good else REFUSED


def _labelled_images(arguments: argparse.Namespace) -> tuple[np.ndarray, np.ndarray | None]:
    """The images of `--idx`, uint8 [count, pixels], and their `--labels` if given."""
    from zkpredict.circuits.files.idx import read_images, read_labels

    images = read_images(arguments.idx)
    if not len(images):
        raise UnusableInput(f"{arguments.idx} holds no image")
    labels = read_labels(arguments.labels) if arguments.labels else None
    if labels is not None and len(labels) != len(images):
        raise UnusableInput(f"{arguments.idx} holds {len(images)} images, {arguments.labels} {len(labels)} labels")
    return images.reshape(len(images), -1), labels


def _tallies(console: Console, interpreter: Interpreter, lock: bytes, right: list, wrong: list) -> tuple[Tally, Tally]:
    """What an interpreter makes of right claims and of wrong ones."""
    from zkpredict.contracts.bitcoin.measure import tally

    with console.progress(interpreter.name, len(right) + len(wrong)) as advance:
        return tally(interpreter, lock, right, advance), tally(interpreter, lock, wrong, advance)


def _tally_facts(interpreter: Interpreter, right: Tally, wrong: Tally) -> dict:
    return {
        "version": interpreter.version, "right_claims": right.claims, "right_accepted": right.accepted,
        "wrong_claims": wrong.claims, "wrong_accepted": wrong.accepted,
        "clock_ms": right.clock_milliseconds, "processor_ms": right.processor_milliseconds,
    }


def _tally_line(interpreter: Interpreter, right: Tally, wrong: Tally) -> str:
    return (
        f"  {interpreter.name} {interpreter.version}  {right.accepted:,} of {right.claims:,} right claims accepted, "
        f"{wrong.accepted} of {wrong.claims:,} wrong ones, "
        f"{right.clock_milliseconds:.1f} ms a claim ({right.processor_milliseconds:.1f} ms of processor time)"
    )


def _interpreter_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--interpreter", choices=("bsv-sdk", "bitcoinx"), help="default: the fastest one installed")


def _read_hex(path: str, what: str) -> bytes:
    data = read_file(path, what, _HEX_FILE_LIMIT)
    known = recognise(data, path)
    return _from_hex(data.decode("ascii", "replace").strip(), f"{what} {path}", f": {known}" if known else "")


def _from_hex(text: str, what: str, known: str = "") -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise MalformedFile(f"{what} is not hexadecimal{known}") from None


_SPEND_EXAMPLE = (
    f"zkpredict script spend mnist.script examples/seven.png --digit 7 --txid {'ab' * 32} --vout 0 --satoshis 100000 "
    "--to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa --out spend.tx"
)
_ACTIONS = (
    (
        "scale", "turn a Keras model into the classic 10^8 integers (needs Keras)",
        "zkpredict script scale examples/mnist.keras --out mnist.exact", _scale_arguments, _scale,
    ),
    (
        "build", "compile a network to a locking script",
        "zkpredict script build examples/mnist.model --out mnist.script", _build_arguments, _build,
    ),
    (
        "run", "run a claimed digit in a real interpreter",
        "zkpredict script run mnist.script examples/seven.png --digit 7", _run_arguments, _run,
    ),
    (
        "spend", "make the transaction that spends such an output, checked in a real interpreter",
        _SPEND_EXAMPLE, _spend_arguments, _spend,
    ),
    (
        "bench", "count right and wrong claims in every interpreter",
        "zkpredict script bench examples/mnist.model --idx tests/data/t10k-images-idx3-ubyte.gz --images 5 --wrong 5",
        _bench_arguments, _bench,
    ),
)
