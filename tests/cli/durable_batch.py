"""What the tests of a batch's durability share: a batch that can be killed at
any call and gone on with, and the account of what the stub was asked."""

import json
import os
import re
import shutil
import subprocess
import threading
import unittest

import harness

FULL = os.environ.get("LLMROUTE_TEST_FULL") == "1"
OUT = "out.jsonl"
JOURNAL = OUT + ".llmroute-journal"
MODES = ("file", "stdout", "stdin")
# Every call that changes a file, or opens one to do so.
CALLS = ("write", "pwrite64", "fsync", "rename", "ftruncate", "unlink", "openat",
         "fchmod")


def why_not_traced():
    """Why strace cannot inject faults here; None if it can."""
    if not shutil.which("strace"):
        return "strace is not installed"
    probe = subprocess.run(
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=close", "-e",
         "inject=close:signal=SIGKILL:when=1", "true"], capture_output=True)
    return None if probe.returncode == -9 else "ptrace is not allowed here"


NOT_TRACED = why_not_traced()
needs_strace = unittest.skipIf(NOT_TRACED, NOT_TRACED or "")
# A sanitizer looks at memory by writing to pipes of its own, and reserves much.
SANITIZED = harness.SANITIZED
# Leaks cannot be looked for in a process that is traced.
STRACE = ("strace", "-f", "-qq", "-E", f"ASAN_OPTIONS=detect_leaks=0:exitcode={harness.REPORT}")
needs_no_sanitizer = unittest.skipIf(
    SANITIZED, "a sanitizer does not bear this fault itself")


def lines_of(count, first=0):
    """Input: records whose prompts tell them apart."""
    return "".join(json.dumps({"id": f"row-{i}", "prompt": f"question {i}."}) + "\n"
                   for i in range(first, first + count))


def frames(path):
    """The payloads of a journal's whole frames."""
    if not os.path.exists(path):
        return []
    with open(path, "rb") as file:
        text = file.read()
    found = []
    for line in text[:text.rfind(b"\n") + 1].splitlines():
        if int(line[:8], 16) == len(line) - 18:
            found.append(json.loads(line[18:]))
    return found


def frame_line(payload):
    """A journal's line of a payload (bytes)."""
    crc = 0xFFFFFFFF
    for byte in payload:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return b"%08x %08x %s\n" % (len(payload), crc ^ 0xFFFFFFFF, payload)


class Asked:
    """The prompts that a stub has been asked, as they come."""

    def __init__(self, stub):
        self.stub = stub
        self.at = 0

    def new(self):
        """Prompts since the last call, in order."""
        with open(self.stub.log_file, "rb") as file:
            file.seek(self.at)
            text = file.read()
        text = text[:text.rfind(b"\n") + 1]
        self.at += len(text)
        prompts = []
        for line in text.splitlines():
            event = json.loads(line)
            if event["event"] == "request" and event["method"] == "POST":
                prompts += re.findall(r"question (\d+)\.", event["body"])
        return [int(number) for number in prompts]


