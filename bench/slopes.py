#!/usr/bin/env python3
"""Slopes of a decision: `explain` with 10 to 1,000 rules, 10 to 10,000 models and
prompts up to a megabyte, in turn.

    bench/slopes.py [--binary build/release/llmroute] [--runs 20]

`decision` is what explain says its decision took; `cpu` is user and system time of
the whole process, most of which is reading the configuration. Ratios are to the
first row, turn by turn. Targets: a decision with 1,000 rules takes at most 3 x that
with 10; one among 10,000 models less than 5 ms; a prompt's byte about 2 ns.
"""

import argparse
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
WORDS = ("invoice", "contract", "kernel", "payroll", "docker", "translate", "matrix")
RULE = "[[rules]]\nname = 'r{0}'\npattern = '{1}'\nworth = 0.1\n"
MODEL = """[models.m{0}]
provider="p"
ability={1}
price={{input=0.{2},output=1.{2}}}
"""
PROVIDER = """[providers.p]
protocol = "openai-chat"
base_url = "http://127.0.0.1:9/v1"
key_env = []
"""


def rules_with_words(count):
    return "".join(RULE.format(i, rf"(?i)\b{WORDS[i % len(WORDS)]}{i}\b")
                   for i in range(count))


def rules_without(count):
    """No text can be ruled out by a word that they need: one set."""
    return "".join(
        RULE.format(i, rf"\b[A-Z]{{{i % 10 + 1}}}\d{{{i // 10 % 10 + 1}}}[a-z]{{{i // 100 + 1}}}")
        for i in range(count))


def models(count):
    return PROVIDER + "".join(MODEL.format(i, i % 40 / 10 - 2, i + 100)
                              for i in range(count))


def explain(argv, prompt):
    """Microseconds of the decision, and of the process's CPU."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(argv, input=prompt, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode != 0:
        sys.exit(result.stderr.decode())
    took = float(re.search(rb'"took_us":([0-9.]+)', result.stdout)[1])
    used = sum(getattr(after, name) - getattr(before, name)
               for name in ("ru_utime", "ru_stime"))
    return took, used * 1e6


def compare(binary, title, rows, runs):
    """rows: (name, config, prompt)."""
    times = {name: [] for name, _, _ in rows}
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(HOME=home, OPENAI_API_KEY="unused")
        for name, config, _ in rows:
            path = pathlib.Path(home, name.replace(" ", "-"))
            path.write_text(config, encoding="utf-8")
            path.chmod(0o600)
        for turn in range(runs + 2):
            for name, _, prompt in rows:
                path = str(pathlib.Path(home, name.replace(" ", "-")))
                took = explain([binary, "explain", "--json", "-c", path], prompt)
                if turn >= 2:  # the first turns warm the caches
                    times[name].append(took)
    print(f"\n{title:34}  decision  ratio       cpu  ratio")
    first = times[rows[0][0]]
    for name, values in times.items():
        print(f"{name:34}", end="")
        for i in (0, 1):
            middle = statistics.median(v[i] for v in values)
            ratio = statistics.median(v[i] / f[i] for v, f in zip(values, first))
            print(f" {middle:6.0f} us {ratio:6.2f}", end="")
        print()
    return times


def per_byte(times, rows):
    """Nanoseconds a byte between the first and the last row, of the decision."""
    of = [statistics.median(v[0] for v in times[name]) for name, _, _ in rows]
    return (of[-1] - of[0]) * 1e3 / (len(rows[-1][2]) - len(rows[0][2]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(ROOT / "build/release/llmroute"))
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    prompt = (ROOT / "examples/prompts/3-sql.txt").read_bytes()
    for title, make in (("rules whose patterns need words", rules_with_words),
                        ("rules whose patterns need none", rules_without)):
        rows = [(f"{n:,} rules", make(n), prompt) for n in (10, 100, 1_000)]
        compare(options.binary, title, rows, options.runs)
    rows = [(f"{n:,} models", models(n), prompt) for n in (10, 100, 1_000, 10_000)]
    compare(options.binary, "models", rows, options.runs)
    text = (ROOT / "README.md").read_bytes()
    text *= 1_000_000 // len(text) + 1
    rows = [(f"{n:,} bytes", "", text[:n]) for n in (1_000, 10_000, 100_000, 1_000_000)]
    times = compare(options.binary, "prompt", rows, options.runs)
    print(f"{per_byte(times, rows):.1f} ns a byte")


if __name__ == "__main__":
    main()
