"""R5: every allocation of a run with a ledger fails, once or from then on. What the
run leaves is whole, and it ends with a status."""

import collections
import json
import os
import pathlib
import random
import unittest

import harness
import test_ceilings
from durable_batch import FULL, SANITIZED
from test_ceilings import ARGS

SHIM = pathlib.Path(harness.BINARY).parent / "tests/scarce_memory.so"
# Answered all the same; out of memory; the ledger's library had none; libcurl
# had none, which it says as if the peer were not there or sent too long a head;
# the decoder had none, which ends as a reply that makes no sense does; the parser
# of numbers had none, which ends as a configuration that makes none.
ENDS = {0, 3, 65, 71, 74, 75, 76, 78}
# Libraries that end the process themselves: simdjson, which chooses its code in a
# function that may not throw, and the C++ library where there is no memory for an
# exception; the C library and the loader of libraries without memory for a thread's
# own variables. A terminate of our own making would be one kind more and is not told
# apart here: gdb's backtrace does.
ABORTS = ("terminate called",
          "Fatal glibc error: failed to register TLS destructor",
          "cannot allocate memory for thread-local data: ABORT")


@unittest.skipIf(SANITIZED, "a sanitizer has its own allocator")
@unittest.skipUnless(SHIM.exists(), "tests/scarce_memory.so is not built")
class Scarce(test_ceilings.CeilingCase):
    def go(self, config, fail_at="", *args):
        return self.run_llmroute(
            # libcurl without memory for a timer waits until ours ends it.
            ARGS + ["--timeout", "5s", *args], config=config,
            env={"LD_PRELOAD": str(SHIM), "LLMROUTE_TEST_FAIL_AT": fail_at,
                 "LLMROUTE_TEST_ALLOCATIONS": self.counted})

    def allocations(self, config):
        self.assert_status(self.go(config), 0)
        with open(self.counted, encoding="utf-8") as file:
            return int(file.read())

    def sweep(self, always, extra):
        self.counted = self.home.file("allocations")
        stub = self.stub([{"chunks": ["Hello"]}], prices=test_ceilings.PRICES)
        config = self.limited(stub, extra)
        self.allocations(config)  # creates the ledger
        total = self.allocations(config)
        seed = int(os.environ.get("LLMROUTE_TEST_SEED", 1))
        points = range(1, total + 1)
        if not FULL:
            points = sorted(random.Random(seed).sample(points, 40))
        ends = collections.Counter()
        for point in points:
            with self.subTest(seed=seed, point=point, total=total):
                result = self.go(config, f"{point}{'+' if always else ''}")
                if any(text in result.err for text in ABORTS):
                    ends["aborted"] += 1
                    continue
                ends[result.status] += 1
                self.assertIn(result.status, ENDS, result.err)
                if result.status == 0:
                    self.assertEqual(result.out, b"Hello\n")
                elif result.status == 71:
                    self.assertNotEqual(result.err, "")
        print(f"{self.id()}: {total} allocations, {len(points)} failed, ends "
              f"{dict(ends)}", flush=True)
        self.assertEqual(self.query("PRAGMA integrity_check"), [("ok",)])
        self.assert_status(self.run_llmroute(ARGS, config=config), 0)
        self.assert_status(self.run_llmroute(["usage", "--recount"], config=""), 0)
        if extra:
            settled, held = self.counters()
            self.assertGreaterEqual(settled + held, stub.account()["pico_usd"])

    def test_R5_one_allocation_fails(self):
        self.sweep(False, "")

    def test_R5_no_memory_from_some_allocation_on(self):
        self.sweep(True, "")

    def test_R5_one_allocation_fails_under_a_ceiling(self):
        self.sweep(False, "[limits]\nper_day = 1\n")

    def test_R5_no_memory_from_some_allocation_on_under_a_ceiling(self):
        self.sweep(True, "[limits]\nper_day = 1\n")

    def test_R5_spilled_rows_stay_in_the_file_or_reach_the_ledger(self):
        self.counted = self.home.file("allocations")
        config = self.limited(self.stub([{"chunks": ["Hello"]}]), "")
        run = ["run", "-p", "Hi", "--no-stdin"]
        self.assert_status(self.run_llmroute(run, config=config), 0)
        self.query("PRAGMA wal_checkpoint(TRUNCATE)")
        whole = pathlib.Path(self.path()).read_bytes()
        self.put(b"damaged")
        self.assert_status(self.run_llmroute(run, config=config), 0)
        spill = pathlib.Path(self.path() + ".spill")
        line = spill.read_text(encoding="utf-8")
        first = json.loads(line)["decision"]["id"]
        ids = [f"{number:04}" + first[4:] for number in range(50)]
        lines = "".join(line.replace(first, id) for id in ids)

        def imported(fail_at):
            self.put(whole)
            spill.write_text(lines, encoding="utf-8")
            return self.go(config, fail_at)
        imported("")
        with open(self.counted, encoding="utf-8") as file:
            total = int(file.read())
        seed = int(os.environ.get("LLMROUTE_TEST_SEED", 1))
        points = range(1, total + 1)
        if not FULL:
            points = sorted(random.Random(seed).sample(points, 40))
        for point in points:
            with self.subTest(seed=seed, point=point, total=total):
                imported(str(point))
                self.assert_status(self.run_llmroute(run, config=config), 0)
                self.assertEqual(spill.stat().st_size, 0)
                self.assertEqual(self.query(
                    "SELECT count(*) FROM decisions WHERE id LIKE '00%'"), [(50,)])

    def put(self, ledger):
        for suffix in ("-wal", "-shm"):
            pathlib.Path(self.path() + suffix).unlink(missing_ok=True)
        self.home.write(".local/state/llmroute/ledger.db", ledger)


if __name__ == "__main__":
    unittest.main()
