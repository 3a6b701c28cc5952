"""From a request to an acknowledged proof: one for each idempotency key, kept before anybody hears of it.

    asked -> known key? -> the kept answer, or 422 for another request under it
          -> under way? -> wait for the same answer
          -> pool (full: 429) -> proof -> kept -> acknowledged
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from zkpredict.cli.serve.asked import Asked
from zkpredict.cli.serve.metrics import Metrics
from zkpredict.cli.serve.pool import Answer, Full, Late, Lost, Pool
from zkpredict.cli.serve.refusal import BAD_REQUEST, CONFLICT, FAULT, NO_ANSWER, UNPROCESSABLE, Refused, busy
from zkpredict.cli.serve.store import Kept, Store
from zkpredict.verifier.commitment import ModelCommitment

KEY_LENGTHS = range(8, 129)
DEPLOY_SECONDS = 600
"""How long the contract of a wide circuit may take to be compiled and deployed in the embedded EVM: no client waits that long."""
T = TypeVar("T")


class Issuer:
    """Everything between the handlers and the workers. All methods run in the event loop; the store in a thread of its own.

    `node`: the process that talks to a node, where waiting for blocks keeps nobody else; None without one."""

    def __init__(self, commitment: ModelCommitment, provers: Pool, notary: Pool, node: Pool | None, store: Store, metrics: Metrics) -> None:
        self._commitment, self.provers, self.notary, self._node, self._store, self._metrics = commitment, provers, notary, node, store, metrics
        self._thread = ThreadPoolExecutor(1, "store")
        self._running: dict[str, tuple[str, asyncio.Task[Answer]]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._warmed = False
        self._deploying: asyncio.Task[Answer] | None = None
        self._deployed_by = -1

    async def prove(self, asked: Asked, key: str | None) -> tuple[Answer, bool]:
        """The answer, and whether it is one that was given before. Raises `Refused`."""
        request = self._request(asked)
        if key is None:
            return await self._finished(self._start(asked, request, None)), False
        _check_key(key)
        if key not in self._running:
            kept = await self._stored(lambda: self._store.by_key(key))
            if kept is not None:
                _same_request(kept.request, request)
                self._metrics.replays += 1
                return kept.answer, True
        if key in self._running:  # looked at again: another request may have come while the store answered
            known, task = self._running[key]
            _same_request(known, request)
            self._metrics.replays += 1
            return await self._finished(task), True
        task = self._start(asked, request, key)
        self._running[key] = request, task
        task.add_done_callback(lambda _: self._running.pop(key, None))
        return await self._finished(task), False

    async def by_name(self, name: str) -> Answer | None:
        """The acknowledged answer of a proof."""
        kept = await self._stored(lambda: self._store.by_name(name))
        return kept.answer if kept else None

    async def verify(self, asked: Asked) -> Answer:
        """The verdict of the native verifier."""
        return await self._ask(self.provers, {"do": "verify", "image": asked.input.hex(), "proof": asked.proof.hex(), "context": asked.context.hex()})

    async def on_chain(self, do: str, asked: Asked) -> Answer:
        """What the chains' process says, or the one with the node. In the EVM once its contract is deployed."""
        if do == "evm":
            await self._deployed()
        pool = self._node if self._node is not None and do in ("node", "send", "calldata") else self.notary
        return await self._ask(pool, {"do": do, "image": asked.input.hex(), "proof": asked.proof.hex()})

    async def send(self, asked: Asked) -> Answer:
        """One transaction for a proof, however often it is asked for; none, and no old answer, for an input that it does not hold for."""
        said = await self.verify(asked)
        if not said["valid"]:
            return said
        name = hashlib.sha256(asked.proof).hexdigest()
        task = self._keep_task(asyncio.create_task(self._send(name, asked)))
        return await self._finished(task)

    def warm(self) -> None:
        """When somebody opens the page: lets the contract be deployed while they draw, then checks a proof of the empty input in it, if
        there is one. Nobody waits for it; where there is no room, it is left."""
        if self._warmed:
            return
        self._warmed = True
        blank = bytes(self._commitment.circuit.inputs).hex()

        def check(made: Future[Answer]) -> None:
            if made.exception() is None and "proof" in made.result():
                with suppress(Full):
                    self.notary.submit({"do": "evm", "image": blank, "proof": made.result()["proof"]})

        self._deploy()
        with suppress(Full):
            self.provers.submit({"do": "prove", "image": blank, "class": None, "context": ""}).add_done_callback(check)

    def _deploy(self) -> asyncio.Task[Answer]:
        """The contract's deployment: one for the life of the process that runs chains, which nobody's patience ends."""
        if self._deploying is None or self._deployed_by != self.notary.restarts:
            self._deployed_by = self.notary.restarts
            self._deploying = asyncio.create_task(self._ask(self.notary, {"do": "deploy", "image": ""}, DEPLOY_SECONDS))
            self._deploying.add_done_callback(_heard)
        return self._deploying

    async def _deployed(self) -> None:
        """Raises `Refused` when it takes longer than a client waits, or cannot be."""
        task = self._deploy()
        try:
            await asyncio.wait_for(asyncio.shield(task), self.notary.seconds)
        except TimeoutError:
            what = f"the contract is not deployed within {self.notary.seconds:g} s"
            raise Refused(NO_ANSWER, "TooLate", what, "the server", "it goes on meanwhile: ask again", {"Retry-After": "5"}) from None
        except Refused as refusal:
            if refusal.kind != "Unavailable":  # not for good: the next one begins anew
                self._deploying = None
            raise

    async def close(self) -> None:
        """Finishes what was taken."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        for pool, abandon in ((self.provers, False), (self.notary, True), (self._node, True)):  # whoever asked the last two has been answered
            if pool is not None:
                await asyncio.get_running_loop().run_in_executor(None, pool.close, abandon)
        await self._stored(self._store.close)
        self._thread.shutdown()

    async def _send(self, name: str, asked: Asked) -> Answer:
        before = await self._stored(lambda: self._store.begin(name))
        if isinstance(before, dict):
            return before
        if before is None:
            what = "a transaction for this proof was begun, and its end is not known"
            raise Refused(CONFLICT, "UnknownOutcome", what, "the node", "look at the account's transactions before you send another by hand")
        try:
            answer = await self.on_chain("send", asked)
        except Refused as refusal:
            if refusal.kind == "QueueFull":
                await self._stored(lambda: self._store.end(name, None))  # no worker had it: nothing was sent
            raise
        await self._stored(lambda: self._store.end(name, answer if answer.get("valid") else None))
        return answer

    def _start(self, asked: Asked, request: str, key: str | None) -> asyncio.Task[Answer]:
        """Takes the request, or refuses it: from here on it is finished whether or not its client stays."""
        future = self._submit(self.provers, {"do": "prove", "image": asked.input.hex(), "class": asked.wanted, "context": asked.context.hex()})
        return self._keep_task(asyncio.create_task(self._prove(future, asked, request, key)))

    def _keep_task(self, task: asyncio.Task[Answer]) -> asyncio.Task[Answer]:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_heard)
        return task

    async def _prove(self, future: asyncio.Future[Answer], asked: Asked, request: str, key: str | None) -> Answer:
        made = await self._answered(future, self.provers)
        if "refused" in made:
            then = "leave out class, or give another input" if made["where"] == "class" else "give another input"
            raise Refused(UNPROCESSABLE, made["refused"], made["what"], made["where"], then)
        proof = bytes.fromhex(made["proof"])
        schema = self._commitment.schema
        answer: Answer = {
            "id": hashlib.sha256(proof).hexdigest(),
            **made,
            "class_name": schema.class_name(made["digit"]),
            "proof_bytes": len(proof),
            "model_id": self._commitment.model_id.hex(),
            "input": asked.input.hex(),
            "input_sha256": hashlib.sha256(asked.input).hexdigest(),
            "clipped": list(asked.clipped),
            "context": asked.context.hex() or None,
        }
        await self._stored(lambda: self._store.keep(answer["id"], key, Kept(request, answer)))
        self._metrics.proofs += 1
        return answer

    def _request(self, asked: Asked) -> str:
        """A hash of what a proof request says, of this model."""
        said = [self._commitment.model_id.hex(), asked.input.hex(), asked.wanted, asked.context.hex()]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    async def _ask(self, pool: Pool, job: Answer, seconds: float | None = None) -> Answer:
        answer = await self._answered(self._submit(pool, job, seconds), pool)
        if "unavailable" in answer:
            raise Refused(UNPROCESSABLE, "Unavailable", answer["unavailable"], "the server", "ask for another verifier")
        return answer

    def _submit(self, pool: Pool, job: Answer, seconds: float | None = None) -> asyncio.Future[Answer]:
        try:
            return asyncio.wrap_future(pool.submit(job, seconds))
        except Full:
            raise busy("QueueFull", f"{pool.waiting} requests wait already", 1 + pool.waiting // (4 * pool.workers)) from None

    async def _answered(self, future: asyncio.Future[Answer], pool: Pool) -> Answer:
        try:
            return await future
        except Late:
            then = "ask again when the server is less busy"
            raise Refused(NO_ANSWER, "TooLate", f"no answer within {pool.seconds:g} s", "the server", then, {"Retry-After": "5"}) from None
        except Lost:
            raise Refused(FAULT, "WorkerLost", "the worker stopped", "the server", "ask again; if it happens again, tell who runs this server") from None

    async def _finished(self, task: asyncio.Task[Answer]) -> Answer:
        """Waits without taking the task along when the waiting client goes."""
        return await asyncio.shield(task)

    async def _stored(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


def _heard(done: asyncio.Task[Any]) -> None:
    """A client that left asks for no error."""
    if not done.cancelled():
        done.exception()


def _check_key(key: str) -> None:
    if len(key) not in KEY_LENGTHS or not key.isascii() or not key.isprintable():
        what = f"it must have {KEY_LENGTHS.start} to {KEY_LENGTHS.stop - 1} printable ASCII characters"
        raise Refused(BAD_REQUEST, "MalformedRequest", what, "Idempotency-Key", "use a random name for each new request, such as a UUID")


def _same_request(known: str, request: str) -> None:
    if known != request:
        what = "another request came under this key"
        raise Refused(UNPROCESSABLE, "KeyReused", what, "Idempotency-Key", "use a new key for a new request")
