"""Rows T: a wall clock that jumps, odd years, days that end, pauses. The clock is
moved by tests/shim/wall_clock.cc; other clocks are left alone."""

import pathlib
import signal
import struct
import time
import unittest

import harness
import test_ceilings
from durable_batch import SANITIZED
from test_ceilings import ARGS, WORST, usd

SHIM = pathlib.Path(harness.BINARY).parent / "tests/wall_clock.so"
HOUR, DAY = 3600, 86400


def seconds_of(text):
    return int(time.mktime(time.strptime(text + " UTC", "%Y-%m-%dT%H:%M:%S %Z"))
               ) - time.timezone


@unittest.skipIf(SANITIZED, "a sanitizer wants to be loaded first")
@unittest.skipUnless(SHIM.exists(), "tests/wall_clock.so is not built")
class TimeCase(test_ceilings.CeilingCase):
    def setUp(self):
        super().setUp()
        self.clock = self.home.write("clock", struct.pack("=q", 0))
        self.moved = {"LD_PRELOAD": str(SHIM), "LLMROUTE_TEST_CLOCK": self.clock}

    def move(self, seconds):
        """The clock is wrong by that much from now on."""
        with open(self.clock, "r+b") as file:
            file.write(struct.pack("=q", int(seconds)))

    def set_to(self, text):
        self.move(seconds_of(text) - time.time())

    def go(self, config, *args):
        return self.run_llmroute(ARGS + list(args), config=config, env=self.moved)

    def begin(self, config, *args, env=()):
        """A run that the stub has been asked by."""
        before = len(self.server.requests(wait=0))
        process = self.spawn_llmroute(ARGS + list(args), config=config,
                                      env=self.moved | dict(env))
        while len(self.server.requests(wait=0)) == before:
            self.assertIsNone(process.poll(), "it ended without asking")
            time.sleep(0.005)
        return process

    def end(self, process, status=0):
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, status, err)

    def config(self, rules=({"words": 5},), extra=""):
        self.server = self.stub(rules, prices=test_ceilings.PRICES)
        return harness.stub_config(self.server, {"m": {}}, extra=extra)

    SLOW = [{"words": 5, "delay_headers_ms": 300}]


class Jumps(TimeCase):
    def test_T1_a_clock_that_jumps_during_a_run(self):
        config = self.config(self.SLOW, "[limits]\nper_day = 1\n")
        times = []
        for jump in (-HOUR, DAY, -400 * DAY, 0):
            process = self.begin(config)
            self.move(jump)
            self.end(process)
            times += [time for time, in self.query("SELECT time FROM decisions")
                      if time not in times]
        self.assertEqual(times, sorted(times))
        self.assertEqual(self.query("SELECT count(*) FROM attempts WHERE ms BETWEEN "
                                    "250 AND 60000 AND state='answered'"), [(4,)])
        self.assertEqual(self.query("SELECT sum(held_pico) FROM scopes"), [(0,)])
        self.assertEqual(self.query("SELECT sum(charged_pico) FROM daily"),
                         [(self.server.account()["pico_usd"],)])

    def test_T1_a_clock_that_is_set_back_opens_no_new_day(self):
        limit = f"[limits]\nper_day = {usd(WORST)}\n"
        config = self.config([{"words": 300, "usage": {"input": 98, "output": 100}}],
                             limit)
        self.assert_status(self.go(config), 0)
        for jump, status, ahead in (
                (-DAY / 2, 4, False), (-40 * DAY, 4, True), (DAY, 0, False),
                (DAY / 2, 4, False), (-DAY, 4, True), (2 * DAY, 0, False)):
            self.move(jump)
            result = self.go(config)
            self.assert_status(result, status)
            self.assertEqual("ahead of this clock" in result.err, ahead, jump)
        self.assertEqual(len(self.server.requests()), 3)

    def test_T1_a_breaker_stays_sane(self):
        self.server = self.stub([{"model": "bad", "status": 503}, {"words": 5}])
        config = harness.stub_config(self.server, {"bad": {}, "good": {}})
        args = ["-m", "bad,good", "--retries", "0"]
        for _ in range(5):
            self.assert_status(self.go(config, *args), 0)
        self.assertEqual(self.asked("bad"), 5)
        self.open_for(300)
        self.assert_status(self.go(config, *args), 0)
        self.assertEqual(self.asked("bad"), 5)
        self.move(-HOUR)  # it would be for more than an hour
        self.assert_status(self.go(config, *args), 0)
        self.assertEqual(self.asked("bad"), 6)
        self.move(DAY)
        self.assert_status(self.go(config, *args), 0)
        self.assertEqual(self.asked("bad"), 7)
        self.move(0)
        self.assert_status(self.go(config, *args), 0)
        explained = self.run_llmroute(["explain", "-p", "Hi"], config=config)
        self.assert_status(explained, 0)
        self.assertNotIn("sense", explained.err)

    def open_for(self, seconds):
        (text,), = self.query("SELECT breaker FROM statistics WHERE model='bad'")
        numbers = text.split()
        self.assertEqual(numbers[0], "1", text)
        numbers[4] = str(int((time.time() + seconds) * 1000))
        self.query(f"UPDATE statistics SET breaker='{' '.join(numbers)}' "
                   "WHERE model='bad'")

    def asked(self, model):
        return sum(r.model == model for r in self.server.requests())

    def test_T5_an_hour_of_sleep(self):
        config = self.config(self.SLOW, "[limits]\nper_day = 1\n")
        process = self.begin(config)
        process.send_signal(signal.SIGSTOP)
        self.move(HOUR)
        time.sleep(0.5)
        process.send_signal(signal.SIGCONT)
        self.end(process)
        self.assertEqual(self.query("SELECT state, charged_as, ms < 60000 FROM "
                                    "attempts"), [("answered", "usage", 1)])
        self.assertEqual(self.query("SELECT calls, answered, substr(breaker, 1, 1) "
                                    "FROM statistics"), [(1, 1, "0")])
        self.assertEqual(len(self.server.requests()), 1)


