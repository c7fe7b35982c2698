"""Exit statuses: each that the help of a command lists can happen, by what is done
to it here. 70 is a bug and not tried."""

import json
import os
import pathlib
import re
import sqlite3
import unittest

import harness

SHIM = pathlib.Path(harness.BINARY).parent / "tests/scarce_memory.so"
BUG = 70
NO_MEMORY = 71
LOCKED = 75  # of the ledger, which is waited for half a minute
TOML = "= no TOML"
HI = ["-p", "hi there"]
ROWS = "".join(json.dumps({"prompt": p, "domain": d}) + "\n"
               for p, d in (("int main() {}", "code"), ("hi, thanks", "chat")) * 30)
OUTCOMES = "".join(json.dumps({"prompt": f"question {i} " + "hard " * (i % 4),
                               "scores": {"a": 1, "b": float(i % 4 > 0)},
                               "cost": {"a": 4, "b": 1}}) + "\n" for i in range(40))


class Statuses(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.server = self.stub([{"model": "broken", "status": 400},
                                 {"model": "gone", "status": 404},
                                 {"model": "busy", "status": 503},
                                 {"model": "page", "wrong_type": True},
                                 {"model": "locked", "status": 401},
                                 {"model": "cut", "text": "x", "finish": "length"},
                                 {"text": "fine"}])
        names = ("m", "broken", "gone", "busy", "page", "locked", "cut")
        self.config = self.home.write("config.toml", harness.stub_config(
            self.server, {name: {} for name in names}))
        self.broken = self.home.write("broken.toml", TOML)
        self.open_to_all = self.home.write("open.toml", "profile = \"cost\"\n", mode=0o666)
        self.damaged = self.home.write("damaged.db", os.urandom(8192))
        result = self.run_llmroute(["run", "--json", "-c", self.config, "-m", "m", *HI])
        self.assert_status(result, 0)
        self.id = result.json()["id"]
        self.ledger = self.home.file(".local/state/llmroute/ledger.db")

    def file(self, name, text):
        return self.home.write(name, text)

    def listed(self, command):
        text = self.run_llmroute([command, "--help"]).text.split("\nExit status (")[1]
        self.assertIn("129, 130, 141, 143: death by a signal", re.sub(r"\s+", " ", text))
        return {int(n) for n in re.findall(r"\b(\d+)\s+[a-z]", text)}

    def check(self, command, ways):
        """ways: status -> arguments, or (arguments, options of the run)."""
        self.assertEqual(set(ways) | {BUG, NO_MEMORY}, self.listed(command) | {BUG})
        if SHIM.exists() and not harness.SANITIZED:
            self.assertIn(NO_MEMORY, self.ends_without_memory(command, ways[0]))
        for status in sorted(ways, key=lambda status: (status == LOCKED, status)):
            way = ways[status]
            args, options = way if isinstance(way, tuple) else (way, {})
            if status == LOCKED and command not in ("run", "batch"):
                self.lock()
            with self.subTest(command=command, status=status):
                self.assert_status(self.run_llmroute([command, *args], **options), status)

    def ends_without_memory(self, command, args):
        ends = set()
        for point in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512):
            result = self.run_llmroute(
                [command, *args], env={"LD_PRELOAD": str(SHIM),
                                       "LLMROUTE_TEST_FAIL_AT": f"{point}+",
                                       "LLMROUTE_TEST_ALLOCATIONS": "/dev/null"})
            ends.add(result.status)
            if result.status == NO_MEMORY:
                break
        return ends

    def full(self):
        file = open("/dev/full", "wb")
        self.addCleanup(file.close)
        return {"stdout": file}

    def with_config(self, *args):
        return [*args, "-c", self.config]

    def asked(self, model, *args):
        return self.with_config("-m", model, "--retries", "0", "--no-ledger", *args, *HI)

    def test_run(self):
        self.check("run", {
            0: self.asked("m"),
            1: self.asked("m", "--check", "false"),
            3: self.asked("cut"),
            4: self.asked("m", "--max-cost", "0.000001", "--ledger", self.ledger),
            64: ["--bogus"],
            65: self.asked("broken"),
            66: self.with_config("-f", "/nowhere", *HI),
            69: self.asked("gone"),
            73: self.asked("m", "-o", "/nowhere/x"),
            74: (self.asked("m"), self.full()),
            75: self.asked("busy"),
            76: self.asked("page"),
            77: self.asked("locked"),
            78: ["-c", self.broken, *HI]})

    def test_explain(self):
        self.check("explain", {
            0: self.with_config(*HI),
            1: self.with_config("--expect", "model=nobody", *HI),
            4: self.with_config("-m", "m", "--max-cost", "0.000001", *HI),
            64: ["--bogus"],
            65: (self.with_config(), {"stdin": b"\xff"}),
            66: (self.with_config(), {"stdin": ""}),
            69: self.with_config("--allow", "nobody", *HI),
            74: (self.with_config(*HI), self.full()),
            77: ["-c", self.open_to_all, *HI],
            78: ["-c", self.broken, *HI]})

    def test_models(self):
        self.check("models", {
            0: self.with_config(), 1: self.with_config("nobody*"), 64: ["--bogus"],
            74: (self.with_config(), self.full()), 77: ["-c", self.open_to_all],
            78: ["-c", self.broken]})

    def test_config(self):
        self.check("config", {
            0: self.with_config("show"), 1: self.with_config("get", "limits.per_day"),
            64: ["dance"], 73: (["init"], {"env": {"XDG_CONFIG_HOME": "/proc/nowhere"}}),
            74: (self.with_config("show"), self.full()),
            77: ["check", "-c", self.open_to_all], 78: ["check", "-c", self.broken]})

    def test_bench(self):
        rows = self.file("outcomes.jsonl", OUTCOMES)
        one = self.with_config(rows, "--folds", "2")
        self.check("bench", {
            0: one, 1: [*one, "--fail-if", "apgr<2"], 64: ["--bogus"],
            65: self.with_config(self.file("bad.jsonl", "no JSON")),
            66: self.with_config("/nowhere"), 73: [*one, "--plot", "/nowhere/x.svg"],
            74: (one, self.full()), 77: [rows, "-c", self.open_to_all],
            78: [rows, "-c", self.broken]})

    def test_train(self):
        rows = self.file("rows.jsonl", ROWS)
        to = ["-o", self.home.file("new.model")]
        one = self.with_config(rows, *to, "--force")
        from_ledger = self.with_config("--from-ledger", *to)
        self.check("train", {
            0: one, 1: self.with_config(rows, *to), 64: ["--bogus"],
            65: self.with_config(self.file("bad.jsonl", "no JSON"), *to),
            66: self.with_config("/nowhere", *to),
            73: self.with_config(rows, "-o", "/nowhere/x", "--force"),
            74: self.with_config("--from-ledger", *to, "--ledger", self.damaged),
            75: from_ledger, 77: [rows, *to, "-c", self.open_to_all],
            78: [rows, *to, "-c", self.broken]})

    def lock(self):
        """Nobody else may look into the ledger from now on."""
        other = sqlite3.connect(self.ledger, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")

    def of_the_ledger(self, *args):
        """What all that read it have in common."""
        return {64: ["--bogus"], 66: [*args, "--ledger", "/nowhere"],
                74: [*args, "--ledger", self.damaged]}

    def test_feedback(self):
        good = [self.id, "good"]
        copy = self.file("open.db", pathlib.Path(self.ledger).read_bytes())
        os.chmod(copy, 0o666)
        self.check("feedback", self.of_the_ledger(*good) | {
            0: good, LOCKED: good, 77: [*good, "--ledger", copy]})

    def alter(self, change):
        other = sqlite3.connect(self.ledger)
        with other:
            other.execute(change)
        other.close()

    def decided(self, *args):
        result = self.run_llmroute(["run", "--json", *args, *self.with_config(*HI)])
        return result.json()["id"]

    def test_replay(self):
        otherwise, altered = self.decided("-m", "cut"), self.decided("-m", "m")
        self.alter("UPDATE decisions SET outcome = (SELECT outcome FROM decisions WHERE "
                   f"id = '{self.id}') WHERE id = '{otherwise}'")
        self.alter(f"UPDATE decisions SET inputs = x'00' WHERE id = '{altered}'")
        self.check("replay", self.of_the_ledger(self.id) | {
            0: [self.id], 1: [otherwise], 65: [altered], LOCKED: [self.id],
            77: ["--with", self.open_to_all], 78: ["--with", self.broken]})

    def test_usage(self):
        self.alter("UPDATE daily SET calls = calls + 1")
        self.check("usage", self.of_the_ledger() | {
            0: [], 1: ["--recount"], LOCKED: ["--recount"],
            77: ["-c", self.open_to_all], 78: ["-c", self.broken]})

    def test_completion_help_and_version(self):
        for command, operands in (("completion", ["bash"]), ("help", []), ("version", [])):
            self.check(command, {0: operands, 64: ["--bogus"],
                                 74: (operands, self.full())})

    def test_batch(self):
        self.check("batch", self.batch_ways())

    def batch_ways(self):
        def ask(model, *args, **record):
            line = json.dumps({"prompt": "hi", "model": model} | record) + "\n"
            return self.with_config("--no-ledger", *args), {"stdin": line}
        self.home.write("there.jsonl", "")
        locked = harness.stub_config(self.server, {"locked": {}})
        slow = self.file("slow.toml", "[limits]\ngive_up = \"1s\"\n" + harness.stub_config(
            self.server, {"busy": {}}))
        return {
            0: ask("m"), 1: ask("broken"), 64: ["--bogus"],
            4: ask("m", "--max-cost", "0.000001"), 65: ask("m", "--strict", what=1),
            66: self.with_config("/nowhere"),
            69: (self.with_config(), {"stdin": "{}\n", "env": {"LLMROUTE_OFFLINE": "1"}}),
            73: ask("m", "-o", self.home.file("there.jsonl")),
            74: (ask("m")[0], ask("m")[1] | self.full()),
            LOCKED: (["--no-ledger", "-c", slow], {"stdin": '{"prompt":"hi"}\n'}),
            77: (["--no-ledger", "-c", self.file("locked.toml", locked)],
                 {"stdin": '{"prompt":"hi"}\n'}),
            78: ["-c", self.broken]}


if __name__ == "__main__":
    unittest.main()
