"""Keys and texts stay where they belong: the search for keys that every other test
ends with (see harness.py), and what a crash leaves behind."""

import base64
import os
import resource
import signal
import time
import unittest

import harness


class Canary(unittest.TestCase):
    def test_A1_a_key_is_found_in_every_form_that_it_may_take(self):
        key = harness.KEY.encode()
        for data in (key, b"Bearer " + key, key.hex().encode(), key.hex().upper().encode(),
                     *(base64.b64encode(b"user:x"[:n] + key + b"yz") for n in range(6))):
            self.assertTrue(harness.holds_key(data), data)
        self.assertFalse(harness.holds_key(key[:-1]))

    def test_A1_a_test_that_leaves_or_prints_a_key_fails(self):
        home = harness.Home()
        home.write("given", harness.KEY)
        self.assertEqual(home.files_with_key(), [])
        with open(home.file("work", "left"), "w", encoding="utf-8") as file:
            file.write("x" + harness.KEY)
        with self.assertRaisesRegex(AssertionError, "A1: a key in .*left"):
            home.remove()
        self.assertFalse(os.path.exists(home.path))
        for said in ({"out": harness.KEY.encode(), "err": ""},
                     {"out": b"", "err": harness.KEY}):
            with self.assertRaisesRegex(AssertionError, "A1"):
                harness.Result(status=0, elapsed=0, **said)


class Crash(harness.TestCase):
    def test_A21_a_crash_leaves_no_core(self):
        stub = self.stub([{"hang_header": True}])
        process = self.spawn_llmroute(
            ["run", "--no-stdin", "-p", "hi"],
            config=harness.stub_config(stub, {"m": {}}), preexec_fn=allow_cores)
        while not stub.requests(wait=0):
            time.sleep(0.01)
        with open(f"/proc/{process.pid}/limits", encoding="utf-8") as limits:
            core = next(line for line in limits if line.startswith("Max core file size"))
        self.assertEqual(core.split()[4], "0")
        process.send_signal(signal.SIGABRT)
        _, err = process.communicate(timeout=20)
        self.assert_no_key(err)
        self.assertEqual(os.listdir(self.home.file("work")), [])


def allow_cores():
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


if __name__ == "__main__":
    unittest.main()
