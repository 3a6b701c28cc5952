"""A pot opened by an image of the right class and a signature, and refunded after its lock time, in real transactions."""

import re
from dataclasses import replace

import bitcoinx
import numpy as np
import pytest
from bitcoin_cases import integer_network
from bsv.keys import PrivateKey

from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.bitcoin.assembler import Op, assemble
from zkpredict.contracts.bitcoin.compiler import claim_script, compile_script, is_pot, pixels_of
from zkpredict.contracts.bitcoin.interpreters import SpendRefused, signer
from zkpredict.contracts.bitcoin.limits import LimitExceeded, NodeLimits
from zkpredict.contracts.bitcoin.paid import (
    GENERATOR_X, GROUP_ORDER, KNOWN_KEY, SMALLEST_S_BITS, Pot, claim, refund, refund_code,
)
from zkpredict.contracts.bitcoin.transaction import FINAL_SEQUENCE, Input, Outpoint, Output, Transaction, pay_to_address

CLAIMANT, OWNER, STRANGER = (bytes([number]) * 32 for number in (1, 2, 3))
FIELD_PRIME = 2**256 - 2**32 - 977
AMOUNT, HEIGHT, TIME = 100_000, 900_000, 1_800_000_000
WRONG_CLASS = "OP_EQUALVERIFY requires|EqualVerifyFailed"
WRONG_SIGNATURE = "failed to verify the signature|signature check failed"
NOT_YET = "OP_VERIFY requires|VerifyFailed"


def public(key: bytes) -> bytes:
    return PrivateKey(key).public_key().serialize()


@pytest.fixture(scope="module")
def network():
    return integer_network(np.random.default_rng(6), (9, 5, 4), shift=4)


@pytest.fixture(scope="module")
def images(network):
    """One image of class 1 or whichever comes first, another of the same class, and one of another class."""
    drawn = np.random.default_rng(7).integers(0, 256, (200, 9), dtype=np.uint8)
    digits = network.infer(drawn).digits
    same = drawn[digits == digits[0]]
    return same[0], same[1], drawn[digits != digits[0]][0]


@pytest.fixture(scope="module")
def pot(network, images):
    return Pot(compile_script(network), network.predict(images[0]), public(CLAIMANT), public(OWNER), HEIGHT)


@pytest.fixture(scope="module")
def draft():
    """Two inputs, the second one is the pot's; pays to the address of the first block."""
    pay = Output(90_000, pay_to_address("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"))
    return Transaction((Input(Outpoint("aa" * 32, 0)), Input(Outpoint("bb" * 32, 3))), (pay,))


def signed(unsigned, key: bytes) -> Transaction:
    return unsigned.signed(signer(key)(unsigned.digest))


def check(interpreter, pot, transaction, satoshis=AMOUNT) -> None:
    interpreter.check(transaction, 1, Output(satoshis, pot.lock().code))


def refused(interpreter, pot, transaction, reason, satoshis=AMOUNT) -> None:
    with pytest.raises(SpendRefused, match=reason):
        check(interpreter, pot, transaction, satoshis)


def test_an_image_of_the_class_and_the_signature_open_the_pot(interpreter, pot, images, draft):
    lock = pot.lock().code
    for image in images[:2]:
        check(interpreter, pot, signed(claim(lock, draft, 1, AMOUNT, image), CLAIMANT))
    refused(interpreter, pot, signed(claim(lock, draft, 1, AMOUNT, images[2]), CLAIMANT), WRONG_CLASS)
    for stranger in (OWNER, STRANGER):
        refused(interpreter, pot, signed(claim(lock, draft, 1, AMOUNT, images[0]), stranger), WRONG_SIGNATURE)


def test_a_claim_opens_nothing_else(interpreter, pot, images, draft):
    done = signed(claim(pot.lock().code, draft, 1, AMOUNT, images[0]), CLAIMANT)
    check(interpreter, pot, done)
    first, spent = done.inputs
    for other in (
        replace(done, inputs=(first, replace(spent, outpoint=Outpoint("bb" * 32, 4)))),
        replace(done, inputs=(first, replace(spent, outpoint=Outpoint("bc" * 32, 3)))),
        replace(done, outputs=(Output(90_000, pay_to_address("1CounterpartyXXXXXXXXXXXXXXXUWLpVr")),)),
        replace(done, outputs=(replace(done.outputs[0], satoshis=89_999),)),
        replace(done, inputs=(spent,) * 2),
    ):
        refused(interpreter, pot, other, WRONG_SIGNATURE)
    refused(interpreter, pot, done, WRONG_SIGNATURE, satoshis=AMOUNT + 1)
    refused(interpreter, replace(pot, refund_after=HEIGHT + 1), done, WRONG_SIGNATURE)


