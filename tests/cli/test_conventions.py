"""conventions.md and SECURITY.md name tests that exist; and tests of conventions
that have no better place."""

import json
import os
import pathlib
import pty
import re
import subprocess
import unittest

import harness

HERE = harness.SOURCE_DIR / "tests/cli"
CONVENTIONS = (HERE / "conventions.md").read_text(encoding="utf-8")
SECURITY = (harness.SOURCE_DIR / "SECURITY.md").read_text(encoding="utf-8")


def table_rows(text):
    return [line for line in text.splitlines() if line.startswith("| ")]


class Lists(unittest.TestCase):
    def test_every_convention_is_there(self):
        numbers = [int(n) for n in re.findall(r"^\| (\d+) \|", CONVENTIONS, re.M)]
        self.assertEqual(numbers, list(range(1, 56)))

    def test_every_test_that_is_named_exists(self):
        functions = {name for path in HERE.glob("test_*.py") for name in re.findall(
            r"^    def (test_\w+)\(", path.read_text(encoding="utf-8"), re.M)}
        sentences = {
            re.sub(r'"\s*"', "", name)
            for path in (harness.SOURCE_DIR / "tests/unit").rglob("*.cc")
            for name in re.findall(r'TEST_CASE\(\s*("(?:[^"]|"\s*")*?")\)',
                                   path.read_text(encoding="utf-8"))}
        for text in (CONVENTIONS, SECURITY):
            for row in table_rows(text):
                tests = row.split(" | ")[-1]
                self.assertEqual(
                    set(re.findall(r"`(test_\w+)`", tests)) - functions, set(), row)
                self.assertEqual(set(re.findall(r'"[^"]*"', tests)) - sentences, set(), row)

    def test_every_row_names_a_test_or_says_why_not(self):
        for text in (CONVENTIONS, SECURITY):
            for row in table_rows(text):
                if row.startswith(("| ---", "| | convention", "| promise")):
                    continue
                self.assertRegex(row.split(" | ")[-1],
                                 r'`test_\w+`|"|bench/\w+\.py', row)


