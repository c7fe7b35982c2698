"""P7, G1 to G4: signals end a call quickly, and the shell sees a signal death."""

import os
import random
import signal
import sqlite3
import subprocess
import time
import unittest

import durable_batch
import harness

SLOW = {"chunks": ["word "] * 200, "delay_chunk_ms": 100}


class Signals(harness.TestCase):
    def start(self, rule=None, *args, **options):
        self.server = self.stub([rule or SLOW])
        return self.spawn_llmroute(
            ["run", "--no-stdin", "-p", "hi there", *args],
            config=harness.stub_config(self.server, {"m": {}}), **options)

    def assert_cancelled(self, since):
        request = self.server.requests(wait=3)[0]
        self.assertTrue(request.done["client_closed"])
        self.assertLess((request.done["client_closed_t"] - since) / 1e9, 10)

    def test_P7_G2_sigint_sigterm_and_sighup_are_signal_deaths(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = self.start()
            self.assertEqual(os.read(process.stdout.fileno(), 5), b"word ")
            sent = time.monotonic_ns()
            process.send_signal(number)
            self.assertEqual(process.wait(60), -number)
            self.assertLess((time.monotonic_ns() - sent) / 1e9, 10)
            self.assert_cancelled(sent)

    def test_G2_at_random_moments_it_dies_soon_and_its_hold_is_settled(self):
        seed = int(os.environ.get("LLMROUTE_TEST_SEED", 2))
        chance, worst, died = random.Random(seed), 0, 0
        server = self.stub([{"chunks": ["word "] * 20, "delay_chunk_ms": 15}])
        config = "[limits]\nper_day = 100\n" + harness.stub_config(server, {"m": {}})
        self.assert_status(self.run_llmroute(["run", "-p", "hi there"], config=config), 0)
        for _ in range(200 if durable_batch.FULL else 20):
            process = self.spawn_llmroute(["run", "--no-stdin", "-p", "hi there"],
                                          config=config)
            time.sleep(chance.uniform(0, 0.5))
            number = chance.choice((signal.SIGINT, signal.SIGTERM))
            sent = time.monotonic()
            process.send_signal(number)
            status = process.wait(60)
            worst = max(worst, time.monotonic() - sent)
            self.assertIn(status, (-number, 0), f"seed {seed}")
            died += status != 0
        print(f"{self.id()}: {died} deaths, the slowest {worst * 1000:.0f} ms after its "
              "signal", flush=True)
        self.assertGreater(died, 5)
        with sqlite3.connect(self.home.file(".local/state/llmroute/ledger.db")) as ledger:
            (settled, held), = ledger.execute(
                "SELECT sum(settled_pico), sum(held_pico) FROM scopes")
            self.assertEqual(held, 0)
            self.assertGreater(settled, 0)
        # What broke off counts as its worst case, so as no less than it has cost.
        self.assertGreaterEqual(settled, server.account()["pico_usd"])

    def test_G2_G4_one_signal_leaves_nothing_of_the_file_of_o(self):
        self.home.write("work/answer", "old\n")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for name in ("answer", "new"):
                server = self.stub([SLOW])
                process = self.spawn_llmroute(
                    ["run", "--no-stdin", "-p", "hi", "-o", self.home.file("work/" + name)],
                    config=harness.stub_config(server, {"m": {}}))
                while not server.requests(wait=0):
                    time.sleep(0.02)
                process.send_signal(number)
                self.assertEqual(process.wait(60), -number)
                self.assertEqual(os.listdir(self.home.file("work")), ["answer"])
        with open(self.home.file("work/answer"), "rb") as file:
            self.assertEqual(file.read(), b"old\n")

    @durable_batch.needs_strace
    @durable_batch.needs_no_sanitizer
    def test_G2_a_signal_while_a_file_is_replaced_comes_after_that(self):
        process = subprocess.run(
            ["strace", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e",
             "inject=fsync:signal=SIGINT:when=1",
             *self.home.command(["config", "init", "-c", "new.toml"])],
            env=self.home.environment(), cwd=self.home.path, capture_output=True,
            timeout=60)
        self.assertEqual(process.returncode, -signal.SIGINT, process.stderr)
        self.assertEqual([name for name in os.listdir(self.home.path)
                          if name.startswith("new.toml")], ["new.toml"])

    def test_a_signal_while_the_reader_sleeps_ends_it(self):
        process = self.start({"text": "x" * 1_000_000})
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), -signal.SIGTERM)

    def test_a_signal_while_a_whole_answer_is_written_ends_it(self):
        process = self.start({"text": "x" * 1_000_000}, "--no-stream")
        while not any(r.done for r in self.server.requests(wait=0)):
            time.sleep(0.02)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), -signal.SIGTERM)

    def test_a_signal_while_waiting_to_retry_ends_it(self):
        process = self.start({"status": 429, "retry_after": "30"})
        while not self.server.requests(wait=0):
            time.sleep(0.02)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), -signal.SIGINT)

    def test_a_signal_while_reading_stdin_ends_it(self):
        server = self.stub([SLOW])
        process = self.spawn_llmroute(["run"],
                                      config=harness.stub_config(server, {"m": {}}))
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), -signal.SIGINT)
        self.assertEqual(server.requests(), [])

    def test_G4_an_ignored_sighup_stays_ignored(self):
        process = self.start(
            {"chunks": ["a", "b"], "delay_chunk_ms": 500},
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.assertEqual(os.read(process.stdout.fileno(), 1), b"a")
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.wait(60), 0)

    def test_G1_a_reader_that_leaves_ends_it_silently_by_sigpipe(self):
        process = self.start()
        self.assertEqual(os.read(process.stdout.fileno(), 5), b"word ")
        gone = time.monotonic_ns()
        process.stdout.close()
        self.assertEqual(process.wait(60), -signal.SIGPIPE)
        self.assertEqual(process.stderr.read(), b"")
        self.assert_cancelled(gone)

    def test_G8_also_when_the_parent_ignores_sigpipe(self):
        process = self.start(
            preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN))
        os.read(process.stdout.fileno(), 5)
        process.stdout.close()
        self.assertEqual(process.wait(60), -signal.SIGPIPE)

    def test_explain_into_a_closed_pipe_dies_by_sigpipe(self):
        reader, writer = os.pipe()
        os.close(reader)
        process = self.spawn_llmroute(["explain", "--no-stdin", "-p", "hi there"],
                                      stdout=writer)
        os.close(writer)
        self.assertEqual(process.wait(60), -signal.SIGPIPE)


if __name__ == "__main__":
    unittest.main()
