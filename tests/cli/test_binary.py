"""The binary as it was linked: what the compiler and the linker do against
attacks is in it."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

import harness
from durable_batch import SANITIZED


MODULE = pathlib.Path(harness.BINARY).parent / "llmroute-http.so"


def readelf(*options, file=harness.BINARY):
    return subprocess.run(["readelf", "-W", *options, file], check=True,
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
        self.check_segments(harness.BINARY)

    def check_segments(self, file):
        segments = re.findall(r"^ +(LOAD|GNU_STACK) .* ([R ][W ][E ]) 0x",
                              readelf("-l", file=file), re.M)
        self.assertIn("GNU_STACK", {name for name, _ in segments})
        for name, flags in segments:
            self.assertNotEqual(flags[1:], "WE", name)

    def test_no_library_is_looked_for_in_odd_places(self):
        self.assertNotRegex(readelf("-d"), r"RPATH|RUNPATH")

    def test_stack_protector_and_assertions_of_the_library(self):
        self.assertIn("__stack_chk_fail", readelf("--dyn-syms"))
        self.assertIn("__glibcxx_assert_fail", readelf("-s"))

    @unittest.skipUnless(MODULE.exists(), "this build has no module")
    def test_the_module_is_as_hard(self):
        self.check_segments(MODULE)
        self.assertIn("GNU_RELRO", readelf("-l", file=MODULE))
        dynamic = readelf("-d", file=MODULE)
        self.assertRegex(dynamic, r"\(FLAGS\) +BIND_NOW")
        self.assertNotRegex(dynamic, "TEXTREL|RPATH|RUNPATH")
        self.assertIn("__stack_chk_fail", readelf("--dyn-syms", file=MODULE))

    @unittest.skipUnless(MODULE.exists(), "this build has no module")
    def test_the_module_needs_the_C_library_alone_and_shows_what_is_called(self):
        needed = re.findall(r"NEEDED.*\[(\w+)", readelf("-d", file=MODULE))
        self.assertLessEqual(set(needed), {"libc", "ld"})
        shown = re.findall(r" DEFAULT +\d+ (\w+)$", readelf("--dyn-syms", file=MODULE),
                           re.M)
        self.assertEqual({name for name in shown if not name.startswith("curl_")},
                         {"llmroute_http_versions"})
        self.assertEqual(len(shown), 20)

    @unittest.skipUnless(os.environ.get("LLMROUTE_BUILD_TYPE") == "Release",
                         "_FORTIFY_SOURCE is of the release")
    def test_fortified_calls(self):
        # Of ours: no library that is linked in wipes anything.
        self.assertIn("__explicit_bzero_chk", readelf("--dyn-syms"))


if __name__ == "__main__":
    unittest.main()
