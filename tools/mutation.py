"""Mutation testing of the verifier: `python -m zkpredict.tools.mutation [MODULE ...]`, in a checkout.

Each mutant is the verifier with one change: a comparison negated, moved by one or decided, a `raise`, a call, an element of a
list or a term of a sum (a constraint, an absorbed message) left out, a sign, factor, number or label changed. It is killed when
one of the killer tests fails. Survivors must be named in docs/evidence.md with the reason why they do no harm; the exit code is
1 otherwise.
"""

from __future__ import annotations

import argparse
import ast
import copy
import gc
import importlib.abc
import importlib.util
import os
import re
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NATIVE_KILLERS, INDEPENDENT_KILLERS = "tests/fuzz/test_killers.py", "tests/fuzz/test_killers_independent.py"
CIRCUIT_KILLERS = f"{NATIVE_KILLERS} tests/fuzz/test_killers_circuits.py"
WIDE_KILLERS = "tests/fuzz/test_killers_wide.py"
HIDDEN_KILLERS = "tests/fuzz/test_killers_hidden.py"
BATCH_KILLERS = "tests/fuzz/test_killers_batch.py"
SET_ALGEBRA = "tests/batch/test_registered_algebra.py"
SET_KILLERS = f"tests/fuzz/test_killers_registered.py {SET_ALGEBRA}"
MAP_KILLERS = "tests/fuzz/test_killers_maps.py"
MAPS = ("encoding", "gadgets", "layout", "placement", "places", "pools", "reads", "weights")
SETS = ("circuits.batch.interleaving", "circuits.batch.registered", "verifier.testset", "verifier.registered")
SECOND_KILLERS = "tests/fuzz/test_killers_second.py"
WIDE = ("keys", "lanes", "fold", "dense", "inputs", "output", "total", "rational", "geometry", "layout", "claims", "placement")
TARGETS = {
    "zkpredict.verifier.native": f"{NATIVE_KILLERS} {WIDE_KILLERS} {HIDDEN_KILLERS} {SET_ALGEBRA}",
    "zkpredict.verifier.opening": f"{NATIVE_KILLERS} {WIDE_KILLERS} {SET_ALGEBRA}",
    "zkpredict.verifier.messages": f"{NATIVE_KILLERS} {WIDE_KILLERS}",
    "zkpredict.verifier.commitment": NATIVE_KILLERS,
    "zkpredict.verifier.transcript": f"{NATIVE_KILLERS} {SECOND_KILLERS}",
    "zkpredict.verifier.ceremony": f"{NATIVE_KILLERS} {WIDE_KILLERS}",
    "zkpredict.circuits.constraints": CIRCUIT_KILLERS,
    "zkpredict.circuits.columns": "tests/fuzz/test_killers_forms.py",
    "zkpredict.circuits.linear": CIRCUIT_KILLERS,
    "zkpredict.circuits.publics": CIRCUIT_KILLERS,
    "zkpredict.circuits.gadgets.argmax": CIRCUIT_KILLERS,
    "zkpredict.circuits.gadgets.bytes": CIRCUIT_KILLERS,
    "zkpredict.circuits.gadgets.dense": CIRCUIT_KILLERS,
    "zkpredict.circuits.gadgets.lanes": CIRCUIT_KILLERS,
    "zkpredict.circuits.gadgets.packs": CIRCUIT_KILLERS,
    "zkpredict.circuits.gadgets.public_input": CIRCUIT_KILLERS,
    "zkpredict.circuits.gadgets.relu": CIRCUIT_KILLERS,
    **{f"zkpredict.circuits.wide.{name}": WIDE_KILLERS for name in WIDE},
    "zkpredict.circuits.wide.private": HIDDEN_KILLERS,
    "zkpredict.verifier.hidden": HIDDEN_KILLERS,
    **{f"zkpredict.circuits.convolution.{name}": MAP_KILLERS for name in MAPS},
    **{f"zkpredict.circuits.batch.{name}": BATCH_KILLERS for name in ("gadgets", "statement")},
    **{f"zkpredict.circuits.batch.{name}": f"{MAP_KILLERS} {BATCH_KILLERS}" for name in ("layout", "convolution")},
    "zkpredict.circuits.batch.placement": f"{MAP_KILLERS} tests/fuzz/test_killers_registered.py {BATCH_KILLERS}",
    "zkpredict.verifier.batch": BATCH_KILLERS,
    "zkpredict.verifier.score": BATCH_KILLERS,
    "zkpredict.verifier.independent_batch": BATCH_KILLERS,
    **{f"zkpredict.{name}": SET_KILLERS for name in SETS},
    "zkpredict.verifier.independent_registered": "tests/fuzz/test_killers_registered_independent.py",
    "zkpredict.verifier.independent": INDEPENDENT_KILLERS,
    "zkpredict.verifier.independent_compact": INDEPENDENT_KILLERS,
    "zkpredict.verifier.independent_wide": "tests/fuzz/test_killers_wide_independent.py",
    "zkpredict.verifier.independent_convolution": "tests/convolution/test_convolution_independent.py tests/convolution/test_wired_algebra.py",
}
EVIDENCE = ROOT / "docs" / "evidence.md"
SECONDS = 60
"""A mutant that takes more of a processor hangs, which is no acceptance either. No clock: a busy machine kills nothing."""
KILLED, SURVIVED = 1, 0
PYTEST_OPTIONS = (
    "-x", "-q", "--noconftest", "--assert=plain", f"--rootdir={ROOT}", "-pno:cacheprovider", "-pno:unraisableexception", "-pno:threadexception",
)  # fmt: skip
"""A killer's failure is all that counts: nothing that explains it, or that looks for garbage behind it."""

