"""Help and usage: every parser shows examples that its own command line takes, and wrong usage is one error like any other."""

import shlex

import pytest
from cli_desk import Outcome

from zkpredict.cli import bounty, chain, contest, council, dispute, escrow, judged, learn, market, script, training
from zkpredict.cli.main import COMMANDS, main, parser_of

PARSERS = [[], *([command] for command in COMMANDS)]
ACTIONS = {"chain": chain._ACTIONS, "script": script._ACTIONS, "dispute": dispute._ACTIONS, "training": training._ACTIONS}
ACTIONS |= {"council": council._ACTIONS, "market": market._ACTIONS, "escrow": escrow._ACTIONS, "contest": contest._ACTIONS, "learn": learn._ACTIONS}
ACTIONS |= {"bounty": bounty._ACTIONS, "judged": judged._ACTIONS}
PARSERS += [[module, action[0]] for module, actions in ACTIONS.items() for action in actions]


def help_of(capsys, words: list[str]) -> str:
    with pytest.raises(SystemExit) as left:
        main([*words, "--help"])
    shown = capsys.readouterr()
    assert (left.value.code, shown.err) == (0, "")
    return shown.out


@pytest.mark.parametrize("words", PARSERS, ids=lambda words: " ".join(words) or "zkpredict")
def test_every_help_shows_examples_that_can_be_pasted(capsys, words):
    shown = help_of(capsys, words)
    assert shown.startswith(f"usage: {' '.join(['zkpredict', *words])} ")
    examples = shown[shown.index("\nexample") :].strip().splitlines()
    assert examples[0] == ("examples:" if len(examples) > 2 else "example:") and len(examples) > 1
    for line in examples[1:]:
        name, *arguments = shlex.split(line)
        assert name == "zkpredict" and arguments[: len(words)] == words
        assert parser_of(arguments).parse_args(arguments).command == arguments[0]


@pytest.mark.parametrize("words", PARSERS[1:], ids=" ".join)
def test_every_help_says_what_the_command_does(capsys, words):
    shown = " ".join(help_of(capsys, words).split())
    summaries = COMMANDS if len(words) == 1 else {action[0]: action[1] for action in ACTIONS[words[0]]}
    assert "--json" in shown and summaries[words[-1]] in shown


def test_help_lists_every_command(capsys):
    shown = help_of(capsys, [])
    assert all(f"    {command} " in shown for command in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["prove"], "the following arguments are required: --model, --out"),
        (["verify", "a", "b"], "the following arguments are required: --commitment"),
        (["prove", "a", "--model", "b", "--out", "c", "--digit", "x"], "argument --digit: invalid int value: 'x'"),
        (["inspect", "a", "--what"], "unrecognized arguments: --what"),
        (["chain", "deploy"], "one of the arguments --predict --verifier --test-sets is required"),
        (["chain", "register", "--contract", "a"], "the following arguments are required: --commitment"),
    ],
)
def test_wrong_usage_is_unusable_input(run, arguments, message):
    outcome = run(*arguments)
    assert (outcome.code, outcome.out) == (2, "") and outcome.err.startswith("usage: zkpredict ")
    assert outcome.err.splitlines()[-1] == f"zkpredict: {message}"
    twin = run(*arguments, "--json")
    assert (twin.code, twin.json, twin.err.splitlines()[-1]) == (2, {"error": message, "exit_code": 2}, f"zkpredict: {message}")


@pytest.mark.parametrize(("arguments", "choice"), [(["frobnicate"], "frobnicate"), (["commit", "--domain", "256"], "256")])
def test_a_choice_that_there_is_not_is_named(run, arguments, choice):
    outcome = run(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert f"invalid choice: {choice!r} (choose from " in outcome.err.splitlines()[-1].replace("256 (", "'256' (")


@pytest.mark.parametrize("runs", ["0", "-3", "x", "1.5", "١", "9" * 5000])
def test_a_benchmark_needs_a_run(run, runs):
    message = f"argument --runs: {runs!r} is no whole number from 1 to 999999999"
    outcome = run("bench", "i.png", "--model", "m.model", f"--runs={runs}")
    assert (outcome.code, outcome.err.splitlines()[-1]) == (2, f"zkpredict: {message}")


def test_an_interrupt_while_a_command_is_still_loading_is_one_line(run, monkeypatch):
    def interrupt(name):
        raise KeyboardInterrupt

    monkeypatch.setattr("zkpredict.cli.main.importlib.import_module", interrupt)
    assert run("prove") == Outcome(130, "", "zkpredict: interrupted\n")
    outcome = run("prove", "--json")
    assert (outcome.code, outcome.json) == (130, {"error": "interrupted", "exit_code": 130})
