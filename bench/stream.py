#!/usr/bin/env python3
"""Streams on loopback: how late each event reaches stdout, and the CPU time that a
flood of events takes, llmroute against `curl -N` and a plain socket.

    bench/stream.py [--binary build/release/llmroute] [--runs 10] [--events 200]
                    [--flood 200000]

A server in a process of its own writes an event every few milliseconds with the time
in it, as an OpenAI chat stream, each in a chunk of its own; all read the same clock. Lateness is what passes until
a reader of the client's stdout has it, so the reader's own share is in all rows. The
clients take turns.
"""

import argparse
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
CONFIG = """
[providers.p]
protocol = "openai-chat"
base_url = "http://127.0.0.1:{port}/v1"
key_env = []
[models.m]
provider = "p"
[routes.auto]
models = ["m"]
"""
HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
BODY = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}'


def chunk(text):
    return f"{len(text):x}\r\n{text}\r\n".encode()


def event(text, reason=None):
    delta = {"content": text} if text else {}
    return chunk("data: " + json.dumps({
        "id": "x", "object": "chat.completion.chunk", "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}) + "\n\n")


END = event("", "stop") + chunk("data: [DONE]\n\n") + chunk("")


def take_request(peer):
    asked = b""
    while b"\r\n\r\n" not in asked:
        asked += peer.recv(65536)
    head, _, body = asked.partition(b"\r\n\r\n")
    left = int(re.search(rb"(?i)content-length: (\d+)", head)[1]) - len(body)
    while left > 0:
        left -= len(peer.recv(left))


def serve(listener, events, flood):
    """One connection after another. flood: (file whose presence asks for it, events)."""
    many = b"".join(event(f"word{i} ") for i in range(1000))
    while True:
        peer, _ = listener.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        take_request(peer)
        peer.sendall(HEAD)
        if os.path.exists(flood[0]):
            for _ in range(flood[1] // 1000):
                peer.sendall(many)
        else:
            for _ in range(events):
                time.sleep(0.003)
                peer.sendall(event(f"<{time.monotonic_ns()}>"))
        peer.sendall(END)
        peer.close()


def start(argv, env):
    process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return process, process.stdout.fileno()


def lateness(descriptor):
    """Microseconds of each event that arrives."""
    late = []
    while data := os.read(descriptor, 65536):
        now = time.monotonic_ns()
        late += [(now - int(sent)) / 1e3 for sent in re.findall(rb"<(\d{5,})>", data)]
    return late


def drain(descriptor):
    while os.read(descriptor, 1 << 20):
        pass


def from_socket(port):
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.sendall(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" %
                     (len(BODY), BODY))
        return lateness(peer.fileno())


def from_command(argv, env, read):
    """What `read` returns, and the CPU seconds of the process."""
    process, descriptor = start(argv, env)
    result = read(descriptor)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode != 0:
        sys.exit(f"{argv[0]}: exit status {process.returncode}")
    return result, used.ru_utime + used.ru_stime


def report(title, unit, rows, reference, target):
    print(f"{title}: median, ratio; best, ratio")
    for name, values in rows.items():
        ratio = statistics.median(a / b for a, b in zip(values, rows[reference]))
        goal = f"   target <= {target} of {reference}" if name == "llmroute run" else ""
        best = min(values) / min(rows[reference])
        print(f"  {name:14} {statistics.median(values):8.1f} {unit} {ratio:6.2f}"
              f" {min(values):8.1f} {unit} {best:6.2f}{goal}")


def compare(options, port, commands, env, flood):
    late = {"socket": [], **{name: [] for name in commands}}
    worst = {name: [] for name in late}
    for turn in range(options.runs + 1):
        for name in late:
            values = from_socket(port) if name == "socket" else from_command(
                commands[name], env, lateness)[0]
            if len(values) != options.events:
                sys.exit(f"{name}: {len(values)} of {options.events} events")
            if turn > 0:
                late[name].append(statistics.median(values))
                worst[name].append(statistics.quantiles(values, n=20)[-1])
    report(f"lateness of an event, median of {options.events} ({options.runs} runs each, "
           "in turn)", "us", late, "curl -N", 1.05)
    report("the same, 95th percentile", "us", worst, "curl -N", 1.05)
    pathlib.Path(flood).touch()
    used = {name: [] for name in commands}
    for turn in range(options.runs + 1):
        for name in commands:
            _, cpu = from_command(commands[name], env, drain)
            if turn > 0:
                used[name].append(cpu * 1e3)
    report(f"CPU for a flood of {options.flood:,} events", "ms", used, "curl -N", 0.5)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(ROOT / "build/release/llmroute"))
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--flood", type=int, default=200_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, socket.create_server(
            ("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        flood = f"{home}/flood"
        server = os.fork()
        if server == 0:
            serve(listener, options.events, (flood, options.flood))
        config = pathlib.Path(home, "config.toml")
        config.write_text(CONFIG.format(port=port), encoding="utf-8")
        config.chmod(0o600)
        env = {"PATH": os.environ["PATH"], "HOME": home, "LLMROUTE_LEDGER": "off"}
        commands = {
            "curl -N": ["curl", "-sN", "-d", BODY.decode(),
                        f"http://127.0.0.1:{port}/v1/chat/completions"],
            "llmroute run": [options.binary, "run", "--no-stdin", "-c", str(config),
                             "-m", "m", "-p", "hi"],
        }
        try:
            compare(options, port, commands, env, flood)
        finally:
            os.kill(server, 9)
            os.waitpid(server, 0)


if __name__ == "__main__":
    main()
