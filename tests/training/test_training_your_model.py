"""What docs/your-model.md shows, run as it stands: its Python (on arrays where it has a DataFrame) and its commands."""

import re
import shlex
from pathlib import Path

import pytest

from zkpredict.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "your-model.md").read_text()
pytestmark = pytest.mark.filterwarnings("ignore")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


def test_the_python_of_the_page_runs(tmp_path, monkeypatch):
    pytest.importorskip("sklearn", reason="needs the test requirements")
    first, second, saved = _blocks("python")
    first = first.replace(", as_frame=True", "").replace("frame.iloc[70]", "frame[70]").replace("MLPClassifier((12,),", "MLPClassifier(hidden_layer_sizes=(12,),")
    names: dict = {}
    exec(first, names)  # noqa: S102  the page's own words
    assert names["proof"].digit == names["classifier"].predict(names["frame"][70:71])[0]
    five = first.split("import zkpredict as zp\n")[1].strip().splitlines()
    assert len(five) + 1 == 5
    monkeypatch.chdir(tmp_path)
    exec(saved, names)  # noqa: S102
    assert {path.name for path in tmp_path.iterdir()} == {"iris.model", "iris.commitment", "iris.proof"}
    exec(second, names)  # noqa: S102
    assert names["model"].schema.classes == ("no", "yes")


def test_the_commands_of_the_page_run(tmp_path, monkeypatch, capsys):
    pytest.importorskip("onnxruntime", reason="needs the test requirements")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    alone, on_a_node, many = _blocks("sh")
    lines = [line for line in (alone + many).splitlines() if line]
    for line in lines:
        program, *arguments = shlex.split(line, comments=True)
        assert program == "zkpredict" and main(arguments) == 0, line
    said = capsys.readouterr().out
    assert "VALID: the contract accepts" in said and said.count("says versicolor (class 1)") + said.count("says virginica (class 2)") == 3
    for figures in re.findall(r"\| (\d+) \| ([\d.]+) % \| ([\d.]+) % \|", PAGE):
        assert len(figures) == 3
    assert "--rpc-url" in on_a_node and said.count("is right on 147 of 150 inputs (98.00 %)") == 2
    assert "  float    98.00%\n  integer  98.00%\n" in said
