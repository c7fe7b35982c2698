#!/usr/bin/env python3
"""Start-up: whole processes against /bin/true, jq and curl.

    bench/startup.py [--binary build/release/llmroute] [--runs 300]
"""

import argparse
import os
import pathlib
import shutil
import tempfile

import paired

ROOT = pathlib.Path(__file__).resolve().parents[1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(ROOT / "build/release/llmroute"))
    parser.add_argument("--runs", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ["PATH"], "HOME": home, "OPENAI_API_KEY": "unused"}
        prompt = (ROOT / "examples/prompts/3-sql.txt").read_text()
        config = pathlib.Path(home, "config.toml")
        config.write_text(
            (ROOT / "examples/quickstart.toml").read_text().replace("@PORT@", "9"))
        config.chmod(0o600)
        explain = [options.binary, "explain", "--no-stdin", "-p", prompt]
        commands = [
            ("/bin/true", ["/bin/true"], env),
            ("llmroute --version", [options.binary, "--version"], env),
            ("llmroute explain", explain, env),
            ("llmroute explain -c", explain + ["-c", str(config)], env),
        ]
        for other in ("jq", "curl"):
            if shutil.which(other):
                commands.append((f"{other} --version", [other, "--version"], env))
        paired.compare(paired.spawn_to_exit, commands, options.runs)


if __name__ == "__main__":
    main()
