"""What a request is refused with: a status, and one JSON object that says what was wrong, where, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping

BAD_REQUEST, UNAUTHORISED, NOT_FOUND, NOT_ALLOWED, TIMED_OUT, CONFLICT, TOO_LARGE, WRONG_TYPE = 400, 401, 404, 405, 408, 409, 413, 415
MISDIRECTED, UNPROCESSABLE, TOO_MANY, FAULT, UNAVAILABLE, NO_ANSWER = 421, 422, 429, 500, 503, 504


class Refused(Exception):
    """`kind` is for programs and never changes; `what`, `where` and `then` are for people."""

    def __init__(self, status: int, kind: str, what: str, where: str, then: str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.kind, self.headers = status, kind, dict(headers or {})
        self.what, self.where, self.then = what, where, then
        super().__init__(what)

    def body(self) -> dict[str, object]:
        return {"error": {"kind": self.kind, "what": self.what, "where": self.where, "next": self.then}}


def busy(kind: str, what: str, seconds: int, where: str = "the server") -> Refused:
    """429 with Retry-After."""
    return Refused(TOO_MANY, kind, what, where, f"ask again in {seconds} s", {"Retry-After": str(seconds)})
