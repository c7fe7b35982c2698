"""Runs commands in turn, A B C A B C ..., so that a drifting machine slows them
alike, and prints medians and the ratio to the first, pair by pair."""

import os
import statistics
import sys
import time

DEVNULL = os.open(os.devnull, os.O_RDWR)


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
    """Seconds from spawn to the first byte on stdout, then waits for the end."""
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
    _, status = os.waitpid(pid, 0)
    if status != 0 or not first:
        sys.exit(f"{' '.join(argv)}: exit status {os.waitstatus_to_exitcode(status)}")
    return took / 1e9


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
    """commands: (name, argv, env). Name -> seconds of each run."""
    times = {name: [] for name, _, _ in commands}
    for turn in range(runs + 3):
        for name, argv, env in commands:
            took = measure(argv, env)
            if turn >= 3:  # the first turns warm the caches
                times[name].append(took)
    return times


def compare(measure, commands, runs):
    """The same, with the reference first. Prints one row each."""
    times = in_turn(measure, commands, runs)
    reference = times[commands[0][0]]
    width = max(len(name) for name in times)
    print(f"{'':{width}}   median     min   ratio   ({runs} runs each, in turn)")
    for name, values in times.items():
        ratio = statistics.median(a / b for a, b in zip(values, reference))
        print(f"{name:{width}} {statistics.median(values) * 1e3:6.2f} ms"
              f" {min(values) * 1e3:6.2f}  {ratio:6.2f}")