class Conventions(harness.TestCase):
    def ask(self, args, rule=None, **options):
        stub = self.stub([rule or {"text": "answer"}])
        return self.run_llmroute(["run", "--no-stdin", *args, "-p", "hi"],
                                 config=harness.stub_config(stub, {"m": {}}), **options)

    def test_6_usual_letters(self):
        text = self.run_llmroute(["help", "batch"]).text
        text += self.run_llmroute(["help", "run"]).text
        for letter, name in (("o", "output"), ("q", "quiet"), ("n", "dry-run"),
                             ("f", "file"), ("j", "jobs"), ("v", "verbose")):
            self.assertIn(f"\n  -{letter}, --{name}", text)

    def test_13_each_stream_by_itself(self):
        odd = {"text": "a\x1b[31m", "served": "x"}
        for streams in (("stdout",), ("stderr",), ("stdout", "stderr"), ()):
            stub = self.stub([odd])
            terminal = {}
            for name in streams:
                terminal[name] = pty.openpty()
                self.addCleanup(os.close, terminal[name][0])
            process = self.spawn_llmroute(
                ["explain", "--no-stdin", "-p", "hi"] if streams == ("stderr",) else
                ["run", "--no-stdin", "--show-route", "-p", "hi"],
                config=harness.stub_config(stub, {"m": {}}),
                env={"TERM": "xterm"}, **{n: pair[1] for n, pair in terminal.items()})
            for _, follower in terminal.values():
                os.close(follower)
            said = {name: harness.shown_on(terminal[name][0]) if name in terminal
                    else getattr(process, name).read() for name in ("stdout", "stderr")}
            self.assertEqual(process.wait(), 0)
            if streams == ("stderr",):
                self.assertNotIn(b"\x1b", said["stdout"])  # a table, in a pipe
            elif "stdout" in streams:
                self.assertIn(b"a^[[31m", said["stdout"])
            else:
                self.assertIn(b"a\x1b[31m", said["stdout"])
            if "stderr" not in streams:
                self.assertNotIn(b"\x1b", said["stderr"])

    def test_16_json_lines_are_utf8_and_end_with_a_newline(self):
        for args in (["--json"], ["--format", "jsonl"]):
            out = self.ask(args, {"text": "h\u00e9\u2028"}).out
            self.assertTrue(out.endswith(b"}\n"))
            self.assertTrue(out.startswith(b"{"))
            for line in out[:-1].split(b"\n"):
                json.loads(line.decode("utf-8"))

    def test_20_39_pagers_and_debug_variables_change_nothing(self):
        mark = self.home.file("paged")
        variables = {"PAGER": f"touch {mark}", "MANPAGER": f"touch {mark}", "DEBUG": "1",
                     "VERBOSE": "1", "TRACE": "1", "LOG_LEVEL": "debug",
                     "RUST_LOG": "trace", "NODE_DEBUG": "*", "CURL_VERBOSE": "1"}
        for args in (["-p", "hi"], ["help"], ["explain", "--no-timing", "-p", "hi"]):
            stub = self.stub([{"text": "answer"}])
            config = harness.stub_config(stub, {"m": {}}) if args[0] != "help" else None
            said = [self.run_llmroute(args, config=config, env=env)
                    for env in ({}, variables)]
            self.assertEqual(re.sub(rb"config-\d", b"", said[0].out),
                             re.sub(rb"config-\d", b"", said[1].out))
            self.assertEqual(said[0].err, said[1].err)
        self.assertFalse(os.path.exists(mark))

    def test_22_the_answer_is_never_coloured(self):
        for args in (["--color"], ["--color=always", "--show-route", "--stats"]):
            result = self.ask(args, env={"FORCE_COLOR": "1"})
            self.assertEqual(result.out, b"answer\n")

    def test_25_commands_have_sigpipe(self):
        # Not ignored: `yes` dies by it and says nothing.
        script = "yes | head -n 1; sed -n 's/^SigIgn:[ \\t]*//p' /proc/self/status"
        config = (harness.provider("local", protocol="exec", command=["sh", "-c", script]) +
                  harness.model("m", provider="local", **harness.DEFAULT_MODEL))
        result = self.run_llmroute(["run", "-m", "m", "-p", "x"], config=config)
        self.assert_status(result, 0)
        first, ignored = result.text.split()
        self.assertEqual(first, "y")
        self.assertEqual(int(ignored, 16) >> 12 & 1, 0)

    def test_37_no_proxy_and_the_letter_case_of_variables(self):
        proxy = f"http://127.0.0.1:{harness.closed_port()}"
        config = (harness.provider("p", protocol="openai-chat", key_env=["STUB_KEY"],
                                   base_url="https://llmroute.invalid/v1") +
                  harness.model("m", provider="p", **harness.DEFAULT_MODEL))
        for env, through in (({"HTTPS_PROXY": proxy}, True), ({"https_proxy": proxy}, True),
                             ({"ALL_PROXY": proxy}, True), ({"HTTP_PROXY": proxy}, False),
                             ({"HTTPS_PROXY": proxy, "NO_PROXY": "llmroute.invalid"}, False),
                             ({"HTTPS_PROXY": proxy, "no_proxy": "*"}, False), ({}, False)):
            result = self.run_llmroute(
                ["run", "-m", "m", "--retries", "0", "--json", "-p", "x"],
                config=config, env=env)
            self.assert_status(result, 75)
            cause = result.json()["attempts"][0]["cause"]
            self.assertEqual(cause == "refused", through, (env, cause))

    def test_48_what_was_installed_is_taken_away(self):
        place = pathlib.Path(self.home.file("to"))
        for name in ("bin/llmroute", "share/man/man1/llmroute.1"):
            (place / name).parent.mkdir(parents=True)
            (place / name).touch()
        listed = "".join(f"{place / name}\n" for name in (
            "bin/llmroute", "share/man/man1/llmroute.1", "share/gone/already"))
        manifest = self.home.write("install_manifest.txt", listed)
        subprocess.run(["cmake", f"-DMANIFEST={manifest}", "-P",
                        harness.SOURCE_DIR / "cmake/uninstall.cmake"], check=True,
                       stdout=subprocess.DEVNULL, env=self.home.environment())
        self.assertEqual([p for p in place.rglob("*") if p.is_file()], [])


if __name__ == "__main__":
    unittest.main()
