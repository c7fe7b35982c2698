"""Rows R6, R7 and R8 of the fault matrix (docs/reliability.md): a bare system, a huge
command line or environment, hardly any processor."""

import os
import pathlib
import pwd
import resource
import shutil
import signal
import subprocess
import sys
import time
import unittest

import harness
from durable_batch import needs_no_sanitizer

MODULE = pathlib.Path(harness.BINARY).parent / "llmroute-http.so"
ROOT = [] if os.geteuid() == 0 else ["-r"]
# Nothing is left of these directories, of which $0 is the user's home.
BARE = ('for place in /proc /dev "$0"; do mount -t tmpfs none "$place" || exit 125; done; '
        'exec "$@"')


def home_of_user():
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return "/root"


def local_config(stub):
    """Models that are asked over HTTP, with the key of a command, and by a command."""
    return harness.stub_config(stub, {"m": {}, "own": {
        "provider_fields": {"protocol": "exec", "command": ["/bin/cat"], "base_url": None,
                            "key_env": None}, "protocol": "exec"}}) + harness.provider(
        "keyed", protocol="openai-chat", base_url=stub.base_url,
        key_command=["/bin/echo", "word"]) + harness.model(
            "keyed", **harness.DEFAULT_MODEL | {"provider": "keyed"})


class Bare(harness.TestCase):
    def bare(self, *args, env):
        """As run_llmroute(), without /proc and /dev. The program is a copy."""
        done = subprocess.run(
            ["unshare", *ROOT, "-m", "sh", "-c", BARE, home_of_user(), self.program, *args],
            env=env, cwd=self.home.file("work"), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=120, check=False)
        return harness.Result(done.stdout, done.stderr.decode(), done.returncode, 0)

    def setUp(self):
        super().setUp()
        place = pathlib.Path(self.home.file("bin"))
        place.mkdir(mode=0o700)
        self.program = shutil.copy(harness.BINARY, place)
        if MODULE.exists():
            shutil.copy(MODULE, place)

    @needs_no_sanitizer
    def test_R6_no_proc_no_devices_no_locale_no_home(self):
        if self.home.path.startswith(home_of_user() + "/"):
            self.skipTest("temporary files are below the home that is hidden")
        probe = self.bare("version", env={})
        if probe.status == 125 or "unshare" in probe.err:
            self.skipTest(f"no namespace of its own: {probe.err}")
        self.assert_status(probe, 0)
        if MODULE.exists():
            self.assertIn("\nhttp: libcurl ", probe.text)
        stub = self.stub([{"text": "ok"}])
        config = self.home.write("c.toml", local_config(stub))
        records = self.home.write("in.jsonl", '{"prompt": "a"}\n{"prompt": "b"}\n')
        for number, env in enumerate(({"HOME": self.home.path, "LANG": "xx_YY.none",
                                       "LC_ALL": "none", "TERM": "none"}, {})):
            env["STUB_KEY"] = harness.KEY
            given = ("-c", config)
            for args, out in ((("run", "-m", "m", "-p", "hi"), "ok\n"),
                              (("run", "-m", "own", "-p", "hi"), "hi\n"),
                              (("run", "-m", "keyed", "-p", "hi"), "ok\n"),
                              (("batch", "-q", "-m", "m", "-o", f"out-{number}", records), ""),
                              (("config", "get", "profile"), "balanced\n")):
                with self.subTest(args=args, env=env):
                    result = self.bare(*args, *given, env=env)
                    self.assert_status(result, 0)
                    self.assertEqual((result.text, result.err), (out, ""))
            with open(self.home.file("work", f"out-{number}"), encoding="utf-8") as results:
                self.assertEqual(results.read().count('"ok"'), 2)
        env = {"HOME": self.home.path}
        self.assertEqual(self.bare("usage", "--json", env=env).json()["total"]["calls"], 5)
        for args in (("usage", "--recount"), ("replay", "last"), ("explain", "-p", "hi")):
            self.assert_status(self.bare(*args, env=env), 0)

    def test_R6_a_terminal_of_no_kind_and_locales_that_are_none(self):
        args = ["explain", "-p", "hi", "-c", self.home.write("c.toml", "")]
        shown = [self.shown_at_width(args, 80, env=env) for env in (
            {"TERM": None, "LANG": "xx_YY.none"}, {"TERM": "", "LC_ALL": "none"},
            {"TERM": None, "LANG": None}, {"TERM": "dumb"})]
        for text in shown:
            self.assertIn("candidates", text)
            self.assertEqual(text.count("\n"), shown[0].count("\n"))


def room_for_words():
    """The kernel takes a quarter of the stack's limit, 6 MiB at most."""
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    size = 64 << 20
    resource.setrlimit(resource.RLIMIT_STACK, (
        size if hard == resource.RLIM_INFINITY else min(size, hard), hard))