class BatchCase(harness.TestCase):
    """A batch in the directory `work`: in.jsonl -> OUT, config of one stub."""

    def setUp(self):
        super().setUp()
        self.work = self.home.file("work")

    def new_home(self):
        """For the next batch of a test."""
        self.home.remove()
        self.home = harness.Home()
        self.addCleanup(self.home.remove)
        self.work = self.home.file("work")

    def prepare(self, rules=(), count=6, jobs=2, models=None, **config):
        self.jobs = jobs
        self.count = count
        self.server = self.stub(rules)
        self.asked = Asked(self.server)
        self.config = self.home.write("config.toml", harness.stub_config(
            self.server, models or {"m": {}}, **config))
        self.write_input(lines_of(count))

    def write_input(self, text):
        self.input = self.home.write("work/in.jsonl", text)

    def words(self, *args, mode="file"):
        """The command; mode: file, stdout (with a journal) or stdin."""
        where = {"file": ["in.jsonl", "-o", OUT], "stdin": ["-o", OUT],
                 "stdout": ["in.jsonl", "--journal", JOURNAL]}[mode]
        return self.home.command(
            ["batch", *where, "--no-timing", "-j", self.jobs, "-c", self.config,
             *args])

    def go(self, *args, mode="file", tracer=(), timeout=120 * harness.SLOWNESS,
           **popen):
        """Runs the batch to its end, or its death. In mode stdin the lines come
        one by one."""
        process = subprocess.Popen(
            [*tracer, *self.words(*args, mode=mode)],
            env=self.home.environment(popen.pop("env", None)),
            cwd=popen.pop("cwd", self.work),
            **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                "stdin": subprocess.PIPE if mode == "stdin"
                else subprocess.DEVNULL} | popen))
        feeder = None
        if mode == "stdin":
            feeder = threading.Thread(target=self._feed, args=(process.stdin,))
            process.stdin = None
            feeder.start()
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        finally:
            if feeder:
                feeder.join()
        return harness.Result(out or b"", (err or b"").decode(errors="replace"),
                              process.returncode, 0.0)

    def _feed(self, pipe):
        try:
            with open(self.input, "rb") as lines, pipe:
                for line in lines:
                    pipe.write(line)
                    pipe.flush()
        except BrokenPipeError:
            pass

    def path(self, name):
        return os.path.join(self.work, name)

    def read(self, name=OUT):
        with open(self.path(name), "rb") as file:
            return file.read()

    def exists(self, name):
        return os.path.lexists(self.path(name))

    def clear(self):
        """All but the input is gone."""
        for name in os.listdir(self.work):
            if name != "in.jsonl":
                os.unlink(self.path(name))

    def save(self):
        """What is in the directory now; to be given to restore()."""
        return {name: self.read(name) for name in os.listdir(self.work)}

    def restore(self, files):
        self.clear()
        for name, content in files.items():
            self.home.write("work/" + name, content)

    def journaled(self, retry_errors=False):
        """Numbers of the records that have a result in the journal; with
        --retry-errors those that failed before its last end do not count."""
        safe = set()
        for frame in frames(self.path(JOURNAL)):
            if frame["frame"] == "R":
                safe.add((int(frame["id"][4:]), frame["ok"]))
            elif frame["frame"] == "E" and retry_errors:
                safe = {(number, ok) for number, ok in safe if ok}
        return {number for number, _ in safe}

    def result(self, ended, mode):
        return ended.out if mode == "stdout" else self.read()

    def undisturbed(self, *args, mode="file", status=0):
        """The bytes of a run that nothing happens to; nothing of it stays."""
        ended = self.go(*args, mode=mode)
        self.assert_status(ended, status)
        expected = self.result(ended, mode)
        self.assertEqual(expected.count(b"\n"), self.count)
        self.clear()
        self.asked.new()
        return expected


class KillCase(BatchCase):
    """Counts kills, and checks what the next run makes of each."""

    def setUp(self):
        super().setUp()
        self.kills = self.repeated = self.worst = 0

    def tearDown(self):
        super().tearDown()
        if self.kills:
            print(f"{self.id()}: {self.kills} kills, {self.repeated} requests "
                  f"repeated, at most {self.worst} at a kill", flush=True)

    def go_on(self, expected, asked, kills, *args, mode="file", status=0):
        """After `kills` kills that asked for `asked`: the same command again."""
        safe = self.journaled("--retry-errors" in args)
        ended = self.go(*args, mode=mode)
        self.assert_status(ended, status)
        self.assertEqual(self.result(ended, mode), expected)
        self.assertFalse(self.exists(OUT + ".part"))
        self.server.account()
        again = self.asked.new()
        self.assertEqual(safe.intersection(again), set())
        repeated = len(asked) + len(again) - len(set(asked) | set(again))
        self.assertLessEqual(repeated, self.jobs * kills)
        self.kills += kills
        self.repeated += repeated
        self.worst = max(self.worst, -(-repeated // kills) if kills else 0)


def strace(call, when, what="signal=SIGKILL", paths=(), log="/dev/null"):
    """Words that make one call, the `when`-th, of every thread fail or kill."""
    words = [*STRACE, "-o", log, "-e", f"trace={call}", "-e",
             f"inject={call}:{what}:when={when}"]
    for path in paths:
        words += ["-P", path]
    return words
