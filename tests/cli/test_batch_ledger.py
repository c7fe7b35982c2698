"""A batch in the ledger: its spending is seen, its ceilings are everybody's."""

import json
import os
import signal
import sqlite3
import subprocess
import time
import unittest

import batch_case
import harness
import test_ceilings
import test_ledger

# Of the prompt "Hi" with --max-tokens 100, as in test_ceilings.
WORST = test_ceilings.WORST
usd = test_ceilings.usd
COST = 10 * 1_000_000 + 5 * 2_000_000  # of ANSWER, picodollars
HI = '{"prompt": "Hi"}\n'


class BatchLedgerCase(test_ledger.LedgerCase, batch_case.BatchCase):
    def config(self, stub, models=None, **options):
        return harness.stub_config(stub, models or {"m": {}}, **options)

    def answering(self, rules=tuple(test_ledger.ANSWER)):
        return self.stub(list(rules), prices=test_ceilings.PRICES)

    def limited(self, stub, extra, stdin, *args, **options):
        return self.batch(stub, ["--max-tokens", "100", "--no-timing", *args],
                          stdin=stdin, extra=extra, **options)

    def counters(self, scope="day/%"):
        return self.query("SELECT settled_pico, held_pico FROM scopes "
                          f"WHERE name LIKE '{scope}'")[0]


    def wait_for_holds(self, count):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if os.path.exists(self.path()) and self.query(
                    "SELECT count(*) FROM attempts WHERE state='held'") == [(count,)]:
                return
            time.sleep(0.01)
        self.fail(f"there were never {count} holds")


