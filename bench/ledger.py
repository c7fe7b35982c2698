#!/usr/bin/env python3
"""The ledger: what it adds to a call and to explain, with ledgers of 10^3 to 10^6
calls; how long usage takes; what a dead model costs once its breaker is open.

    bench/ledger.py [--build build/release] [--runs 100] [--rows 1000,10000,...]
                    [--own-tags] [--dir FOLDER]

Each figure is the median of the differences between a run with the ledger and the
one before it without, whole processes in turn, against the stub on loopback; in
brackets the same of CPU time, which other work on the machine and the disk's
syncs do not touch. "after" is the part of a run after the last byte of the answer,
"whole" also has what is read before the decision. The ledgers are made of real rows, multiplied over 300 days; --own-tags gives every call a tag of its
own, the worst that daily sums can meet. --dir: on which disk.
"""

import argparse
import json
import os
import pathlib
import sqlite3
import statistics
import subprocess
import tempfile
import time

import paired

ROOT = pathlib.Path(__file__).resolve().parents[1]
DAY = 86_400_000  # ms
DAYS = 300
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PROMPT = "hi there, how are you"
DEAD = """
[providers.gone]
protocol = "openai-chat"
base_url = "http://127.0.0.1:9/v1"
[models.dead]
provider = "gone"
ability = 0.0
"""


def ulid(time_ms, number):
    value = time_ms << 80 | number
    return "".join(CROCKFORD[value >> 5 * place & 31] for place in range(25, -1, -1))


def day(time_ms):
    return time.strftime("%Y-%m-%d", time.gmtime(time_ms / 1000))


def own_tag(tags, number):
    return json.dumps(json.loads(tags) | {"job": str(number)}, separators=(",", ":"))


