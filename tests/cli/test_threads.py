"""R3: commands that share work among threads, where none or few are to be had."""

import os
import subprocess
import unittest

import harness
from durable_batch import lines_of, needs_strace, strace
from test_bench import pool_rows
from test_train import labelled, lines


@needs_strace
class Threads(harness.TestCase):
    def go(self, *words, tracer=()):
        done = subprocess.run(
            [*tracer, *self.home.command(words)], env=self.home.environment(),
            cwd=self.home.file("work"), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=120 * harness.SLOWNESS, check=False)
        return harness.Result(done.stdout, done.stderr.decode(), done.returncode, 0)

    def check(self, *words, result=lambda ended: ended.out):
        """No thread changes what comes out."""
        ended = self.go(*words)
        self.assert_status(ended, 0)
        expected = result(ended)
        for when in ("1+", "2+", "3"):
            for call in ("clone3", "clone3,clone"):
                with self.subTest(when=when, call=call):
                    ended = self.go(*words, tracer=strace(call, when, "error=EAGAIN"))
                    self.assert_status(ended, 0)
                    self.assertEqual(ended.err, "")
                    self.assertEqual(result(ended), expected)

    def test_R3_dry_run_of_a_batch(self):
        config = self.home.write("config.toml", harness.provider(
            "own", protocol="exec", command=["/bin/cat"]) + harness.model(
                "m", **harness.DEFAULT_MODEL | {"provider": "own"}))
        path = self.home.write("in.jsonl", lines_of(20_000))
        self.check("batch", "--dry-run", "--json", "-c", config, path)

    def test_R3_bench(self):
        path = self.home.write("rows.jsonl", lines(pool_rows()))
        self.check("bench", "--json", path,
                   result=lambda ended: ended.json()["studies"])

    def test_R3_train(self):
        path = self.home.write("rows.jsonl", lines(labelled(300)))
        model = self.home.file("own.model")

        def bytes_of_model(_):
            with open(model, "rb") as file:
                data = file.read()
            os.unlink(model)
            return data

        self.check("train", "-q", "--threads", "4", "-o", model, path,
                   result=bytes_of_model)


if __name__ == "__main__":
    unittest.main()
