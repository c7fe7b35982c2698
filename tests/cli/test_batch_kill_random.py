"""G6: `kill -9` at random times, a few in a row; then the same command again."""

import random
import subprocess
import time
import unittest

import durable_batch
from durable_batch import FULL, MODES


class Kill(durable_batch.KillCase):
    def test_G6_killed_at_random(self):
        seed = random.randrange(1 << 30)
        kills = 200 if FULL else 12
        pairs = [(mode, jobs) for mode in MODES for jobs in (1, 8, 32)]
        for mode, jobs in pairs if FULL else pairs[::4]:
            with self.subTest(seed=seed, mode=mode, jobs=jobs):
                self.kill_at_random(random.Random(seed), mode, jobs,
                                    kills // len(pairs if FULL else pairs[::4]) + 1)
            self.new_home()

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