class Words(harness.TestCase):
    def go(self, args, **options):
        try:
            return self.run_llmroute(args, preexec_fn=room_for_words, **options)
        except OSError as error:
            self.skipTest(f"the system takes no more: {error}")

    def test_R7_an_environment_of_a_mebibyte(self):
        stub = self.stub([{"text": "ok"}])
        config = local_config(stub)
        large = {f"LARGE_{i}": "x" * 120_000 for i in range(9)}
        many = {f"MANY_{i}": "x" * 20 for i in range(30_000)}
        for env in (large, many, large | many):
            for model, out in (("m", "ok\n"), ("own", "hi\n"), ("keyed", "ok\n")):
                result = self.go(["run", "-m", model, "-p", "hi"], config=config, env=env)
                self.assert_status(result, 0)
                self.assertEqual(result.text, out)
        for name in ("LLMROUTE_MODEL", "LLMROUTE_PROFILE", "LLMROUTE_TIMEOUT"):
            result = self.go(["run", "-p", "hi"], config=config, env={name: "x" * 120_000})
            self.assert_status(result, 64)
            self.assertLess(len(result.err), 1000)
        self.assert_status(self.go(["run", "-m", "m", "-p", "hi"], config=config,
                                   env={"STUB_KEY": "x" * 120_000}), 77)

    def test_R7_a_command_line_of_two_mebibytes(self):
        stub = self.stub([{"text": "ok"}])
        config = harness.stub_config(stub, {"m": {"context_window": 10_000_000}})
        word, words = "x" * 120_000, ["word"] * 150_000
        for prompt in (["-p", word], [word] * 17, words):
            result = self.go(["run", "-m", "m", *prompt], config=config)
            self.assert_status(result, 0)
            self.assertEqual(stub.requests()[-1].prompt,
                             " ".join(part for part in prompt if part != "-p"))
        many_tags = [part for i in range(17) for part in ("--tag", f"t{i}={word}")]
        for status, args in (
                (0, ["run", "-p", "hi", *["--tag", "a=b"] * 100_000]),
                (0, ["run", "-p", "hi", *many_tags]),
                (64, ["run", "-p", "hi", *["--nothing"] * 150_000]),
                (64, ["run", "-p", "hi", "--" + word]),
                (64, ["run", "-p", "hi", "-m", word]),
                (64, ["run", "-p", "hi", "--timeout", word]),
                (64, [word]),
                (66, ["batch", "--dry-run", *["in.jsonl"] * 150_000])):
            result = self.go(args, config=config)
            self.assert_status(result, status)
            self.assertLess(len(result.err), 1000)


@needs_no_sanitizer
class Starved(harness.TestCase):
    """Whoever is not given the processor must not take the time that this needs for
    silence of the other side."""

    def stopped(self, seconds, rules, options, since, tls=None):
        """The answer of a process that stands still once the stub has seen `since`."""
        stub = self.stub(rules, tls=bool(tls))
        fields = {"base_url": stub.base_url_for("openai-chat", tls)}
        if tls:
            fields["ca_file"] = stub.ca_file
        process = self.spawn_llmroute(
            ["run", "-m", "m", "--no-stdin", "-p", "hi", *options],
            config=harness.stub_config(stub, {"m": {}}, provider_fields=fields))
        while not any(event["event"] == since for event in stub.events()):
            self.assertIsNone(process.poll())
            time.sleep(0.001)
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)
        out, err = process.stdout.read(), process.stderr.read()
        self.assertEqual(process.wait(timeout=60), 0, err)
        return out, err

    def test_R8_what_came_while_we_stood_still_is_no_silence(self):
        chunks = [{"chunks": ["a", "b", "c", "d"], "delay_chunk_ms": 100}]
        late = [{"text": "abcd", "delay_headers_ms": 100}]
        for rules, options, since in (
                (chunks, ["--retries", "0", "--idle-timeout", "2s"], "request"),
                (late, ["--retries", "0", "--first-token-timeout", "2s"], "request"),
                # Here libcurl counts; what was cut off is asked again.
                (late, ["--connect-timeout", "2s"], "accept")):
            for tls in (None, "good"):
                with self.subTest(options=options, tls=tls):
                    out, err = self.stopped(3, rules, options, since, tls)
                    self.assertEqual((out, err), (b"abcd\n", b""))

    def starve(self):
        """For a process's start: it shares one processor with others that never rest
        and that come first."""
        processor = min(os.sched_getaffinity(0))

        def share():
            os.sched_setaffinity(0, {processor})

        for _ in range(2):
            burner = subprocess.Popen([sys.executable, "-c", "while True: pass"],
                                      preexec_fn=share)
            self.addCleanup(burner.wait)
            self.addCleanup(burner.kill)

        def last():
            share()
            os.nice(19)

        return last

    def test_R8_beside_processes_that_never_rest(self):
        stub = self.stub([{"chunks": ["a", "b"], "delay_chunk_ms": 20}], models=["llama"])
        config = harness.stub_config(stub, {"m": {}, "llama": {"protocol": "ollama"}})
        last = self.starve()
        for model in ("m", "llama"):
            result = self.run_llmroute(["run", "-m", model, "--format", "json", "-p", "hi"],
                                       config=config, preexec_fn=last, timeout=600)
            self.assert_status(result, 0)
            self.assertEqual(len(result.json()["attempts"]), 1)
        result = self.run_llmroute(
            ["batch", "--lines", "-m", "m", "-j", "4"], config=config, preexec_fn=last,
            stdin="one\n" * 12, timeout=600)
        self.assert_status(result, 0)
        self.assertIn("12 ok, 0 failed", result.err)
        self.assertEqual(len(stub.requests()), 15)  # one more is for Ollama's list


if __name__ == "__main__":
    unittest.main()
