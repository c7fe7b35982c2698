"""Runs commands in turn, A B C A B C ..., so that a drifting machine slows them
alike, and prints medians and the ratio to the first, pair by pair."""

import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

DEVNULL = os.open(os.devnull, os.O_RDWR)


def install(build, home):
    """Copies the program and its module, if it has one; returns its path."""
    module = pathlib.Path(build, "llmroute-http.so")
    if module.exists():
        shutil.copy(module, home)
    return shutil.copy(pathlib.Path(build, "llmroute"), home)


def spawn(argv, env=None):
    """Seconds from spawn to exit, and of CPU; output is thrown away."""
    quiet = [(os.POSIX_SPAWN_DUP2, DEVNULL, n) for n in (0, 1, 2)]
    begin = time.perf_counter_ns()
    pid = os.posix_spawnp(argv[0], argv, env or os.environ, file_actions=quiet)
    _, status, used = os.wait4(pid, 0)
    took = time.perf_counter_ns() - begin
    if status != 0:
        sys.exit(f"{' '.join(argv)}: exit status {os.waitstatus_to_exitcode(status)}")
    return took / 1e9, used.ru_utime + used.ru_stime


def spawn_to_exit(argv, env=None):
    """Seconds from spawn to exit."""
    return spawn(argv, env)[0]


def spawn_to_first_byte(argv, env=None):
    """Seconds from spawn to the first byte on stdout, and of CPU until the end."""
    reader, writer = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, DEVNULL, 0), (os.POSIX_SPAWN_DUP2, writer, 1),
               (os.POSIX_SPAWN_DUP2, DEVNULL, 2)]
    begin = time.perf_counter_ns()
    pid = os.posix_spawnp(argv[0], argv, env or os.environ, file_actions=actions)
    os.close(writer)
    first = os.read(reader, 1)
    took = time.perf_counter_ns() - begin
    while os.read(reader, 65536):
        pass
    os.close(reader)
    _, status, used = os.wait4(pid, 0)
    if status != 0 or not first:
        sys.exit(f"{' '.join(argv)}: exit status {os.waitstatus_to_exitcode(status)}")
    return took / 1e9, used.ru_utime + used.ru_stime


def peak_memory(argv, env=None):
    """MiB, of a process that writes to stdout once, at its end. What wait4() says
    would include what this process had when it forked, so /proc is asked while the
    write waits for room in a pipe."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, bytes(4096))
    except BlockingIOError:
        os.set_blocking(writer, True)
    process = subprocess.Popen(argv, stdin=DEVNULL, stdout=writer, stderr=DEVNULL, env=env)
    os.close(writer)
    peaks = [-1, 0]
    while peaks[-1] != peaks[-2]:
        time.sleep(0.05)
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        peaks.append(int(re.search(r"VmHWM:\s*(\d+)", status)[1]))
    while os.read(reader, 65536):
        pass
    os.close(reader)
    if process.wait() != 0:
        sys.exit(f"{' '.join(argv)}: exit status {process.returncode}")
    return peaks[-1] / 1024


def spawn_after_last_byte(argv, env=None):
    """Seconds from the last byte on stdout to the exit."""
    reader, writer = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, DEVNULL, 0), (os.POSIX_SPAWN_DUP2, writer, 1),
               (os.POSIX_SPAWN_DUP2, DEVNULL, 2)]
    pid = os.posix_spawnp(argv[0], argv, env or os.environ, file_actions=actions)
    os.close(writer)
    last = None
    while os.read(reader, 65536):
        last = time.perf_counter_ns()
    _, status = os.waitpid(pid, 0)
    took = time.perf_counter_ns() - (last or 0)
    os.close(reader)
    if status != 0 or last is None:
        sys.exit(f"{' '.join(argv)}: exit status {os.waitstatus_to_exitcode(status)}")
    return took / 1e9


def in_turn(measure, commands, runs):
    """commands: (name, argv, env). Name -> what was measured, of each run."""
    times = {name: [] for name, _, _ in commands}
    for turn in range(runs + 3):
        for name, argv, env in commands:
            took = measure(argv, env)
            if turn >= 3:  # the first turns warm the caches
                times[name].append(took)
    return times


def compare(measure, commands, runs, targets=None):
    """The same for `spawn` or `spawn_to_first_byte`, with the reference first: one
    row each, its CPU time beside. targets: name -> the ratio that is aimed at."""
    times = in_turn(measure, commands, runs)
    reference = times[commands[0][0]]
    width = max(len(name) for name in times)
    print(f"{'':{width}}   median     min   ratio       CPU   ratio"
          f"   ({runs} runs each, in turn)")
    for name, values in times.items():
        print(f"{name:{width}}", end="")
        for i in (0, 1):
            middle = statistics.median(v[i] for v in values)
            least = f" {min(v[0] for v in values) * 1e3:6.2f}" if i == 0 else ""
            ratio = statistics.median(v[i] / r[i] for v, r in zip(values, reference))
            print(f" {middle * 1e3:6.2f} ms{least}  {ratio:6.2f}", end="")
        target = (targets or {}).get(name)
        print(f"   target <= {target}" if target else "")
