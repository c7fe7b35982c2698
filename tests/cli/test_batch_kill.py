"""G5, G6: `kill -9` at every call that changes a file, and at random times; then
the same command again. The output is that of an undisturbed run, at most as
many requests are repeated as ran at the kill, and nothing that is in the
journal is asked for again."""

import random
import signal
import subprocess
import time
import unittest

import durable_batch
from durable_batch import CALLS, FULL, JOURNAL, OUT, needs_strace

MODES = ("file", "stdout", "stdin")
# With a limit, so that a sweep that never ends is a failure.
MOST_CALLS = 1000


class Kill(durable_batch.BatchCase):
    def setUp(self):
        super().setUp()
        self.kills = self.repeated = self.worst = 0

    def tearDown(self):
        super().tearDown()
        if self.kills:
            print(f"{self.id()}: {self.kills} kills, {self.repeated} requests "
                  f"repeated, at most {self.worst} at a kill", flush=True)

    def go_on(self, expected, asked, kills, *args, mode="file", status=0):
        """After `kills` kills that asked for `asked`: the same command again."""
        safe = self.journaled("--retry-errors" in args)
        ended = self.go(*args, mode=mode)
        self.assert_status(ended, status)
        self.assertEqual(self.result(ended, mode), expected)
        self.assertFalse(self.exists(OUT + ".part"))
        self.server.account()
        again = self.asked.new()
        self.assertEqual(safe.intersection(again), set())
        repeated = len(asked) + len(again) - len(set(asked) | set(again))
        self.assertLessEqual(repeated, self.jobs * kills)
        self.kills += kills
        self.repeated += repeated
        self.worst = max(self.worst, -(-repeated // kills) if kills else 0)

    def files(self):
        """What is traced: our files, and the directory that is synced."""
        names = (OUT, OUT + ".part", JOURNAL, JOURNAL + ".llmroute-new")
        return [*names, ".", self.work, *(self.path(name) for name in names)]

    def sweep(self, expected, *args, mode="file", status=0, start=None,
              calls=CALLS):
        """A kill at each call in turn, from a directory as in `start`."""
        for call in calls:
            for when in range(1, MOST_CALLS):
                with self.subTest(mode=mode, jobs=self.jobs, call=call, when=when):
                    self.restore(start or {"in.jsonl": self.read("in.jsonl")})
                    self.asked.new()
                    # The libraries are opened on a thread, at the same time.
                    paths = self.files() if call == "openat" else ()
                    tracer = durable_batch.strace(call, when, paths=paths)
                    ended = self.go(*args, mode=mode, tracer=tracer)
                    if ended.status != -signal.SIGKILL:
                        self.assert_status(ended, status)
                        break
                    self.server.account()
                    self.go_on(expected, self.asked.new(), 1, *args, mode=mode,
                               status=status)
            else:
                self.fail(f"{call} was called {MOST_CALLS} times")

    def sweep_whole_run(self, mode, jobs):
        self.prepare(count=40 if FULL else 8, jobs=jobs)
        self.sweep(self.undisturbed(mode=mode), mode=mode)
        self.assertGreater(self.kills, 20)

    @needs_strace
    def test_G5_killed_at_every_call_of_a_batch(self):
        pairs = [(mode, jobs) for mode in MODES for jobs in (1, 8, 32)]
        for mode, jobs in pairs if FULL else pairs[::4]:
            self.sweep_whole_run(mode, jobs)
            self.home.remove()
            super().setUp()

    @needs_strace
    def test_G5_killed_at_every_call_of_a_resumed_batch(self):
        for mode in MODES if FULL else ("file",):
            self.prepare(count=8, jobs=8)
            expected = self.undisturbed(mode=mode)
            tracer = durable_batch.strace("write", 5, paths=[self.path(JOURNAL)])
            self.assertEqual(self.go(mode=mode, tracer=tracer).status,
                             -signal.SIGKILL)
            torn = durable_batch.frame_line(b'{"frame":"R"}')[:-3]
            start = self.save()
            start[JOURNAL] += torn
            start[JOURNAL + ".llmroute-new"] = b"left behind"
            start[OUT + ".part"] = b"left behind"
            if mode == "stdout":
                del start[OUT + ".part"]
            self.sweep(expected, mode=mode, start=start)
            self.assertGreater(self.kills, 10)
            self.home.remove()
            super().setUp()

    @needs_strace
    def test_G5_killed_at_every_call_of_a_batch_that_retries_its_errors(self):
        refused = {"status": 400, "error": "no", "body": "question 3."}
        for rule, ended in (({"times": 1} | refused, 0), (refused, 1)):
            self.prepare([rule], count=6, jobs=2)
            self.assert_status(self.go(), 1)
            start = self.save()
            self.assert_status(self.go("--retry-errors"), ended)
            expected = self.read()
            self.asked.new()
            self.sweep(expected, "--retry-errors", status=ended, start=start)
            self.assertGreater(self.kills, 10)
            self.home.remove()
            super().setUp()

    @needs_strace
    def test_G5_killed_at_every_call_under_a_ceiling(self):
        self.prepare(count=8, jobs=8)
        money = ("--max-cost", "1")
        self.sweep(self.undisturbed(*money), *money)

    def test_G6_killed_at_random(self):
        seed = random.randrange(1 << 30)
        kills = 200 if FULL else 12
        pairs = [(mode, jobs) for mode in MODES for jobs in (1, 8, 32)]
        for mode, jobs in pairs if FULL else pairs[::4]:
            with self.subTest(seed=seed, mode=mode, jobs=jobs):
                self.kill_at_random(random.Random(seed), mode, jobs,
                                    kills // len(pairs if FULL else pairs[::4]) + 1)
            self.home.remove()
            super().setUp()

    def kill_at_random(self, chance, mode, jobs, kills):
        self.prepare([{"words": 5, "delay_headers_ms": 20, "delay_noise": 1.0,
                       "usage": {"input": 3, "output": 5}}],
                     count=15 * jobs, jobs=jobs)
        begin = time.monotonic()
        expected = self.undisturbed(mode=mode)
        took = time.monotonic() - begin
        done = 0
        while done < kills:
            # One batch, killed a few times before it may end.
            self.clear()
            self.asked.new()
            in_a_row, asked = 0, []
            for _ in range(chance.randint(1, 5)):
                safe = self.journaled()
                killed = self.kill_after(chance.uniform(0, took * 1.1), mode)
                self.server.account()
                now = self.asked.new()
                self.assertEqual(safe.intersection(now), set())
                asked += now
                in_a_row += killed
            self.go_on_after(expected, asked, in_a_row, mode)
            done += in_a_row

    def go_on_after(self, expected, asked, kills, mode):
        before = len(asked) - len(set(asked))
        self.assertLessEqual(before, self.jobs * kills)
        self.go_on(expected, asked, kills, mode=mode)

    def kill_after(self, seconds, mode):
        """Whether it was killed and had not ended before."""
        try:
            ended = self.go(mode=mode, timeout=seconds)
            self.assert_status(ended, 0)
            return False
        except subprocess.TimeoutExpired:
            return True


if __name__ == "__main__":
    unittest.main()
