"""Completions in the shells themselves: bash and zsh get a terminal and a TAB,
fish is asked for what it would offer."""

import os
import pty
import re
import select
import shutil
import subprocess
import time
import unittest

import harness

# Names with what a shell splits words at.
CONFIG = """
[providers.box]
protocol = "ollama"
base_url = "http://127.0.0.1:9"

[models."zebra:8b-mini"]
provider = "box"

[models.zephyr-large]
provider = "box"

[routes.zigzag]
models = ["zephyr-large"]

[profiles.zealous]
worth = 1.0
"""


class Terminal:
    """An interactive shell on a terminal of its own."""

    def __init__(self, argv, env, cwd):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(argv, stdin=slave, stdout=slave,
                                        stderr=slave, env=env, cwd=cwd,
                                        start_new_session=True)
        os.close(slave)
        self.seen = ""

    def type(self, text):
        os.write(self.master, text.encode())

    def wait_for(self, pattern, seconds=20):
        """The match in what has been shown, once it is there."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            match = re.search(pattern, self.seen)
            if match:
                self.seen = self.seen[match.end():]
                return match
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 65536).decode(errors="replace")
        raise AssertionError(f"{pattern!r} did not come:\n{self.seen}")

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


class Completions(harness.TestCase):
    def setUp(self):
        super().setUp()
        bin_folder = self.home.file("bin")
        os.mkdir(bin_folder)
        os.symlink(harness.BINARY, os.path.join(bin_folder, "llmroute"))
        self.config = self.home.write("config.toml", CONFIG)
        self.env = self.home.environment({
            "PATH": f"{bin_folder}:{os.environ['PATH']}", "TERM": "dumb",
            "LLMROUTE_CONFIG": self.config, "STUB_KEY": None, "PS1": "> "})
        self.script = os.path.join(harness.SOURCE_DIR, "completions")

    def need(self, shell):
        if not shutil.which(shell):
            self.skipTest(f"{shell} is not installed")

    def terminal(self, argv, setup):
        shell = Terminal(argv, self.env, self.home.file("work"))
        self.addCleanup(shell.close)
        # The quotes keep the echo of the line from looking like its output.
        shell.type(setup + "; echo rea''dy\n")
        shell.wait_for("ready\r?\n")
        return shell

    def completed(self, shell, words):
        """The line after TAB: it is turned into an echo and run."""
        shell.type(words + "\t")
        time.sleep(0.3)
        shell.type("\x01echo lin''e: \x05 .\n")
        return shell.wait_for(r"line: (.*?) \.\r?\n")[1].replace("  ", " ").strip()

    CASES = (
        ("llmroute expl", "llmroute explain"),
        ("llmroute explain --exp", "llmroute explain --expect"),
        ("llmroute --show-r", "llmroute --show-route"),
        ("llmroute models --al", "llmroute models --all"),
        ("llmroute batch --spl", "llmroute batch --split"),
        ("llmroute batch --out op", "llmroute batch --out openai"),
        ("llmroute train --ca", "llmroute train --card"),
        ("llmroute -m zeph", "llmroute -m zephyr-large"),
        ("llmroute run --model zeb", "llmroute run --model zebra:8b-mini"),
        ("llmroute run --model zebra:8", "llmroute run --model zebra:8b-mini"),
        ("llmroute run --model=zeph", "llmroute run --model=zephyr-large"),
        ("llmroute --model zephyr-large,zeph",
         "llmroute --model zephyr-large,zephyr-large"),
        ("llmroute run -r zig", "llmroute run -r zigzag"),
        ("llmroute --profile zea", "llmroute --profile zealous"),
        ("llmroute explain --tier sma", "llmroute explain --tier small"),
        ("llmroute --color=nev", "llmroute --color=never"),
        ("llmroute run --format js", "llmroute run --format json"),
        ("llmroute config che", "llmroute config check"),
        ("llmroute completion fi", "llmroute completion fish"),
        ("llmroute models zeph", "llmroute models zephyr-large"),
    )

    def check(self, shell):
        for typed, expected in self.CASES:
            with self.subTest(typed):
                # A shell may protect the colon.
                line = self.completed(shell, typed).replace("\\", "")
                self.assertIn(line, (expected, expected + "="))

    def test_bash(self):
        self.need("bash")
        self.check(self.terminal(
            ["bash", "--norc", "--noprofile", "-i"],
            f". {self.script}/llmroute.bash; bind 'set bell-style none'"))

    @unittest.skipIf(harness.SMALL_STACK, "zsh needs more stack")
    def test_zsh(self):
        self.need("zsh")
        dump = self.home.file("zcompdump")
        self.check(self.terminal(
            ["zsh", "-f", "-i"],
            f"unsetopt ZLE_PROMPT_CR; PS1='> '; bindkey -e; fpath=({self.script} $fpath); "
            f"autoload -U compinit; compinit -u -d {dump}; zstyle ':completion:*' "
            "accept-exact false"))

    def test_fish(self):
        self.need("fish")
        for typed, expected in self.CASES:
            with self.subTest(typed):
                out = subprocess.run(
                    ["fish", "--no-config", "-c", f"source {self.script}/llmroute.fish; "
                     "complete -C $argv[1]", typed],
                    env=self.env, capture_output=True, text=True, check=True).stdout
                offered = [line.split("\t")[0] for line in out.splitlines()]
                self.assertIn(expected.split(" ")[-1], offered)

    def test_offers_of_fish_belong_to_the_command(self):
        self.need("fish")
        out = subprocess.run(
            ["fish", "--no-config", "-c", f"source {self.script}/llmroute.fish; "
             "complete -C 'llmroute models --'"],
            env=self.env, capture_output=True, text=True, check=True).stdout
        self.assertIn("--all", out)
        self.assertNotIn("--worth", out)
        self.assertNotIn("--expect", out)


class Names(harness.TestCase):
    def names(self, *args, **options):
        result = self.run_llmroute(["__complete", *args], **options)
        self.assertEqual(result.err, "")
        self.assert_status(result, 0)
        return result.text.split()

    def test_names_come_from_the_configuration(self):
        env = {"LLMROUTE_CONFIG": self.home.write("config.toml", CONFIG)}
        self.assertEqual(self.names("models", "ze", env=env),
                         ["zebra:8b-mini", "zephyr-large"])
        self.assertEqual(self.names("models", "a,ze", env=env),
                         ["a,zebra:8b-mini", "a,zephyr-large"])
        self.assertEqual(self.names("routes", env=env), ["auto", "zigzag"])
        self.assertIn("zealous", self.names("profiles", env=env))
        self.assertIn("small", self.names("tiers", env=env))

    def test_what_cannot_be_answered_is_silent(self):
        broken = {"LLMROUTE_CONFIG": self.home.write("broken.toml", "= what")}
        self.assertEqual(self.names("models", env=broken), [])
        self.assertEqual(self.names("planets"), [])
        result = self.run_llmroute(["__complete"])
        self.assertEqual((result.out, result.err), (b"", ""))


if __name__ == "__main__":
    unittest.main()
