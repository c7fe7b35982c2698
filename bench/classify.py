#!/usr/bin/env python3
"""Classification on one thread against `fasttext predict`, on the same prompts.

    bench/classify.py [--binary build/release/llmroute] [--runs 7]

fastText gets as many labels and dimensions as there are heads, and words and
pairs of words as features, once alone and once with its n-grams of letters.
All times are CPU time, without that of a shorter run, which is for loading;
ours is of `llmroute bench --speed`, its clock and statistics included. The runs
take turns.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
HEADS = 16
COMMON = ("the of and to a in is that for it as with was on be by this are what "
          "how write a function which explain why from at or an can you i").split()
SSE2 = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2"}


def vocabulary(rng, count):
    """Words of the lengths that English has; the first are the frequent ones."""
    words = list(COMMON)
    while len(words) < count:
        length = rng.choices(range(2, 15), (2, 7, 14, 16, 15, 13, 11, 9, 6, 4, 2, 1, 1))[0]
        words.append("".join(rng.choices("etaoinshrdlucmfwypvbgkqjxz",
                                         range(26, 0, -1), k=length)))
    return words


def prompt(rng, words, weights, size):
    """About `size` bytes of sentences, with commas, numbers and brackets."""
    text = ""
    while len(text) < size:
        sentence = rng.choices(words, weights, k=rng.randint(4, 24))
        for i in range(len(sentence)):
            if rng.random() < 0.03:
                sentence[i] = str(rng.randint(1, 9999))
            if rng.random() < 0.02:
                sentence[i] = f"({sentence[i]})"
            if rng.random() < 0.06:
                sentence[i] += ","
        text += " ".join(sentence).capitalize() + rng.choice(".?.!:") + " "
    return text[:size]


def write_prompts(directory, rng):
    words = vocabulary(rng, 20000)
    weights = [1 / (rank + 3) for rank in range(len(words))]
    short = [prompt(rng, words, weights, rng.randint(250, 394)) for _ in range(4000)]
    long = [prompt(rng, words, weights, 20000) for _ in range(60)]
    labels = [f"__label__{rng.randrange(HEADS)}" for _ in short]
    files = {"one": short[:1], "short": short, "long": long, "train": [
        f"{label} {text}" for label, text in zip(labels, short)]}
    for name, lines in files.items():
        pathlib.Path(directory, name).write_text("\n".join(lines) + "\n")
    return {name: len(lines) for name, lines in files.items()}


def train(directory, name, letters):
    model = str(pathlib.Path(directory, name))
    subprocess.run(["fasttext", "supervised", "-input", f"{directory}/train",
                    "-output", model, "-dim", str(HEADS), "-wordNgrams", "2",
                    "-bucket", "65536", "-epoch", "1", "-thread", "1",
                    "-verbose", "0"] + letters, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return model + ".bin"


def cpu_seconds(argv, env=None):
    """And what it printed."""
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, env=env)
    output = child.stdout.read()
    child.stdout.close()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(argv)}: exit status {child.returncode}")
    return usage.ru_utime + usage.ru_stime, output


def fasttext_us(model, directory, name, lines):
    """Lines are repeated to outweigh loading, by naming the file often."""
    times = max(1, 20000 // lines) if name == "short" else 5
    with open(f"{directory}/many", "wb") as many:
        many.write(pathlib.Path(directory, name).read_bytes() * times)
    load, _ = cpu_seconds(["fasttext", "predict", model, f"{directory}/one"])
    whole, _ = cpu_seconds(["fasttext", "predict", model, f"{directory}/many"])
    return (whole - load) * 1e6 / (lines * times)


def llmroute_us(binary, directory, name, env):
    def run(seconds):
        took, report = cpu_seconds(
            [binary, "bench", "--no-config", "--json", "--seconds", seconds,
             "--speed", f"{directory}/{name}"], os.environ | env)
        return took, json.loads(report)["timings"][0]["calls"]
    short, long = run("0.05"), run("0.8")
    return (long[0] - short[0]) * 1e6 / (long[1] - short[1])


def compare(measures, runs):
    times = {name: [] for name, _ in measures}
    for _ in range(runs):
        for name, measure in measures:
            times[name].append(measure())
    peers = [name for name in times if name.startswith("fasttext")]
    for name, values in times.items():
        ratios = "" if name in peers else "   ".join(
            f"{statistics.median(b / a for a, b in zip(values, times[peer])):6.1f} x"
            f" {peer}" for peer in peers)
        print(f"  {name:26} {statistics.median(values):8.2f} us   {ratios}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(ROOT / "build/release/llmroute"))
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    if not shutil.which("fasttext"):
        sys.exit("fasttext is not installed (Debian: apt-get install fasttext)")
    with tempfile.TemporaryDirectory() as directory:
        lines = write_prompts(directory, random.Random(1))
        models = {"fasttext words": train(directory, "words", ["-minn", "0", "-maxn", "0"]),
                  "fasttext words, letters": train(directory, "letters",
                                                   ["-minn", "3", "-maxn", "6"])}
        for name, title in (("short", "322 bytes"), ("long", "20,000 bytes")):
            print(f"{title}, {lines[name]} prompts, {options.runs} runs each, in turn")
            measures = [(peer, lambda model=model: fasttext_us(
                model, directory, name, lines[name])) for peer, model in models.items()]
            measures += [(f"llmroute{kind}", lambda env=env: llmroute_us(
                options.binary, directory, name, env))
                for kind, env in (("", {}), (" without AVX2", SSE2))]
            compare(measures, options.runs)


if __name__ == "__main__":
    main()
