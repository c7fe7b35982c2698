"""Faults of the file system, of pipes, signals and resources while a batch
runs: F1 to F14, G1 to G12, R1 to R3. Whatever happens, the same command goes on
afterwards and its output is that of an undisturbed run."""

import errno
import fcntl
import os
import resource
import signal
import subprocess
import time
import unittest

import durable_batch
import harness
from durable_batch import FULL, JOURNAL, OUT, needs_no_sanitizer, needs_strace, strace

AS_ROOT = os.geteuid() == 0
MOST_CALLS = 200


class FaultCase(durable_batch.BatchCase):
    def goes_on(self, expected, *args, mode="file"):
        """The same command again, undisturbed."""
        safe = self.journaled()
        self.asked.new()
        ended = self.go(*args, mode=mode)
        self.assert_status(ended, 0)
        self.assertEqual(self.result(ended, mode), expected)
        self.assertEqual(safe.intersection(self.asked.new()), set())

    def fails(self, statuses, message, *args, **options):
        ended = self.go(*args, **options)
        self.assertIn(ended.status, statuses, ended.err)
        self.assertIn(message, ended.err)
        return ended

    def start(self, *args, mode="file", **options):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                 "stdin": subprocess.DEVNULL}
        process = harness.Process(
            self.words(*args, mode=mode), env=self.home.environment(),
            cwd=self.work, **(pipes | options))
        self.addCleanup(harness._end, process)
        return process

    def until_asked(self, count):
        """Waits until the stub was asked that often."""
        asked, until = [], time.monotonic() + 30
        while len(asked) < count:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.005)
            asked += self.asked.new()
        return asked


