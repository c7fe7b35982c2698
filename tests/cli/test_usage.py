"""The words of the command line: help, version, commands, options, values,
variables, and what is said when one of them is wrong."""

import json
import os
import pty
import signal
import subprocess
import unittest

import harness

COMMANDS = ("run", "explain", "batch", "bench", "train", "models", "usage",
            "feedback", "replay", "config", "completion",
            "help", "version")
BROKEN = "= this is not TOML"


class Usage(harness.TestCase):
    def refused(self, args, message, **options):
        """Exit 64, one line on stderr, nothing on stdout."""
        result = self.run_llmroute(args, **options)
        self.assert_status(result, 64)
        self.assertEqual(result.out, b"")
        self.assertEqual(result.err, f"llmroute: {message}\n")

    def said(self, args, **options):
        result = self.run_llmroute(args, **options)
        self.assert_status(result, 0)
        self.assertEqual(result.err, "")
        return result.text


class Help(Usage):
    def test_h_is_short_and_fits_the_terminal(self):
        for command in ((),) + tuple((name,) for name in COMMANDS):
            with self.subTest(command):
                lines = self.said([*command, "-h"]).splitlines()
                self.assertLessEqual(max(map(len, lines)), 80)
                self.assertLessEqual(len(lines), 24)
                self.assertTrue(lines[0].startswith("usage: llmroute"))
                self.assertTrue(lines[-1].startswith("more: llmroute help"))

    def test_help_fits_the_terminal(self):
        for command in ((),) + tuple((name,) for name in COMMANDS):
            with self.subTest(command):
                lines = self.said([*command, "--help"]).splitlines()
                self.assertLessEqual(max(map(len, lines)), 80)

    def test_examples_come_before_options_and_groups_in_their_order(self):
        for args, parts in ((["-h"], ["Commands"]),
                            (["run", "-h"], ["Input", "Routing", "Request", "Output",
                                             "Limits"])):
            text = self.said(args)
            places = [text.index("one-line commit message")]
            places += [text.index(f"\n{part}\n") for part in parts]
            self.assertEqual(places, sorted(places))

    def test_help_is_the_same_however_it_is_asked_for(self):
        self.assertEqual(self.said(["--help"]), self.said(["help"]))
        for name in COMMANDS:
            self.assertEqual(self.said([name, "--help"]), self.said(["help", name]))
            self.assertEqual(self.said([name, "--help"]), self.said(["--help", name]))

    def test_help_and_version_work_whatever_else_is_wrong(self):
        config = self.home.write(".config/llmroute/config.toml", BROKEN)
        self.assertTrue(os.path.exists(config))
        bad = {"LLMROUTE_TIMEOUT": "soon", "LLMROUTE_CONFIG": "/nonexistent"}
        for args in (["--bogus", "--help"], ["--help", "--bogus"],
                     ["--timeout", "soon", "-h"], ["explian", "--help"],
                     ["-h", "-m"], ["--json=x", "-h"], ["version", "x", "-h"]):
            with self.subTest(args):
                self.assertIn("usage: llmroute", self.said(args, env=bad))
        for args in (["--version"], ["-V"], ["version"], ["--bogus", "-V"],
                     ["explain", "x y", "--version"]):
            with self.subTest(args):
                first = self.said(args, env=bad).splitlines()[0]
                self.assertRegex(first, r"^llmroute \d+\.\d+\.\d+$")

    def test_whichever_of_help_and_version_stands_first_is_answered(self):
        self.assertTrue(self.said(["-V", "-h"]).startswith("llmroute "))
        self.assertTrue(self.said(["-h", "-V"]).startswith("usage: "))

    def test_version_tells_what_it_was_built_of(self):
        text = self.said(["version"])
        self.assertRegex(text, r"(?m)^compiler: ")
        self.assertRegex(text, r"(?m)^router model: \S+ \(sha256 [0-9a-f]{64}\)$")
        self.assertRegex(text, r"(?m)^http: libcurl")
        quick = self.said(["--version"])  # opens no library
        self.assertTrue(text.startswith(quick))
        self.assertNotIn("http:", quick)

    def test_help_of_an_unknown_command(self):
        self.refused(["help", "explian"], "no help on 'explian': did you mean explain?")
        result = self.run_llmroute(["help", "foo"])
        self.assert_status(result, 64)
        self.assertIn("no help on 'foo': the commands are run, explain, batch", result.err)

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "wb") as full:
            for args in (["--help"], ["--version"], ["completion", "bash"]):
                result = self.run_llmroute(args, stdout=full)
                self.assert_status(result, 74)
                self.assertIn("No space left on device", result.err)

    def test_a_reader_that_went_away_ends_it_silently(self):
        reader, writer = os.pipe()
        os.close(reader)
        result = self.run_llmroute(["--help"], stdout=writer)
        os.close(writer)
        self.assert_status(result, -signal.SIGPIPE)
        self.assertEqual(result.err, "")


