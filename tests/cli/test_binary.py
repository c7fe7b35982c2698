"""The binary as it was linked: what the compiler and the linker do against
attacks is in it."""

import os
import re
import shutil
import subprocess
import unittest

import harness
from durable_batch import SANITIZED


def readelf(*options):
    return subprocess.run(["readelf", "-W", *options, harness.BINARY], check=True,
                          capture_output=True, text=True).stdout


@unittest.skipIf(SANITIZED, "a sanitizer is linked otherwise")
@unittest.skipUnless(shutil.which("readelf"), "readelf is not installed")
class Hardening(unittest.TestCase):
    def test_it_is_loaded_anywhere(self):
        self.assertIn("Type:                              DYN", readelf("-h"))
        self.assertRegex(readelf("-d"), r"\(FLAGS_1\).*\bPIE\b")
        self.assertNotIn("TEXTREL", readelf("-d"))

    def test_addresses_of_functions_are_read_only(self):
        self.assertIn("GNU_RELRO", readelf("-l"))
        self.assertRegex(readelf("-d"), r"\(FLAGS\) +BIND_NOW")

    def test_nothing_is_writable_and_executable(self):
        segments = re.findall(r"^ +(LOAD|GNU_STACK) .* ([R ][W ][E ]) 0x", readelf("-l"),
                              re.M)
        self.assertIn("GNU_STACK", {name for name, _ in segments})
        for name, flags in segments:
            self.assertNotEqual(flags[1:], "WE", name)

    def test_no_library_is_looked_for_in_odd_places(self):
        self.assertNotRegex(readelf("-d"), r"RPATH|RUNPATH")

    def test_stack_protector_and_assertions_of_the_library(self):
        self.assertIn("__stack_chk_fail", readelf("--dyn-syms"))
        self.assertIn("__glibcxx_assert_fail", readelf("-s"))

    @unittest.skipUnless(os.environ.get("LLMROUTE_BUILD_TYPE") == "Release",
                         "_FORTIFY_SOURCE is of the release")
    def test_fortified_calls(self):
        # Of ours: no library that is linked in wipes anything.
        self.assertIn("__explicit_bzero_chk", readelf("--dyn-syms"))


if __name__ == "__main__":
    unittest.main()
