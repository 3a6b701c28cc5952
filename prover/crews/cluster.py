"""A Dask cluster (`pip install zkpredict[cluster]` here, and on every worker).

How the weights get there: `Sent`, once to each worker, over connections that TLS encrypts (refused otherwise); or `OnWorkers`, not
at all: every worker has the model file itself. Which of the two it is, the caller says.

Workers are trusted with the weights, and with this process, since Dask's own messages are pickles; proofs are believed of nobody.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from zkpredict.circuits.errors import UnusableInput
from zkpredict.prover.many import Answer, Job, WorkerLost, held_model, prove_job

PATIENCE_SECONDS, CONNECT_SECONDS, MAX_IDLE_SECONDS = 1.0, 20, 120.0
UNKNOWN = "unknown"
Said = tuple[str, bytes, str]


@dataclass(frozen=True)
class Sent:
    """The bytes of the model file, which workers are sent. No log of Dask shows them."""

    data: bytes = field(repr=False)


@dataclass(frozen=True)
class OnWorkers:
    """A path that every worker can read."""

    path: str


@dataclass(frozen=True)
class Certificates:
    """PEM files: the authority that signed everybody's certificates, and this process's certificate with its key."""

    authority: str
    certificate: str
    key: str


class ClusterCrew:
    """The workers of the scheduler at `address`, which hold the model with `model_id` by way of `source`.

    Raises `UnusableInput` when the scheduler cannot be reached or has no workers, when weights would travel in clear, and when a
    worker has another version of zkpredict or another model.
    """

    def __init__(
        self, address: str, source: Sent | OnWorkers, model_id: bytes, certificates: Certificates | None, warn: Callable[[str], None]
    ) -> None:
        if isinstance(source, Sent) and certificates is None:
            raise UnusableInput(
                f"the weights would travel to {address} unencrypted: give --tls-ca, --tls-cert and --tls-key for a scheduler with TLS, or "
                "--worker-model PATH if every worker has the model file"
            )
        self._distributed = distributed = _library()
        self._address, self._warn = address, warn
        try:
            self._client = distributed.Client(address, timeout=CONNECT_SECONDS, security=_security(distributed, certificates), set_as_default=False)
        except (OSError, TimeoutError, ValueError, RuntimeError) as error:
            raise UnusableInput(f"no Dask scheduler answers at {address}: {_first_line(error)}") from None
        self._distrusted: set[str] = set()
        self._idle_since: float | None = None
        try:
            self._held = self._deliver(source)
            self._check(model_id)
        except BaseException:
            self._client.close()
            raise

    def __enter__(self) -> ClusterCrew:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Lets the workers forget the model, as far as they can be reached."""
        try:
            if self._client.status == "running" and self._addresses():
                self._client.run(_forget, on_error="ignore")
        finally:
            self._client.close()

    def _deliver(self, source: Sent | OnWorkers) -> Any:
        """What stands for the model in a job. Weights go from here to each worker, not through the scheduler."""
        self._source = source
        if isinstance(source, OnWorkers):
            return source
        self._require_workers()
        return self._client.scatter(source, broadcast=True, direct=True, hash=False)

    def _require_workers(self) -> None:
        if not self._addresses():
            raise UnusableInput(f"the scheduler at {self._address} has no workers: start some with `dask worker {self._address}`")

    def _check(self, model_id: bytes) -> None:
        """Every worker that is there now can prove with this model; who comes later is checked by the proofs."""
        from zkpredict import __version__

        self._require_workers()
        said = self._client.run(_version, on_error="return")
        for worker, version in said.items():
            if version != __version__:
                what = f"zkpredict {version}" if isinstance(version, str) else "no zkpredict that it can import"
                raise UnusableInput(f"worker {worker} has {what}, this is {__version__}: install the same wheel there")
        if isinstance(self._source, OnWorkers):
            for worker, found in self._client.run(_model_id, self._source.path).items():
                if found != model_id.hex():
                    raise UnusableInput(f"worker {worker} has another model, or none, at {self._source.path}: {found}")

    # the crew

    @property
    def room(self) -> int:
        return max(2, 2 * sum(info["nthreads"] for info in self._workers().values()))

    def submit(self, job: Job) -> Any:
        if self._is_lost():
            self._held = self._deliver(self._source)
        chosen = {} if not self._distrusted else {"workers": sorted(self._addresses()), "allow_other_workers": False}
        return self._client.submit(_prove, self._held, job, pure=False, **chosen)

    def wait(self, handed: Collection[Any]) -> Collection[Any]:
        try:
            with self._client.as_current():
                ended = self._distributed.wait(list(handed), timeout=PATIENCE_SECONDS, return_when="FIRST_COMPLETED").done
        except self._distributed.TimeoutError:
            ended = [future for future in handed if future.status in ("cancelled", "lost")]
        except self._distributed.CancelledError:
            ended = [future for future in handed if future.status != "pending"]
        self._mind_the_workers(bool(ended))
        return ended

    def _mind_the_workers(self, ended: bool) -> None:
        """Says when nobody is there, and stops when nobody comes. Raises `UnusableInput`."""
        if ended or self._addresses():
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = time.monotonic()
            self._warn(f"the scheduler at {self._address} has no workers left; waiting for some")
        elif time.monotonic() - self._idle_since > MAX_IDLE_SECONDS:
            raise UnusableInput(f"no worker came to {self._address} for {MAX_IDLE_SECONDS:.0f} seconds; what is proven is kept: the same command goes on")

    def answer(self, ended: Any) -> Answer:
        if ended.status != "finished":
            raise WorkerLost(UNKNOWN, f"the job ended as {ended.status} ({_name_of(ended)})")
        holders = self._client.who_has([ended]).get(ended.key, ())
        try:
            claimed, proof, refusal = ended.result(timeout=CONNECT_SECONDS)
        except (self._distributed.TimeoutError, self._distributed.CancelledError, OSError):
            raise WorkerLost(next(iter(holders), UNKNOWN), "it was gone before its answer was here") from None
        worker = next(iter(holders), claimed)
        if refusal and not proof and refusal.startswith(_FAULT):
            raise WorkerLost(worker, refusal.removeprefix(_FAULT))
        return Answer(worker, proof, refusal)

    def distrust(self, worker: str) -> None:
        self._distrusted.add(worker)
        if not self._addresses():
            raise UnusableInput(f"worker {worker} gave no valid proof, and {self._address} has no other")

    def _is_lost(self) -> bool:
        return isinstance(self._source, Sent) and self._held.status != "finished"

    def _workers(self) -> dict[str, Any]:
        found = self._client.scheduler_info(n_workers=-1)["workers"]
        return {address: info for address, info in found.items() if address not in self._distrusted}

    def _addresses(self) -> set[str]:
        return set(self._workers())