LOADED = ("numpy", "pytest", "zkpredict_kernel", "py_ecc.optimized_bls12_381", "eth_utils")
"""Loaded before the forks, so that mutants start at once."""

_NEGATED = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_SHIFTED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_ARITHMETIC = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Add,), ast.FloorDiv: (ast.Mult,), ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,), ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,), ast.Pow: (ast.Mult,),
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """`module` with `before` replaced by `after` in `statement`, on `line`; `tree` is its syntax tree."""

    module: str
    line: int
    statement: str
    before: str
    after: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """How docs/evidence.md calls it: no line number, which other edits would move."""
        place = "" if self.statement == self.before else f" in `{self.statement}`"
        return f"{self.module.removeprefix('zkpredict.')}: `{self.before}` -> `{self.after}`{place}"


def unchanged(source: str, module: str) -> Mutant:
    """The mutant that is none: run as one, it must live, or all others die of the machinery."""
    tree = ast.parse(source)
    _strip(tree)
    return Mutant(module, 0, "", "", "", ast.fix_missing_locations(tree))


def mutants_of(source: str, module: str) -> Iterator[Mutant]:
    """Every mutant of `source`, in the order of the code."""
    tree = ast.parse(source)
    _strip(tree)
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    for number, node in enumerate(ast.walk(tree)):
        for after in _replacements(node):
            changed = copy.deepcopy(tree)
            target = next(found for place, found in enumerate(ast.walk(changed)) if place == number)
            _put(changed, target, after)
            text = "(nothing)" if isinstance(after, ast.Pass) else _one_line(after)
            line, statement = getattr(node, "lineno", 0), _head_of(node, parents)
            yield Mutant(module, line, statement, _one_line(node), text, ast.fix_missing_locations(changed))


def _head_of(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> str:
    """The statement around `node`, of a compound one the first line."""
    while not isinstance(node, ast.stmt):
        node = parents[node]
    return ast.unparse(node).splitlines()[0]


def _strip(tree: ast.Module) -> None:
    """Takes out the annotations of functions and quotes those of fields: nothing there decides anything the killers should see, but `ClassVar`,
    that a name is no field."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            of_class = ast.unparse(node.annotation).startswith("ClassVar")
            node.annotation = ast.Name("ClassVar", ast.Load()) if of_class else ast.Constant(ast.unparse(node.annotation))
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument in [*node.args.args, *node.args.kwonlyargs]:
                argument.annotation = None


def _replacements(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in place of `node`."""
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            for table in (_NEGATED, _SHIFTED):
                if type(operator) in table:
                    yield _with(node, ops=[*node.ops[:place], table[type(operator)](), *node.ops[place + 1 :]])
        yield from (ast.Constant(True), ast.Constant(False))
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.And() if isinstance(node.op, ast.Or) else ast.Or())
        for left_out in range(len(node.values)):
            kept = node.values[:left_out] + node.values[left_out + 1 :]
            yield _with(node, values=kept) if len(kept) > 1 else kept[0]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield node.operand
    elif isinstance(node, ast.BinOp):
        yield from (_with(node, op=other()) for other in _ARITHMETIC.get(type(node.op), ()))
        if isinstance(node.op, ast.Add):
            yield from (node.right, node.left)
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Constant) and type(node.value) is bytes and node.value:
        yield ast.Constant(bytes([node.value[0] ^ 1]) + node.value[1:])
    elif isinstance(node, ast.Attribute) and node.attr == "next":
        yield node.value
    elif isinstance(node, (ast.Tuple, ast.List)) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        for place in range(len(node.elts)):
            yield _with(node, elts=node.elts[:place] + node.elts[place + 1 :])
    elif isinstance(node, ast.Dict):
        for place in range(len(node.keys)):
            yield _with(
                node, keys=node.keys[:place] + node.keys[place + 1 :], values=node.values[:place] + node.values[place + 1 :]
            )
    elif isinstance(node, (ast.Raise, ast.AugAssign)) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        yield ast.Pass()


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _put(tree: ast.Module, target: ast.AST, after: ast.AST) -> None:
    """Replaces the very node `target` of `tree`."""
    after = ast.copy_location(copy.deepcopy(after), target)
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is target:
                setattr(parent, name, after)
            elif isinstance(value, list) and any(item is target for item in value):
                setattr(parent, name, [after if item is target else item for item in value])


