#!/usr/bin/env python3
"""Start-up: whole processes against /bin/true, jq and curl, peak memory of explain,
and what a router model in a file adds to it.

    bench/startup.py [--build build/release] [--runs 300]

A copy of the binary is measured, as an installed one is: the page cache holds what a
linker wrote in small pieces, which is slower to map.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import tempfile

import paired

ROOT = pathlib.Path(__file__).resolve().parents[1]


def model_file(binary, home, env, runs):
    """A configuration that names a model file against one that does not."""
    shutil.copy(ROOT / "models/default.model", home)
    argv = [binary, "explain", "--no-stdin", "-p", "hi", "-c"]
    commands = []
    for name, text in (("embedded model", ""), ("model in a file",
                                                "model_file = 'default.model'\n")):
        config = pathlib.Path(home, name.replace(" ", "-") + ".toml")
        config.write_text("profile = 'balanced'\n" + text, encoding="utf-8")
        config.chmod(0o600)
        commands.append((name, argv + [str(config)], env))
    times = paired.in_turn(paired.spawn, commands, runs)
    for i, of in enumerate(("time", "CPU")):
        more = statistics.median(b[i] - a[i] for a, b in zip(*times.values()))
        print(f"a model file adds {more * 1e6:.0f} us of {of}   target <= 100")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=str(ROOT / "build/release"))
    parser.add_argument("--runs", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ["PATH"], "HOME": home, "OPENAI_API_KEY": "unused"}
        prompt = (ROOT / "examples/prompts/3-sql.txt").read_text()
        config = pathlib.Path(home, "config.toml")
        config.write_text(
            (ROOT / "examples/quickstart.toml").read_text().replace("@PORT@", "9"))
        config.chmod(0o600)
        binary = paired.install(options.build, home)
        explain = [binary, "explain", "--no-stdin", "-p", prompt]
        commands = [
            ("/bin/true", ["/bin/true"], env),
            ("llmroute --version", [binary, "--version"], env),
            ("llmroute explain", explain, env),
            ("llmroute explain -c", explain + ["-c", str(config)], env),
        ]
        for other in ("jq", "curl"):
            if shutil.which(other):
                commands.append((f"{other} --version", [other, "--version"], env))
        paired.compare(paired.spawn, commands, options.runs,
                       {"llmroute explain": 2.0})
        peak = max(paired.peak_memory(explain, env) for _ in range(5))
        print(f"\npeak memory of explain: {peak:.1f} MiB   target <= 4.5")
        model_file(binary, home, env, options.runs)


if __name__ == "__main__":
    main()
