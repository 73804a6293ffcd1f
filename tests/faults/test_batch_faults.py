"""Batches where something is killed, full, gone or in the way."""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path

import pytest
from batch_runs import (
    VICTIMS,
    journal,
    kernels,
    run,
    start,
    statuses,
    survive_a_kill,
    wait_for,
    wait_for_end,
    workers,
    write_spec,
    write_tiny,
)


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_kill_at_a_random_instant_loses_nothing_and_leaves_nothing(
    victim: str, tmp_path: Path
) -> None:
    survive_a_kill(tmp_path, victim, random.Random(time.time_ns()))


def test_when_driver_and_workers_die_together_their_kernels_end_too(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    process = start(write_spec(tmp_path, "runs: [{mode: hang}]"), tmp_path / "out")
    wait_for(lambda: kernels(process))
    for each in workers(process):
        each.kill()
    process.kill()
    process.communicate()
    assert wait_for_end(process, 5) == []


def test_what_a_run_started_in_a_session_of_its_own_ends_with_the_batch(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    spec = write_spec(tmp_path, "parameters: {mode: leave}")
    process = start(spec, tmp_path / "out")
    process.communicate(timeout=60)
    assert process.returncode == 0 and wait_for_end(process, 2) == []


def test_two_batches_at_once_on_one_folder_run_everything_once(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    spec = write_spec(tmp_path, "parameters: {seconds: 1}\nseeds: [1, 2]")
    out = tmp_path / "out"
    first = start(spec, out)
    wait_for(lambda: workers(first))
    code, said = run(spec, out)
    assert code == 1 and "Another command is writing to" in said and "Traceback" not in said
    first.communicate(timeout=60)
    assert first.returncode == 0 and statuses(out) == {"ok": 2}


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can mount")
def test_a_disk_that_fills_up_stops_the_batch_in_a_sentence(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    out = tmp_path / "small"
    out.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(out)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted: {done.stderr.strip()}")
    try:
        spec = write_spec(tmp_path, "seeds: [1, 2, 3, 4]")
        code, said = run(spec, out)
        assert code == 1 and "No space left on device" in said and "Traceback" not in said
        written = journal(out)
        assert 0 < len(written) < 4
        subprocess.run(["mount", "-o", "remount,size=50m", str(out)], check=True)
        code, said = run(spec, out)
        assert code == 0, said
        assert journal(out)[: len(written)] == written and statuses(out) == {"ok": 4}
    finally:
        subprocess.run(["umount", str(out)], check=True)


def test_a_folder_that_may_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    spec = write_spec(tmp_path, "seeds: [1]")
    for folder in ("/proc/batch", "/dev/null/batch"):
        code, said = run(spec, Path(folder))
        assert code == 1 and f"{folder} cannot be written" in said and "Traceback" not in said
