"""--check: a command judges the answer; what it rejects goes to a stronger model."""

import contextlib
import json
import os
import re
import signal
import sqlite3
import time
import unittest

import harness

# Worth decides for the cheapest, then the middle one.
MODELS = {"small": {"ability": 3.0, "price": {"input": 1, "output": 1}},
          "middle": {"ability": 3.2, "price": {"input": 2, "output": 2}},
          "large": {"ability": 3.4, "price": {"input": 4, "output": 4}}}
JSON = 'grep -q "^{"'


class Check(harness.TestCase):
    def ask(self, check, rules, *args, **options):
        stub = self.stub(rules, prices={name: model["price"]
                                        for name, model in MODELS.items()})
        result = self.run_llmroute(
            ["run", "-p", "hi there", "--worth", "0.01", "--check", check, *args],
            config=harness.stub_config(stub, MODELS),
            env={"LLMROUTE_LEDGER": self.home.file("ledger")}, **options)
        return stub, result

    def asked(self, stub):
        return [r.model for r in stub.requests()]

    def test_check(self):
        stub, result = self.ask("true", [{"text": "fine"}])
        self.assert_status(result, 0)
        self.assertEqual((result.out, result.err), (b"fine\n", ""))
        self.assertEqual(self.asked(stub), ["small"])

    def test_what_was_checked_is_replayed_once_and_can_be_purged(self):
        rules = [{"model": "small", "text": "no json"}, {"text": "{}"}]
        _, result = self.ask(JSON, rules)
        self.assert_status(result, 0)
        where = {"LLMROUTE_LEDGER": self.home.file("ledger")}
        report = self.run_llmroute(
            ["replay", "--json", "--with", self.home.write("same.toml", "")],
            env=where).json()
        self.assertEqual(report["decisions"], 1)
        result = self.run_llmroute(["usage", "--purge-before", "2999-01-01"], env=where)
        self.assert_status(result, 0)
        self.assertIn("removed 1 decisions", result.text)

    def test_OLR_11_what_is_rejected_goes_to_the_next_stronger_and_both_count(self):
        rules = [{"model": "small", "text": "no json"}, {"model": "middle", "text": "nor here"},
                 {"text": "{}"}]
        stub, result = self.ask(JSON, rules)
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"{}\n")
        self.assertEqual(self.asked(stub), ["small", "middle", "large"])
        self.assertIn("small (openai-chat): --check 'grep -q \"^{\"' rejected the answer "
                      "(status 1); asking the next model\n", result.err)
        stub, result = self.ask(JSON, rules, "--stats", "--no-ledger")
        cost = stub.account()["pico_usd"] / 1e12
        told = re.search(r"\$(\S+); .*; 3 attempts, \$(\S+) in all; id 01\w+\n", result.err)
        self.assertLess(float(told[1]), cost)
        self.assertAlmostEqual(float(told[2]), cost, places=7)
        stub, result = self.ask(JSON, rules, "--json", "--no-ledger")
        report = result.json()
        self.assertEqual(report["model"]["used"], "large")
        self.assertEqual([bool(a.get("rejected")) for a in report["attempts"]],
                         [True, True, False])
        self.assertEqual(round(report["cost"]["usd"] * 1e12), stub.account()["pico_usd"])

    def test_OLR_11_an_answer_that_is_not_whole_is_rejected_too(self):
        stub, result = self.ask("true", [{"model": "small", "text": ""},
                                         {"model": "middle", "text": "x", "finish": "length"},
                                         {"text": "whole"}])
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"whole\n")
        self.assertEqual(self.asked(stub), ["small", "middle", "large"])

    def test_nobody_stronger_is_1_and_the_last_answer_is_printed(self):
        path = self.home.write("out", "old")
        for args in ([], ["-o", path]):
            stub, result = self.ask("echo bad >&2; exit 3", [{"text": "{}"}], *args)
            self.assert_status(result, 1)
            self.assertEqual(self.asked(stub), ["small", "middle", "large"])
            self.assertEqual(result.out, b"" if args else b"{}\n")
            self.assertIn("bad", result.err)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "old")

    def test_a_stronger_one_that_asked_to_wait_is_told(self):
        wait = {"model": "large", "status": 429, "headers": {"Retry-After": "100"}}
        stub = self.stub([wait, {"text": "no"}])
        options = {"config": harness.stub_config(stub, MODELS),
                   "env": {"LLMROUTE_LEDGER": self.home.file("ledger")}}
        self.run_llmroute(["-m", "large", "--retries", "0", "-p", "Hi"], **options)
        result = self.run_llmroute(["-p", "hi there", "--check", "false"], **options)
        self.assert_status(result, 1)
        self.assertIn("large was not asked: asked to wait", result.err)

    def test_a_stronger_one_that_fails_leaves_the_rejected_answer(self):
        stub, result = self.ask(JSON, [{"model": "small", "text": "words"}, {"status": 400}])
        self.assert_status(result, 1)
        self.assertEqual(result.out, b"words\n")

    def test_a_list_of_models_is_gone_through_in_its_order(self):
        stub, result = self.ask("false", [{"text": "x"}], "-m", "large,small,middle")
        self.assert_status(result, 1)
        self.assertEqual(self.asked(stub), ["large", "small", "middle"])
        stub, result = self.ask(JSON, [{"model": "large", "text": "x"}, {"text": "{}"}],
                                "-m", "large,small,middle")
        self.assert_status(result, 0)
        self.assertEqual(self.asked(stub), ["large", "small"])

    def test_only_stronger_ones_and_only_as_far_as_the_chain_goes(self):
        alike = {name: MODELS["small"] for name in ("a", "b")}
        stub = self.stub([{"text": "x"}])
        result = self.run_llmroute(["run", "-p", "hi there", "--check", "false"],
                                   config=harness.stub_config(stub, alike))
        self.assert_status(result, 1)
        self.assertEqual(len(stub.requests()), 1)
        self.assertIn("nobody else was asked: no candidate has an ability above that of ",
                      result.err)
        stub, result = self.ask("false", [{"text": "x"}], "--no-fallback")
        self.assertEqual(self.asked(stub), ["small"])

    def test_a_ceiling_counts_every_answer(self):
        stub, result = self.ask("false", [{"text": "x"}], "--max-cost", "0.0012",
                                "--max-tokens", "300")
        self.assert_status(result, 1)
        self.assertLess(len(self.asked(stub)), 3)
        self.assertLessEqual(stub.account()["pico_usd"], 1_200_000_000)

    def test_a_command_that_is_not_there_is_69_and_nobody_else_is_asked(self):
        stub, result = self.ask("no-such-command-at-all", [{"text": "x"}])
        self.assert_status(result, 69)
        self.assertEqual(self.asked(stub), ["small"])
        self.assertEqual(result.out, b"x\n")

    def test_it_reads_the_answer_alone_and_no_key(self):
        path = self.home.file("seen")
        _, result = self.ask(f'cat > {path}; env > {path}.env', [{"text": "{}\n"}])
        self.assert_status(result, 0)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "{}\n")
        with open(path + ".env", encoding="utf-8") as file:
            self.assertNotIn("KEY", file.read())

    def test_an_interrupt_ends_the_command_too(self):
        stub = self.stub([{"text": "x"}])
        mark = self.home.file("mark")
        process = self.spawn_llmroute(
            ["run", "--no-stdin", "-p", "hi there", "--check", f"echo $$ > {mark}; sleep 60"],
            config=harness.stub_config(stub, MODELS))
        for _ in range(500):
            if os.path.exists(mark) and os.path.getsize(mark):
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), -signal.SIGINT)
        with open(mark, encoding="utf-8") as file:
            self.assertFalse(os.path.exists(f"/proc/{file.read().strip()}"))

    def ledger(self, query):
        with contextlib.closing(sqlite3.connect(self.home.file("ledger"))) as ledger:
            return ledger.execute(query).fetchall()

    def test_verdicts_are_learned_and_feedback_is_of_the_answer_that_was_given(self):
        rules = [{"model": "small", "text": "no"}, {"text": "{}"}]
        self.ask(JSON, rules)
        self.assertEqual(self.ledger("SELECT number, score FROM verdicts ORDER BY number"),
                         [(1, 0), (2, 1)])
        query = "SELECT model, verdicts FROM cells ORDER BY model"
        self.assertEqual(self.ledger(query), [("middle", 1), ("small", 1)])
        env = {"LLMROUTE_LEDGER": self.home.file("ledger")}
        for verdict in ("good", "bad"):
            self.assert_status(self.run_llmroute(["feedback", "last", verdict], env=env), 0)
            self.assertEqual(self.ledger(query), [("middle", 2), ("small", 1)])
        self.ask("no-such-command-at-all", [{"text": "x"}])
        self.ask(JSON, rules, "--no-learn")
        self.assertEqual(self.ledger(query), [("middle", 2), ("small", 1)])

    def test_after_a_rejection_nobody_weaker_is_asked_even_if_the_stronger_one_fails(self):
        stub = self.stub([{"model": "middle", "text": "no"}, {"model": "large", "status": 404},
                          {"text": "{}"}])
        dear = {"small": MODELS["small"] | {"price": {"input": 100, "output": 100}}}
        result = self.run_llmroute(
            ["run", "-p", "hi there", "--check", JSON, "--worth", "0.001"],
            config=harness.stub_config(stub, MODELS | dear))
        self.assertEqual(self.asked(stub), ["middle", "large"])
        self.assert_status(result, 1)
        self.assertEqual(result.out, b"no\n")

    def test_events_say_who_was_rejected(self):
        _, result = self.ask(JSON, [{"model": "small", "text": "no"}, {"text": "{}"}],
                             "--format", "jsonl")
        events = [json.loads(line) for line in result.text.splitlines()]
        self.assertEqual([e["event"] for e in events],
                         ["route", "attempt", "delta", "retry", "attempt", "delta", "done"])
        self.assertEqual((events[3]["class"], events[3]["next"]), ("rejected", "middle"))

    def test_events_say_a_rejected_answer_once(self):
        for rules, more in (([{"text": "no"}], ["--no-fallback"]),
                            ([{"text": "no"}], []),
                            ([{"model": "small", "text": "{", "finish": "length"}], ["-m", "small"])):
            _, result = self.ask(JSON, rules, "--format", "jsonl", *more)
            self.assertIn(result.status, (1, 3))
            events = [json.loads(line) for line in result.text.splitlines()]
            last = max(i for i, e in enumerate(events) if e["event"] == "attempt")
            said = "".join(e["text"] for e in events[last:] if e["event"] == "delta")
            self.assertEqual(said.strip(), rules[0]["text"])


if __name__ == "__main__":
    unittest.main()