def test_the_signature_alone_or_the_image_alone_open_nothing(interpreter, pot, images, draft):
    unsigned = claim(pot.lock().code, draft, 1, AMOUNT, images[0])
    signature = signer(CLAIMANT)(unsigned.digest) + b"\x41"
    image = images[0].tobytes()
    for unlocking, reason in (
        (assemble(signature, 1), "OP_EQUALVERIFY requires|EqualVerifyFailed"),
        (assemble(image, 1), "OP_CHECKSIG requires|stack depth"),
        (assemble(b"", image, 1), "must be truthy|evaluates to false"),
        (assemble(signature, image), "OP_IF/OP_NOTIF condition is not minimally encoded|EqualVerifyFailed"),
        (assemble(signature, image, 0), WRONG_SIGNATURE),
    ):
        refused(interpreter, pot, draft.unlocked(1, unlocking), reason)
    check(interpreter, pot, draft.unlocked(1, assemble(signature, image, 1)))


@pytest.mark.parametrize("agreed,early,other_kind", [(HEIGHT, HEIGHT - 1, TIME), (TIME, TIME - 1, HEIGHT)])
def test_the_owner_is_refunded_from_the_agreed_time_on(interpreter, pot, draft, agreed, early, other_kind):
    pot = replace(pot, refund_after=agreed)
    lock = pot.lock().code

    def refunded(lock_time, key=OWNER):
        return signed(refund(lock, replace(draft, lock_time=lock_time), 1, AMOUNT), key)

    for lock_time in (agreed, agreed + 1):
        check(interpreter, pot, refunded(lock_time))
    for lock_time in (early, 0, other_kind):
        refused(interpreter, pot, refunded(lock_time), NOT_YET)
    for stranger in (CLAIMANT, STRANGER):
        refused(interpreter, pot, refunded(agreed, stranger), WRONG_SIGNATURE)


def test_the_last_lock_times_of_each_kind(interpreter, pot, draft):
    for agreed in (499_999_999, 500_000_000, (1 << 32) - 1):
        late = replace(pot, refund_after=agreed)
        check(interpreter, late, signed(refund(late.lock().code, replace(draft, lock_time=agreed), 1, AMOUNT), OWNER))
        early = signed(refund(late.lock().code, replace(draft, lock_time=agreed - 1), 1, AMOUNT), OWNER)
        refused(interpreter, late, early, NOT_YET)


def test_a_final_input_is_not_refunded(interpreter, pot, draft):
    """A transaction whose inputs are all final ignores its lock time, so the script must refuse a final input."""
    lock, ready = pot.lock().code, replace(draft, lock_time=HEIGHT)
    code = refund_code(lock)
    for amount in range(90_000, 89_900, -1):
        final = replace(ready, outputs=(replace(ready.outputs[0], satoshis=amount),))
        s = (int.from_bytes(final.digest(1, code, AMOUNT), "big") + 1) % GROUP_ORDER
        if min(s, GROUP_ORDER - s).bit_length() >= SMALLEST_S_BITS:
            break
    assert final.inputs[1].sequence == FINAL_SEQUENCE
    preimage, signature = final.preimage(1, code, AMOUNT), signer(OWNER)(final.digest(1, code, AMOUNT)) + b"\x41"
    refused(interpreter, pot, final.unlocked(1, assemble(signature, preimage, 0)), NOT_YET)
    unsigned = refund(lock, final, 1, AMOUNT)
    assert unsigned.transaction.inputs[1].sequence < FINAL_SEQUENCE
    check(interpreter, pot, signed(unsigned, OWNER))


def test_a_preimage_of_another_transaction_is_refused(interpreter, pot, draft):
    lock = pot.lock().code
    later, now = (replace(draft, lock_time=lock_time) for lock_time in (HEIGHT, HEIGHT - 100))
    good = refund(lock, later, 1, AMOUNT)
    truth = refund(lock, now, 1, AMOUNT)
    check(interpreter, pot, signed(good, OWNER))
    lying = replace(truth, payload=good.payload)
    refused(interpreter, pot, signed(lying, OWNER), WRONG_SIGNATURE)
    edited = good.payload[:-8] + (HEIGHT + 5).to_bytes(4, "little") + good.payload[-4:]
    refused(interpreter, pot, signed(replace(good, payload=edited), OWNER), f"{WRONG_SIGNATURE}|DER")
    refused(interpreter, pot, replace(signed(good, OWNER), lock_time=HEIGHT - 1), WRONG_SIGNATURE)


def test_a_refund_opens_nothing_else(interpreter, pot, draft):
    done = signed(refund(pot.lock().code, replace(draft, lock_time=HEIGHT), 1, AMOUNT), OWNER)
    check(interpreter, pot, done)
    first, spent = done.inputs
    refused(interpreter, pot, replace(done, inputs=(first, replace(spent, outpoint=Outpoint("bb" * 32, 4)))), WRONG_SIGNATURE)
    refused(interpreter, pot, replace(done, outputs=(Output(90_000, b"\x51"),)), WRONG_SIGNATURE)


