"""Times `llmroute bench` on a table of the size that RouterBench publishes:
36,000 prompts by 11 models, with answers in columns of their own.

    python3 bench/quality_speed.py [LLMROUTE [PROMPTS]]

The table is made up, seeded, and deleted afterwards. Prints its size, the time
and the peak memory; exit status 1 if it took 30 seconds or longer.
"""

import os
import pathlib
import random
import resource
import sys
import tempfile
import time

MODELS = ["WizardLM/WizardLM-13B-V1.2", "claude-instant-v1", "claude-v1", "claude-v2",
          "gpt-3.5-turbo-1106", "gpt-4-1106-preview", "meta/code-llama-34b-chat",
          "meta/llama-2-70b-chat", "mistralai/mistral-7b-chat",
          "mistralai/mixtral-8x7b-chat", "zero-one-ai/Yi-34B-Chat"]
EVALS = ["mmlu", "hellaswag", "gsm8k", "arc-challenge", "winogrande", "mbpp", "mt-bench"]


def make_table(path, prompts):
    rng = random.Random(7)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 10)))
             for _ in range(5000)]

    def text(count):
        return " ".join(rng.choices(words, k=count))

    answers = [f'"{text(90)},\n""{text(10)}""\n{text(40)}"' for _ in range(200)]
    with open(path, "w", encoding="utf-8") as file:
        columns = ["sample_id", "prompt", "eval_name", *MODELS]
        columns += [f"{m}|model_response" for m in MODELS]
        columns += [f"{m}|total_cost" for m in MODELS]
        file.write(",".join(columns) + "\r\n")
        for i in range(prompts):
            size = rng.randint(10, 150)
            hard = rng.random()
            cells = [f"{EVALS[i % 7]}.{i}", f'"{text(size)}\n{text(5)}, ""{i}"""',
                     EVALS[i % 7]]
            cells += [str(float(rng.random() > hard * (1 - m / 20)))
                      for m in range(len(MODELS))]
            cells += [rng.choice(answers) for _ in MODELS]
            cells += [f"{size * 2e-7 * (m + 1) ** 2:.3g}" for m in range(len(MODELS))]
            file.write(",".join(cells) + "\r\n")


def main():
    root = pathlib.Path(__file__).resolve().parents[1]
    binary = sys.argv[1] if len(sys.argv) > 1 else root / "build/release/llmroute"
    prompts = int(sys.argv[2]) if len(sys.argv) > 2 else 36000
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "table.csv")
        make_table(path, prompts)
        size = os.path.getsize(path)
        print(f"{prompts:,} prompts x {len(MODELS)} models = "
              f"{prompts * len(MODELS):,} outcomes, {size / 1e6:,.0f} MB")
        begin = time.monotonic()
        status = os.spawnl(os.P_WAIT, binary, "llmroute", "bench", "--no-config", path)
        took = time.monotonic() - begin
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{took:.1f} s, {size / took / 1e6:,.0f} MB/s, {peak:.0f} MB of memory")
    sys.exit(0 if status == 0 and took < 30 else 1)


if __name__ == "__main__":
    main()
