"""G5: `kill -9` at every call that changes a file; then the same command again.
The output is that of an undisturbed run, at most as many requests are repeated
as ran at the kill, and nothing that is in the journal is asked for again."""

import os
import signal
import sqlite3
import unittest

import durable_batch
from durable_batch import CALLS, FULL, JOURNAL, MODES, OUT, SANITIZED, needs_strace

# With a limit, so that a sweep that never ends is a failure.
MOST_CALLS = 1000


class Sweep(durable_batch.KillCase):
    def files(self):
        """What is traced: our files, and the directory that is synced."""
        names = (OUT, OUT + ".part", JOURNAL, JOURNAL + ".llmroute-new")
        return [*names, ".", self.work, *(self.path(name) for name in names)]

    def paths(self, call):
        # The libraries are opened on a thread, at the same time.
        return self.files() if call == "openat" or SANITIZED else ()

    def sweep(self, expected, *args, mode="file", status=0, start=None,
              calls=CALLS, step=1):
        """A kill at each call in turn, or each step-th, from a directory as in
        `start`."""
        for call in calls:
            for when in range(1, MOST_CALLS, step):
                with self.subTest(mode=mode, jobs=self.jobs, call=call, when=when):
                    self.restore(start or {"in.jsonl": self.read("in.jsonl")})
                    self.asked.new()
                    tracer = durable_batch.strace(call, when,
                                                  paths=self.paths(call))
                    ended = self.go(*args, mode=mode, tracer=tracer)
                    if ended.status != -signal.SIGKILL:
                        self.assert_status(ended, status)
                        break
                    self.server.account()
                    self.go_on(expected, self.asked.new(), 1, *args, mode=mode,
                               status=status)
            else:
                self.fail(f"{call} was called {MOST_CALLS} times")


class Kill(Sweep):
    def words(self, *args, **options):
        # Whose calls are swept by themselves.
        return super().words(*args, "--no-ledger", **options)

    def sweep_whole_run(self, mode, jobs):
        self.prepare(count=40 if FULL else 8, jobs=jobs)
        self.sweep(self.undisturbed(mode=mode), mode=mode)
        self.assertGreater(self.kills, 20)

    @needs_strace
    def test_G5_killed_at_every_call_of_a_batch(self):
        pairs = [(mode, jobs) for mode in MODES for jobs in (1, 8, 32)]
        for mode, jobs in pairs if FULL else pairs[::4]:
            self.sweep_whole_run(mode, jobs)
            self.new_home()

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
            self.new_home()

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
            self.new_home()

    @needs_strace
    def test_G5_killed_at_every_call_under_a_ceiling(self):
        self.prepare(count=8, jobs=8)
        money = ("--max-cost", "1")
        self.sweep(self.undisturbed(*money), *money)


class KillLedger(Sweep):
    def files(self):
        path = self.home.file(".local/state/llmroute/ledger.db")
        return [path, path + "-wal", path + "-shm"]

    def paths(self, call):
        return self.files()

    def restore(self, files):
        super().restore(files)
        if not os.path.exists(self.files()[0]):
            return
        with sqlite3.connect(self.files()[0]) as ledger:
            self.assertEqual(ledger.execute("PRAGMA integrity_check").fetchall(),
                             [("ok",)])
            states = ledger.execute("SELECT state, count(*) FROM attempts "
                                    "GROUP BY state").fetchall()
        ledger.close()
        # What the killed one had not written may be missing, all of it.
        self.assertLessEqual({state for state, _ in states}, {"answered"})
        self.seen.add(sum(count for _, count in states))
        for path in self.files():
            if os.path.exists(path):
                os.unlink(path)

    @needs_strace
    def test_G5_K5_killed_at_every_call_that_changes_the_ledger(self):
        self.seen = set()
        self.prepare(count=8, jobs=8)
        self.sweep(self.undisturbed(), calls=("pwrite64", "fdatasync", "ftruncate"),
                   step=1 if FULL else 5)
        self.assertGreater(self.kills, 5)
        self.assertLessEqual(max(self.seen), 16)


if __name__ == "__main__":
    unittest.main()