def test_the_sequence_number_skips_short_signatures(fastest, pot, draft):
    """One digest in 256 gives an s of fewer than 32 bytes; then the next sequence number is taken."""
    lock = pot.lock().code
    skipped = 0
    for amount in range(1, 1_200):
        ready = replace(draft, lock_time=HEIGHT, outputs=(Output(amount, b""),))
        unsigned = refund(lock, ready, 1, AMOUNT)
        if unsigned.transaction.inputs[1].sequence != FINAL_SEQUENCE - 1:
            skipped += 1
            check(fastest, pot, signed(unsigned, OWNER))
            short = ready.with_sequence(1, FINAL_SEQUENCE - 1)
            preimage = short.preimage(1, refund_code(lock), AMOUNT)
            signature = signer(OWNER)(short.digest(1, refund_code(lock), AMOUNT)) + b"\x41"
            refused(fastest, pot, short.unlocked(1, assemble(signature, preimage, 0)), "signature")
            if skipped == 2:
                return
    pytest.fail("no short signature among 1,199 transactions")


def test_the_known_key_is_the_inverse_of_the_known_nonce_point():
    r = int.from_bytes(GENERATOR_X, "big")
    assert public((1).to_bytes(32, "big"))[1:] == GENERATOR_X
    assert public(pow(r, -1, GROUP_ORDER).to_bytes(32, "big")) == KNOWN_KEY


def test_unusable_terms_are_refused(pot, network):
    for change, reason in (
        ({"digit": 4}, "the network has the classes 0 to 3, got 4"),
        ({"digit": -1}, "the network has the classes 0 to 3, got -1"),
        ({"claimant": b""}, "the claimant key must be a compressed point of 33 bytes, got nothing"),
        ({"owner": b"\x04" + bytes(32)}, "the owner key must be a compressed point of 33 bytes, got 04"),
        (
            {"claimant": b"\x02" + (5).to_bytes(32, "big")},
            f"the claimant key is no point of secp256k1, so nobody could sign with it, got 02{5:064x}",
        ),
        ({"owner": b"\x03" + (1 + FIELD_PRIME).to_bytes(32, "big")}, "the owner key is no point of secp256k1"),
        ({"owner": b"\x03" + b"\xff" * 32}, "the owner key is no point of secp256k1"),
        ({"refund_after": 0}, "the refund height or time is 1 to 4294967295, got 0"),
        ({"refund_after": 1 << 32}, "the refund height or time is 1 to 4294967295, got 4294967296"),
    ):
        with pytest.raises(UnusableInput, match=re.escape(reason)):
            replace(pot, **change)
    replace(pot, owner=b"\x03" + (1).to_bytes(32, "big"))  # the reduced twin of the unreduced x above
    size = len(pot.lock().code)
    with pytest.raises(LimitExceeded, match=f"^a pot on packed 9-5-4 needs {size:,} bytes of script, 1 more than"):
        pot.lock(NodeLimits(script_bytes=size - 1))
    with pytest.raises(UnusableInput, match="this locking script has no refund: it is no pot"):
        refund_code(claim_script(compile_script(network)).code)


def test_the_curve_is_what_a_library_says(pot):
    for x in range(1, 40):
        key = b"\x02" + x.to_bytes(32, "big")
        try:
            bitcoinx.PublicKey.from_bytes(key)
        except ValueError:
            with pytest.raises(UnusableInput, match="the owner key is no point of secp256k1"):
                replace(pot, owner=key)
        else:
            assert replace(pot, owner=key).owner == key


def test_keys_that_sign_nothing_are_refused():
    assert len(signer(CLAIMANT)(bytes(32))) in (70, 71)
    for key in (bytes(32), b"\x01" * 31, GROUP_ORDER.to_bytes(32, "big")):
        with pytest.raises(UnusableInput, match="a signing key is 32 bytes, above zero and below the group order"):
            signer(key)


def test_a_pot_says_what_it_wants(pot):
    lock = pot.lock()
    assert (is_pot(lock.code), pixels_of(lock.code)) == (True, 9)
    assert lock.sizes["refund"] < 500
    assert sum(lock.sizes.values()) == len(lock.code)
    assert refund_code(lock.code)[-1:] == bytes([Op.ENDIF.value])


def test_a_pot_on_the_trained_network(interpreter, mnist, test_images, draft):
    digits = mnist.infer(test_images[:50]).digits
    three = int(np.flatnonzero(digits == 3)[0])
    seven = int(np.flatnonzero(digits == 7)[0])
    pot = Pot(compile_script(mnist), 3, public(CLAIMANT), public(OWNER), HEIGHT)
    lock = pot.lock().code
    check(interpreter, pot, signed(claim(lock, draft, 1, AMOUNT, test_images[three]), CLAIMANT))
    refused(interpreter, pot, signed(claim(lock, draft, 1, AMOUNT, test_images[seven]), CLAIMANT), WRONG_CLASS)
    check(interpreter, pot, signed(refund(lock, replace(draft, lock_time=HEIGHT), 1, AMOUNT), OWNER))
