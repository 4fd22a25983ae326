"""The command of the package: that of the binary."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import PROJECT, QUICKSTART, generated, library

HERE = [sys.executable, "-m", "hearth"]
needs_cargo = pytest.mark.skipif(shutil.which("cargo") is None, reason="there is no cargo to build a policy with")


def done(command: list[str], *arguments: object, **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*command, *map(str, arguments)], capture_output=True, timeout=120, check=False, **options)  # type: ignore[call-overload, no-any-return]


@pytest.fixture(scope="module")
def binary() -> list[str]:
    """The command that Cargo has built."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", PROJECT / "target"))
    built = [target / profile / "hearth" for profile in ("debug", "release")]
    there = sorted((file for file in built if file.is_file()), key=lambda file: file.stat().st_mtime)
    if not there:
        pytest.skip("cargo build has not built the command")
    return [str(there[-1])]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["run", "--help"],
        ["run", "--json", QUICKSTART],
        ["run", "--json", "--seed", "9", PROJECT / "examples" / "workflows.json"],
        ["run", PROJECT / "missing.json"],
        ["run", PROJECT / "README.md"],
        ["run", QUICKSTART, "--policy", "keep_alive=fixd"],
        ["policies"],
        ["nothing"],
        [],
    ],
    ids=lambda arguments: " ".join(Path(str(one)).name for one in arguments) or "none",
)
def test_it_does_what_the_binary_does(binary: list[str], arguments: list[object]) -> None:
    ours, theirs = done(HERE, *arguments), done(binary, *arguments)
    assert ours.returncode == theirs.returncode
    assert ours.stdout == theirs.stdout
    assert ours.stderr == theirs.stderr


def test_a_bad_file_is_said_and_ends_with_2(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    ended = done(HERE, "run", bad)
    assert ended.returncode == 2 and ended.stdout == b""
    assert ended.stderr.startswith(f"error: {bad}:".encode()) and b"Traceback" not in ended.stderr


def test_the_script_of_the_package_is_the_same(tmp_path: Path) -> None:
    script = Path(sys.executable).parent / "hearth"
    if not script.is_file():
        pytest.skip("the package was not installed with its script")
    for arguments in (["--help"], ["run", "--json", QUICKSTART]):
        assert done([str(script)], *arguments).stdout == done(HERE, *arguments).stdout


@needs_cargo
def test_a_compiled_policy_runs_in_its_own_process() -> None:
    sieve = library("hearth-eviction-sieve")
    compiled = done(HERE, "run", "--json", QUICKSTART, "--policy", f"eviction.containers={sieve}")
    assert compiled.returncode == 0, compiled.stderr
    built_in = done(HERE, "run", "--json", QUICKSTART, "--policy", "eviction.containers=sieve")
    ours, theirs = json.loads(compiled.stdout), json.loads(built_in.stdout)
    for summary in (ours, theirs):
        summary["policies"] = None
    assert {key for key in ours if ours[key] != theirs.get(key)} <= {"policies", "provenance"}


@needs_cargo
@pytest.mark.parametrize(
    ("how", "status"),
    [("abort", "signal 6 (SIGABRT: abort)"), ("exit_3", "exit with code 3"), ("kill", "signal 9 (SIGKILL")],
)
def test_a_policy_that_destroys_its_process_is_named(how: str, status: str, tmp_path: Path) -> None:
    destructive = library("hearth-test-destructive")
    output = tmp_path / "output"
    choice = f"node_allocation={destructive},how={how}"
    ended = done(HERE, "run", QUICKSTART, "--policy", choice, "--output", output)
    assert ended.returncode == 1, ended.stderr
    said = ended.stderr.decode()
    [error] = [line for line in said.splitlines() if line.startswith("error: ")]
    assert status in error and "place" in error and "Traceback" not in said
    rows = (output / "invocations.csv").read_text().splitlines()
    assert len(rows) > 1
    assert json.loads((output / "run.json").read_text())["state"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT")
def test_ctrl_c_is_the_command_s_own_matter(tmp_path: Path, binary: list[str]) -> None:
    scenario = tmp_path / "long.json"
    scenario.write_text(json.dumps(generated(100_000_000)))
    codes: list[int] = []
    for command in (HERE, binary):
        output = tmp_path / str(len(codes))
        run = [*command, "run", str(scenario), "--output", str(output)]
        child = subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        begin = time.monotonic()
        while not (output / "run.json").is_file() and time.monotonic() - begin < 20:
            time.sleep(0.05)
        time.sleep(0.2)
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=30)
        codes.append(child.returncode)
        assert b"Traceback" not in errors and not re.search(rb"KeyboardInterrupt", errors)
    assert codes[0] == codes[1]
