"""Rows of MT-Bench by question, as its users route them: the first turn is the prompt,
and a model's score is the mean over both turns. Reads standard input.
"""

import json
import sys


def main():
    rows = [json.loads(line) for line in sys.stdin.buffer]
    later = {row["history"]: row for row in rows if row.get("history")}
    for row in rows:
        second = later.get(row["prompt"])
        if row.get("history") or second is None:
            continue
        row["scores"] = {model: (score + second["scores"][model]) / 2
                         for model, score in row["scores"].items()
                         if model in second["scores"]}
        sys.stdout.buffer.write(json.dumps(row).encode() + b"\n")


if __name__ == "__main__":
    main()