class Files(FaultCase):
    def test_F1_a_full_device_as_stdout(self):
        self.prepare()
        expected = self.undisturbed(mode="stdout")
        with open("/dev/full", "wb") as full:
            self.fails((74,), "stdout", mode="stdout", stdout=full)
            self.fails((74,), "stdout", "-o", "-", stdout=full)
        self.goes_on(expected, mode="stdout")

    def on_tmpfs(self, options):
        """A small file system as the place of OUT."""
        if not AS_ROOT:
            self.skipTest("mounting needs root")
        place = self.home.file("small")
        os.mkdir(place)
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", place],
                              capture_output=True)
        if made.returncode != 0:
            self.skipTest(f"cannot mount here: {made.stderr.decode()}")
        self.addCleanup(subprocess.run, ["umount", "-l", place], capture_output=True)
        return place

    def test_F2_the_disk_is_full_in_the_middle(self):
        self.prepare(count=150, jobs=8)
        expected = self.undisturbed()
        place = self.on_tmpfs("size=64k")
        out = ("-o", place + "/" + OUT)
        self.fails((74,), "No space left", *out)
        done = [f for f in durable_batch.frames(f"{place}/{JOURNAL}")
                if f["frame"] == "R"]
        self.assertGreater(len(done), 10)
        self.asked.new()
        self.fails((74,), "No space left", *out)  # it does not get worse
        subprocess.run(["mount", "-o", "remount,size=4m", place], check=True)
        first = {int(f["id"][4:]) for f in durable_batch.frames(f"{place}/{JOURNAL}")
                 if f["frame"] == "R"}
        self.asked.new()
        self.assert_status(self.go(*out), 0)
        self.assertEqual(first.intersection(self.asked.new()), set())
        self.assertEqual(self.read(place + "/" + OUT), expected)

    def test_F3_no_inodes(self):
        self.prepare()
        expected = self.undisturbed()
        for inodes in range(2, 7):
            with self.subTest(inodes=inodes):
                place = self.on_tmpfs(f"size=4m,nr_inodes={inodes}")
                out = ("-o", place + "/" + OUT)
                ended = self.go(*out)
                self.assertIn(ended.status, (0, 73, 74), ended.err)
                if ended.status:
                    self.assertIn("No space left", ended.err)
                subprocess.run(["mount", "-o", "remount,nr_inodes=100", place],
                               check=True)
                self.assert_status(self.go(*out), 0)
                self.assertEqual(self.read(place + "/" + OUT), expected)
                subprocess.run(["umount", "-l", place], check=True)
                os.rmdir(place)

    # --- errors of calls ---

    def ours(self):
        names = (OUT, OUT + ".part", JOURNAL, JOURNAL + ".llmroute-new")
        return [*names, ".", self.work, *(self.path(name) for name in names)]

    def sweep(self, call, error, statuses=(73, 74), mode="file"):
        """Each call in turn fails once. The number of them."""
        what = f"error={error}"
        log = self.home.file("trace")
        for when in range(1, MOST_CALLS):
            with self.subTest(call=call, error=error, when=when):
                self.clear()
                ended = self.go(mode=mode, tracer=strace(
                    call, when, what, paths=self.ours(), log=log))
                with open(log, encoding="utf-8", errors="replace") as trace:
                    if "(INJECTED)" not in trace.read():
                        self.assert_status(ended, 0)
                        return when - 1
                if ended.status == 0:
                    self.assertEqual(self.result(ended, mode), self.expected)
                else:
                    self.assertIn(ended.status, statuses, ended.err)
                    self.assertIn(os.strerror(getattr(errno, error)), ended.err)
                self.goes_on(self.expected, mode=mode)
        self.fail(f"{call} was called {MOST_CALLS} times")

    def sweeps(self, *pairs, least=1, **options):
        self.prepare(count=4)
        self.expected = self.undisturbed()
        for call, error in pairs:
            self.assertGreaterEqual(self.sweep(call, error, **options), least)

    @needs_strace
    def test_F5_writes_fail(self):
        self.sweeps(("write", "EIO"), least=6)

    @needs_strace
    def test_F5_a_sync_that_failed_is_not_tried_again(self):
        self.sweeps(("fsync", "EIO"), least=4)
        # Nor is what was written then taken for published.
        self.clear()
        ended = self.go(tracer=strace("fsync", "1+", "error=EIO",
                                      paths=self.ours()))
        self.assertEqual(ended.status, 74)
        self.assertFalse(self.exists(OUT))

    @needs_strace
    def test_F5_renames_closes_and_cuts_fail(self):
        self.sweeps(("rename", "EIO"), ("close", "EIO"))

    @needs_strace
    def test_F5_a_torn_journal_cannot_be_cut(self):
        self.prepare(count=4)
        self.expected = self.undisturbed()
        self.go(tracer=strace("write", 4, paths=[self.path(JOURNAL)]))
        torn = self.read(JOURNAL) + b"000000"
        self.home.write("work/" + JOURNAL, torn)
        self.fails((74,), "cannot cut", tracer=strace(
            "ftruncate", 1, "error=EIO"))
        self.assertEqual(self.read(JOURNAL), torn)
        self.goes_on(self.expected)

    @needs_strace
    def test_F5_opens_fail(self):
        self.sweeps(("openat", "EIO"), least=4)

    @needs_strace
    def test_F5_writes_of_stdout_fail(self):
        self.prepare(count=4)
        self.expected = self.undisturbed(mode="stdout")
        ended = self.fails((74,), "stdout", mode="stdout", tracer=strace(
            "write", "1+", "error=EIO", paths=["/dev/null"]),
            stdout=subprocess.DEVNULL)
        self.assertEqual(ended.out, b"")
        self.goes_on(self.expected, mode="stdout")

    @needs_strace
    def test_F6_a_quota_is_reached(self):
        self.sweeps(("write", "EDQUOT"), ("write", "EFBIG"), least=6)

    def test_F6_a_limit_on_file_sizes_is_no_signal_death(self):
        self.prepare(count=20)
        expected = self.undisturbed()

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
        self.fails((74,), "File too large", preexec_fn=limit)
        self.assertGreater(len(self.journaled()), 2)
        self.goes_on(expected)

    @needs_strace
    @needs_no_sanitizer
    def test_F7_interrupted_and_busy_writes_are_tried_again(self):
        self.prepare(count=4)
        expected = self.undisturbed()
        for error in ("EINTR", "EAGAIN"):
            for mode in ("file", "stdout"):
                self.clear()
                log = self.home.file("trace")
                ended = self.go(mode=mode, tracer=strace(
                    "write", "1+2", f"error={error}", log=log))
                self.assert_status(ended, 0)
                self.assertEqual(self.result(ended, mode), expected)
                with open(log, encoding="utf-8", errors="replace") as trace:
                    self.assertGreater(trace.read().count("(INJECTED)"), 4)

    def test_F7_short_writes_into_a_full_pipe(self):
        self.prepare([{"text": "x" * 50_000}], count=12, jobs=4)
        expected = self.undisturbed(mode="stdout")
        for nonblocking in (False, True):
            self.clear()
            reader, writer = os.pipe()
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
            os.set_blocking(writer, not nonblocking)
            process = self.start(mode="stdout", stdout=writer)
            os.close(writer)
            with open(reader, "rb") as pipe:
                self.assertEqual(pipe.read(), expected)
            self.assertEqual(process.wait(60), 0)

    @needs_strace
    def test_F8_a_rename_that_fails_names_the_finished_file(self):
        self.prepare(count=4)
        expected = self.undisturbed()
        for error in ("EXDEV", "EACCES"):
            self.clear()
            self.fails((73, 74), OUT + ".part", tracer=strace(
                "rename", 1, f"error={error}"))
            self.assertEqual(self.read(OUT + ".part"), expected)
            self.goes_on(expected)

    def test_F8_the_directory_is_removed(self):
        self.prepare([{"delay_headers_ms": 300}], count=4, jobs=4)
        os.mkdir(self.path("gone"))
        process = self.start("-o", "gone/" + OUT)
        self.until_asked(1)
        for name in os.listdir(self.path("gone")):
            os.unlink(self.path("gone/" + name))
        os.rmdir(self.path("gone"))
        err = process.communicate(timeout=60)[1].decode()
        self.assertIn(process.returncode, (73, 74), err)
        self.assertIn("No such file", err)

    def test_F13_whatever_the_umask(self):
        self.prepare()
        expected = self.undisturbed()
        for mask in (0o000, 0o777, 0o077):
            self.clear()
            self.assert_status(self.go(umask=mask), 0)
            self.assertEqual(os.stat(self.path(OUT)).st_mode & 0o777, 0o666 & ~mask)
            self.assertEqual(os.stat(self.path(JOURNAL)).st_mode & 0o777, 0o600)
            if AS_ROOT or mask != 0o777:
                self.assertEqual(self.read(), expected)
                self.assert_status(self.go(umask=mask), 0)

    def test_F14_odd_names(self):
        self.prepare()
        expected = self.undisturbed()
        for name in (b"new\nline", b"\xff\xfe", b"-dash", b"\x1b[31m", b" ", b"a" * 230):
            with self.subTest(name=name):
                path = os.path.join(os.fsencode(self.work), name)
                self.assert_status(self.go("-o", os.fsdecode(name)), 0)
                with open(path, "rb") as file:
                    self.assertEqual(file.read(), expected)
                ended = self.fails((73,), "", "-o", os.fsdecode(name), "--echo",
                                   "--journal", os.fsdecode(name) + ".j")
                self.assertNotIn("\x1b", ended.err)
                self.assertEqual(ended.err.count("\n"), 1)
        for name in ("a" * 250, "b/" * 2048 + "b", "none/there", "in.jsonl/x"):
            with self.subTest(name=name):
                self.fails((73,), "", "-o", name)


