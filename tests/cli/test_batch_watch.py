"""`batch`: what a person or a program sees of it while it runs, and in the end."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

import harness
from batch_case import BatchCase, prompts


def set_width(fd, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


class Screen:
    """One line of a terminal at a time: what stands there after each piece."""

    def __init__(self, text):
        self.lines, self.drawn = [], []
        for line in text.replace("\r\n", "\n").split("\n"):
            drawings = [part for part in re.split(r"\r|\x1b\[\d*K", line) if part]
            self.drawn += drawings[:-1]
            self.lines.append(drawings[-1] if drawings else "")


class Terminal(BatchCase):
    def watch(self, config, stdin, args=(), columns=60, during=None,
              term="xterm"):
        """stderr is a terminal. Returns its pieces, as they came, and the status."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        set_width(slave, columns)
        path = self.home.write("in.jsonl", stdin)
        process = self.spawn_llmroute(
            ["batch", *args, path], config=config, stderr=slave,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            env={"TERM": term})
        pieces, end = [], time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end:
            pieces += read_now(master, 0.05)
            if during:
                during(process, master, pieces)
        pieces += read_now(master, 0.2)
        os.close(slave)
        return [(t, p.decode()) for t, p in pieces], process.wait()

    def test_progress_is_redrawn_at_most_ten_times_a_second(self):
        stub = self.stub([{"text": "ok", "delay_headers_ms": 40}])
        pieces, status = self.watch(self.config(stub), prompts(200), ["-j", "4"])
        self.assertEqual(status, 0)
        text = "".join(p for _, p in pieces)
        drawings = len(re.findall(r"\d+ of ~?\d+", text))
        self.assertGreaterEqual(drawings, 3)
        took = pieces[-1][0] - pieces[0][0]
        self.assertLessEqual(drawings, 10 * took + 3)

    def test_it_is_cut_to_the_window_after_a_resize(self):
        stub = self.stub([{"text": "ok", "delay_headers_ms": 60}])
        state = {}

        def narrow(_, master, pieces):
            if not state and len(pieces) > 4:
                set_width(master, 24)
                state["at"] = time.monotonic()

        pieces, status = self.watch(self.config(stub), prompts(150), ["-j", "4"],
                                    during=narrow)
        self.assertEqual(status, 0)
        later = "".join(p for t, p in pieces if t > state["at"] + 0.3)
        drawn = [s for s in re.split(r"[\r\n]|\x1b\[\d*K", later) if " of " in s and "/s" in s
                 and "ok," not in s]
        for line in drawn:
            self.assertLess(len(line), 24, line)

    def test_messages_stand_alone_and_the_line_is_gone_in_the_end(self):
        stub = self.stub([{"nth": 30, "status": 401}, {"text": "ok", "delay_headers_ms": 40}])
        other = self.stub([{"text": "ok", "delay_headers_ms": 20}])
        models = {"m": {"ability": 2.0}, "n": {"ability": 0.0, "stub": other}}
        pieces, status = self.watch(self.config(stub, models), prompts(100), ["-j", "2"],
                                    columns=200)
        self.assertEqual(status, 0)
        lines_ = Screen("".join(p for _, p in pieces)).lines
        warning = [l for l in lines_ if "not asked any more" in l]
        self.assertEqual(len(warning), 1, lines_)
        self.assertTrue(warning[0].startswith("llmroute: "), warning)
        self.assertFalse([l for l in lines_ if "/s  " in l and "left" in l], lines_)
        self.assertTrue([l for l in lines_ if l.startswith("records  100 ok, 0 failed")])

    def test_progress_never(self):
        stub = self.stub([{"text": "ok", "delay_headers_ms": 40}])
        pieces, _ = self.watch(self.config(stub), prompts(30), ["--progress", "never"])
        text = "".join(p for _, p in pieces)
        self.assertTrue(text.startswith("records  30 ok, 0 failed in "), text)
        self.assertNotIn("\x1b", text)

    def test_a_dumb_terminal_gets_plain_lines(self):
        stub = self.stub([{"nth": 2, "text": "ok", "delay_headers_ms": 10500}, {"text": "ok"}])
        pieces, status = self.watch(self.config(stub), prompts(3), term="dumb")
        self.assertEqual(status, 0)
        text = "".join(p for _, p in pieces)
        self.assertNotIn("\x1b", text)
        self.assertRegex(text, r"(?m)^llmroute: .*of 3")

    def test_quiet(self):
        stub = self.stub([{"text": "ok", "delay_headers_ms": 40}])
        pieces, _ = self.watch(self.config(stub), prompts(30), ["-q"])
        self.assertEqual("".join(p for _, p in pieces), "")


