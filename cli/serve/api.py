"""The routes: each reads its body, asks the issuer, and answers in JSON."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from zkpredict.circuits.placement import claim_of, placement_of
from zkpredict.circuits.wide.claims import Kind
from zkpredict.cli.serve import asked, openapi
from zkpredict.cli.serve.gate import App, Gate
from zkpredict.cli.serve.issuing import Issuer
from zkpredict.cli.serve.limits import RateLimit
from zkpredict.cli.serve.metrics import Metrics, resident_bytes
from zkpredict.cli.serve.pages import Asset, assets
from zkpredict.cli.serve.refusal import FAULT, NOT_ALLOWED, NOT_FOUND, TIMED_OUT, TOO_LARGE, WRONG_TYPE, Refused
from zkpredict.verifier.commitment import ModelCommitment

Answer = dict[str, Any]
_CLAIMED = {
    Kind.CLASS: "has its largest output at this class",
    Kind.MARGIN: "has its largest output at this class, at least {:,} above every other",
    Kind.LOGITS: "has these outputs, the largest at this class",
    Kind.THRESHOLD: "has an output of at least {:,}",
}
"""What a proof says, by kind of claim."""
Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Service:
    """What the handlers need. `open`: weights are public; `node`: chain id, contract and who signs, or None; `no_contract`: why no contract checks
    these proofs, or None; `patience`: seconds for a body."""

    commitment: ModelCommitment
    network: str
    issuer: Issuer
    metrics: Metrics
    open: bool
    node: Answer | None
    no_contract: str | None
    rate: float
    patience: float

    def description(self) -> Answer:
        """All that is public about the model, and what this server can do."""
        circuit, schema = self.commitment.circuit, self.commitment.schema
        return {
            "model_id": self.commitment.model_id.hex(),
            "commitment": self.commitment.to_bytes().hex(),
            "network": self.network,
            "widths": list(circuit.widths),
            "lanes": list(circuit.lanes),
            "domain": circuit.domain,
            "circuit_digest": circuit.digest.hex(),
            "inputs": circuit.inputs,
            "classes": circuit.classes,
            "claim": str(claim_of(circuit)),
            "says": f"The network committed under model_id, run in exact integers on the input, {_CLAIMED[claim_of(circuit).kind].format(claim_of(circuit).parameter)}.",
            "placement": placement_of(circuit),
            "no_contract": self.no_contract,
            "features": [{"name": one.name, "low": one.low, "high": one.high} for one in schema.features],
            "class_names": list(schema.classes),
            "open": self.open,
            "node": self.node,
            "verifiers": [place for place in self.places if self.no_contract is None or place == asked.NATIVE],
            "limits": {"body_bytes": asked.MAX_BODY_BYTES, "requests_per_second": self.rate, "seconds": self.issuer.provers.seconds, "body_seconds": self.patience},
        }

    @property
    def places(self) -> tuple[str, ...]:
        return (asked.NATIVE, asked.EVM, *((asked.NODE,) if self.node else ()))


def application(service: Service, limit: RateLimit, token: bytes | None, names: tuple[str, ...] | None) -> App:
    """The ASGI application. Its shutdown finishes what was taken."""

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        yield
        await service.issuer.close()

    posts: dict[str, Handler] = {
        "/v1/prove": _prove(service),
        "/v1/verify": _verify(service),
        "/v1/calldata": _chain(service, "calldata"),
        "/v1/open": _chain(service, "open"),
        "/v1/transaction": _chain(service, "send"),
    }
    gets: dict[str, Handler] = {
        "/v1/model": _fixed(service.description()),
        "/v1/proofs/{name}": _kept(service),
        "/v1/health": _health(service),
        "/metrics": _metrics(service),
        "/openapi.json": _fixed(openapi.document(service.description())),
        **{path: _asset(asset, service.issuer.warm if path == "/" else None) for path, asset in assets().items()},
    }
    routes = [Route(path, _named(path, run), methods=["POST"]) for path, run in posts.items()]
    routes += [Route(path, _named(path if path.startswith(("/v1", "/metrics", "/openapi")) else "page", run), methods=["GET"]) for path, run in gets.items()]
    handlers: dict[Any, Any] = {Refused: _refusal(service.metrics), ClientDisconnect: _left(service.metrics), HTTPException: _plain_refusal, Exception: _fault}
    app = Starlette(routes=routes, exception_handlers=handlers, lifespan=life)
    app.router.redirect_slashes = False
    return Gate(app, service.metrics, limit, token, names)


def _prove(service: Service) -> Handler:
    async def run(request: Request) -> Response:
        wanted = asked.read_prove(await body(request, service.patience), service.commitment)
        answer, replayed = await service.issuer.prove(wanted, request.headers.get("idempotency-key"))
        return JSONResponse(answer, headers={"Idempotency-Replayed": "true"} if replayed else None)

    return run


def _verify(service: Service) -> Handler:
    async def run(request: Request) -> Response:
        wanted = asked.read_verify(await body(request, service.patience), service.commitment, service.places)
        said = await (service.issuer.verify(wanted) if wanted.where == asked.NATIVE else service.issuer.on_chain(wanted.where, wanted))
        if said["valid"]:
            said = {**said, "class_name": service.commitment.schema.class_name(said["digit"])}
        return JSONResponse({"verifier": wanted.where, **said})

    return run


def _chain(service: Service, do: str) -> Handler:
    async def run(request: Request) -> Response:
        if do == "open" and not service.open:
            _not_here("this model's weights are private", "who runs the server says --open for a model whose weights are published")
        if do == "send" and (service.node or {}).get("signs") != "server":
            _not_here("this server signs no transactions", "sign in your wallet: /v1/calldata gives the data")
        wanted = asked.read_statement(await body(request, service.patience), service.commitment, needs_proof=do != "open")
        return JSONResponse(await (service.issuer.send(wanted) if do == "send" else service.issuer.on_chain(do, wanted)))

    return run


def _kept(service: Service) -> Handler:
    async def run(request: Request) -> Response:
        answer = await service.issuer.by_name(request.path_params["name"])
        if answer is None:
            raise Refused(NOT_FOUND, "NoSuchProof", "no proof of this server has that id", "path", "the id is the sha256 of the proof")
        return JSONResponse(answer)

    return run


def _health(service: Service) -> Handler:
    async def run(_: Request) -> Response:
        pool = service.issuer.provers
        return JSONResponse({"status": "ok", "model_id": service.commitment.model_id.hex(), "workers": pool.workers, "busy": pool.busy, "waiting": pool.waiting})

    return run


def _metrics(service: Service) -> Handler:
    async def run(_: Request) -> Response:
        provers, notary = service.issuer.provers, service.issuer.notary
        gauges = [
            ("workers", "Proving processes.", provers.workers),
            ("busy", "Proving processes with a job.", provers.busy),
            ("waiting", "Jobs that wait for a proving process.", provers.waiting),
            ("jobs_lost", "Jobs that failed because a worker was too slow or stopped, since the start.", provers.lost + notary.lost),
            ("worker_restarts", "Workers replaced since the start.", provers.restarts + notary.restarts),
            ("resident_bytes", "Memory of the serving process.", resident_bytes()),
        ]
        return Response(service.metrics.text(gauges), media_type="text/plain; version=0.0.4; charset=utf-8")

    return run


def _fixed(answer: Answer) -> Handler:
    async def run(_: Request) -> Response:
        return JSONResponse(answer)

    return run


def _asset(asset: Asset, opened: Callable[[], None] | None) -> Handler:
    headers = {"etag": asset.tag, "cache-control": "no-cache"}
    if asset.policy:
        headers["content-security-policy"] = asset.policy

    async def run(request: Request) -> Response:
        if opened is not None:
            opened()
        if request.headers.get("if-none-match") == asset.tag:
            return Response(status_code=304, headers=headers)
        return Response(asset.data, headers=headers | {"content-type": asset.type})

    return run


def _named(path: str, run: Handler) -> Handler:
    """Tells the counts which route this is: its pattern, never what a client wrote."""

    async def named(request: Request) -> Response:
        request.scope["zkpredict.route"] = path
        return await run(request)

    return named


async def body(request: Request, patience: float) -> bytes:
    """The whole body. Raises `Refused` for another type, too many bytes, or one that takes longer than `patience` seconds."""
    limit = asked.MAX_BODY_BYTES
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(WRONG_TYPE, "WrongType", f"the body is {ascii(kind)[:60]}", "Content-Type", "send application/json")
    too_large = Refused(TOO_LARGE, "TooLarge", f"the body is larger than {limit} bytes", "body", "send one input at a time")
    declared = request.headers.get("content-length", "0")
    if int(declared) > limit:
        raise too_large
    found = bytearray()
    try:
        async with asyncio.timeout(patience):
            async for part in request.stream():
                found += part
                if len(found) > limit:
                    raise too_large
    except TimeoutError:
        raise Refused(TIMED_OUT, "TooSlow", f"the body did not come within {patience:g} s", "body", "send it faster") from None
    return bytes(found)


def _not_here(what: str, then: str) -> None:
    raise Refused(NOT_FOUND, "NotOffered", what, "path", then)


def _refusal(metrics: Metrics) -> Callable[[Request, Refused], Awaitable[Response]]:
    async def said(_: Request, refused: Refused) -> Response:
        metrics.refusals[refused.kind] += 1
        unread = {"connection": "close"} if refused.status in (TIMED_OUT, TOO_LARGE, WRONG_TYPE, NOT_FOUND) else {}
        return JSONResponse(refused.body(), refused.status, headers={**unread, **refused.headers})

    return said


def _left(metrics: Metrics) -> Callable[[Request, ClientDisconnect], Awaitable[Response]]:
    async def gone(_: Request, __: ClientDisconnect) -> Response:
        metrics.refusals["ClientLeft"] += 1
        return Response(status_code=TIMED_OUT)

    return gone


async def _plain_refusal(_: Request, error: HTTPException) -> Response:
    """404 and 405 of the router, in our form."""
    kinds = {NOT_FOUND: ("NoSuchPath", "there is nothing at this path"), NOT_ALLOWED: ("WrongMethod", "this path takes another method")}
    kind, what = kinds.get(error.status_code, ("Refused", error.detail))
    refused = Refused(error.status_code, kind, what, "path", "see /openapi.json, or the page at /docs")
    return JSONResponse(refused.body(), error.status_code, headers=error.headers)


async def _fault(_: Request, error: Exception) -> Response:
    """Anything nobody foresaw: the client hears that, the log has the rest."""
    return JSONResponse(Refused(FAULT, "ServerFault", "the server failed", "the server", "tell who runs it; its log says more").body(), FAULT)