class Words(Usage):
    def test_a_lone_word_is_refused(self):
        self.refused(["explian"],
                     "unknown command 'explian' (did you mean explain?). To send it "
                     "as a prompt, put run before it: llmroute run explian")
        self.refused(["hello"], "unknown command 'hello'. To send it as a prompt, put run before it: "
                     "llmroute run hello")
        self.refused(["exlpain", "two words"],
                     "unknown command 'exlpain' (did you mean explain?). To send it "
                     "as a prompt, put run before it: llmroute run exlpain ...")
        self.refused(["mod"], "unknown command 'mod'. To send it as a prompt, put run before it: "
                     "llmroute run mod")

    def test_an_empty_word_is_an_empty_prompt(self):
        for args in ([""], ["run", ""]):
            result = self.run_llmroute(args, stdin="")
            self.assert_status(result, 66)
            self.assertIn("the prompt is empty", result.err)

    def test_a_prompt_with_white_space_runs(self):
        stub = self.stub([{"text": "answer"}])
        config = harness.stub_config(stub, {"m": {}})
        for args in (["hello there", "-m", "m"], ["-m", "m", "hello there"],
                     ["run", "hello", "there", "-m", "m"],
                     ["-m", "m", "run", "hello", "there"],
                     ["run", "-mm", "--", "hello", "there"],
                     ["--model=m", "--prompt", "hello there"],
                     ["-qmm", "hello there"]):
            with self.subTest(args):
                result = self.run_llmroute(args, config=config)
                self.assert_status(result, 0)
                self.assertEqual(result.out, b"answer\n")
        self.assertEqual({r.prompt for r in stub.requests()}, {"hello there"})

    def test_after_two_dashes_everything_is_prompt(self):
        stub = self.stub([{"text": "answer"}])
        config = harness.stub_config(stub, {"m": {}})
        for args in (["--", "bench"], ["run", "--", "--help"], ["--", "-"]):
            result = self.run_llmroute(["-m", "m", *args], config=config)
            self.assert_status(result, 0)
        self.assertEqual([r.prompt for r in stub.requests()],
                         ["bench", "--help", "-"])

    def test_a_dash_is_standard_input(self):
        stub = self.stub([{"text": "answer"}])
        config = harness.stub_config(stub, {"m": {}})
        result = self.run_llmroute(["-m", "m", "-"], stdin="from stdin",
                                   config=config)
        self.assert_status(result, 0)
        self.assertEqual(stub.requests()[0].prompt, "from stdin")

    def test_unknown_options(self):
        self.refused(["run", "--modle", "x"],
                     "unknown option '--modle' (did you mean --model?)")
        self.refused(["run", "--mode", "x"],
                     "unknown option '--mode' (did you mean --model?)")
        for other in "--max-output-tokens", "--max-completion-tokens=5":
            self.refused([other], f"unknown option '{other}' "
                         "(did you mean --max-tokens?)")
        self.refused(["config", "show", "x.toml"], "'config show' takes no "
                     "operands; -c FILE names the configuration")
        for twice in (["x.toml", "y.toml"], ["-c", "x.toml", "y.toml"]):
            self.refused(["config", "check", *twice],
                         "'config check' takes one file, or -c FILE")
        self.refused(["-Z"], "unknown option '-Z'")
        self.refused(["models", "--worth", "1"],
                     "option --worth does not go with 'models' (it goes with run, "
                     "explain, batch)")

    def test_no_secret_can_be_given_as_an_option(self):
        for word in ("--key", "--api-key", "--token"):
            result = self.run_llmroute(["run", word, "x", "y"])
            self.assert_status(result, 64)

    def test_values_that_are_missing_or_too_many(self):
        self.refused(["run", "-m"], "--model needs a value (NAME[,NAME...])")
        self.refused(["run", "--json=yes", "x"], "--json takes no value")
        self.refused(["version", "x"], "'version' takes no operands")
        self.refused(["help", "me", "with", "this"],
                     "'help' takes [COMMAND|toml|jsonl]; to send a prompt that begins with "
                     "that word, put run before it: llmroute run help ...")
        self.refused(["completion"], "'completion' takes bash|zsh|fish")
        self.refused(["completion", "tcsh"],
                     "'completion' takes one of bash, zsh, fish")
        self.refused(["config"],
                     "'config' needs one of path, show, check, init, get")

    def test_a_word_of_the_terminal_is_shown_not_obeyed(self):
        result = self.run_llmroute(["--\x1b[31mred"])
        self.assert_status(result, 64)
        self.assertNotIn("\x1b", result.err)
        self.assertEqual(result.err.count("\n"), 1)
        result = self.run_llmroute(["--two\nlines"])
        self.assertEqual(result.err.count("\n"), 1)


