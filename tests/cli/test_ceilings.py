"""Ceilings that processes share: hold, then settle, by the stub's own account."""

import json
import random
import time
import unittest

import harness
import test_ledger

PRICES = {"m": {"input": 1.0, "output": 2.0}}
# Of the prompt "Hi" with --max-tokens 100: (2 bytes + 96) tokens of input
# at 1,000,000 picodollars, 100 of output at 2,000,000.
WORST = 98 * 1_000_000 + 100 * 2_000_000
ARGS = ["run", "-p", "Hi", "--no-stdin", "--max-tokens", "100"]


def usd(pico):
    return f"{pico / 1e12:.12f}"


class CeilingCase(test_ledger.LedgerCase):
    def server(self, rules=({"words": 40},)):
        return self.stub(rules, prices=PRICES)

    def limited(self, stub, extra):
        return harness.stub_config(stub, {"m": {}}, extra=extra)

    def wave(self, count, config, env=None, kill=None):
        """Starts that many runs at once; their statuses."""
        processes = [self.home.spawn(ARGS, config=config, env=env)
                     for _ in range(count)]
        for process in processes:
            process.stdin.close()
            if kill:
                time.sleep(0.002)
                if kill.random() < 0.5:
                    process.kill()
        statuses = []
        for process in processes:
            process.stdout.read(), process.stderr.read()
            statuses.append(process.wait(timeout=120))
            process.stdout.close(), process.stderr.close()
        return statuses

    def counters(self, scope="day/%"):
        return self.query("SELECT settled_pico, held_pico FROM scopes "
                          f"WHERE name LIKE '{scope}'")[0]


class Unpriced(CeilingCase):
    def test_allow_unpriced_lets_through_what_has_no_worst_case(self):
        stub = self.server()
        config = harness.stub_config(stub, {"m": {"price": None}},
                                     extra="[limits]\nper_day = 1\n")
        refused = self.run_llmroute(ARGS, config=config)
        self.assert_status(refused, 4)
        self.assertIn("--allow-unpriced", refused.err)
        self.assertEqual(stub.requests(), [])
        for _ in range(2):
            self.assert_status(self.run_llmroute(
                ARGS + ["--allow-unpriced"], config=config), 0)
        self.assertEqual(self.counters(), (0, 0))
        self.assertEqual(self.query("SELECT cost_pico, charged_as FROM attempts"),
                         [(None, "estimated")] * 2)
        self.assert_status(self.run_llmroute(["replay", "last"]), 0)

    def test_allow_unpriced_in_a_batch(self):
        stub = self.server()
        config = harness.stub_config(stub, {"m": {"price": None}},
                                     extra="[limits]\nper_day = 1\n")
        words = ["batch", "--lines", "--max-cost", "1"]
        refused = self.run_llmroute(words, stdin=b"Hi\n", config=config)
        self.assert_status(refused, 4)
        self.assertEqual(stub.requests(), [])
        allowed = self.run_llmroute(words + ["--allow-unpriced"], stdin=b"Hi\n",
                                    config=config)
        self.assert_status(allowed, 0)
        self.assertEqual(len(stub.requests()), 1)

    def test_what_is_known_of_the_price_counts_all_the_same(self):
        stub = self.server()
        config = harness.stub_config(
            stub, {"m": {"max_output_tokens": None, "context_window": None}},
            extra="[limits]\nper_day = 1\n")
        words = ["run", "-p", "Hi", "--no-stdin", "--allow-unpriced"]
        self.assert_status(self.run_llmroute(words, config=config), 0)
        self.assertEqual(self.counters(), (stub.account()["pico_usd"], 0))

    def test_a_field_that_may_cost_is_sent_only_if_allowed(self):
        stub = self.server()
        config = self.limited(stub, "[limits]\nper_day = 1\n")
        for field in ("service_tier=flex", "search_parameters={}", "brand_new=1"):
            refused = self.run_llmroute(ARGS + ["-O", field], config=config)
            self.assert_status(refused, 64)
            self.assertIn("--allow-unpriced", refused.err)
            self.assert_status(self.run_llmroute(
                ARGS + ["-O", field, "--allow-unpriced"], config=config), 0)
        self.assertEqual(len(stub.requests()), 3)
        self.assert_status(self.run_llmroute(
            ARGS + ["-O", "top_p=0.5", "-O", "user=jane"], config=config), 0)


