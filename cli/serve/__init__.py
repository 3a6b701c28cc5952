"""`zkpredict serve`: a page to draw on, and proofs over HTTP. The weights stay in processes of their own."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.storage import read_file
from zkpredict.cli.console import Console
from zkpredict.cli.parser import at_least_one

if TYPE_CHECKING:
    from zkpredict.cli.serve.api import Service
    from zkpredict.cli.serve.pool import Pool

EXAMPLE = """zkpredict serve --model examples/mnist.model --open
zkpredict serve --model my.model --state proofs.db --token-file token --host 0.0.0.0"""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
NODE_SECONDS = 180
"""How long a transaction may take to be mined: many blocks of any chain."""
_TOKEN_BYTES = range(16, 1025)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", required=True, metavar="FILE", help="committed model file (private)")
    parser.add_argument("--open", action="store_true", help="the weights are published: also show logits, and the open network on-chain beside the proof")
    parser.add_argument("--times", action="store_true", help="tell clients how long each round of a proof took, which depends on the weights (with --open always)")
    listening = parser.add_argument_group("listening")
    listening.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (default: 127.0.0.1, this machine alone)")
    listening.add_argument("--port", type=_port, default=8000, metavar="N", help="port, 0 for a free one (default: 8000)")
    listening.add_argument("--allow-host", action="append", default=[], metavar="NAME", help="another name that browsers may call this server by (repeat)")
    listening.add_argument("--proxy", metavar="ADDRESS", help="take the client's address from X-Forwarded-For when this address sends it")
    listening.add_argument("--token-file", metavar="FILE", help="ask every client for the bearer token in FILE")
    limits = parser.add_argument_group("limits")
    limits.add_argument("--workers", type=at_least_one, metavar="N", help="proving processes (default: one a core)")
    limits.add_argument("--queue", type=at_least_one, default=32, metavar="N", help="requests that may wait; beyond, clients get 429 (default: 32)")
    limits.add_argument("--rate", type=at_least_one, default=20, metavar="N", help="requests a second from one client (default: 20)")
    limits.add_argument("--seconds", type=at_least_one, default=30, metavar="N", help="from a request to its answer, at most (default: 30)")
    limits.add_argument("--patience", type=at_least_one, default=10, metavar="N", help="seconds for a request to arrive, head and body each (default: 10)")
    keeping = parser.add_argument_group("keeping and sending")
    keeping.add_argument("--state", metavar="FILE", help="keep issued proofs in FILE (SQLite), so that a restart loses none")
    keeping.add_argument("--rpc-url", metavar="URL", help="let visitors send proofs to a contract on the node at this address")
    keeping.add_argument("--contract", metavar="ADDRESS", help="with --rpc-url: a deployed verifier that knows the model")
    keeping.add_argument("--key-file", metavar="FILE", help="with --rpc-url: sign here, with this key, which pays; without it visitors sign in their wallet")
    parser.add_argument("--log-requests", action="store_true", help="a line on stderr for each request")


def run(arguments: argparse.Namespace, console: Console) -> None:
    with console.step("start"):
        try:
            from zkpredict.cli.serve import listening
            from zkpredict.cli.serve.api import application
            from zkpredict.cli.serve.limits import RateLimit
        except ImportError as error:
            raise UnusableInput(f"serving needs {error.name}: pip install 'zkpredict[serve]'") from None
    local = arguments.host in _LOOPBACK
    token = None if arguments.token_file is None else _read_token(arguments.token_file)
    if arguments.key_file is not None and token is None and not local:
        raise UnusableInput(f"--key-file with --host {arguments.host}: whoever reaches this address could spend the key's money; add --token-file")
    with ExitStack() as left:
        sock = left.enter_context(listening.bind(arguments.host, arguments.port))
        host, port = sock.getsockname()[:2]
        with console.step("load the model"):
            service = _service(arguments, console, left)
        names = (*_host_names(arguments.host), *arguments.allow_host) if local else None
        app = application(service, RateLimit(arguments.rate), token, names)
        url = f"http://{'[' + host + ']' if ':' in host else host}:{port}/"

        def ready() -> None:
            console.result(
                {"url": url, "model_id": service.commitment.model_id.hex(), "network": service.network, "pid": os.getpid()},
                [
                    f"Draw on {url}",
                    f"  model    {service.network}, id {service.commitment.model_id.hex()}" + (", open" if arguments.open else ""),
                    f"  workers  {service.issuer.provers.workers}; proofs are kept in {arguments.state or 'memory, until this server ends'}",
                    "  private  every weight" if not arguments.open else "  public   every weight, because of --open",
                    "  Ctrl-C finishes what was taken, and ends.",
                ],
            )

        if not local and token is None:
            console.note(f"anybody who reaches {arguments.host} can ask for proofs; --token-file FILE asks them for a token")
        listening.run(app, sock, patience=arguments.patience, proxy=arguments.proxy, log_requests=arguments.log_requests, ready=ready)


def _service(arguments: argparse.Namespace, console: Console, left: ExitStack) -> Service:
    """The workers, the store and what is public of the model; `left` ends them when this command does. Raises `UnusableInput`."""
    from zkpredict.cli.private import DEMONSTRATIONS
    from zkpredict.cli.serve import chain, store, worker
    from zkpredict.cli.serve.api import Service
    from zkpredict.cli.serve.issuing import Issuer
    from zkpredict.cli.serve.metrics import Metrics
    from zkpredict.cli.serve.node import node_settings
    from zkpredict.kernel import G1
    from zkpredict.verifier.commitment import ModelCommitment

    node = node_settings(arguments.rpc_url, arguments.contract, arguments.key_file)
    workers = arguments.workers or os.cpu_count() or 1
    threads = max((os.cpu_count() or 1) // workers, 1)
    kept = left.enter_context(closing(store.Memory() if arguments.state is None else store.File(arguments.state)))
    shows = (arguments.open, arguments.open or arguments.times)
    provers = _pool(left, worker.prover, (arguments.model, shows, threads), arguments, workers, arguments.seconds)
    commitment = ModelCommitment.from_bytes(bytes.fromhex(provers.hello["commitment"]), G1.from_compressed)
    if not arguments.open and commitment.model_id.hex() in DEMONSTRATIONS:
        console.note("this demonstration's weights are published; --open also shows the open network beside the proof")
    shown = commitment.to_bytes().hex()
    notary = _pool(left, chain.notary, (shown, arguments.model if arguments.open else None, None), arguments, 1, arguments.seconds)
    there = None if node is None else _pool(left, chain.notary, (shown, None, node), arguments, 1, max(arguments.seconds, NODE_SECONDS))
    metrics = Metrics()
    issuer = Issuer(commitment, provers, notary, there, kept, metrics)
    return Service(commitment, provers.hello["network"], issuer, metrics, arguments.open, there.hello["node"] if there else None, notary.hello["no_contract"], arguments.rate, arguments.patience)


def _pool(
    left: ExitStack, target: Callable[..., None], settings: tuple[object, ...], arguments: argparse.Namespace, workers: int, seconds: float
) -> Pool:
    from zkpredict.cli.serve.pool import NoStart, Pool

    try:
        found = Pool(target, settings, workers=workers, waiting=arguments.queue, seconds=seconds)
    except NoStart as error:
        raise UnusableInput(str(error)) from None
    left.callback(found.close, True)
    return found


def _host_names(host: str) -> tuple[str, ...]:
    from zkpredict.cli.serve.gate import LOCAL_NAMES

    return tuple(dict.fromkeys((*LOCAL_NAMES, host.lower())))


def _read_token(path: str) -> bytes:
    """The token in a file: one line of visible ASCII. Raises `UnusableInput`; no message shows it."""
    token = read_file(path, "token file", 2 * _TOKEN_BYTES.stop).strip()
    if len(token) not in _TOKEN_BYTES or not all(0x21 <= byte <= 0x7E for byte in token):
        raise UnusableInput(f"the token file {path} must hold one word of {_TOKEN_BYTES.start} to {_TOKEN_BYTES.stop - 1} visible ASCII characters")
    return token


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port, which is a whole number from 0 to 65535")
    return int(text)
