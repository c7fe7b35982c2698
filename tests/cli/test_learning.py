"""What the router learns from what happens: speed, breakers, holds."""

import concurrent.futures
import contextlib
import json
import os
import random
import socket
import sqlite3
import time
import tomllib
import unittest

import harness
from durable_batch import FULL

USAGE = {"prompt_tokens": 10, "completion_tokens": 5}
ANSWER = {"chunks": ["Hello"], "usage": USAGE}


class LearningCase(harness.TestCase):
    def path(self):
        return self.home.file(".local/state/llmroute/ledger.db")

    def query(self, sql, *values):
        with contextlib.closing(sqlite3.connect(self.path())) as ledger:
            with ledger:
                return ledger.execute(sql, values).fetchall()

    def config(self, rules, models=("m",), **options):
        self.server = self.stub(rules)
        return harness.stub_config(self.server, {m: {} for m in models},
                                   **options)

    def ask(self, config, *args, **options):
        return self.run_llmroute(["run", "-p", "Hi", *args], config=config,
                                 **options)

    def explained(self, config, *args):
        result = self.run_llmroute(["explain", "-p", "Hi", "--json",
                                    "--no-timing", *args], config=config)
        self.assert_status(result, 0)
        return result.json()

    def seconds(self, config):
        return {c["model"]: c for c in self.explained(config)["candidates"]}

    def statistics_dump(self):
        return self.query("SELECT * FROM statistics ORDER BY 1, 2, 3")