class Refusal(CeilingCase):
    def refused_by(self, extra, args=(), env=None):
        """The first fits, the second does not and is not sent."""
        stub = self.server()
        config = self.limited(stub, extra)
        self.assert_status(self.run_llmroute(ARGS + list(args), config=config,
                                             env=env), 0)
        result = self.run_llmroute(ARGS + list(args), config=config, env=env)
        self.assert_status(result, 4)
        self.assertEqual(len(stub.requests()), 1)
        return result

    def test_per_day(self):
        result = self.refused_by(f"[limits]\nper_day = {usd(WORST)}\n")
        self.assertIn("per_day", result.err)
        self.assertIn("nothing was sent", result.err)

    def test_a_ceiling_that_is_used_up_is_said_to_be(self):
        stub = self.server()
        for _ in range(12):
            self.assert_status(self.run_llmroute(
                ARGS, config=self.limited(stub, "")), 0)
        for window, anew in (("per_day", "at 00:00 UTC"),
                             ("per_month", r"on \d{4}-\d\d-01 \(UTC\)")):
            result = self.run_llmroute(ARGS, config=self.limited(
                stub, f"[limits]\n{window} = {usd(WORST)}\n"))
            self.assert_status(result, 4)
            self.assertRegex(
                result.err, rf"{window} = \$[0-9.]+ is used up: \$[0-9.]+ is spent; "
                rf"nothing was sent \(it starts anew {anew}\)")
        self.assertEqual(len(stub.requests()), 12)

    def test_per_month(self):
        self.refused_by(f"[limits]\nper_month = {usd(WORST)}\n")

    def test_budget_of_a_tag(self):
        extra = f'[budgets.b]\ntag = "team=search"\nper_day = {usd(WORST)}\n'
        result = self.refused_by(extra, ["--tag", "team=search"])
        self.assertIn("team=search", result.err)
        config = self.limited(self.server(), extra)
        self.assert_status(self.run_llmroute(
            ARGS + ["--tag", "team=ads"], config=config), 0)

    def test_LLMROUTE_RUN_shares_max_cost(self):
        self.refused_by("", ["--max-cost", usd(WORST)],
                        {"LLMROUTE_RUN": "night"})

    def test_max_cost_alone_is_of_each_request(self):
        stub = self.server()
        for _ in range(3):
            self.assert_status(self.run_llmroute(
                ARGS + ["--max-cost", usd(WORST)],
                config=self.limited(stub, "")), 0)

    def test_a_cheaper_candidate_that_fits_is_asked_instead(self):
        stub = self.stub([{"words": 10}])
        config = harness.stub_config(
            stub, {"dear": {"price": {"input": 100.0, "output": 200.0}},
                   "m": {}},
            extra=f"[limits]\nper_day = {usd(100 * WORST)}\n")
        args = ARGS + ["-m", "dear,m", "--json"]
        first = self.run_llmroute(args, config=config).json()
        second = self.run_llmroute(args, config=config).json()
        self.assertEqual([first["model"]["used"], second["model"]["used"]],
                         ["dear", "m"])

    def test_a_model_left_alone_is_asked_where_the_ceiling_pays_for_no_other(self):
        stub = self.stub([{"model": "m", "times": 5, "status": 503},
                          {"model": "dear", "chunks": ["x"], "usage": "omit"},
                          {"words": 10}])
        config = harness.stub_config(
            stub, {"dear": {"price": {"input": 100.0, "output": 200.0}}, "m": {}},
            extra=f"[limits]\nper_day = {usd(150 * WORST)}\n")
        args = ARGS + ["-m", "m,dear", "--retries", "0", "--format", "jsonl",
                       "--show-route"]
        for _ in range(5):
            self.assert_status(self.run_llmroute(
                ARGS + ["-m", "m", "--retries", "0"], config=config), 75)
        self.assertIn("left alone", self.run_llmroute(
            ["explain", *ARGS[1:], "-m", "dear,m"], config=config).text)
        for models in ["dear"], ["dear", "m"]:
            result = self.run_llmroute(args, config=config)
            self.assert_status(result, 0)
            events = [json.loads(line) for line in result.out.splitlines()]
            self.assertEqual([e["model"] for e in events if e["event"] == "attempt"],
                             models[-1:])
            # Whatever tells of the decision tells of the one that counts.
            self.assertEqual([e["model"] for e in events if e["event"] == "route"], models)
            self.assertRegex(result.err, "(?s)" + ".*".join(f" -> {m} " for m in models))
            decision = events[-1]["id"]
            self.assertEqual(self.query(
                f"SELECT model FROM decisions WHERE id='{decision}'"), [(models[-1],)])
            self.assert_status(self.run_llmroute(["replay", decision]), 0)

    def test_a_refusal_names_the_ceiling(self):
        config = self.limited(self.server(), """[limits]
max_cost = 1.0
per_day = 1.0
[budgets.b]
tag = "team=search"
per_month = 0.0000001
""")
        for command in "run", "explain":
            result = self.run_llmroute([command, *ARGS[1:], "--tag", "team=search"],
                                       config=config)
            self.assert_status(result, 4)
            self.assertRegex(result.err, r"no model can answer: m(, .* more)?: "
                             r"\$0.000000100 does not pay for an answer of ~\d+ tokens;"
                             r".* the ceiling is per_month of tag team=search\n")

    def test_the_hold_is_settled_by_what_it_cost(self):
        stub = self.server()
        self.run_llmroute(ARGS, config=self.limited(stub, "[limits]\nper_day=1\n"))
        self.assertEqual(self.counters(), (stub.account()["pico_usd"], 0))
        self.assertEqual(self.counters("month/%"), self.counters())

    def test_a_retry_holds_once(self):
        stub = self.server([{"nth": 1, "status": 503}, {"words": 5}])
        config = self.limited(stub, f"[limits]\nper_day = {usd(WORST)}\n")
        self.assert_status(self.run_llmroute(ARGS, config=config), 0)

    def test_a_price_must_be_known(self):
        stub = self.server()
        config = harness.stub_config(stub, {"m": {"price": None}},
                                     extra="[limits]\nper_day = 1\n")
        self.assert_status(self.run_llmroute(ARGS, config=config), 4)
        self.assertEqual(stub.requests(), [])

    def test_without_a_ledger_a_shared_ceiling_cannot_be_kept(self):
        stub = self.server()
        config = self.limited(stub, "[limits]\nper_day = 1\n")
        self.assert_status(self.run_llmroute(ARGS + ["--no-ledger"],
                                             config=config), 64)
        self.assert_status(self.run_llmroute(
            ARGS + ["--no-ledger", "--max-cost", "1"],
            config=self.limited(stub, "")), 0)
        self.assertEqual(len(stub.requests()), 1)

    def test_S11_P2_no_usage_counts_as_the_worst_case(self):
        stub = self.server([{"chunks": ["Hi"], "usage": "omit"}])
        config = self.limited(stub, "[limits]\nper_day = 1\n")
        self.assert_status(self.run_llmroute(ARGS, config=config), 0)
        self.assertEqual(self.counters(), (WORST, 0))
        self.assertEqual(self.query("SELECT cost_pico, charged_as FROM attempts"),
                         [(None, "estimated")])

    def test_a_retry_that_the_ceiling_forbids_is_told_as_that(self):
        stub = self.server([{"nth": 1, "chunks": ["x"], "no_terminal": True},
                            {"words": 5}])
        result = self.run_llmroute(
            ARGS + ["--no-stream", "--max-cost", usd(WORST * 3 // 2)],
            config=self.limited(stub, ""))
        self.assert_status(result, 4)
        self.assertRegex(
            result.err, r"worst case of \$[\d.]+ of another attempt does not fit "
            r"under a ceiling of \$[\d.]+: \$[\d.]+ is or may be spent")
        self.assertEqual(len(stub.requests()), 1)

    def test_a_locked_ledger_is_waited_for_no_longer_than_the_request(self):
        import sqlite3
        stub = self.server()
        config = self.limited(stub, "[limits]\nper_day = 1\n")
        self.assert_status(self.run_llmroute(ARGS, config=config), 0)
        lock = sqlite3.connect(self.path(), isolation_level=None)
        self.addCleanup(lock.close)
        lock.execute("BEGIN EXCLUSIVE")
        begin = time.monotonic()
        result = self.run_llmroute(ARGS + ["--timeout", "1s"], config=config, timeout=60)
        self.assert_status(result, 75)
        self.assertLess(time.monotonic() - begin, 15)

    def test_K4_a_locked_ledger_sends_nothing(self):
        import sqlite3
        stub = self.server()
        config = self.limited(stub, "[limits]\nper_day = 1\n")
        self.assert_status(self.run_llmroute(ARGS, config=config), 0)
        lock = sqlite3.connect(self.path(), isolation_level=None)
        self.addCleanup(lock.close)
        lock.execute("BEGIN EXCLUSIVE")
        self.assert_status(self.run_llmroute(ARGS, config=config, timeout=60), 75)
        self.assertEqual(len(stub.requests()), 1)


class Together(CeilingCase):
    def test_K1_64_processes_stay_under_one_ceiling(self):
        stub = self.server()
        ceiling = 10 * WORST
        config = self.limited(stub, f"[limits]\nper_day = {usd(ceiling)}\n")
        statuses = self.wave(64, config)
        self.assertLessEqual(set(statuses), {0, 4})
        self.assertLessEqual(stub.account()["pico_usd"], ceiling)
        self.assertEqual(self.counters(), (stub.account()["pico_usd"], 0))
        # Ten whole worst cases fitted from the beginning.
        self.assertGreaterEqual(statuses.count(0), 10)
        # Those that come later are taken until none fits.
        while self.wave(1, config) == [0]:
            pass
        self.assertGreater(stub.account()["pico_usd"] + WORST, ceiling)

    def test_K1_none_is_refused_while_all_worst_cases_fit(self):
        stub = self.server()
        config = self.limited(stub, f"[limits]\nper_day = {usd(64 * WORST)}\n")
        self.assertEqual(self.wave(64, config), [0] * 64)

    def test_K2_X3_killed_at_random_it_stays_under_the_ceiling(self):
        dice = random.Random(5)
        for schedule in range(6):
            stub = self.server([{"words": 40, "delay_first_ms": 20}])
            ceiling = dice.randrange(3, 20) * WORST
            name = f"night-{schedule}"
            config = self.limited(stub, f"[limits]\nmax_cost = {usd(ceiling)}\n")
            self.wave(24, config, {"LLMROUTE_RUN": name}, kill=dice)
            account = stub.account()
            self.assertLessEqual(account["pico_usd"], ceiling)
            settled, held = self.counters(f"run/{name}")
            self.assertLessEqual(settled + held, ceiling)
            self.assertGreaterEqual(settled + held, account["pico_usd"])
            calls = self.query("SELECT count(*) FROM attempts a JOIN decisions d "
                               f"ON d.id = a.decision WHERE d.run = '{name}'")
            self.assertGreaterEqual(calls[0][0], account["requests"])


if __name__ == "__main__":
    unittest.main()
