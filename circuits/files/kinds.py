"""What a file is by its first bytes, and what to type next: one set of sentences for every command that is given the wrong file."""

from __future__ import annotations

import re

from zkpredict.circuits.records import dataclass

_HEX_LINE = re.compile(rb"(?:[0-9a-fA-F]{2})+\s*")
_KERAS_MEMBERS = (b"config.json", b"model.weights.h5")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1", b"avif", b"avis")


@dataclass(frozen=True)
class Kind:
    """`name` with its article, and `step`: what to do with such a file, with {path} for its quoted path."""

    name: str
    step: str = ""


MODEL = Kind("a private model file", "`zkpredict commit --model {path} --out FILE` makes its public commitment")
EXACT = Kind("a 10^8 network", "`zkpredict script build {path} --out FILE` and `zkpredict chain predict IMAGE --model {path}` take it")
COMMITMENT = Kind("a public model commitment", "`zkpredict verify IMAGE PROOF --commitment {path}` takes it")
CIRCUIT = Kind("a circuit", "`zkpredict inspect {path}` explains it")
PROOF = Kind("a proof", "`zkpredict verify IMAGE {path} --commitment FILE` checks it")
BATCH = Kind("a proof of a batch", "`zkpredict verify-batch DATA {path} --commitment FILE` checks it")
SCORE = Kind("a proven score", "`zkpredict verify-score DATA {path} --labels FILE --commitment FILE` checks it")
SET = Kind("a registered test set", "`zkpredict verify-score {path} SCORE --commitment FILE` takes it")
KERAS = Kind("a Keras model", "`zkpredict quantize {path} --out FILE` makes a model file of it")
HIDDEN = Kind("a public hidden input", "`zkpredict verify PROOF --hidden {path} --commitment FILE` takes it")
OPENING = Kind("a private opening of a hidden input", "`zkpredict prove --hidden {path} --model FILE --out PROOF` takes it, and `zkpredict reveal {path}`")
OWN_KINDS = (MODEL, EXACT, COMMITMENT, CIRCUIT, PROOF, BATCH, SCORE, SET, HIDDEN, OPENING)
IDX = Kind("an idx file of images", "`--idx {path} --index N` takes one of them")
GZIP = Kind("a gzip file", "if it holds idx images, `--idx {path} --index N` takes one of them")
TABLE = Kind("a table", "`zkpredict prove {path} --row N --model FILE --out PROOF` takes a row, for a model that was made with a scale of its features")
ARRAY = Kind("a numpy array", "`zkpredict prove {path} --model FILE --out PROOF` takes one input, `prove-batch` one a row")
_UNNAMED_ARRAY = Kind("a numpy array", "its name must end in .npy")
_OTHER_PICTURE = "save it again as PNG or JPEG"
_PICTURE = Kind("a picture", "`zkpredict prove {path} --model FILE --out PROOF` takes it")
_STARTS: tuple[tuple[bytes, Kind], ...] = (
    (b"zkpM", MODEL),
    (b"zkpE", EXACT),
    (b"zkpK", COMMITMENT),
    (b"zkpC", CIRCUIT),
    (b"zkpP", PROOF),
    (b"zkpB", BATCH),
    (b"zkpR", SCORE),
    (b"zkpT", SET),
    (b"zkpH", HIDDEN),
    (b"zkpO", OPENING),
    (b"\x89PNG", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
    (b"\x93NUMPY", ARRAY),
    (b"\x89HDF\r\n", Kind("an HDF5 file", "if it is a Keras model, `zkpredict quantize {path} --out FILE` makes a model file of it")),
    (b"GIF8", Kind("a GIF picture", _OTHER_PICTURE)),
    (b"BM", Kind("a BMP picture", _OTHER_PICTURE)),
    (b"II*\x00", Kind("a TIFF picture", _OTHER_PICTURE)),
    (b"MM\x00*", Kind("a TIFF picture", _OTHER_PICTURE)),
    (b"%PDF", Kind("a PDF document", _OTHER_PICTURE)),
    (b"<svg", Kind("an SVG drawing", _OTHER_PICTURE)),
    (b"\x00\x00\x08\x03", IDX),
    (
        b"PAR1",
        Kind("a Parquet table", "tables are read as CSV: `python -c \"import pandas; pandas.read_parquet('FILE').to_csv('FILE.csv', index=False)\"`, with its name for FILE"),
    ),
    (b"\x80\x04\x95", Kind("a Python pickle", "it could run code and is never read: save the model as .keras or ONNX")),
)


def start_of(kind: Kind) -> bytes:
    """The bytes that every file of one of `OWN_KINDS` starts with."""
    return next(start for start, found in _STARTS if found is kind)


def kind_of(data: bytes, path: str) -> Kind | None:
    """The kind of a file, or None for one that nobody knows."""
    for start, kind in _STARTS:
        if data.startswith(start):
            return _UNNAMED_ARRAY if kind is ARRAY and not path.lower().endswith(".npy") else kind
    if data[:4] == b"PK\x03\x04":
        keras = path.endswith(".keras") or all(name in data for name in _KERAS_MEMBERS)
        return KERAS if keras else Kind("a zip archive")
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return Kind("a HEIF picture, as phones make them", _OTHER_PICTURE)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Kind("a WebP picture", _OTHER_PICTURE)
    if data[:2] == b"\x1f\x8b":
        return GZIP
    if path.lower().endswith(".onnx"):
        return Kind("an ONNX model", "`zkpredict quantize {path} --out FILE` makes a model file of it")
    if path.lower().endswith((".csv", ".tsv", ".json")):
        return TABLE
    if _HEX_LINE.fullmatch(data):
        return Kind("a line of hex", "if it is a locking script, `zkpredict script run {path} IMAGE --digit D` runs it")
    return None


def recognise(data: bytes, path: str) -> str:
    """One clause about a file of another kind than wanted: what it is, and what to type; empty when nobody knows."""
    kind = kind_of(data, path)
    if kind is None:
        return ""
    import shlex  # late: most files are what they should be

    step = kind.step.format(path=shlex.quote(path))
    return f"it is {kind.name}" + (f" ({step})" if step else "")
