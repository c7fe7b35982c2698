"""What the tests of examples/batch-*.sh share: an input, a program to find on
PATH, and what the parts must come out as."""

import json
import os
import subprocess

import harness

RECORDS = 23


class ShardingCase(harness.TestCase):
    """A stub whose answers depend on the prompt, and a batch of it unsharded."""

    def setUp(self):
        super().setUp()
        # Not all parts are equally fast.
        self.server = self.stub([{"body": "number 7", "delay_headers_ms": 300}])
        self.home.write(".config/llmroute/config.toml",
                        harness.stub_config(self.server, {"m": {}}))
        os.makedirs(self.home.file("bin"))
        os.symlink(harness.BINARY, self.home.file("bin", "llmroute"))
        self.records = [json.dumps({"id": f"r{i}", "prompt": f"Say number {i} of it."})
                        for i in range(RECORDS)]
        self.write_input(self.records)

    def write_input(self, records):
        # Blank lines belong to no part.
        self.home.write("work/in.jsonl", "\n".join([*records[:5], "", *records[5:]]) + "\n")

    def read(self, name):
        with open(self.home.file("work", name), "rb") as file:
            return file.read()

    def unsharded(self, *options):
        result = self.run_llmroute(["batch", "--no-timing", "in.jsonl", *options])
        return result.out

    def example(self, name, *args, env=None, timeout=120):
        full = self.home.environment(env)
        full["PATH"] = self.home.file("bin") + ":" + full["PATH"]
        return subprocess.run(
            [harness.SOURCE_DIR / "examples" / name, *map(str, args)], env=full,
            cwd=self.home.file("work"), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=timeout, check=False)

    def check_whole(self, name, parts, **options):
        """All parts together are the bytes of the unsharded batch."""
        expected = self.unsharded()
        before = self.server.account()["requests"]
        done = self.example(name, parts, "in.jsonl", "out.jsonl", "--no-timing",
                            **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.read("out.jsonl"), expected)
        self.assertEqual(expected.count(b"\n"), RECORDS)
        sizes = [self.read(f"out.jsonl.{k}").count(b"\n")
                 for k in range(1, parts + 1)]
        self.assertEqual(sorted(sizes, reverse=True), sizes)
        self.assertEqual(sizes[0], -(-RECORDS // parts))
        self.assertEqual(self.server.account()["requests"] - before, RECORDS)

    def check_failed_records(self, name, **options):
        """Some records that cannot be asked: status 1, and all in their places."""
        self.write_input([*self.records[:3], '{"promt":"x"}', *self.records[3:]])
        expected = self.unsharded()
        done = self.example(name, 3, "in.jsonl", "out.jsonl", "--no-timing",
                            **options)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(self.read("out.jsonl"), expected)

    def check_ceiling(self, name, **options):
        """A ceiling stops the parts, no output is made; a higher one goes on."""
        expected = self.unsharded()
        done = self.example(name, 3, "in.jsonl", "out.jsonl", "--no-timing",
                            "--max-tokens", 60, "--max-cost", "0.0015", **options)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("the same command goes on", done.stderr)
        self.assertFalse(os.path.exists(self.home.file("work/out.jsonl")))
        spent = self.server.account()
        done = self.example(name, 3, "in.jsonl", "out.jsonl", "--no-timing",
                            "--max-tokens", 60, "--max-cost", "1", **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.read("out.jsonl"), expected)
        asked = self.server.account()["requests"] - spent["requests"]
        self.assertLess(asked, RECORDS)  # what was answered is not asked again
