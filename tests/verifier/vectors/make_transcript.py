"""Makes transcript.json: every challenge of one fixed transcript, from docs/protocol.md on pycryptodome alone.

    python tests/verifier/vectors/make_transcript.py > tests/verifier/vectors/transcript.json
"""

import json

from Crypto.Hash import keccak

ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001


def keccak256(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def messages() -> dict[str, bytes]:
    """Bytes that count upwards, so that no two fields are alike: points of 96 bytes, scalars of 32."""
    sizes = {"trace": 3 * 96, "sums": 2 * 96, "quotient": 96, "evaluations": 5 * 32, "opening": 96}
    return {name: bytes((start + i) % 256 for i in range(size)) for start, (name, size) in enumerate(sizes.items())}


def statement() -> dict:
    return {"circuit_digest": bytes(range(32)), "model_id": bytes(range(100, 132)), "digit": 7, "image": bytes(range(256)) * 3 + bytes(16)}


def challenges() -> dict[str, int]:
    said, about = messages(), statement()
    context = keccak256(b"zkpredict proof v1" + about["circuit_digest"])
    state = keccak256(context + about["model_id"] + about["digit"].to_bytes(32, "big") + about["image"])
    state = keccak256(state + said["trace"])
    alpha = int.from_bytes(state, "big") % ORDER
    beta = int.from_bytes(keccak256(state + bytes([1])), "big") % ORDER
    state = keccak256(state + said["sums"])
    delta = int.from_bytes(state, "big") % ORDER
    state = keccak256(state + said["quotient"])
    rho = int.from_bytes(state[:30], "big")
    state = keccak256(state + said["evaluations"])
    nu = int.from_bytes(state, "big") % ORDER
    state = keccak256(state + said["opening"])
    return {"alpha": alpha, "beta": beta, "delta": delta, "rho": rho, "nu": nu, "zeta": int.from_bytes(state, "big") % ORDER}


def vector() -> dict:
    plain = {name: value.hex() if isinstance(value, bytes) else value for name, value in statement().items()}
    return {
        "made_by": "python tests/verifier/vectors/make_transcript.py",
        "statement": plain,
        "messages": {name: value.hex() for name, value in messages().items()},
        "challenges": {name: hex(value) for name, value in challenges().items()},
    }


if __name__ == "__main__":
    print(json.dumps(vector(), indent=2))