class PowerLoss(FaultCase):
    """F12: an ext4 image that writes its log late is copied while a batch runs:
    the copy has what was synced and little else."""

    @unittest.skipUnless(AS_ROOT, "mounting needs root")
    def test_F12_power_is_lost(self):
        self.prepare([{"words": 5, "usage": {"input": 3, "output": 5},
                       "delay_headers_ms": 15}], count=200, jobs=8)
        expected = self.undisturbed()
        copies = 50 if FULL else 6
        image, place = self.home.file("disk"), self.home.file("mount")
        os.mkdir(place)
        for number in range(copies):
            with self.subTest(number):
                self.lose_power(image, place, number / copies, expected,
                                ("always", "group")[number % 2])

    def mount(self, image, place):
        made = subprocess.run(["mount", "-o", "loop,commit=300", image, place],
                              capture_output=True)
        if made.returncode != 0:
            self.skipTest(f"cannot mount here: {made.stderr.decode()}")

    def lose_power(self, image, place, at, expected, policy):
        with open(image, "wb") as file:
            file.truncate(16 << 20)
        if subprocess.run(["mkfs.ext4", "-q", "-F", image],
                          capture_output=True).returncode != 0:
            self.skipTest("no mkfs.ext4")
        self.mount(image, place)
        out = ("-o", place + "/" + OUT)
        try:
            self.asked.new()
            process = self.start(*out, "--fsync", policy, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
            self.until_asked(int(at * 190) + 1)
            # Stopped, for what is copied must be what was there at one time.
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            subprocess.run(["cp", "--sparse=always", image, image + ".copy"],
                           check=True)
            process.kill()
            process.wait()
        finally:
            subprocess.run(["umount", place], check=True)
        self.mount(image + ".copy", place)
        try:
            half = os.path.exists(place + "/" + OUT)
            if half:
                self.assertEqual(self.read(place + "/" + OUT), expected)
            self.server.account()
            self.asked.new()
            ended = self.go(*out)
            self.assert_status(ended, 0)
            self.assertEqual(self.read(place + "/" + OUT), expected)
            # What had been answered before the copy, but for those running.
            if policy == "always":
                self.assertLessEqual(len(self.asked.new()),
                                     200 - int(at * 190) + 2 * self.jobs)
        finally:
            subprocess.run(["umount", place], check=True)


SLOW = {"delay_headers_ms": 60_000}


class Signals(FaultCase):
    def test_G1_a_reader_that_leaves_ends_it_while_it_writes(self):
        self.prepare(count=40, jobs=4)
        for ignored in (False, True):  # and G8
            expected = self.undisturbed(mode="stdout")
            reader, writer = os.pipe()
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
            process = self.start(mode="stdout", stdout=writer, preexec_fn=lambda: (
                signal.signal(signal.SIGPIPE, signal.SIG_IGN) if ignored else None))
            os.close(writer)
            os.read(reader, 1)
            os.close(reader)
            self.assertEqual(process.wait(60), -signal.SIGPIPE)
            self.assertEqual(process.stderr.read(), b"")
            self.goes_on(expected, mode="stdout")
            self.clear()

    def test_G1_a_reader_that_leaves_ends_it_while_it_waits(self):
        self.prepare([SLOW | {"times": 2}], jobs=2)
        process = self.start(mode="stdout")
        self.until_asked(2)
        process.stdout.close()
        begin = time.monotonic()
        self.assertEqual(process.wait(60), -signal.SIGPIPE)
        self.assertLess(time.monotonic() - begin, 30)
        self.assertEqual(process.stderr.read(), b"")
        self.assertTrue(all(r.done["client_closed"] for r in self.server.requests()))

    def test_G2_G3_G4_a_signal_ends_it_when_what_runs_has_ended(self):
        self.prepare([{"delay_headers_ms": 400}], count=40, jobs=4)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.clear()
            process = self.start()
            sent = self.until_asked(4)
            process.send_signal(number)
            self.assertEqual(process.wait(60), -number)
            sent += self.asked.new()
            self.assertLessEqual(len(sent), 8)
            # All that was sent was waited for and is kept.
            self.assertEqual(self.journaled(), set(sent))
            self.assertFalse(self.exists(OUT))
        self.write_input(durable_batch.lines_of(8))
        self.clear()
        self.count = 8
        expected = self.undisturbed()
        self.goes_on(expected)

    def test_G2_what_came_after_the_signal_is_printed_too(self):
        self.prepare([{"delay_headers_ms": 400}], count=40, jobs=4)
        process = self.start("-o", "-", mode="file")
        sent = self.until_asked(4)
        process.send_signal(signal.SIGINT)
        out = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, -signal.SIGINT)
        sent += self.asked.new()
        self.assertEqual(out.count(b"\n"), len(sent))
        self.assertTrue(out.endswith(b"\n"))

    def test_G2_it_tells_at_once_what_it_waits_for(self):
        for number, what in ((signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "signal")):
            self.prepare([SLOW | {"times": 2}], jobs=2)
            process = self.start()
            self.until_asked(2)
            begin = time.monotonic()
            process.send_signal(number)
            line = process.stderr.readline().decode()
            self.assertLess(time.monotonic() - begin, 3)
            self.assertEqual(line, "llmroute: interrupted: waiting up to 5 s for 2 "
                             f"answers under way; a second {what} stops at once\n")
            process.send_signal(number)
            self.assertEqual(process.wait(60), -number)
            self.clear()

    def test_G2_after_five_seconds_it_waits_no_longer(self):
        self.prepare([SLOW | {"times": 2}], jobs=2)
        process = self.start()
        self.until_asked(2)
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), -signal.SIGTERM)
        self.assertGreater(time.monotonic() - begin, 4.5)

    def test_G2_a_reader_that_stands_still_does_not_hold_it_up(self):
        self.prepare([{"text": "x" * 300_000}], count=8, jobs=2)
        expected = self.undisturbed(mode="stdout")
        process = self.start(mode="stdout")
        self.until_asked(2)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), -signal.SIGINT)
        self.goes_on(expected, mode="stdout")

    def test_G3_a_second_signal_ends_it_at_once(self):
        for second in (signal.SIGINT, signal.SIGTERM):
            self.prepare([SLOW | {"times": 2}], jobs=2)
            process = self.start()
            self.until_asked(2)
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
            begin = time.monotonic()
            process.send_signal(second)
            self.assertEqual(process.wait(60), -second)
            self.assertLess(time.monotonic() - begin, 3)
            self.assert_status(self.go(), 0)
            self.clear()

    def test_G4_a_hangup_that_was_ignored_at_the_start_stays_so(self):
        self.prepare([{"delay_headers_ms": 300}], count=4, jobs=4)
        process = self.start(preexec_fn=lambda: signal.signal(
            signal.SIGHUP, signal.SIG_IGN))
        self.until_asked(1)
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.wait(60), 0)

    def test_G7_a_stopped_batch_goes_on(self):
        self.prepare([{"delay_headers_ms": 100}], count=12, jobs=4)
        expected = self.undisturbed()
        process = self.start()
        sent = self.until_asked(2)
        process.send_signal(signal.SIGSTOP)
        time.sleep(120 if FULL else 2)
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(60), 0)
        self.assertEqual(self.read(), expected)
        sent += self.asked.new()
        self.assertEqual(sorted(sent), list(range(12)))

    def test_G8_commands_work_when_the_parent_ignores_sigchld(self):
        self.prepare_commands()
        self.assert_status(self.go(preexec_fn=lambda: signal.signal(
            signal.SIGCHLD, signal.SIG_IGN)), 0)
        self.assertEqual(self.read().count(b'"text":"question'), self.count)

    def prepare_commands(self, **options):
        """A command answers instead of the stub."""
        self.prepare(**options)
        self.config = self.home.write("exec.toml", harness.provider(
            "own", protocol="exec", command=["/bin/cat"]) + harness.model(
                "own-m", provider="own", id="own-m",
                **harness.DEFAULT_MODEL))

    def hang(self, *args):
        """A batch whose command hangs; the process and the command's."""
        self.prepare_commands(count=1, jobs=1)
        pid = self.home.file("pid")
        self.config = self.home.write("exec.toml", harness.provider(
            "own", protocol="exec", command=[
                "sh", "-c", f"echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 300"]) +
            harness.model("own-m", provider="own", id="own-m", **harness.DEFAULT_MODEL))
        process = self.start(*args, mode="stdout")
        self.until(lambda: os.path.exists(pid))
        with open(pid, encoding="utf-8") as file:
            return process, int(file.read())

    def until(self, condition):
        end = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    def assert_ended(self, pid):
        """It is gone, or a zombie that nobody has waited for."""
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                self.assertIn(file.read().rsplit(")", 1)[1].split()[0], "ZX")
        except FileNotFoundError:
            pass

    def test_G1_a_reader_that_leaves_ends_commands_too(self):
        process, pid = self.hang()
        process.stdout.close()
        self.assertEqual(process.wait(60), -signal.SIGPIPE)
        self.assert_ended(pid)

    def test_G2_a_signal_ends_commands_too(self):
        process, pid = self.hang()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), -signal.SIGINT)
        self.assert_ended(pid)

    def test_G2_what_comes_while_it_waits_is_told_at_once(self):
        self.prepare([SLOW | {"body": "question 0."}, {"delay_headers_ms": 500}], count=2)
        process = self.start("--unordered", mode="stdout")
        self.until_asked(2)
        process.send_signal(signal.SIGINT)
        time.sleep(2.5)
        process.send_signal(signal.SIGKILL)
        self.assertEqual(process.communicate()[0].count(b"\n"), 1)

    def test_G9_stderr_is_full_or_closed(self):
        self.prepare([{"status": 400, "error": "no", "body": "question 1."}])
        expected = self.undisturbed(status=1)
        with open("/dev/full", "wb") as full:
            self.assert_status(self.go("--progress", "always", stderr=full), 1)
        self.assertEqual(self.read(), expected)
        self.clear()
        self.assert_status(self.go("--progress", "always", stderr=None,
                                   preexec_fn=lambda: os.close(2)), 1)
        self.assertEqual(self.read(), expected)
        kinds = {frame["frame"] for frame in durable_batch.frames(self.path(JOURNAL))}
        self.assertEqual(kinds, {"H", "R", "E"})

    def test_G10_G11_a_slow_reader_gets_everything(self):
        self.prepare([{"text": "y" * 100_000}], count=30, jobs=8)
        expected = self.undisturbed(mode="stdout")
        for nonblocking in (False, True):
            self.clear()
            reader, writer = os.pipe()
            os.set_blocking(writer, not nonblocking)
            # Shorter than the reader takes: being held up is no time-out.
            process = self.start("--timeout", "1s", mode="stdout", stdout=writer)
            os.close(writer)
            got = b""
            while piece := os.read(reader, 65536):
                got += piece
                time.sleep(0.05)
            os.close(reader)
            self.assertEqual(process.wait(60), 0)
            self.assertEqual(got, expected)

    def test_G12_a_status_line_on_sigusr1(self):
        self.prepare([SLOW | {"times": 1, "body": "question 5."}], jobs=6)
        process = self.start("--progress", "never")
        self.until_asked(6)
        time.sleep(0.3)
        process.send_signal(signal.SIGUSR1)
        line = process.stderr.readline().decode()
        self.assertIn("5 of 6", line)
        process.send_signal(signal.SIGUSR1)
        self.assertIn("5 of 6", process.stderr.readline().decode())