class Values(Usage):
    def test_a_bad_value_names_option_and_value(self):
        for option, value in (("--timeout", "soon"), ("--max-cost", "1e400"),
                              ("--max-tokens", "-1"), ("--temperature", "warm"),
                              ("--retries", "1.5"), ("--format", "yaml"),
                              ("--worth", "0,05"), ("--stdin-timeout", "0")):
            with self.subTest(option):
                result = self.run_llmroute(["run", option, value, "hello there"])
                self.assert_status(result, 64)
                self.assertTrue(result.err.startswith(
                    f"llmroute: {option}: bad value '{value}': expected "))

    def test_numbers_do_not_depend_on_the_locale(self):
        for locale in ("C", "de_DE.UTF-8"):
            result = self.run_llmroute(
                ["explain", "--worth", "0.25", "--no-timing", "hello there"],
                env={"LC_ALL": locale})
            self.assert_status(result, 0)
            self.assertIn("$0.25", result.text)

    def test_a_bad_variable_is_an_error_that_names_it(self):
        for name, value in (("LLMROUTE_TIMEOUT", "soon"),
                            ("LLMROUTE_MAX_COST", "much"),
                            ("LLMROUTE_STDIN", "always"), ("LLMROUTE_TAGS", "x"),
                            ("LLMROUTE_OFFLINE", "maybe")):
            with self.subTest(name):
                result = self.run_llmroute(["run", "hello there"], env={name: value})
                self.assert_status(result, 64)
                self.assertTrue(result.err.startswith(
                    f"llmroute: {name}: bad value '{value}': expected "))

    def test_an_empty_variable_is_as_if_unset(self):
        env = {name: "" for name in (
            "LLMROUTE_TIMEOUT", "LLMROUTE_MAX_COST", "LLMROUTE_STDIN",
            "LLMROUTE_CONFIG", "LLMROUTE_MODEL", "LLMROUTE_OFFLINE")}
        self.assert_status(self.run_llmroute(["explain", "hello there"], env=env), 0)

    def test_a_later_option_wins(self):
        stub = self.stub([{"text": "answer"}])
        config = harness.stub_config(stub, {"a": {}, "b": {}})
        self.run_llmroute(["-m", "a", "hello there", "-m", "b"], config=config)
        result = self.run_llmroute(["-m", "a", "x y", "--json", "--format", "text"],
                                   config=config)
        self.assertEqual(result.out, b"answer\n")
        self.assertEqual([r.model for r in stub.requests()], ["b", "a"])

    def test_options_win_over_variables(self):
        stub = self.stub([{"text": "answer"}])
        config = harness.stub_config(stub, {"a": {}, "b": {}})
        for args in ([], ["-m", "b"]):
            result = self.run_llmroute(["hello there", *args], config=config,
                                       env={"LLMROUTE_MODEL": "a"})
            self.assert_status(result, 0)
        self.assertEqual([r.model for r in stub.requests()], ["a", "b"])

    def test_color_does_not_swallow_the_next_word(self):
        stub = self.stub([{"text": "answer"}])
        config = harness.stub_config(stub, {"a": {}})
        result = self.run_llmroute(["-m", "a", "--color", "hello there"],
                                   config=config)
        self.assert_status(result, 0)
        self.assertEqual(stub.requests()[0].prompt, "hello there")