class Rows(BatchLedgerCase):
    def test_each_record_is_a_decision_with_its_attempts(self):
        stub = self.answering([{"times": 1, "status": 503}] + test_ledger.ANSWER)
        result = self.batch(stub, ["-j", "1", "--tag", "team=search"],
                            stdin=batch_case.prompts(3), env={"LLMROUTE_RUN": "n"})
        self.assert_status(result, 0)
        self.assertEqual(
            self.query("SELECT command, run, model, tags, exit, finish, "
                       "answer_bytes FROM decisions ORDER BY id"),
            [("batch", "n", "m", '{"team":"search"}', 0, "stop", 5)] * 3)
        self.assertEqual(
            self.query("SELECT state, status, charged_as, count(*) FROM attempts "
                       "GROUP BY 1, 2, 3 ORDER BY 1"),
            [("answered", None, "usage", 3), ("failed", 503, "nothing", 1)])
        self.assertEqual(self.counters(), (3 * COST, 0))

    def test_usage_and_models_show_it(self):
        stub = self.answering()
        config = self.config(stub)
        self.assert_status(self.batch(stub, stdin=batch_case.prompts(70),
                                      config=config), 0)
        usage = self.run_llmroute(["usage", "--json"], config=config).json()
        self.assertEqual(usage["total"]["calls"], 70)
        models = self.run_llmroute(["models", "--json"], config=config).json()
        row = models["models"][0] if isinstance(models, dict) else models[0]
        self.assertIn("70", json.dumps(row))

    def test_what_all_records_share_is_kept_once(self):
        stub = self.answering()
        config = self.config(stub)
        for _ in range(2):
            self.assert_status(self.batch(stub, stdin=batch_case.prompts(70),
                                          config=config), 0)
        self.assertEqual(
            self.query("SELECT kind, count(*) FROM snapshots GROUP BY 1 ORDER BY 1"),
            [("config", 1), ("registry", 1), ("shared_inputs", 1)])
        self.assertEqual(self.query("SELECT count(*) FROM decisions JOIN snapshots "
                                    "ON hash=shared_inputs"), [(140,)])
        self.assertEqual(self.query("SELECT sum(calls), count(*) FROM daily"),
                         [(140, 1)])
        self.assertEqual(self.query("SELECT calls, answered FROM statistics"),
                         [(140, 140)])
        again = self.run_llmroute(["usage", "--recount"], config=config)
        self.assert_status(again, 0)

    def test_failed_and_incomplete_records_are_told_apart(self):
        stub = self.answering([{"body": "say 1", "status": 400},
                               {"body": "say 2", "finish": "length"}]
                              + test_ledger.ANSWER)
        self.assert_status(self.batch(stub, ["-j", "1"],
                                      stdin=batch_case.prompts(3)), 1)
        self.assertEqual(
            self.query("SELECT exit, finish FROM decisions ORDER BY exit"),
            [(0, "stop"), (3, "length"), (65, None)])

    def test_calls_of_records_that_get_no_result_are_recorded(self):
        stub = self.answering([{"status": 503}])
        result = self.batch(stub, ["-j", "2"], stdin=batch_case.prompts(6),
                            extra='[limits]\ngive_up = "1s"\n')
        self.assert_status(result, 75)
        self.assertEqual(self.query("SELECT count(*) FROM attempts"),
                         [(len(self.posts(stub)),)])

    def test_no_text_is_kept(self):
        stub = self.answering([{"chunks": ["secret answer"],
                                "usage": {"prompt_tokens": 1,
                                          "completion_tokens": 1}}])
        self.assert_status(self.batch(stub, stdin='{"prompt": "secret question", '
                                      '"id": "secret id"}\n'), 0)
        for name in os.listdir(os.path.dirname(self.path())):
            with open(os.path.join(os.path.dirname(self.path()), name), "rb") as f:
                self.assertNotIn(b"secret", f.read(), name)

    def test_no_ledger_and_no_learn(self):
        stub = self.answering()
        self.assert_status(self.batch(stub, ["--no-ledger"], stdin=HI), 0)
        self.assertFalse(os.path.exists(self.path()))
        self.assert_status(self.batch(stub, ["--no-learn"], stdin=HI), 0)
        self.assertEqual(self.query("SELECT count(*) FROM statistics"), [(0,)])
        self.assert_status(self.batch(stub, stdin=HI), 0)
        self.assertEqual(self.query("SELECT calls FROM statistics"), [(1,)])

    def test_what_a_journal_replays_is_not_counted_again(self):
        stub = self.answering()
        source = self.home.write("in.jsonl", batch_case.prompts(5))
        args = [source, "-o", self.home.file("out.jsonl")]
        self.assert_status(self.batch(stub, args), 0)
        os.remove(self.home.file("out.jsonl"))
        self.batch(stub, args)
        self.assertEqual(self.query("SELECT count(*) FROM decisions"),
                         [(len(self.posts(stub)),)])

    def test_decisions_of_a_batch_can_be_taken_again(self):
        stub = self.answering()
        config = self.config(stub, {"m": {}, "n": {}})
        records = batch_case.lines({"prompt": "one"}, {"prompt": "two", "model": "n"},
                                   {"prompt": "three", "tags": {"a": "b"}})
        self.assert_status(self.batch(stub, ["--max-cost", "1"], stdin=records,
                                      config=config), 0)
        for row, in self.query("SELECT id FROM decisions"):
            again = self.run_llmroute(["replay", row])
            self.assert_status(again, 0)
        self.assertEqual(self.query("SELECT source FROM decisions WHERE model='n'"),
                         [("record",)])


