"""Rows of training data that a tool makes are those that it makes."""

import subprocess
import sys
import unittest

import harness

ROOT = harness.SOURCE_DIR


class MadeRows(unittest.TestCase):
    def test_problems_are_what_their_tool_makes(self):
        made = subprocess.run([sys.executable, ROOT / "tools/make_problems.py"],
                              capture_output=True, check=True).stdout
        self.assertEqual(made, (ROOT / "models/problems.jsonl").read_bytes())


if __name__ == "__main__":
    unittest.main()
