"""Every system call of `run` fails once (F5, R1, R3): it never crashes, never says
that a cut answer is whole, and a failure is one clear line. LLMROUTE_TEST_FULL=1
tries every call, else some of each kind."""

import shutil
import signal
import subprocess
import unittest

import harness
from durable_batch import FULL, STRACE, needs_no_sanitizer, needs_strace

ANSWER = b"a fine answer\n"
# What each fails with. Calls that have no error, or whose failure the C library
# takes for a bug of its own (futex, brk), are left out.
ERRORS = {
    "EIO": ("access chmod close connect dup2 epoll_create1 epoll_ctl epoll_wait fchmod "
            "fchown fcntl fdatasync fstat fsync ftruncate getdents64 getpeername "
            "getrandom getsockname getsockopt ioctl link lseek mkdir newfstatat pipe2 "
            "poll pread64 prlimit64 pwrite64 read readlink recvfrom rename rt_sigaction "
            "rt_sigpending sendto setsockopt socket socketpair statfs sysinfo unlink "
            "write writev"),
    "EMFILE": "openat socket pipe2 epoll_create1",
    "EACCES": "openat mkdir connect",
    "ENOSPC": "write pwrite64 fsync fdatasync ftruncate",
    "EAGAIN": "clone3 recvfrom sendto read write",
    "EINTR": "read write poll epoll_wait recvfrom sendto connect openat",
    "ENOMEM": "mmap mprotect munmap madvise",
}
MOST_CALLS = 1000
STATUSES = {3, 65, 66, 69, 71, 73, 74, 75, 76, 77, 78}


@needs_strace
@needs_no_sanitizer
class CallErrors(harness.TestCase):
    def run_with(self, call, error, when, args):
        log = self.home.file("trace")
        begun = self.home.file(".local")
        shutil.rmtree(begun, ignore_errors=True)
        process = subprocess.run(
            [*STRACE, "-o", log, "-e", f"trace={call},prlimit64", "-e",
             f"inject={call}:error={error}:when={when}",
             harness.BINARY, "run", "-m", "m", "-c", self.config, "--idle-timeout", "20",
             "--first-token-timeout", "20", *args, "-p", "hi"],
            env=self.home.environment(), cwd=self.home.file("work"),
            stdin=subprocess.DEVNULL, capture_output=True, timeout=100, check=False)
        with open(log, encoding="utf-8", errors="replace") as trace:
            lines = trace.read().splitlines()
        ours = next((i for i, line in enumerate(lines) if "RLIMIT_CORE" in line), None)
        hit = [i for i, line in enumerate(lines) if "(INJECTED)" in line]
        # The loader's own calls are none of ours.
        reached = ours is not None and any(i > ours for i in hit)
        return harness.Result(process.stdout, process.stderr.decode(errors="replace"),
                              process.returncode, 0), bool(hit), reached

    def check(self, result, answer):
        self.assertNotIn(-result.status, (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS,
                                          signal.SIGFPE, signal.SIGILL))
        self.assertTrue(ANSWER.startswith(result.out), result.out)
        if result.status == 0:
            self.assertEqual(answer(result), ANSWER)
            return
        self.assertIn(result.status, STATUSES, result.err)
        lines = result.err.splitlines()
        self.assertTrue(lines, "nothing was said")
        for line in lines:
            self.assertRegex(line, "^llmroute: ")
        # The error, after at most a warning of the ledger.
        self.assertLessEqual(len(lines), 3, result.err)

    def sweep(self, args=(), answer=lambda result: result.out):
        self.server = self.stub([{"text": "a fine answer"}])
        self.config = self.home.write("config.toml",
                                      harness.stub_config(self.server, {"m": {}}))
        tried = 0
        for error, calls in ERRORS.items():
            for call in calls.split():
                for when in range(1, MOST_CALLS):
                    if not FULL and when > 3 and when % 7 != len(call) % 7:
                        continue
                    result, hit, reached = self.run_with(call, error, when, args)
                    if not hit:
                        break
                    if reached:
                        tried += 1
                        with self.subTest(call=call, error=error, when=when):
                            self.check(result, answer)
        print(f"{self.id()}: {tried} calls failed once", flush=True)
        self.assertGreater(tried, 100)

    def test_F5_every_call_of_a_run_fails_once(self):
        self.sweep()

    def test_F5_every_call_of_a_run_with_an_output_file_fails_once(self):
        if not FULL:
            self.skipTest("only with LLMROUTE_TEST_FULL=1")
        out = self.home.file("out.txt")

        def answer(result):
            self.assertEqual(result.out, b"")
            with open(out, "rb") as file:
                return file.read()
        self.home.write("out.txt", "old")
        self.sweep(["-o", out], answer)


if __name__ == "__main__":
    unittest.main()
