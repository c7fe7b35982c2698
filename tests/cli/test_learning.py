"""What the router learns from what happens: speed, breakers, holds."""

import concurrent.futures
import sqlite3
import time
import unittest

import harness

USAGE = {"prompt_tokens": 10, "completion_tokens": 5}
ANSWER = {"chunks": ["Hello"], "usage": USAGE}


class LearningCase(harness.TestCase):
    def path(self):
        return self.home.file(".local/state/llmroute/ledger.db")

    def query(self, sql, *values):
        with sqlite3.connect(self.path()) as ledger:
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
        processes, calls = 16, 10
        config = self.config([ANSWER])
        with concurrent.futures.ThreadPoolExecutor(processes) as pool:
            statuses = list(pool.map(lambda _: self.ask(config).status,
                                     range(processes * calls)))
        self.assertEqual(set(statuses), {0})
        self.assertEqual(self.query("SELECT calls, answered FROM statistics"),
                         [(processes * calls, processes * calls)])

    def test_RL_7_statistics_that_make_no_sense_are_left_out(self):
        config = self.config([ANSWER])
        self.ask(config)
        for wrong in ("fast_first_s=-1", "slow_weight=0", "fast_tokens=9e999",
                      "calls=-5", "log_squares=-1"):
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
        with sqlite3.connect(self.path()) as ledger:
            text, = ledger.execute("SELECT breaker FROM statistics "
                                   "WHERE model='bad'").fetchone()
            numbers = text.split()
            self.assertEqual(numbers[0], "1", text)
            numbers[4] = str(int(time.time() * 1000) - 1)
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

    def test_OLR_3_a_dead_local_server_is_not_asked_again(self):
        port = harness.closed_port()
        config = self.config([ANSWER], models=("good",), extra=harness.provider(
            "gone", protocol="openai-chat", tags=["local"],
            base_url=f"http://127.0.0.1:{port}/v1")
            + harness.model("bad", provider="gone", id="bad"))
        self.open_breaker(config)
        result = self.ask(config, "-m", "bad,good", "--json")
        self.assert_status(result, 0)
        self.assertEqual([a["model"] for a in result.json()["attempts"]], ["good"])

    def test_K6_of_32_processes_one_probes_a_half_open_model(self):
        config = self.config(self.DEAD, models=("bad", "good"))
        self.open_breaker(config)
        self.half_open()
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            statuses = list(pool.map(
                lambda _: self.ask(config, "-m", "bad,good").status, range(32)))
        self.assertEqual(set(statuses), {0})
        self.assertEqual(self.bad_calls(), 5 + 1)

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

    def test_without_a_ledger_it_is_closed(self):
        config = self.config(self.DEAD, models=("bad", "good"))
        self.open_breaker(config)
        self.ask(config, "-m", "bad,good", "--retries", "0", "--no-ledger")
        self.assertEqual(self.bad_calls(), 6)


if __name__ == "__main__":
    unittest.main()
