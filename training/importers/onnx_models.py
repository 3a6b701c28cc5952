"""ONNX models (PyTorch, scikit-learn, tf2onnx, Keras export): `parse_onnx`, `read_chain`, `fold`. Needs numpy alone."""

from __future__ import annotations

from zkpredict.training.importers.imported import Answer, Imported
from zkpredict.training.importers.onnx_files import Graph, parse_onnx
from zkpredict.training.importers.onnx_graph import OnnxChain, read_chain
from zkpredict.training.importers.folding import Folded, fold
from zkpredict.training.importers.steps import Scale

MAX_ONNX_BYTES = 1 << 28
_LABEL_KINDS = (6, 7, 8)


def onnx_model(data: bytes, what: str, threshold: float | None = None) -> Imported:
    """The float model in the bytes of an ONNX file. Raises `MalformedFile` or `UnsupportedNetwork`, naming the node."""
    graph = parse_onnx(data, what)
    chain = read_chain(graph, what)
    folded = fold(chain.steps, what, threshold)
    classes = chain.labels if chain.labels and not _only_numbers(chain.labels) else ()
    return Imported(what, folded, _convention(folded.entry), _answer(graph, chain, folded, threshold), classes=classes, turned=chain.turned)


def _convention(entry: Scale | None) -> str | None:
    """What a scale at the entrance says. Sub, Mul and the like say nothing of what they are fed; a scaler's moments do."""
    return "moments" if entry is not None and entry.moments is not None else None


def _answer(graph: Graph, chain: OnnxChain, folded: Folded, threshold: float | None) -> Answer:
    """The first output that is a tensor: labels when it holds integers or texts, else scores."""
    output = next((value for value in graph.outputs if value.kind), graph.outputs[0])
    if output.kind in _LABEL_KINDS:
        count = len(folded.layers[-1].bias)
        return Answer(output.name, "labels", chain.labels or tuple(map(str, range(count))))
    if folded.end == "sigmoid":
        return Answer(output.name, "sigmoid", threshold=0.5 if threshold is None else threshold)
    if threshold is not None:
        return Answer(output.name, "value", threshold=threshold)
    return Answer(output.name, "scores")


def _only_numbers(labels: tuple[str, ...]) -> bool:
    """Whether the labels are the numbers of the classes: no names."""
    return list(labels) == list(map(str, range(len(labels))))