def _library() -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError:
        raise UnusableInput("a cluster needs Dask: `pip install 'zkpredict[cluster]'`, here and on every worker") from None


def _security(distributed: Any, certificates: Certificates | None) -> Any:
    if certificates is None:
        return None
    for path in (certificates.authority, certificates.certificate, certificates.key):
        try:
            open(path, "rb").close()
        except OSError as error:
            raise UnusableInput(f"cannot read {path}: {error.strerror}") from None
    return distributed.Security(
        tls_ca_file=certificates.authority,
        tls_client_cert=certificates.certificate,
        tls_client_key=certificates.key,
        require_encryption=True,
    )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _name_of(future: Any) -> str:
    """The type of what went wrong: a message could hold anything."""
    return type(future.exception(timeout=CONNECT_SECONDS)).__name__ if future.status == "error" else "nobody has its answer"


# on a worker

_FAULT = "fault: "


def _prove(source: Sent | OnWorkers, job: Job) -> Said:
    """Everything that goes wrong becomes an answer: Dask would log the arguments of what raises."""
    from distributed import get_worker

    address = str(get_worker().address)
    try:
        model = held_model(source.data if isinstance(source, Sent) else source.path)
        return address, *prove_job(model, job)
    except Exception as error:  # noqa: BLE001  it is told by its type alone
        return address, b"", f"{_FAULT}{type(error).__name__}"


def _version() -> str:
    from zkpredict import __version__

    return __version__


def _model_id(path: str) -> str:
    """Of the model file at `path` on this worker, or what is wrong with it."""
    try:
        return held_model(path).commitment.model_id.hex()
    except UnusableInput as error:
        return str(error)


def _forget() -> None:
    held_model.cache_clear()