def _one_line(node: ast.AST) -> str:
    return " ".join(ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).split())


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a mutant's tree instead of its file."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name == self.mutant.module else None

    def exec_module(self, module) -> None:
        exec(compile(self.mutant.tree, f"<mutant of {self.mutant.module}>", "exec"), vars(module))


def _is_reloaded(name: str, module: object) -> bool:
    """The package and the tests: a killer imported before the fork would still hold the unmutated code."""
    in_tests = str(getattr(module, "__file__", None)).startswith(str(ROOT / "tests"))
    return in_tests or name.split(".")[0] == "zkpredict" and ".kernel" not in name


def run_killers(killers: str, mutant: Mutant) -> int:
    """Forks: in the child, imports the package anew with the mutant and runs the killers. Returns the child's process id."""
    process = os.fork()
    if process:
        return process
    code = KILLED
    try:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        for name in [name for name, module in sys.modules.items() if _is_reloaded(name, module)]:
            del sys.modules[name]
        sys.meta_path.insert(0, _Mutated(mutant))
        import pytest

        sys.path.insert(0, str(ROOT / "tests"))
        code = SURVIVED if pytest.main([*PYTEST_OPTIONS, *(str(ROOT / file) for file in killers.split())]) == 0 else KILLED
    finally:
        os._exit(code)


def source_of(module: str) -> str:
    """The source of one of the targets."""
    return (ROOT / f"{module.removeprefix('zkpredict.').replace('.', '/')}.py").read_text(encoding="utf-8")


def outlives(killers: str, mutant: Mutant) -> bool:
    """Whether all killers pass with this mutant."""
    _, status = os.waitpid(run_killers(killers, mutant), 0)
    return os.waitstatus_to_exitcode(status) == SURVIVED


def survivors_of(module: str, workers: int = 2) -> tuple[int, list[Mutant]]:
    """Runs every mutant of `module`; returns how many there are, and those that no killer saw. Says on stderr how far it is."""
    for name in LOADED:
        importlib.import_module(name)
    mutants, running, survived, done = list(mutants_of(source_of(module), module)), {}, [], 0
    gc.freeze()  # else each child's garbage collector goes through all the trees
    for mutant in [*mutants, *[None] * workers]:
        if len(running) == workers or mutant is None and running:
            process, status = os.wait()
            finished, done = running.pop(process), done + 1
            if os.waitstatus_to_exitcode(status) == SURVIVED:
                survived.append(finished)
            print(f"{module}: {done} of {len(mutants)}, {len(survived)} survive", end="\r", file=sys.stderr, flush=True)
        if mutant is not None:
            running[run_killers(TARGETS[module], mutant)] = mutant
    print(file=sys.stderr)
    return len(mutants), sorted(survived, key=lambda mutant: mutant.line)


def explanations() -> str:
    """What docs/evidence.md says, which names every survivor."""
    return EVIDENCE.read_text(encoding="utf-8").replace("\\|", "|")


def explained_in(page: str, module: str) -> set[str]:
    """Names of the survivors of `module` that the page's table has a reason for."""
    rows = re.findall(r"^\| (\S+: `.*`(?: in `.*`)?) \| \S.* \|$", page, flags=re.MULTILINE)
    return {name for name in rows if name.startswith(f"{module.removeprefix('zkpredict.')}: ")}


def main(arguments: list[str]) -> int:
    """Prints a line for each module, each survivor, and each explanation of a mutant that did not survive."""
    parser = argparse.ArgumentParser(prog="python -m zkpredict.tools.mutation", description="mutation testing of the verifier")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"default: all of {', '.join(TARGETS)}")
    parser.add_argument("--count", action="store_true", help="say how many mutants there are, and run none")
    given = parser.parse_args(arguments)
    modules = given.modules or list(TARGETS)
    if unknown := set(modules) - set(TARGETS):
        parser.error(f"no module to mutate: {', '.join(sorted(unknown))}")
    if given.count:
        for module in modules:
            print(f"{module}: {sum(1 for _ in mutants_of(source_of(module), module))} mutants")
        return 0
    explained = explanations()
    open_questions = 0
    for module in modules:
        if not outlives(TARGETS[module], unchanged(source_of(module), module)):
            print(f"{module}: the killers fail without any mutation")
            return 2
        count, survived = survivors_of(module)
        print(f"{module}: {count} mutants, {len(survived)} survive", flush=True)
        for name in sorted(explained_in(explained, module) - {mutant.name for mutant in survived}):
            print(f"  STALE        {name}", flush=True)
        for mutant in survived:
            known = mutant.name in explained
            open_questions += not known
            print(f"  {'explained' if known else 'UNEXPLAINED'}  line {mutant.line}  {mutant.name}", flush=True)
    return 1 if open_questions else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