class Plain(BatchCase):
    def test_without_a_terminal_there_is_only_the_summary(self):
        stub = self.stub([{"text": "ok", "delay_headers_ms": 30}])
        result = self.batch(stub, stdin=prompts(60))
        self.assertNotIn("\x1b", result.err)
        self.assertNotIn("\r", result.err)
        self.assertTrue(result.err.startswith("records  60 ok, 0 failed in "), result.err)

    def test_progress_always(self):
        stub = self.stub([{"nth": 2, "text": "ok", "delay_headers_ms": 10500}, {"text": "ok"}])
        path = self.home.write("in.jsonl", prompts(3))
        result = self.batch(stub, ["--progress", "always", path])
        self.assertNotIn("\x1b", result.err)
        self.assertRegex(result.err, r"(?m)^llmroute: .*of .*3")

    def test_progress_json(self):
        stub = self.stub([{"text": "ok", "delay_headers_ms": 100}])
        path = self.home.write("in.jsonl", prompts(40))
        result = self.batch(stub, ["--progress", "json", "-j", "2", path])
        first = json.loads(result.err.splitlines()[0])
        self.assertEqual((first["event"], first["expected"]), ("progress", 40))
        self.assertIn("cost_usd", first)
        self.assertEqual(sum(first["models"].values()), first["done"])
        last = json.loads(result.err.splitlines()[-1])
        self.assertEqual((last["schema"], last["ok"]), ("llmroute.batch/1", 40))

    def test_without_times_the_summary_names_no_slowest(self):
        stub = self.stub([{"text": "ok"}])
        for args, told in (([], True), (["--no-timing"], False)):
            result = self.batch(stub, args, stdin=prompts(1))
            self.assertEqual("\nslowest  1 (" in result.err, told)
            result = self.batch(stub, ["--progress", "json", *args], stdin=prompts(1))
            summary = json.loads(result.err.splitlines()[-1])
            self.assertEqual(len(summary["slowest"]), told)

    def test_G12_SIGUSR1_prints_one_status_line(self):
        stub = self.stub([{"text": "ok", "delay_headers_ms": 400}])
        process = self.spawn_llmroute(["batch", "-j", "1"], config=self.config(stub))
        process.stdin.write(prompts(4).encode())
        process.stdin.close()
        process.stdout.readline()
        process.send_signal(signal.SIGUSR1)
        line = process.stderr.readline().decode()
        self.assertRegex(line, r"^llmroute: 1 of 4 \(25 %\) .*\$")
        process.stdout.read()
        self.assertEqual(process.wait(), 0)
        self.assertNotIn("of 4", process.stderr.read().decode())

    def test_G12_SIGUSR1_prints_json_where_progress_is_json(self):
        stub = self.stub([{"text": "ok", "delay_headers_ms": 700}])
        process = self.spawn_llmroute(["batch", "-j", "1", "--progress", "json"],
                                      config=self.config(stub))
        process.stdin.write(prompts(2).encode())
        process.stdin.close()
        process.stdout.readline()
        process.send_signal(signal.SIGUSR1)
        process.stdout.read()
        self.assertEqual(process.wait(), 0)
        told = process.stderr.read().decode().splitlines()[:-1]  # the last sums up
        self.assertEqual({json.loads(line)["event"] for line in told}, {"progress"})
        self.assertIn(1, [json.loads(line)["done"] for line in told])

    def test_summary(self):
        stub = self.stub([{"body": "say 2\"", "status": 400}, {"text": "ok"}])
        file = self.home.file("summary.json")
        result = self.batch(stub, ["--summary", file], stdin=prompts(4) + "{\n")
        self.assert_status(result, 1)
        with open(file, encoding="utf-8") as opened:
            summary = json.load(opened)
        self.assertEqual(summary["schema"], "llmroute.batch/1")
        self.assertEqual((summary["ok"], summary["failed"]), (3, 2))
        self.assertEqual(summary["causes"], {"data": 1, "bad_json": 1})
        self.assertIsNone(summary["stopped"])
        self.assertIn("failed   1 bad_json (line 5), 1 data (line 2)", result.err)

    def test_a_cost_that_is_not_known_is_never_shown_as_nothing(self):
        silent = {"text": "ok", "usage": "omit"}
        for rules, cost, unknown in (
                ([silent], r"\?", "4 records"),
                ([silent | {"nth": 2}, {"text": "ok"}], r"\$[0-9.]+ \+ \?", "1 record")):
            result = self.batch(self.stub(rules), stdin=prompts(4),
                                models={"m": {"max_output_tokens": None,
                                              "context_window": None}})
            self.assertRegex(result.err, rf"(?m)^cost     {cost}, ")
            self.assertRegex(result.err, rf"(?m)^\w+ +4 .* {cost}$")
            self.assertIn(f"the cost of {unknown} is not known", result.err)

    def test_without_a_journal_what_was_answered_is_written_when_it_is_stopped(self):
        """Also what waits behind a record that hangs."""
        stub = self.stub([{"body": "say 1\"", "text": "late", "delay_headers_ms": 20000},
                          {"text": "ok"}])
        process = self.spawn_llmroute(["batch", "-j", "2"], config=self.config(stub))
        process.stdin.write(prompts(6).encode())
        process.stdin.close()
        end = time.monotonic() + 30
        while (sum(r.done is not None for r in stub.requests(wait=0)) < 5
               and time.monotonic() < end):
            time.sleep(0.05)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        lines_ = process.stdout.read().decode().splitlines()
        self.assertEqual(process.wait(), -signal.SIGTERM)
        self.assertEqual([json.loads(line)["line"] for line in lines_], [2, 3, 4, 5, 6])
        self.assertIn("records  5 ok", process.stderr.read().decode())

    def test_summary_of_a_batch_that_was_stopped(self):
        stub = self.stub([{"status": 401}])
        file = self.home.file("summary.json")
        self.assert_status(self.batch(stub, ["--summary", file], stdin=prompts(4)), 77)
        with open(file, encoding="utf-8") as opened:
            self.assertEqual(json.load(opened)["stopped"]["code"], "no_permission")

    def test_a_summary_that_cannot_be_written_hides_no_other_end(self):
        """The graver of both is the exit status, the other a warning."""
        nowhere = self.home.file("nowhere", "summary.json")
        for rule, status, words in (({"text": "ok"}, 73, ()),
                                    ({"status": 401}, 73, ("not asked any more",)),
                                    ({"status": 400}, 73, ())):
            result = self.batch(self.stub([rule]), ["--summary", nowhere], stdin=prompts(2))
            self.assert_status(result, status)
            for word in ("nowhere", *words):
                self.assertIn(word, result.err)
        process = self.spawn_llmroute(["batch", "--summary", nowhere],
                                      config=self.config(self.stub()))
        process.stdin.write(prompts(1).encode())
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(), -signal.SIGINT)
        self.assertIn("nowhere", process.stderr.read().decode())

    def test_error_format_json(self):
        stub = self.stub([{"status": 401}])
        result = self.batch(stub, ["--error-format", "json", "-q"], stdin=prompts(2))
        self.assertEqual(json.loads(result.err.splitlines()[-1])["exit"], 77)

    def test_A1_no_key_is_told(self):
        # The harness searches stderr, the output and the journal.
        said = {"headers": {"x-request-id": harness.KEY}}
        stub = self.stub([said | {"nth": 1, "status": 400, "echo_auth": True,
                                  "error": "bad key " + harness.KEY},
                          said | {"text": "ok", "served": harness.KEY}])
        for form in ([], ["--out", "openai"]):
            out = self.home.file(f"out-{len(form)}.jsonl")
            result = self.batch(stub, ["-vv", *form, "-o", out], stdin=prompts(3))
            self.assert_status(result, 0 if form else 1)
            self.assertEqual(self.home.files_with_key(), [])


def read_now(fd, wait):
    pieces = []
    while select.select([fd], [], [], wait)[0]:
        try:
            pieces.append((time.monotonic(), os.read(fd, 1 << 16)))
        except OSError:
            break
        wait = 0
    return pieces


if __name__ == "__main__":
    unittest.main()
