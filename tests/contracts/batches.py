"""Many calls in one request, so that thousands of images take seconds."""

from __future__ import annotations

from collections.abc import Sequence

from web3 import Web3

from zkpredict.contracts.rpc import RpcChain


def call_many(chain: RpcChain, to: str, datas: Sequence[bytes]) -> list[bytes]:
    """What `to` returns for each of `datas`; fails with `KeyError` when it refuses one."""
    calls = [("eth_call", [{"to": to, "data": Web3.to_hex(data)}, "latest"]) for data in datas]
    answers = chain._web3.provider.make_batch_request(calls)
    return [bytes.fromhex(answer["result"][2:]) for answer in sorted(answers, key=lambda answer: answer["id"])]
