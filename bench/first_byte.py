#!/usr/bin/env python3
"""First byte: from spawn to the first byte of the answer on stdout, over plain
HTTP on loopback, llmroute against `curl -N` asking the same server.

    bench/first_byte.py [--build build/release] [--runs 100]
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile

import paired

ROOT = pathlib.Path(__file__).resolve().parents[1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=str(ROOT / "build/release"))
    parser.add_argument("--runs", type=int, default=100)
    options = parser.parse_args()
    build = pathlib.Path(options.build)
    stub = subprocess.Popen(
        [build / "tests/stub/llmroute-stub", "--exit-with-stdin",
         "--word-delay-ms", "0"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    port = json.loads(stub.stdout.readline())["port"]
    with tempfile.TemporaryDirectory() as home:
        config = pathlib.Path(home, "config.toml")
        config.write_text((ROOT / "examples/quickstart.toml").read_text()
                          .replace("@PORT@", str(port)))
        config.chmod(0o600)
        env = {"PATH": os.environ["PATH"], "HOME": home}
        body = json.dumps({"model": "cheap", "stream": True, "messages": [
            {"role": "user", "content": "hi there"}]})
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        paired.compare(paired.spawn_to_first_byte, [
            ("curl -N", ["curl", "-sN", "-H", "Content-Type: application/json",
                         "-d", body, url], env),
            ("llmroute run", [str(build / "llmroute"), "run", "--no-stdin", "-c",
                              str(config), "-m", "cheap", "-p", "hi there"], env),
        ], options.runs)
    stub.stdin.close()
    stub.wait()


if __name__ == "__main__":
    main()
