"""OLR-9: with no network but the loopback, everything works from end to end with
local models, and so does building (A28)."""

import errno
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import unittest

import harness
from durable_batch import FULL
from namespace import in_a_namespace
from test_train import outcomes, lines


class Offline(harness.TestCase):
    def assert_no_network(self):
        with socket.socket() as outside, self.assertRaises(OSError) as refused:
            outside.connect(("192.0.2.1", 80))
        self.assertEqual(refused.exception.errno, errno.ENETUNREACH)

    def said(self, *args, **options):
        result = self.run_llmroute(list(args), **options)
        self.assert_status(result, 0)
        return result

    @in_a_namespace
    def test_OLR_9_a_local_configuration_works_from_end_to_end(self):
        self.assert_no_network()
        stub = self.stub(models=["llama"])
        config = harness.stub_config(stub, {
            "llama": {"protocol": "ollama", "price": {"input": 0, "output": 0}},
            "vllm": {"ability": 1.0}})
        local = {"config": config}
        self.assertIn("stub", self.said("run", "-p", "Say hi", **local).text)
        self.assertIn("candidates", self.said("explain", "-p", "Say hi", **local).text)
        result = self.said("batch", "--lines", stdin="one\ntwo\n", **local)
        self.assertEqual(result.text.count("\n"), 2)
        self.said("feedback", "last", "good")
        self.assertIn("llama", self.said("models", **local).text)
        self.assertEqual(self.said("usage", "--json").json()["total"]["calls"], 3)
        self.assertIn("the same", self.said("replay", "last").text)
        rows = self.home.write("rows.jsonl", lines(outcomes(600)))
        model = self.home.file("mine.model")
        self.said("train", "--force", "-o", model, rows)
        self.assertTrue(pathlib.Path(model).exists())
        self.said("bench", "--part", "test", "--model-file", model, rows)

    @unittest.skipIf(harness.SMALL_STACK, "cmake needs more stack")
    @in_a_namespace
    def test_A28_what_is_built_and_tested_needs_no_network(self):
        self.assert_no_network()
        if not shutil.which("cmake") or not shutil.which("ninja"):
            self.skipTest("cmake or ninja is not installed")
        place = self.home.file("build")
        # All of it takes long. It is in the first step that a build fetches things.
        self.works("cmake", "-S", harness.SOURCE_DIR, "-B", place, "-G", "Ninja")
        self.works("cmake", "--build", place, "--target", "all" if FULL else "wall_clock")
        unit_tests = pathlib.Path(harness.BINARY).parent / "tests/unit_tests"
        if unit_tests.exists():
            self.works(unit_tests)
        here = pathlib.Path(__file__)
        for test in here.parent.glob("test_*.py" if FULL else "test_quickstart.py"):
            if test.name not in (here.name, "test_links.py"):  # with namespaces of their own
                self.works(sys.executable, test)

    def works(self, *words):
        ended = subprocess.run(words, check=False, capture_output=True, text=True,
                               env=os.environ | {"LLMROUTE_TEST_FULL": "0"})
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)


if __name__ == "__main__":
    unittest.main()
