"""Reading the command line: wrong usage is an error like any other, and help ends with examples that can be pasted."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.console import say


class WrongUsage(UnusableInput):
    """Arguments that the command does not take; `usage` says which ones it takes."""

    def __init__(self, message: str, usage: str) -> None:
        self.usage = usage
        super().__init__(message)


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Leaves room for the longest command beside its summary: argparse forgets that commands are indented."""

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        if isinstance(action, argparse._SubParsersAction):
            self._action_max_length += self._indent_increment


class _Unprinted(HelpFormatter):
    """What argparse makes for every option that is added: it need not ask how wide the terminal is."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


class Parser(argparse.ArgumentParser):
    """Raises `WrongUsage` where argparse would print and exit; shows `example`, one command a line, below the options."""

    def __init__(self, *, example: str = "", **options) -> None:
        super().__init__(formatter_class=_Unprinted, **options)
        if example:
            lines = example.splitlines()
            self.epilog = "\n".join([f"example{'s' if len(lines) > 1 else ''}:", *(f"  {line}" for line in lines)])

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None) -> tuple[argparse.Namespace, list[str]]:
        """Every argument is known, or this parser, which is that of the command, says what it takes."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            meant = nearest(unknown[0].split("=")[0], self._option_string_actions)
            self.error(f"unrecognized arguments: {' '.join(unknown)}" + (f" (did you mean {meant}?)" if meant else ""))
        return found, unknown

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if isinstance(action, argparse._SubParsersAction) and action.choices is not None and value not in action.choices:
            meant = nearest(str(value), action.choices)
            if meant is not None:
                raise argparse.ArgumentError(action, f"invalid choice: {value!r}, did you mean {meant}? `{self.prog} --help` lists all")
        super()._check_value(action, value)

    def error(self, message: str) -> None:
        raise WrongUsage(message, self.format_usage())

    def format_usage(self) -> str:
        self.formatter_class = HelpFormatter
        return super().format_usage()

    def format_help(self) -> str:
        self.formatter_class = HelpFormatter
        return super().format_help()

    def print_help(self, file: object = None) -> None:
        say(self.format_help().rstrip("\n"))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant; None where none is like it."""
    from difflib import get_close_matches  # late: most words are known

    return next(iter(get_close_matches(word, known, 1)), None)


def add_json_option(parser: argparse.ArgumentParser, **options) -> None:
    """Adds `--json`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object", **options)


def add_force_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--force`."""
    parser.add_argument("--force", action="store_true", help="replace what --out holds, even another kind of file or private weights")


def at_least_one(text: str) -> int:
    """The type of options that count something. Raises `ArgumentTypeError`."""
    return _whole(text, 1)


def at_least_zero(text: str) -> int:
    """The same where nothing is a count too."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to 999999999")
    return int(text)