class Bench:
    def __init__(self, options, home, port):
        self.options = options
        self.binary = str(pathlib.Path(options.build, "llmroute"))
        self.home = home
        self.env = {"PATH": os.environ["PATH"], "HOME": home}
        text = (ROOT / "examples/quickstart.toml").read_text().replace(
            "@PORT@", str(port))
        self.config = self.write("config.toml", text)
        self.limited = self.write("limited.toml",
                                  text + "[limits]\nper_day = 1000\n")
        self.dead = self.write("dead.toml", text + DEAD)

    def write(self, name, text):
        path = pathlib.Path(self.home, name)
        path.write_text(text)
        path.chmod(0o600)
        return str(path)

    def words(self, command, *args, config=None):
        return [self.binary, command, "--no-stdin", "-p", PROMPT, "-c",
                config or self.config, *args]

    # --- making ledgers -------------------------------------------------------

    def seeds(self):
        """A ledger of real calls, the rows that all others are made of."""
        path = os.path.join(self.home, "seeds.db")
        for model in ("cheap", "mid", "strong"):
            for team in ("search", "ads"):
                paired.spawn_to_exit(self.words(
                    "run", "-m", model, "--tag", f"team={team}", "--ledger", path),
                    self.env)
        return path

    def grow(self, rows):
        """A ledger of that many calls; its path."""
        path = os.path.join(self.home, f"{rows}.db")
        paired.spawn_to_exit(self.words("run", "--ledger", path), self.env)
        ledger = sqlite3.connect(path, isolation_level=None)
        ledger.create_function("ulid", 2, ulid, deterministic=True)
        ledger.create_function("day", 1, day, deterministic=True)
        ledger.create_function("own_tag", 2, own_tag, deterministic=True)
        first = int(time.time() * 1000) - DAYS * DAY
        ledger.executescript(f"""
            PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;
            ATTACH '{os.path.join(self.home, "seeds.db")}' AS seeds;
            CREATE TEMP TABLE seed AS SELECT row_number() OVER () - 1 AS seed, id
                FROM seeds.decisions;
            CREATE TEMP TABLE new AS WITH RECURSIVE n(number) AS (SELECT 0 UNION ALL
                SELECT number + 1 FROM n WHERE number < {rows - 2})
                SELECT ulid({first} + number * {DAYS * DAY} / {rows}, number) AS new_id,
                {first} + number * {DAYS * DAY} / {rows} AS new_time, number, id
                FROM n JOIN seed ON seed.seed = number % (SELECT count(*) FROM seed);
            DELETE FROM daily; DELETE FROM scopes;
            BEGIN""")
        tags = "tags"
        if self.options.own_tags:
            tags = "own_tag(tags, number)"
        self.copy(ledger, "decisions", {"id": "new_id", "time": "new_time",
                                        "tags": tags})
        self.copy(ledger, "attempts_apart",
                  {"decision": "new_id", "time": "new_time"}, key="decision")
        ledger.execute("COMMIT")
        ledger.close()
        # Daily sums and counters, as the program makes them.
        subprocess.run([self.binary, "usage", "--recount", "--ledger", path],
                       env=self.env, capture_output=True, check=False)
        with sqlite3.connect(path) as ledger:
            ledger.execute("PRAGMA journal_mode=WAL")
            counted, = ledger.execute("SELECT sum(calls) FROM daily").fetchone()
            assert counted == rows, (counted, rows)
        return path

    def copy(self, ledger, table, changed, key="id"):
        names = [row[1] for row in ledger.execute(f"PRAGMA table_info({table})")]
        values = ", ".join(changed.get(name, "old." + name) for name in names)
        ledger.execute(f"INSERT INTO main.{table} SELECT {values} FROM temp.new "
                       f"JOIN seeds.{table} AS old ON old.{key} = new.id "
                       "ORDER BY new_id")

    # --- measuring ------------------------------------------------------------

    def added(self, with_it, without):
        """What the one takes longer than the other, and uses more CPU: ms."""
        times = paired.in_turn(paired.spawn, [("without", without, self.env),
                                              ("with", with_it, self.env)],
                               self.options.runs)
        return [statistics.median((a[i] - b[i]) * 1e3 for a, b in
                                  zip(times["with"], times["without"]))
                for i in (0, 1)]

    def added_after_answer(self, with_it, without):
        times = paired.in_turn(paired.spawn_after_last_byte,
                               [("without", without, self.env),
                                ("with", with_it, self.env)], self.options.runs)
        return statistics.median((a - b) * 1e3 for a, b in
                                 zip(times["with"], times["without"]))

    def usage_ms(self, path, *args):
        words = [self.binary, "usage", "-c", self.config, "--ledger", path, *args]
        return min(paired.spawn_to_exit(words, self.env) for _ in range(3)) * 1e3

    def row(self, rows):
        path = self.grow(rows)
        ledger = ("--ledger", path)
        runs = self.words("run", *ledger), self.words("run", "--no-ledger")
        after = self.added_after_answer(*runs)
        run = self.added(*runs)
        held = self.added(self.words("run", *ledger, config=self.limited),
                          self.words("run", "--no-ledger"))
        explain = self.added(self.words("explain", *ledger),
                             self.words("explain", "--no-ledger"))
        usage = self.usage_ms(path), self.usage_ms(path, "--since", f"{DAYS + 1}d")
        size = os.path.getsize(path) / 1e6
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(path + suffix):
                os.remove(path + suffix)
        cells = [f"{took:6.2f} ({cpu:5.2f})" for took, cpu in (run, held, explain)]
        print(f"{rows:9,} {size:7.1f} {after:7.2f}", *cells, f"{usage[0]:7.1f} {usage[1]:8.1f}",
              flush=True)

    def breaker(self):
        """A dead model before the one that answers, once its breaker is open."""
        path = os.path.join(self.home, "breaker.db")
        words = self.words("run", "-m", "dead,cheap", "--retries", "0", "--ledger",
                           path, config=self.dead)
        for _ in range(5):
            paired.spawn_to_exit(words, self.env)
        with sqlite3.connect(path) as ledger:
            text, = ledger.execute("SELECT breaker FROM statistics WHERE "
                                   "model = 'dead'").fetchone()
            numbers = text.split()
            assert numbers[0] == "1", text
            numbers[4] = str(int(time.time() * 1000) + 350_000)
            ledger.execute("UPDATE statistics SET breaker = ? WHERE model = 'dead'",
                           [" ".join(numbers)])
        alone = self.words("run", "-m", "cheap", "--ledger", path, config=self.dead)
        took, cpu = self.added(words, alone)
        print(f"a model whose breaker is open adds {took:.2f} ms ({cpu:.2f}); "
              "target <= 5")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=str(ROOT / "build/release"))
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--rows", default="1000,10000,100000,1000000")
    parser.add_argument("--own-tags", action="store_true")
    parser.add_argument("--dir")
    options = parser.parse_args()
    stub = subprocess.Popen(
        [pathlib.Path(options.build, "tests/stub/llmroute-stub"),
         "--exit-with-stdin", "--word-delay-ms", "0"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    port = json.loads(stub.stdout.readline())["port"]
    with tempfile.TemporaryDirectory(dir=options.dir) as home:
        bench = Bench(options, home, port)
        bench.seeds()
        print(f"ms (of CPU) added by the ledger, medians of {options.runs} pairs; "
              "usage: ms, whole process\n"
              "     rows      MB   after         whole     under per_day       "
              "explain     month      all\n"
              "   target          <= 1.5          flat                        "
              "             <= 1000")
        for rows in options.rows.split(","):
            bench.row(int(rows))
        bench.breaker()
    stub.stdin.close()
    stub.wait()


if __name__ == "__main__":
    main()
