"""Commands as whole processes: their time, the memory of their tree, their end."""

from __future__ import annotations

import sys

import pytest
from support import refuses

from zkpredict.benchmarks.processes import Command, CommandFailed, CommandStopped, Limits, run, run_all

MEGABYTES = 1 << 20
MINUTE = Limits(60)
CHILD = "import time; held = b'x' * (120 << 20); time.sleep(0.5)"
PARENT = f"import subprocess, sys; held = b'x' * (80 << 20); subprocess.run([sys.executable, '-c', {CHILD!r}], check=True)"


def python(code: str, folder, **options) -> Command:
    return Command((sys.executable, "-c", code), folder, **options)


def test_processor_time_and_output(tmp_path):
    done = run(python("sum(range(3_000_000)); print('inner 1.5')", tmp_path, inner=lambda out: float(out.split()[1])), MINUTE)
    assert done.inner == 1.5 and 0 < done.cpu <= 2 * done.seconds and done.code == 0


def test_memory_of_a_process_and_its_child_adds_up(tmp_path):
    done = run(python(PARENT, tmp_path), MINUTE, watch_memory=True)
    assert 200 * MEGABYTES < done.peak_bytes < 400 * MEGABYTES


def test_memory_is_not_that_of_this_process(tmp_path):
    """Whatever the caller holds, a small command stays small: `wait4` would report the caller's size."""
    held = b"x" * (200 * MEGABYTES)
    done = run(python("import time; time.sleep(0.3)", tmp_path), MINUTE, watch_memory=True)
    assert len(held) and 0 < done.peak_bytes < 100 * MEGABYTES


def test_a_failure_says_its_last_words(tmp_path):
    with pytest.raises(CommandFailed, match=r"^failed after \d+\.\d s with exit code 3: out of wax$"):
        run(python("import sys; print('out of wax', file=sys.stderr); sys.exit(3)", tmp_path), MINUTE)
    assert run(python("import sys; sys.exit(3)", tmp_path, accepts=(0, 3)), MINUTE).code == 3


def test_a_command_beyond_its_limit_is_ended_with_its_children(tmp_path):
    waiting = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    with refuses(CommandStopped, "in keys, stopped after 1 s, the limit"):
        run(python(waiting, tmp_path, step="keys"), Limits(1))


def test_a_command_that_holds_too_much_is_ended_with_its_children(tmp_path):
    """The parent holds 80 MB and its child 120: neither alone is beyond the limit."""
    begun = tmp_path / "begun"
    waiting = f"open({str(begun)!r}, 'w'); held = b'x' * (120 << 20); import time; time.sleep(60)"
    parent = f"import subprocess, sys; held = b'x' * (80 << 20); subprocess.run([sys.executable, '-c', {waiting!r}])"
    with pytest.raises(CommandStopped, match=r"^stopped after \d+ s at 0\.2 GiB: the limit is 0\.18 GiB$"):
        run(python(parent, tmp_path), Limits(60, 0.18))
    assert begun.exists()
    assert run(python("pass", tmp_path), Limits(60, 0.18)).code == 0


def test_limits_say_which_are_wider():
    assert Limits(60, 8).within(Limits(60, 8)) and Limits(60, 8).within(Limits(61)) and not Limits(60).within(Limits(60, 8))
    assert not Limits(61, 8).within(Limits(60, 8)) and not Limits(60, 9).within(Limits(60, 8))


def test_several_add_up(tmp_path):
    commands = [python("pass", tmp_path, inner=lambda out: 2.0), python("pass", tmp_path)]
    done = run_all(commands, MINUTE)
    assert done.inner == 2.0 and done.seconds > 0