class Speed(LearningCase):
    def test_a_measured_speed_takes_the_place_of_the_listed(self):
        config = self.config([ANSWER], models=("m", "n"))
        before = self.seconds(config)
        self.assertEqual(before["m"]["calls"], 0)
        self.assertEqual(before["m"]["seconds"], before["m"]["seconds_listed"])
        for _ in range(3):
            self.assert_status(self.ask(config, "-m", "m"), 0)
        after = self.seconds(config)
        self.assertEqual(after["m"]["calls"], 3)
        self.assertLess(after["m"]["seconds"], before["m"]["seconds"])
        self.assertEqual(after["n"]["calls"], 0)
        text = self.run_llmroute(["explain", "-p", "Hi"], config=config).out
        self.assertIn(b"measured   m ", text)
        self.assertIn(b"(3 calls)", text)

    def test_an_answer_that_is_not_streamed_teaches_the_time_of_a_token_as_well(self):
        """Listed are 1 s and 60 tokens a second: 120 tokens take two thirds."""
        counted = {"text": "Hello", "usage": {"prompt_tokens": 9, "completion_tokens": 120}}
        for answer in (counted, {"text": "x" * 480, "usage": "omit"}):
            config = self.config([answer | {"delay_headers_ms": 300}])
            self.assert_status(self.run_llmroute(
                ["batch"], stdin='{"prompt":"Hi"}\n', config=config), 0)
            first, tokens, took, ms = self.query(
                "SELECT slow_first_s, slow_tokens, slow_token_s, ms FROM statistics"
                " JOIN attempts ORDER BY statistics.time DESC, decision DESC")[0]
            self.assertEqual(tokens, 120)
            self.assertAlmostEqual(took, 2 / 3 * ms / 1000)
            self.assertAlmostEqual(first, 1 / 3 * ms / 1000)

    def test_a_slow_model_is_tried_again_and_explain_names_it(self):
        config = self.config([ANSWER], models=("m", "n"))
        self.ask(config, "-m", "m")
        self.ask(config, "-m", "n")
        slow = ("UPDATE statistics SET fast_first_s=5*fast_weight, "
                "slow_first_s=5*slow_weight WHERE model='n'")
        with sqlite3.connect(self.path()) as ledger:
            ledger.execute(slow)
            ledger.execute("UPDATE statistics SET fast_first_s=0.9*fast_weight,"
                           " slow_first_s=0.9*slow_weight WHERE model='m'")
        config = 'profile = "fast"\n' + config
        now = self.explained(config)
        self.assertEqual(now["decision"]["model"], "m")
        with sqlite3.connect(self.path()) as ledger:
            ledger.execute("UPDATE statistics SET calls=calls+200, "
                           "at_call=at_call+200 WHERE model='m'")
        later = self.explained(config)
        self.assertEqual(later["decision"]["model"], "n")
        self.assertTrue(any("n is tried again" in note
                            for note in later["decision"]["notes"]), later)

    def test_a_model_tried_after_a_failure_is_not_said_to_have_been_slow(self):
        config = harness.stub_config(self.stub([ANSWER]), {"m": {"ability": -3}}) + (
            harness.table("[providers.gone]", {
                "protocol": "openai-chat", "base_url": "http://127.0.0.1:1/v1",
                "tags": ["local"]}) +
            harness.model("n", **harness.DEFAULT_MODEL | {
                "provider": "gone", "ability": 3}))
        self.assert_status(self.ask(config, "-m", "n", "--retries", "0"), 75)
        self.assert_status(self.ask(config, "-m", "m"), 0)
        with sqlite3.connect(self.path()) as ledger:
            ledger.execute("UPDATE statistics SET calls=calls+2000, "
                           "at_call=at_call+2000 WHERE model='m'")
        notes = " ".join(self.explained(config)["decision"]["notes"])
        self.assertNotIn("n is tried again: it took", notes)
        self.assertRegex(notes, "n is tried again: its last call failed, [0-9]+ s ago "
                         r"\(it counts as 6[0-9.]+ s\)")

    def test_OLR_7_failures_count_as_their_time_out(self):
        config = self.config([{"model": "bad", "status": 503}, ANSWER],
                             models=("bad", "good"))
        self.assert_status(self.ask(config, "-m", "bad,good", "--retries", "0"), 0)
        found = self.seconds(config)
        self.assertGreater(found["bad"]["seconds"], 30)
        self.assertLess(found["good"]["seconds"], 5)

    def test_what_is_no_fault_of_the_model_teaches_nothing(self):
        config = self.config([{"status": 400}])
        self.ask(config)
        self.assertEqual(self.statistics_dump(), [])

    def test_RL_9_no_learn_leaves_the_statistics_as_they_are(self):
        config = self.config([ANSWER])
        self.assert_status(self.ask(config), 0)
        before = self.statistics_dump()
        self.assertEqual(len(before), 1)
        self.assert_status(self.ask(config, "--no-learn"), 0)
        self.assertEqual(self.statistics_dump(), before)
        self.assertEqual(self.query("SELECT count(*) FROM decisions"), [(2,)])

    def test_no_ledger_reads_none(self):
        config = self.config([ANSWER])
        self.ask(config)
        listed = self.explained(config, "--no-ledger")["candidates"][0]
        self.assertEqual(listed["calls"], 0)
        self.assertEqual(listed["seconds"], listed["seconds_listed"])

    def test_OLR_8_calls_of_parallel_processes_all_count(self):
        processes, calls = (64, 50) if FULL else (16, 10)
        config = self.home.write("many.toml", self.config([ANSWER]))
        def ask_all(_):
            return [self.run_llmroute(["run", "-p", "Hi", "-c", config],
                                      timeout=120).status for _ in range(calls)]
        with concurrent.futures.ThreadPoolExecutor(processes) as pool:
            statuses = sum(pool.map(ask_all, range(processes)), [])
        self.assertEqual(statuses, [0] * processes * calls)
        self.assertEqual(self.query("SELECT calls, answered FROM statistics"),
                         [(processes * calls, processes * calls)])

    def test_OLR_8_a_kill_loses_at_most_the_last_observation(self):
        seed = random.randrange(1 << 30)
        dice = random.Random(seed)
        config = self.home.write("kill.toml", self.config(
            [ANSWER | {"delay_headers_ms": 5, "delay_noise": 1.0}]))
        words = ["run", "-p", "Hi", "--no-stdin", "-c", config]
        took = self.run_llmroute(words).elapsed
        counted, killed, lost = 1, 0, 0
        while killed < (200 if FULL else 12):
            # Two others end at about the same time.
            begin = time.monotonic()
            processes = [self.spawn_llmroute(words) for _ in range(3)]
            time.sleep(dice.uniform(0, took))
            processes[0].kill()
            statuses = [process.wait(timeout=60) for process in processes]
            took = max(took, time.monotonic() - begin) * 0.9
            self.assertEqual(statuses[1:], [0, 0])
            killed += statuses[0] != 0
            (calls,), = self.query("SELECT calls FROM statistics")
            fewest = counted + 2 + (statuses[0] == 0)
            self.assertIn(calls, (fewest, counted + 3), f"seed {seed}")
            lost += counted + 3 - calls
            counted = calls
            self.assertEqual(self.query("PRAGMA integrity_check"), [("ok",)])
        self.assertEqual(self.query("SELECT sum(calls) FROM daily"), [(counted,)])
        print(f"{killed} kills, {lost} observations lost, seed {seed}", flush=True)

    def test_RL_7_statistics_that_make_no_sense_are_left_out(self):
        config = self.config([ANSWER])
        self.ask(config)
        for wrong in ("fast_first_s=-1", "slow_weight=0", "fast_tokens=9e999",
                      "calls=-5", "calls=9223372036854775807", "answered=-1",
                      "answered=-9223372036854775808", "log_squares=-1"):
            with self.subTest(wrong), sqlite3.connect(self.path()) as ledger:
                ledger.execute("UPDATE statistics SET " + wrong)
                ledger.commit()
                result = self.run_llmroute(["explain", "-p", "Hi", "--json"],
                                           config=config)
                self.assert_status(result, 0)
                self.assertEqual(result.json()["candidates"][0]["calls"], 0)
                self.assertIn("make no sense", result.err)
                self.assert_status(self.ask(config), 0)  # and heals it
                self.assertGreater(
                    self.seconds(config)["m"]["calls"], 0)