class Resources(FaultCase):
    @needs_no_sanitizer
    def test_R1_few_descriptors_mean_fewer_at_a_time(self):
        for limit in (16, 20, 40):
            self.prepare(count=30, jobs=64)
            self.clear()
            expected = self.undisturbed()
            ended = self.go(preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_NOFILE, (limit, limit)))
            self.assert_status(ended, 0)
            self.assertEqual(ended.err.count("at a time instead of 64"), 1)
            self.assertEqual(self.read(), expected)

    @needs_no_sanitizer
    def test_R1_a_burst_of_shortages_is_one(self):
        Signals.prepare_commands(self, count=24, jobs=8)
        self.config = self.home.write("exec.toml", harness.provider(
            "own", protocol="exec", command=["sh", "-c", "sleep 0.3; cat"]) + harness.model(
                "own-m", provider="own", id="own-m", **harness.DEFAULT_MODEL))
        expected = self.undisturbed()
        ended = self.go(preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (40, 40)))
        self.assert_status(ended, 0)
        self.assertEqual(ended.err.count("from now on 4 at a time"), 1)
        self.assertEqual(ended.err.count("at a time"), 1)
        self.assertEqual(self.read(), expected)

    @needs_strace
    def test_R1_a_socket_that_cannot_be_watched_ends_no_other_transfer(self):
        """The first two calls are ours, for other things than sockets."""
        self.prepare(count=6, jobs=2)
        args = ("--connect-timeout", "2s", "--timeout", "5s")
        expected = self.undisturbed(*args)
        for when in range(3, 7):
            with self.subTest(when=when):
                self.clear()
                ended = self.go(*args, tracer=["timeout", "-s", "KILL", "25", *strace(
                    "epoll_ctl", when, "error=ENOSPC")])
                self.assert_status(ended, 0)
                self.assertEqual(self.read(), expected)

    @needs_no_sanitizer
    def test_R2_little_memory(self):
        self.prepare([{"text": "z" * 100_000}], count=30, jobs=8)
        expected = self.undisturbed()
        for kib in (60_000, 100_000, 150_000, 200_000, 300_000):
            self.clear()
            ended = self.go(preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_AS, (kib << 10, kib << 10)))
            # 127: the loader found no room for the libraries.
            self.assertIn(ended.status, (0, 71, 127), ended.err)
            self.goes_on(expected)
        self.assertEqual(ended.status, 0)

    @needs_strace
    def test_R3_no_threads_and_no_processes(self):
        for when in ("1+", "2", "4+"):
            Signals.prepare_commands(self, count=12, jobs=4)
            expected = self.undisturbed()
            for call in ("clone3", "clone", "clone3,clone,vfork,fork"):
                with self.subTest(call=call, when=when):
                    self.clear()
                    ended = self.go(tracer=strace(call, when, "error=EAGAIN"))
                    self.assertIn(ended.status, (0, 71), ended.err)
                    if ended.status == 0:
                        self.assertEqual(self.read(), expected)
                    self.assert_status(self.go(), 0)
                    self.assertEqual(self.read(), expected)


if __name__ == "__main__":
    unittest.main()