class Ceilings(BatchLedgerCase):
    def test_per_day_stops_a_batch_that_then_goes_on(self):
        stub = self.answering()
        source = self.home.write("in.jsonl", HI * 10)
        args = [source, "-o", self.home.file("out.jsonl"), "-j", "1"]
        limit = f"[limits]\nper_day = {usd(3 * COST + WORST - 1)}\n"
        result = self.limited(stub, limit, None, *args)
        self.assert_status(result, 4)
        self.assertIn("per_day", result.err)
        self.assertEqual(len(self.posts(stub)), 3)
        self.assertEqual(self.counters(), (3 * COST, 0))
        limit = "[limits]\nper_day = 1\n"
        self.assert_status(self.limited(stub, limit, None, *args), 0)
        self.assertEqual(len(self.posts(stub)), 10)

    def test_a_run_and_a_batch_count_against_the_same_day(self):
        stub = self.answering()
        limit = f"[limits]\nper_day = {usd(COST + WORST)}\n"
        config = self.config(stub, extra=limit)
        self.assert_status(self.run_llmroute(test_ceilings.ARGS, config=config), 0)
        result = self.limited(stub, limit, HI * 5, "-j", "4", config=config)
        self.assert_status(result, 4)
        self.assertEqual(len(self.posts(stub)), 2)

    def test_tags_of_records_have_their_budgets(self):
        stub = self.answering()
        limit = f'[budgets.b]\ntag = "team=search"\nper_day = {usd(WORST)}\n'
        records = batch_case.lines({"prompt": "Hi", "tags": {"team": "ads"}},
                                   {"prompt": "Hi", "tags": {"team": "search"}},
                                   {"prompt": "Hi", "tags": {"team": "search"}})
        result = self.limited(stub, limit, records, "-j", "1")
        self.assert_status(result, 4)
        self.assertIn("team=search", result.err)
        self.assertEqual(len(self.posts(stub)), 2)

    def test_LLMROUTE_RUN_shares_max_cost_among_batches(self):
        stub = self.answering()
        args = ["-j", "1", "--max-cost", usd(COST + WORST)]
        env = {"LLMROUTE_RUN": "night"}
        self.assert_status(self.limited(stub, "", HI, *args, env=env), 0)
        result = self.limited(stub, "", HI * 3, *args, env=env)
        self.assert_status(result, 4)
        self.assertEqual(len(self.posts(stub)), 2)

    def test_nothing_is_sent_without_the_ledger(self):
        stub = self.answering()
        limit = "[limits]\nper_day = 1\n"
        result = self.limited(stub, limit, HI, "--no-ledger")
        self.assert_status(result, 64)
        self.home.write(".local/state/llmroute/ledger.db", "no database at all")
        result = self.limited(stub, limit, HI)
        self.assert_status(result, 74)
        self.assertIn("nothing was sent", result.err)
        self.assertEqual(self.posts(stub), [])

    def test_R1_with_few_descriptors_a_record_with_a_budget_opens_the_ledger(self):
        stub = self.answering()
        source = self.home.write("in.jsonl", batch_case.lines(
            {"prompt": "Hi", "tags": {"team": "ads"}},
            {"prompt": "Hi", "tags": {"team": "search"}}))
        config = self.config(
            stub, extra='[budgets.b]\ntag = "team=search"\nper_day = 1\n')
        few = ["sh", "-c", 'ulimit -n 30 && exec "$@"', "sh"]
        done = subprocess.run(
            [*few, *self.home.command(["batch", source, "-j", "1"], config)],
            env=self.home.environment(), stdin=subprocess.DEVNULL, timeout=120,
            capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.query("SELECT count(*) FROM decisions"), [(2,)])

    def test_a_ledger_that_fails_costs_no_result_that_was_paid_for(self):
        stub = self.answering([{"times": 1, "delay_headers_ms": 3000},
                               {"times": 1, "delay_headers_ms": 5000}])
        config = self.config(stub, extra="[limits]\nper_day = 1\n")
        process = self.home.spawn(["batch", "-j", "2"], config=config)
        process.stdin.write((HI * 3).encode())
        process.stdin.close()
        while len(self.posts(stub)) < 2:
            time.sleep(0.01)
        self.query("ALTER TABLE attempts_apart RENAME TO other")
        out, err = process.stdout.read(), process.stderr.read().decode()
        self.assertEqual(process.wait(timeout=60), 74, err)
        process.stdout.close(), process.stderr.close()
        self.assertEqual(len(batch_case.parse(out)), 2, err)
        self.assertEqual(len(self.posts(stub)), 2)

    def test_a_locked_ledger_holds_up_no_answer(self):
        stub = self.answering([{"times": 1, "delay_headers_ms": 500} |
                               test_ledger.ANSWER[0],
                               {"times": 1, "delay_headers_ms": 1500} |
                               test_ledger.ANSWER[0], *test_ledger.ANSWER])
        config = self.config(stub, extra="[limits]\nper_day = 1\n")
        process = self.home.spawn(["batch", "-j", "2"], config=config)
        process.stdin.write((HI * 4).encode())
        process.stdin.close()
        self.wait_for_holds(2)
        lock = sqlite3.connect(self.path(), isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        begin = time.monotonic()
        first = [process.stdout.readline() for _ in range(2)]
        self.assertLess(time.monotonic() - begin, 25)  # not the whole patience
        self.assertEqual(self.query("SELECT count(*) FROM attempts"), [(2,)])
        lock.execute("ROLLBACK")
        lock.close()
        rest, err = process.stdout.read(), process.stderr.read().decode()
        self.assertEqual(process.wait(timeout=60), 0, err)
        process.stdout.close(), process.stderr.close()
        self.assertEqual(len(batch_case.parse(b"".join(first) + rest)), 4)
        self.assertEqual(self.counters(), (4 * COST, 0))

    def test_killed_under_a_ceiling_its_holds_count_as_worst_case(self):
        stub = self.answering([{"delay_headers_ms": 20_000}])
        limit = f"[limits]\nper_day = {usd(2 * WORST)}\n"
        config = self.config(stub, extra=limit)
        process = self.home.spawn(["batch", "--max-tokens", "100", "-j", "2"],
                                  config=config)
        process.stdin.write((HI * 9).encode())
        process.stdin.close()
        end = time.monotonic() + 60
        while len(self.posts(stub)) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        self.assertEqual(self.counters(), (0, 2 * WORST))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close(), process.stderr.close()
        result = self.limited(stub, limit, HI)
        self.assert_status(result, 4)
        self.assertEqual(len(self.posts(stub)), 2)

    def test_batches_at_once_never_exceed_a_day_together(self):
        stub = self.answering([{"delay_headers_ms": 5} | test_ledger.ANSWER[0]])
        limit = usd(20 * WORST)
        config = self.config(stub, extra=f"[limits]\nper_day = {limit}\n")
        processes = [self.home.spawn(["batch", "--max-tokens", "100", "-j", "8"],
                                     config=config) for _ in range(6)]
        for process in processes:
            process.stdin.write((HI * 200).encode())
            process.stdin.close()
        statuses = []
        for process in processes:
            process.stdout.read(), process.stderr.read()
            statuses.append(process.wait(timeout=120))
            process.stdout.close(), process.stderr.close()
        self.assertEqual(set(statuses), {4})
        spent = len(self.posts(stub)) * COST
        self.assertLessEqual(spent, 20 * WORST)
        # The last one did not give up while a worst case still fitted.
        self.assertGreater(spent, 20 * WORST - WORST)
        self.assertEqual(self.counters(), (spent, 0))


class NeverCostsAResult(BatchLedgerCase):
    def test_a_ledger_that_cannot_be_written_is_spilled(self):
        stub = self.answering()
        self.home.write(".local/state/llmroute/ledger.db", "no database at all")
        result = self.batch(stub, stdin=batch_case.prompts(3))
        self.assert_status(result, 0)
        self.assertEqual(len(batch_case.parse(result.out)), 3)
        self.assertEqual(result.err.count("kept in"), 1, result.err)
        with open(self.path() + ".spill", encoding="utf-8") as spilled:
            self.assertEqual(len(spilled.readlines()), 3)
        os.remove(self.path())
        self.assert_status(self.batch(stub, stdin=HI), 0)
        self.assertEqual(self.query("SELECT count(*) FROM decisions"), [(4,)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
