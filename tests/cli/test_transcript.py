"""run --transcript: the only place where text is kept, and only when asked."""

import fcntl
import json
import os
import resource
import signal
import time
import unittest

import harness
import test_ledger


class Transcripts(test_ledger.LedgerCase):
    def path(self):
        return self.home.file("work", "t.jsonl")

    def lines(self):
        with open(self.path(), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def test_transcript_has_prompt_and_answer(self):
        result = self.ask(self.config(), "-s", "Be brief.", "--json",
                          "--transcript", self.path())
        self.assert_status(result, 0)
        line, = self.lines()
        self.assertEqual(
            (line["schema"], line["id"], line["system"], line["messages"],
             line["model"], line["answer"], line["finish_reason"], line["exit"]),
            ("llmroute.transcript/1", result.json()["id"], "Be brief.",
             [{"role": "user", "content": "Hi"}], "m", "Hello", "stop", 0))

    def test_lines_are_added_also_without_an_answer_or_a_ledger(self):
        config = self.config(self.stub([{"nth": 2, "status": 401}] +
                                       test_ledger.ANSWER))
        args = ("--transcript", self.path(), "--no-ledger")
        self.assert_status(self.ask(config, *args), 0)
        self.assert_status(self.ask(config, *args), 77)
        self.assertEqual([(line["answer"], line["exit"]) for line in self.lines()],
                         [("Hello", 0), (None, 77)])

    def test_a_dash_is_no_transcript(self):
        result = self.ask(self.config(), "--transcript", "-",)
        self.assert_status(result, 64)
        self.assertEqual(self.server.requests(), [])
        self.assertFalse(os.path.exists(self.home.file("work", "-")))

    def test_only_the_owner_can_read_it(self):
        result = self.ask(self.config(), "--transcript", self.path())
        self.assert_status(result, 0)
        self.assertEqual(os.stat(self.path()).st_mode & 0o777, 0o600)
        os.chmod(self.path(), 0o666)
        self.ask(self.config(), "--transcript", self.path())
        self.assertEqual(os.stat(self.path()).st_mode & 0o777, 0o600)

    def test_A18_links_and_pipes_are_refused_before_anything_is_sent(self):
        target = self.home.file("work", "target")
        os.symlink(target, self.path())
        pipe = self.home.file("work", "pipe")
        os.mkfifo(pipe)
        config = self.config()
        for path in (self.path(), pipe, self.home.file("work"),
                     self.home.file("nowhere", "t")):
            self.assert_status(self.ask(config, "--transcript", path), 73)
        self.assertFalse(os.path.exists(target))
        self.assertEqual(self.server.requests(), [])

    def test_many_processes_write_whole_lines(self):
        config = self.config(self.stub([{"text": "x" * 200_000}]))
        processes = [self.spawn_llmroute(
            ["run", "-p", "Hi", "--no-stdin", "--no-ledger", "--transcript",
             self.path()], config=config) for _ in range(8)]
        for process in processes:
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0)
        self.assertEqual({len(line["answer"]) for line in self.lines()}, {200_000})
        self.assertEqual(len(self.lines()), 8)


    def test_F6_half_a_line_is_cut_off_again(self):
        config = self.config(self.stub([{"nth": 2, "text": "x" * 20_000}] +
                                       test_ledger.ANSWER))
        args = ("--transcript", self.path(), "--no-ledger")
        self.assert_status(self.ask(config, *args), 0)

        def limited():
            resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
        result = self.run_llmroute(["run", "-p", "Hi", *args], config=config,
                                   preexec_fn=limited)
        self.assert_status(result, 74)
        self.assertEqual(result.out, b"x" * 20_000 + b"\n")
        self.assertIn(f"cannot write '{self.path()}': File too large", result.err)
        self.assert_status(self.ask(config, *args), 0)
        self.assertEqual([line["answer"] for line in self.lines()], ["Hello"] * 2)

    def test_an_interrupt_while_another_writes_loses_nothing(self):
        config = self.config()
        self.assert_status(self.ask(config, "--transcript", self.path()), 0)
        with open(self.path(), "a", encoding="utf-8") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            process = self.spawn_llmroute(
                ["run", "-p", "Hi", "--no-stdin", "--no-ledger", "--transcript",
                 self.path()], config=config)
            self.assertEqual(process.stdout.readline(), b"Hello\n")
            self.until_it_waits_for_a_lock(process.pid)
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assertEqual([line["answer"] for line in self.lines()], ["Hello"] * 2)

    def until_it_waits_for_a_lock(self, pid):
        for _ in range(1000):
            with open("/proc/locks", encoding="utf-8") as file:
                if any("->" in line and f" {pid} " in line for line in file):
                    return
            time.sleep(0.01)
        self.fail("it does not wait for a lock")


if __name__ == "__main__":
    unittest.main()