class Breaker(LearningCase):
    DEAD = [{"model": "bad", "status": 503}, ANSWER]

    def open_breaker(self, config):
        for _ in range(5):
            self.assert_status(
                self.ask(config, "-m", "bad,good", "--retries", "0"), 0)

    def half_open(self):
        self.open_for(-0.001)

    def open_for(self, seconds):
        with sqlite3.connect(self.path()) as ledger:
            text, = ledger.execute("SELECT breaker FROM statistics "
                                   "WHERE model='bad'").fetchone()
            numbers = text.split()
            self.assertEqual(numbers[0], "1", text)
            numbers[4] = str(int((time.time() + seconds) * 1000))
            ledger.execute("UPDATE statistics SET breaker=? WHERE model='bad'",
                           [" ".join(numbers)])

    def bad_calls(self):
        return sum(r.model == "bad" for r in self.server.requests())

    def test_OLR_6_five_failures_open_it_for_all_processes(self):
        config = self.config(self.DEAD, models=("bad", "good"))
        self.open_breaker(config)
        self.assertEqual(self.bad_calls(), 5)
        self.assert_status(self.ask(config, "-m", "bad,good"), 0)
        self.assertEqual(self.bad_calls(), 5)
        found = self.explained(config, "-m", "bad,good")
        self.assertIn("kept failing (http 503), left alone for",
                      found["excluded"][0]["reason"])
        self.open_for(-1)  # and may be asked again
        text = self.run_llmroute(["explain", "-p", "x", "-m", "bad,good"],
                                 config=config).text
        self.assertRegex(text, r"measured   bad [\d.]+ s instead of [\d.]+ s \(5 "
                         r"calls, 5 failed\).*; an outage counts as the time-out\n")

    def test_P10_two_providers_of_one_origin_have_one_breaker(self):
        stub = self.stub(self.DEAD)
        other = self.stub([ANSWER])
        twin = {"key_env": ["STUB_KEY"], "protocol": "openai-chat"}
        extra = (harness.provider("twin", base_url=stub.base_url, **twin) +
                 harness.model("bad-too", provider="twin", **harness.DEFAULT_MODEL, id="bad") +
                 harness.model("not-bad", provider="twin", **harness.DEFAULT_MODEL,
                               id="good") +
                 harness.provider("away", base_url=other.base_url, **twin) +
                 harness.model("bad-away", provider="away", **harness.DEFAULT_MODEL,
                               id="bad"))
        self.server = stub
        config = harness.stub_config(stub, {"bad": {}, "good": {}}, extra=extra)
        self.open_breaker(config)
        found = self.explained(config, "-m", "bad,bad-too,not-bad,bad-away")
        reasons = {e["model"]: e["reason"] for e in found["excluded"]}
        self.assertEqual(set(reasons), {"bad", "bad-too"})
        self.assertIn("kept failing (http 503)", reasons["bad-too"])
        self.assert_status(self.ask(config, "-m", "bad-too,good"), 0)
        self.assertEqual(self.bad_calls(), 5)

    def test_OLR_3_a_dead_local_server_is_not_asked_again(self):
        port = harness.closed_port()
        config = self.config([ANSWER], models=("good",), extra=harness.provider(
            "gone", protocol="openai-chat", tags=["local"],
            base_url=f"http://127.0.0.1:{port}/v1")
            + harness.model("bad", provider="gone", id="bad"))
        self.open_breaker(config)
        self.open_for(300)
        with socket.socket() as listener:  # whoever connects is seen
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen()
            listener.settimeout(0)
            for _ in range(3):
                result = self.ask(config, "-m", "bad,good", "--json")
                self.assert_status(result, 0)
                self.assertEqual([a["model"] for a in result.json()["attempts"]],
                                 ["good"])
            with self.assertRaises(BlockingIOError):
                listener.accept()

    def test_K6_of_32_processes_one_probes_a_half_open_model(self):
        config = self.config(self.DEAD, models=("bad", "good"))
        self.open_breaker(config)
        self.half_open()
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            statuses = list(pool.map(
                lambda _: self.ask(config, "-m", "bad,good").status, range(32)))
        self.assertEqual(set(statuses), {0})
        # On a slow machine the pause after the failed probe may end, too.
        pauses = int((time.monotonic() - begin) / 5)
        self.assertIn(self.bad_calls() - 5, range(1, 2 + pauses))

    def test_a_failed_probe_doubles_the_pause_and_a_good_one_ends_it(self):
        rules = [{"model": "bad", "status": 503, "times": 6}, ANSWER]
        config = self.config(rules, models=("bad", "good"))
        self.open_breaker(config)
        self.half_open()
        self.ask(config, "-m", "bad,good")
        text, = self.query("SELECT breaker FROM statistics WHERE model='bad'")[0]
        pause = int(text.split()[4]) / 1000 - time.time()
        self.assertGreater(pause, 6)
        self.assertLess(pause, 12.1)
        self.half_open()
        result = self.ask(config, "-m", "bad,good", "--json")
        self.assertEqual(result.json()["model"]["routed"], "bad")
        self.assertEqual(self.query("SELECT substr(breaker, 1, 1) FROM statistics "
                                    "WHERE model='bad'"), [("0",)])

    def test_an_until_far_ahead_counts_as_closed(self):
        config = self.config(self.DEAD, models=("bad", "good"))
        self.open_breaker(config)
        with sqlite3.connect(self.path()) as ledger:
            text, = ledger.execute("SELECT breaker FROM statistics "
                                   "WHERE model='bad'").fetchone()
            numbers = text.split()
            numbers[4] = str(int(time.time() * 1000) + 400_000)
            ledger.execute("UPDATE statistics SET breaker=? WHERE model='bad'",
                           [" ".join(numbers)])
        self.ask(config, "-m", "bad,good", "--retries", "0")
        self.assertEqual(self.bad_calls(), 6)

    def test_if_everything_is_open_the_first_is_asked_once(self):
        config = self.config([{"status": 503}], models=("bad",))
        for _ in range(5):
            self.ask(config, "--retries", "0")
        self.assertEqual(self.bad_calls(), 5)
        result = self.ask(config)
        self.assert_status(result, 75)
        self.assertEqual(self.bad_calls(), 6)

    def test_if_there_is_money_only_for_one_that_is_left_alone_it_is_asked(self):
        self.server = self.stub([{"model": "bad", "status": 503, "times": 5},
                                 ANSWER])
        # A call of good may cost 0.0298 USD, and costs 0.002.
        config = harness.stub_config(
            self.server, {"bad": {}, "good": {"price": {"input": 100.0,
                                                        "output": 200.0}}},
            extra="[limits]\nper_day = 0.0395\n")
        for _ in range(5):
            self.assert_status(self.ask(config, "-m", "bad,good", "--retries", "0",
                                        "--max-tokens", "100"), 0)
        self.half_open()
        # Another process has its probe under way.
        self.query("UPDATE statistics SET probe_until=? WHERE model='bad'",
                   int((time.time() + 25) * 1000))
        for models in ("good,bad", "bad,good"):
            result = self.ask(config, "-m", models, "--max-tokens", "100", "--json")
            self.assert_status(result, 0)
            self.assertEqual([a["model"] for a in result.json()["attempts"]],
                             ["bad"])

    def test_a_hold_is_shared(self):
        rules = [{"model": "bad", "status": 429,
                  "headers": {"Retry-After": "90"}}, ANSWER]
        config = self.config(rules, models=("bad", "good"))
        self.assert_status(self.ask(config, "-m", "bad,good"), 0)
        self.assertEqual(self.bad_calls(), 1)
        self.assert_status(self.ask(config, "-m", "bad,good"), 0)
        self.assertEqual(self.bad_calls(), 1)
        found = self.explained(config, "-m", "bad,good")
        self.assertIn("asked to wait", found["excluded"][0]["reason"])

    def test_P4_where_nobody_else_is_there_a_hold_is_sat_out(self):
        config = self.config([{"nth": 1, "status": 429, "headers": {"Retry-After": "3"}},
                              ANSWER])
        self.assert_status(self.ask(config, "--retries", "0"), 75)
        result = self.ask(config, "--retries", "0")
        self.assert_status(result, 0)
        self.assertIn("asked to wait; waiting", result.err)
        first, second = self.server.requests()[-2:]
        self.assertGreaterEqual(second.t - first.t, 2.9e9)

    def test_P4_a_hold_that_is_too_long_is_told_and_nobody_asked(self):
        config = self.config([{"nth": 1, "status": 429, "headers": {"Retry-After": "900"}},
                              ANSWER])
        self.assert_status(self.ask(config), 75)
        result = self.ask(config)
        self.assert_status(result, 75)
        self.assertRegex(result.err, r"it asks to wait (900|89\d) s")
        self.assertEqual(len(self.server.requests()), 1)

    def test_a_hold_under_a_ceiling_begins_when_it_was_asked_for(self):
        config = self.config([{"status": 429, "delay_headers_ms": 1000,
                               "headers": {"Retry-After": "90"}}])
        self.ask(config, "--max-cost", "1")
        ((until, sent, ms),) = self.query(
            "SELECT hold_until, a.time, ms FROM statistics JOIN attempts a")
        self.assertGreaterEqual(ms, 1000)
        self.assertGreaterEqual(until, sent + ms + 90_000)

    def test_without_a_ledger_it_is_closed(self):
        config = self.config(self.DEAD, models=("bad", "good"))
        self.open_breaker(config)
        self.ask(config, "-m", "bad,good", "--retries", "0", "--no-ledger")
        self.assertEqual(self.bad_calls(), 6)


