"""Exec providers: any local command as a model. Names begin with the row of the
fault matrix in docs/reliability.md."""

import hashlib
import json
import os
import pty
import subprocess
import time
import unittest

import harness
from provider_case import attempts

ONCE = ["--retries", "0"]


class Exec(harness.TestCase):
    def config(self, script, **fields):
        """Model `m`, which answers by running a script."""
        command = script if isinstance(script, list) else ["sh", "-c", script]
        return (harness.provider("local", protocol="exec", command=command, **fields) +
                harness.model("m", provider="local",
                              **harness.DEFAULT_MODEL | {"context_window": 4_000_000}))

    def ask(self, script, *args, fields=None, prompt="Say hi", **options):
        return self.run_llmroute(["run", "-m", "m", *args, "-p", prompt],
                                 config=self.config(script, **fields or {}), **options)

    def fails(self, script, status, message, *args, out=b"", **options):
        result = self.ask(script, *args, **options)
        self.assert_status(result, status)
        self.assertEqual(result.out, out)
        self.assertIn(message, result.err)
        return result

    def test_X6_answer_and_input(self):
        result = self.ask("cat; echo ' indeed'", "--system", "Be brief.")
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"Be brief.\n\nSay hi indeed\n")

    def test_X6_stdout_is_streamed(self):
        process = self.spawn_llmroute(["run", "-m", "m", "-p", "x"],
                                      config=self.config("echo a; sleep 60; echo b"))
        process.stdin.close()
        began = time.monotonic()
        self.assertEqual(process.stdout.read(2), b"a\n")
        self.assertLess(time.monotonic() - began, 30)

    def test_X1_command_missing_or_not_executable(self):
        plain = self.home.write("plain", "not a program", 0o600)
        odd = self.home.write("odd", b"\x7fELF nonsense", 0o700)
        for command in ("llmroute-no-such-command", "/no/such", plain, odd, "/tmp"):
            self.fails([command], 69, command)

    def test_X1_the_next_candidate_answers(self):
        config = (self.config(["/no/such"]) +
                  harness.provider("other", protocol="exec", command=["echo", "other"]) +
                  harness.model("n", provider="other", **harness.DEFAULT_MODEL, id="n"))
        result = self.run_llmroute(["run", "-m", "m,n", "-p", "x"], config=config)
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"other\n")

    def test_X2_exit_statuses(self):
        for code, status in ((1, 76), (75, 75), (9, 75), (126, 69), (127, 69), (255, 76)):
            self.fails(f"echo words >&2; exit {code}", status, "words", *ONCE,
                       fields={"retry_exit": [9]})
            self.fails(f"printf ab; exit {code}", 3, "broke off after 2 bytes", *ONCE,
                       out=b"ab", fields={"retry_exit": [9]})

    def test_X2_only_transient_failures_are_tried_again(self):
        for code, runs in ((75, 3), (1, 1), (127, 1)):
            count = self.home.file(f"count-{code}")
            self.ask(f"echo x >> {count}; exit {code}")
            with open(count, encoding="utf-8") as file:
                self.assertEqual(len(file.readlines()), runs, code)

    def test_X3_death_by_signal(self):
        for signal in ("SEGV", "KILL"):
            result = self.ask(f"kill -{signal} $$", *ONCE, "--json")
            self.assert_status(result, 75)
            self.assertEqual(attempts(result)[0][1], "transient")
            self.fails(f"printf ab; kill -{signal} $$", 3, "broke off", out=b"ab")

    def test_X4_the_whole_group_goes(self):
        pids = self.home.file("pids")
        script = ("trap '' TERM; echo $$ >> %s; "
                  "(trap '' TERM; echo $$; sleep 60) & echo $! >> %s; sleep 60; sleep 60"
                  % (pids, pids))
        result = self.ask(script, "--timeout", "300ms", *ONCE)
        self.assertIn(result.status, (3, 75))
        self.assertLess(result.elapsed, 20)
        with open(pids, encoding="utf-8") as file:
            for pid in file.read().split():
                self.assertTrue(gone(pid), pid)

    def test_X5_a_command_that_does_not_read(self):
        result = self.run_llmroute(["run", "-m", "m"], stdin="x" * (1 << 20),
                                   config=self.config("exec 0<&-; echo fine"))
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"fine\n")

    def test_X6_long_stderr_beside_stdout(self):
        script = ("for i in 1 2 3; do head -c 50000000 /dev/zero | tr '\\0' x >&2; "
                  "echo $i; done; echo the end >&2; exit 1")
        result = self.ask(script, *ONCE)
        self.assert_status(result, 3)
        self.assertEqual(result.out, b"1\n2\n3\n")
        self.assertIn("the end", result.err)
        self.assertLess(len(result.err), 2000)

    def test_X7_endless_stdout(self):
        result = self.ask("yes", stdout=subprocess.DEVNULL)
        self.assert_status(result, 3)
        self.assertIn("16 MiB", result.err)
        self.assert_status(self.ask("yes", "--no-stream"), 76)

    def test_X8_a_daemon_that_holds_stdout(self):
        result = self.ask("setsid sleep 60 & echo a")
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"a\n")
        self.assertLess(result.elapsed, 30)

    def test_X9_no_key_and_no_descriptor(self):
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        self.addCleanup(os.close, write)
        os.set_inheritable(write, True)
        result = self.ask("env; ls /proc/self/fd", fields={"pass_env": ["PASSED"]},
                          env={"PASSED": "yes", "OPENAI_API_KEY": harness.KEY},
                          pass_fds=[write])
        self.assert_status(result, 0)
        self.assertIn(b"PASSED=yes\n", result.out)
        names = {line.split("=")[0] for line in result.text.splitlines() if "=" in line}
        self.assertLessEqual(names, {"PATH", "HOME", "LANG", "TMPDIR", "PASSED", "PWD",
                                     "SHLVL", "_", "OLDPWD"})
        # 3 is the folder that ls reads.
        self.assertTrue(result.text.endswith("\n0\n1\n2\n3\n"))

    def test_X10_any_prompt_byte_for_byte(self):
        for prompt in ("$(reboot) `id` '\" \\ \n\n; rm -rf /", "-rf --help",
                       "{input} %s %n", "x" * (1 << 20)):
            result = self.run_llmroute(
                ["run", "-m", "m"], stdin=prompt,
                config=self.config("sha256sum; tr '\\0' ' ' < /proc/$$/cmdline"))
            self.assert_status(result, 0)
            digest, _, command = result.text.partition("  -\n")
            self.assertEqual(digest, hashlib.sha256(prompt.encode()).hexdigest())
            self.assertTrue(command.startswith("sh -c sha256sum"))

    def test_X11_no_terminal_to_reach(self):
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        process = subprocess.Popen(
            self.home.command(["run", "-m", "m", "-p", "x"], self.config(
                "(: > /dev/tty) 2>/dev/null && echo open || echo none")),
            env=self.home.environment(), stdin=subprocess.DEVNULL, stdout=slave,
            stderr=slave, start_new_session=True)
        os.close(slave)
        self.assertEqual(process.wait(timeout=60), 0)
        self.assertIn(b"none", os.read(master, 1000))

    def test_X12_half_a_character_at_the_end(self):
        result = self.ask("printf 'a\\342\\202'")
        self.assert_status(result, 0)
        self.assertEqual(result.text, "a\ufffd\n")
        self.assertIn("U+FFFD", result.err)

    def test_an_empty_answer_is_none(self):
        self.fails("true", 3, "empty")

    def test_dry_run_shows_the_command_and_runs_nothing(self):
        mark = self.home.file("mark")
        result = self.ask(f"touch {mark}", "-n")
        self.assert_status(result, 0)
        self.assertIn(json.dumps(["sh", "-c", f"touch {mark}"], separators=(",", ":")),
                      result.text)
        self.assertFalse(os.path.exists(mark))


def gone(pid):
    """Within a moment there is no such process, or only its zombie."""
    for _ in range(100):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


if __name__ == "__main__":
    unittest.main()
