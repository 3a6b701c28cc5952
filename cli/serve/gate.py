"""What every request passes before a handler sees it, and every answer after: ASGI around the routes.

host name -> token -> rate -> handler -> security headers, counts, errors as JSON
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers

from zkpredict.cli.serve.limits import RateLimit, client_of
from zkpredict.cli.serve.metrics import Metrics
from zkpredict.cli.serve.pages import policy
from zkpredict.cli.serve.refusal import MISDIRECTED, UNAUTHORISED, Refused, busy

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SECURITY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "content-security-policy": policy(),
    "cache-control": "no-store",
}
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class Gate:
    """`names`: host names that requests may use (None: any); `token`: what /v1 and /metrics ask for (None: nothing)."""

    app: App
    metrics: Metrics
    limit: RateLimit
    token: bytes | None
    names: tuple[str, ...] | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *((n.encode(), v.encode()) for n, v in SECURITY.items() if n.encode() not in present)]
            await send(message)

        try:
            self._check(scope)
            await self.app(scope, receive, answer)
        except Refused as refusal:
            self.metrics.refusals[refusal.kind] += 1
            await _refuse(refusal, answer)
        finally:
            if status:
                self.metrics.took(scope.get("zkpredict.route", "other"), status, time.perf_counter() - start)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self.names is not None and _name(host) not in self.names:
            # a page elsewhere whose name was pointed at this address must not speak for whoever sits here
            what = f"this server does not answer to the name {ascii(host)[:80]}"
            raise Refused(MISDIRECTED, "WrongHost", what, "Host", f"use one of {', '.join(self.names)}; who runs the server adds names with --allow-host")
        path = scope["path"]
        asks = path.startswith("/v1/") and path != "/v1/health"
        if asks:
            wait = self.limit.wait(client_of(scope["client"][0] if scope.get("client") else None))
            if wait:
                raise busy("RateLimited", "requests from this address come too fast", wait, "this client")
        if self.token is not None and (asks or path == "/metrics") and not self._knows(headers.get("authorization", "")):
            then = "send `Authorization: Bearer TOKEN` with the token of this server"
            raise Refused(UNAUTHORISED, "Unauthorised", "a token is missing or wrong", "Authorization", then, {"WWW-Authenticate": "Bearer"})

    def _knows(self, header: str) -> bool:
        scheme, _, given = header.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), self.token or b"")


def _name(host: str) -> str:
    """The name in a Host header, without the port."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower().rstrip(".")


async def _refuse(refusal: Refused, send: Send) -> None:
    body = json.dumps(refusal.body()).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close", **refusal.headers}
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
