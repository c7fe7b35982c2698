"""examples/quickstart.sh answers its prompts, and says who does."""

import os
import pathlib
import subprocess
import unittest

import harness

BUILD = os.path.dirname(harness.BINARY)


class Quickstart(harness.TestCase):
    def quickstart(self, env=None):
        return subprocess.run(
            [harness.SOURCE_DIR / "examples/quickstart.sh", BUILD],
            env=self.home.environment(env), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120, check=False)

    def test_without_a_key_the_stub_answers_every_prompt_over_http(self):
        done = self.quickstart()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("bundled stub provider at http://127.0.0.1:", done.stdout)
        prompts = list((harness.SOURCE_DIR / "examples/prompts").iterdir())
        self.assertEqual(done.stdout.count("This is the offline stub answering as"),
                         len(prompts))
        self.assertEqual(done.stderr.count("llmroute: auto -> "), len(prompts))
        self.assertIn("because", done.stdout)
        self.assertFalse(os.path.exists(self.home.file(".local/state/llmroute")))

    def test_the_stub_does_not_outlive_it(self):
        self.quickstart()
        for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = process.read_bytes().split(b"\0")
            except OSError:
                continue  # it ended meanwhile
            self.assertNotEqual(
                words[:3], [f"{BUILD}/tests/stub/llmroute-stub".encode(), b"--port", b"0"])


if __name__ == "__main__":
    unittest.main()