class Quality(LearningCase):
    def judge(self, model, score, count=40):
        """As that many verdicts in the cell of "Hi" would."""
        with sqlite3.connect(self.path()) as ledger:
            domain, difficulty = ledger.execute(
                "SELECT domain, difficulty FROM decisions LIMIT 1").fetchone()
            level = min(4, max(0, int((difficulty + 0.5) // 1) + 2))
            ledger.execute("INSERT OR REPLACE INTO cells VALUES(?,?,?,?,?,?,?)",
                           (domain, level, model, count, score * count,
                            (1 - score) * count, count))

    def test_verdicts_move_the_choice_and_explain_shows_them(self):
        config = self.config([ANSWER], models=("m", "n"))
        self.ask(config, "-m", "m")
        self.judge("m", 0.0)
        self.judge("n", 1.0)
        found = self.explained(config)
        self.assertEqual(found["decision"]["model"], "n")
        by_name = {c["model"]: c for c in found["candidates"]}
        self.assertEqual(by_name["m"]["verdicts"], 40)
        self.assertLess(by_name["m"]["learned"], 0)
        text = self.run_llmroute(["explain", "-p", "Hi"], config=config).text
        self.assertRegex(text, r"verdicts   n good [01]\.\d\d instead of [01]\.\d\d "
                               r"\(40 verdicts\)")

    def test_RL_7_cells_that_make_no_sense_are_left_out(self):
        config = self.config([ANSWER])
        self.ask(config)
        for column, value in (("good", -1), ("bad", 9e999), ("level", 77),
                              ("domain", "'; DROP TABLE cells;--")):
            with self.subTest(column), sqlite3.connect(self.path()) as ledger:
                ledger.execute("DELETE FROM cells")
                ledger.commit()
                self.judge("m", 0.5)
                ledger.execute(f"UPDATE cells SET {column}=?", [value])
                ledger.commit()
                result = self.run_llmroute(["explain", "-p", "Hi", "--json"],
                                           config=config)
                self.assert_status(result, 0)
                self.assertEqual(result.json()["candidates"][0]["learned"], 0)
                self.assertIn("make no sense", result.err)


class Exploration(LearningCase):
    ON = "[learning]\nexplore = 0.5\nseed = 7\n"

    def test_RL_6_it_is_off_by_default(self):
        config = self.config([ANSWER], models=("m", "n"))
        self.ask(config)
        self.assertEqual(self.query("SELECT seed, propensities FROM decisions"),
                         [(None, None)])

    def test_explain_says_that_chance_chooses_where_no_seed_repeats_it(self):
        for extra, said in (("[learning]\nexplore = 0.05\n", True),
                            (self.ON, False), ("", False)):
            config = self.config([ANSWER], models=("m", "n"), extra=extra)
            result = self.run_llmroute(["explain", "-p", "Hi"], config=config)
            self.assert_status(result, 0)
            self.assertEqual("in 5 % of runs chance chooses" in result.text, said)

    def test_RL_6_propensities_add_up_to_1_and_the_seed_repeats_the_choice(self):
        config = self.config([ANSWER], models=("m", "n"), extra=self.ON)
        chosen = set()
        for number in range(12):
            prompt = f"Hi {number}"
            said = self.run_llmroute(["explain", "-p", prompt, "--json"],
                                     config=config).json()
            self.assertAlmostEqual(
                1, sum(c["propensity"] for c in said["candidates"]))
            result = self.run_llmroute(["run", "-p", prompt, "--json",
                                        "--no-learn"], config=config)
            self.assertEqual(result.json()["model"]["routed"],
                             said["decision"]["model"])
            chosen.add(said["decision"]["model"])
        self.assertEqual(chosen, {"m", "n"})
        for seed, text in self.query("SELECT seed, propensities FROM decisions"):
            self.assertEqual(seed, 7)
            self.assertAlmostEqual(1, sum(json.loads(text).values()))


class Sessions(LearningCase):
    def test_X10_session_keeps_its_model_and_explain_shows_both_numbers(self):
        self.server = self.stub([ANSWER])
        def config(wait):
            return harness.stub_config(self.server, {
                "m": {"first_token_seconds": 1},
                "n": {"first_token_seconds": wait}})
        self.assert_status(self.ask(config(1), "-m", "n", "--session", "s",
                                    "--no-learn"), 0)
        self.assertEqual(self.query("SELECT name, model, tokens FROM sessions"),
                         [("s", "n", 10)])
        near = self.explained(config(2), "--session", "s")
        self.assertEqual(near["decision"]["model"], "n")
        note, = [n for n in near["decision"]["notes"] if "session" in n]
        self.assertRegex(note, r"session s stays with n: m gains \$0\.0005\d*, the "
                               r"switch margin is \$0\.0025\d* and the lost prompt "
                               r"cache \$0")
        far = self.explained(config(30), "--session", "s")
        self.assertEqual(far["decision"]["model"], "m")
        self.assertEqual(self.explained(config(2))["decision"]["model"], "m")


class Models(LearningCase):
    def test_OLR_10_models_shows_how_each_has_behaved(self):
        rules = [{"model": "bad", "status": 503}, ANSWER]
        config = self.config(rules, models=("bad", "good", "never"))
        plain = self.run_llmroute(["models"], config=config).text
        self.assertNotIn("BREAKER", plain)
        for _ in range(5):
            self.ask(config, "-m", "bad,good", "--retries", "0")
        text = self.run_llmroute(["models"], config=config).text
        for head in ("CALLS", "OK", "P50", "P90", "SPENT", "BREAKER", "LAST ERROR"):
            self.assertIn(head, text)
        listed = self.run_llmroute(["models", "--json"], config=config).json()
        record = {m["name"]: m["record"] for m in listed["models"]}
        self.assertIsNone(record["never"])
        self.assertEqual((record["good"]["calls"], record["good"]["success_rate"],
                          record["good"]["breaker"]), (5, 1, "closed"))
        self.assertEqual(record["good"]["spent_usd"], 5 * 2e-5)
        self.assertLessEqual(record["good"]["p50_seconds"],
                             record["good"]["p90_seconds"])
        self.assertEqual((record["bad"]["answered"], record["bad"]["breaker"],
                          record["bad"]["last_error"]), (0, "open", "http 503"))
        self.assertGreater(record["bad"]["left_alone_ms"], 0)
        self.assertIsNone(record["bad"]["p50_seconds"])


class Training(LearningCase):
    def fill(self, rows, good):
        """Decisions with feedback: good(model, domain) is a probability."""
        chance = random.Random(3)
        config = self.config([ANSWER], models=("m", "n"))
        self.ask(config)
        with sqlite3.connect(self.path()) as ledger:
            for i in range(rows):
                id = f"{i:026d}"
                model = chance.choice("mn")
                domain = chance.choice(("code", "chat"))
                score = float(chance.random() < good(model, domain))
                ledger.execute(
                    "INSERT INTO decisions(id,time,command,requested,route,source,"
                    "profile,domain,difficulty,model,tags,ms) VALUES"
                    "(?,1,'run','auto','auto','analyzer','balanced',?,0,?,'{}',900)",
                    (id, domain, model))
                ledger.execute(
                    "INSERT INTO attempts_apart(decision,number,time,model,provider,state,"
                    "charged_pico,charged_as) VALUES(?,1,1,?,'openai-chat',"
                    "'answered',1000000,'usage')", (id, model))
                ledger.execute("INSERT INTO feedback VALUES(?,1,?)", (id, score))
        return config

    def train(self, config, *args):
        self.output = self.home.file("abilities.toml")
        return self.run_llmroute(["train", "--from-ledger", "-o", self.output,
                                  *args], config=config, timeout=60)

    def test_RL_8_from_ledger_writes_abilities_that_beat_the_constants(self):
        def good(model, domain):
            return 0.9 if (model == "m") == (domain == "code") else 0.3
        config = self.fill(10_000, good)
        result = self.train(config, "--json")
        self.assert_status(result, 0)
        report = result.json()
        self.assertTrue(report["written"])
        self.assertEqual(report["verdicts"], 10_000)
        self.assertGreater(report["gain_95"][0], 0)
        self.assertGreater(report["accuracy"], 0.75)
        self.assertLess(report["brier"], report["constant_brier"])
        self.assertTrue(all(m["regret_usd"] > 0 for m in report["models"]))
        with open(self.output, encoding="utf-8") as file:
            fitted = tomllib.loads(file.read())["models"]
        self.assertGreater(fitted["m"]["ability"]["code"],
                           fitted["n"]["ability"]["code"])
        self.assertLess(fitted["m"]["ability"]["chat"],
                        fitted["n"]["ability"]["chat"])
        text = self.train(config).text
        self.assertIn("REGRET", text)

    def test_RL_8_what_is_no_better_is_refused_unless_forced(self):
        config = self.fill(1_000, lambda model, domain: 0.6)
        result = self.train(config)
        self.assert_status(result, 1)
        self.assertIn("was not written", result.err)
        self.assertFalse(os.path.exists(self.output))
        self.assert_status(self.train(config, "--force"), 0)
        self.assertTrue(os.path.exists(self.output))

    def test_from_ledger_with_too_few_verdicts(self):
        result = self.train(self.fill(0, lambda model, domain: 1))
        self.assert_status(result, 65)
        self.assertIn("0 verdicts in the ledger are too few", result.err)
        self.assertEqual(result.text, "")

    def test_from_ledger_without_one(self):
        config = self.config([])
        self.assert_status(self.train(config), 66)
        self.assert_status(self.train(config, "--ledger", "off"), 64)
        self.assert_status(self.train(config, "rows.jsonl"), 64)


if __name__ == "__main__":
    unittest.main()