class Years(TimeCase):
    # The second is the end of 32 signed bits, the third of 32; the last is more
    # than 64 bits of nanoseconds hold.
    STARTS = ("1970-01-01T00:00:05", "2038-01-19T03:14:09", "2106-02-07T06:28:17",
              "2261-12-31T23:00:00", "9999-12-31T12:00:00")

    def test_T2_years_from_1970_to_9999(self):
        config = self.config(extra="[limits]\nper_day = 1\n")
        newest = 0
        for start in self.STARTS:
            with self.subTest(start):
                self.set_to(start)
                self.assert_status(self.go(config), 0)
                report = self.run_llmroute(["usage", "--json"], config=config,
                                           env=self.moved).json()
                (time_ms, day), = self.query(
                    "SELECT time, (SELECT max(day) FROM daily) FROM decisions "
                    "ORDER BY id DESC LIMIT 1")
                self.assertGreaterEqual(time_ms, newest)
                self.assertEqual(report["until"], day)
                if start < "2262":
                    self.assertEqual(day, start[:10])
                newest = time_ms
                explained = self.run_llmroute(["explain", "-p", "Hi"],
                                              config=config, env=self.moved)
                self.assert_status(explained, 0)
        self.move(0)  # nothing is older than the newest row
        self.assert_status(self.go(config), 0)
        (newest_day, last_day), = self.query(
            "SELECT max(day), (SELECT max(day) FROM daily WHERE calls > 1) FROM daily")
        self.assertEqual(newest_day, last_day)
        self.assert_status(self.run_llmroute(["usage", "--recount"], config=""), 0)


class Ends(TimeCase):
    def test_T4_a_month_ends_during_a_run(self):
        hangs = {"nth": 2, "delay_headers_ms": 60000}
        config = self.config([hangs] + self.SLOW,
                             "[limits]\nper_day = 1\nper_month = 1\n")
        self.set_to("2027-01-31T23:59:59")
        zone = {"TZ": "Pacific/Kiritimati"}
        process = self.begin(config, env=zone)
        killed = self.begin(config, env=zone)
        self.set_to("2027-02-01T00:00:01")
        killed.kill()
        killed.wait()
        self.end(process)
        charged = self.server.account()["pico_usd"]
        (paid,), = self.query("SELECT charged_pico FROM attempts WHERE "
                              "state='answered'")
        self.assertEqual(self.query("SELECT name, settled_pico, held_pico FROM scopes "
                                    "ORDER BY name"),
                         [("day/2027-01-31", paid, WORST),
                          ("month/2027-01", paid, WORST)])
        self.assertLessEqual(charged, paid + WORST)
        self.assertEqual(self.query("SELECT day FROM daily"), [("2027-01-31",)])
        self.assert_status(self.go(config), 0)
        self.assertEqual(self.counters("day/2027-02-01")[1], 0)
        self.assertEqual(self.counters("day/2027-01-31"), (paid, WORST))

    def test_T3_a_date_to_wait_for_by_the_servers_own_clock(self):
        date = "Thu, 01 Jan 2015 10:00:{:02} GMT"
        config = self.config([
            {"nth": 1, "status": 429, "headers": {"Date": date.format(0),
                                                  "Retry-After": date.format(1)}},
            {"words": 5}])
        result = self.run_llmroute(ARGS + ["--json"], config=config, env=self.moved)
        self.assert_status(result, 0)
        (waited,), = self.query("SELECT waited_ms FROM attempts WHERE number=2")
        # A tenth more spreads the herd.
        self.assertGreaterEqual(waited, 1000)
        self.assertLess(waited, 60_000)


if __name__ == "__main__":
    unittest.main()