class Errors(Usage):
    def test_an_error_can_be_an_object(self):
        for args in (["run", "--modle", "x", "--error-format", "json"],
                     ["--error-format=json", "explian"],
                     ["--error-format=json", "run", "--timeout", "soon", "x"]):
            with self.subTest(args):
                result = self.run_llmroute(args)
                self.assert_status(result, 64)
                error = json.loads(result.err.splitlines()[-1])
                self.assertEqual(error["code"], "usage")
                self.assertEqual(error["exit"], 64)
                self.assertIs(error["retryable"], False)
                self.assertTrue(error["message"])

    def test_standard_descriptors_may_be_closed(self):
        # What stdout was to hold is lost if it is closed, and that is told.
        for closed, wanted in (("<&-", 0), (">&-", 74), ("2>&-", 0),
                               ("<&- >&- 2>&-", 74)):
            with self.subTest(closed):
                status = subprocess.run(
                    ["sh", "-c", f'"$0" "$@" {closed}', harness.BINARY, "explain",
                     "hello there"], env=self.home.environment(),
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
                self.assertEqual(status, wanted)

    def test_a_closed_stderr_does_not_end_up_in_a_file(self):
        out = self.home.file("out.txt")
        subprocess.run(["sh", "-c", '"$0" "$@" 2>&- >&-', harness.BINARY, "run",
                        "--modle", "-o", out, "x"], env=self.home.environment())
        self.assertFalse(os.path.exists(out))

    def test_a_terminal_without_input_is_shown_the_help(self):
        for args, usage in (([], "usage: llmroute [OPTION]... [PROMPT]"),
                            (["explain"], "usage: llmroute explain")):
            master, slave = pty.openpty()
            self.addCleanup(os.close, master)
            process = subprocess.run(
                [harness.BINARY, *args], stdin=slave, capture_output=True, text=True,
                env=self.home.environment(), timeout=10)
            os.close(slave)
            self.assertEqual(process.returncode, 64)
            self.assertEqual(process.stdout, "")
            self.assertTrue(process.stderr.startswith(usage))

    def test_no_input_at_all_is_status_66(self):
        self.assert_status(self.run_llmroute([]), 66)
        self.assert_status(self.run_llmroute([], stdin=" \n"), 66)

    def test_redirected_output_holds_no_escapes(self):
        for args in (["--help"], ["-h"], ["explain", "hello there"], ["models",
                     "--all"], ["explian"], ["config", "show"]):
            result = self.run_llmroute(args, env={"TERM": "xterm-256color"})
            self.assertNotIn(b"\x1b", result.out)
            self.assertNotIn("\x1b", result.err)


class StartUp(Usage):
    def test_version_opens_no_library_but_libc_and_no_file_of_ours(self):
        out = subprocess.run(
            ["ldd", harness.BINARY], capture_output=True, text=True).stdout
        for library in ("curl", "ssl", "simdjson", "fmt", "re2", "sqlite"):
            self.assertNotIn(f"lib{library}", out)

    def test_version_is_answered_at_once(self):
        best = min(self.run_llmroute(["--version"]).elapsed for _ in range(5))
        self.assertLess(best, 0.5)  # even under a sanitizer


if __name__ == "__main__":
    unittest.main()
