"""Manual pages and completions: as committed, as the program says, well formed."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

import harness

COMMANDS = ("run", "explain", "batch", "bench", "train", "models", "usage", "feedback",
            "replay", "config", "completion", "help", "version")


class Documents(harness.TestCase):
    def say(self, *args, **options):
        result = self.run_llmroute(args, **options)
        self.assert_status(result, 0)
        return result.text

    def names(self):
        return self.say("__document").split()

    def options_of(self, command):
        """Long options as `--help` of the command lists them."""
        text = self.say(command, "--help")
        options = re.findall(r"^  (?:-\w, |    )(--[a-z-]+)", text, re.M)
        self.assertIn("--version", options)
        return options

    def committed(self, name):
        return (harness.SOURCE_DIR / name).read_text(encoding="utf-8")

    def test_committed_documents_are_those_of_the_program(self):
        for name in self.names():
            with self.subTest(name):
                self.assertEqual(
                    self.committed(name), self.say("__document", name),
                    "run: cmake --build BUILD --target docs")

    def test_no_other_document_is_committed(self):
        folders = {os.path.dirname(name) for name in self.names()}
        self.assertEqual(folders, {"man", "completions"})
        there = {f"{folder}/{file.name}" for folder in folders
                 for file in (harness.SOURCE_DIR / folder).iterdir()}
        self.assertEqual(there, set(self.names()))

    def test_completion_prints_the_committed_script(self):
        for shell, name in (("bash", "llmroute.bash"), ("zsh", "_llmroute"),
                            ("fish", "llmroute.fish")):
            self.assertEqual(self.say("completion", shell),
                             self.committed(f"completions/{name}"))

    def test_pages_have_no_dates_and_no_paths_of_the_build(self):
        for name in self.names():
            text = self.committed(name)
            self.assertNotRegex(text, r"\b20\d\d-\d\d-\d\d\b", name)
            self.assertNotIn(str(harness.SOURCE_DIR), text, name)

    def test_pages_are_clean_under_mandoc(self):
        if not shutil.which("mandoc"):
            self.skipTest("mandoc is not installed")
        for name in self.names():
            if not name.startswith("man/"):
                continue
            found = subprocess.run(
                ["mandoc", "-Tlint", harness.SOURCE_DIR / name],
                capture_output=True, text=True).stdout.splitlines()
            # The date is left out on purpose.
            rest = [line for line in found if "missing date" not in line]
            self.assertEqual(rest, [])
            self.assertEqual(len(found), 1, f"{name} has a date")

    def test_pages_read_well_on_narrow_screens(self):
        """No name is hyphenated, so that it can be copied and looked for; only
        examples are wider than the screen."""
        if not shutil.which("groff"):
            self.skipTest("groff is not installed")
        for name in self.names():
            if not name.startswith("man/"):
                continue
            page = self.plain(self.committed(name))
            examples = {" ".join(line.split()) for block in re.findall(
                r"(?s)\n\.nf\n(.*?)\.fi\n", page) for line in block.splitlines()}
            for width in (60, 80):
                lines = self.shown(name, width)
                for line, after in zip(lines, lines[1:] + [""]):
                    with self.subTest(name, width=width, line=line):
                        if len(line) > width:
                            self.assertIn(" ".join(line.split()), examples)
                        word = line.split()[-1] + after.split()[0] if re.search(
                            r"\w-$", line) else ""
                        self.assertTrue(word in page, f"{word} is hyphenated")

    def plain(self, roff):
        for text, by in ((r"\e", "\\"), (r"\-", "-"), (r"\(aq", "'"), (r"\(ti", "~"),
                         (r"\(ha", "^"), (r"\(ga", "`"), (r"\&", ""), (r"\fB", ""),
                         (r"\fI", ""), (r"\fP", "")):
            roff = roff.replace(text, by)
        return roff

    def shown(self, name, width):
        shown = subprocess.run(
            ["groff", "-man", "-Tascii", "-P-c", f"-rLL={width}n",
             harness.SOURCE_DIR / name], capture_output=True, text=True, check=True).stdout
        return re.sub(".\b", "", shown).splitlines()

    def test_pages_have_their_sections_in_order(self):
        expected = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS",
                    "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO"]
        for name in self.names():
            if not name.endswith(".1"):
                continue
            sections = re.findall(r"^\.SH (.*)", self.committed(name), re.M)
            sections = [s for s in sections if s != "COMMANDS"]
            heeds_none = name.endswith(("-completion.1", "-help.1", "-version.1"))
            self.assertEqual(sections, [s for s in expected
                                        if s != "ENVIRONMENT" or not heeds_none], name)

    def test_a_page_has_the_variables_that_its_command_heeds(self):
        for name, some, others in (
                ("run", ("LLMROUTE_MODEL", "HTTPS_PROXY"), ()),
                ("config", ("LLMROUTE_CONFIG", "OLLAMA_HOST"), ("HTTPS_PROXY", "LLMROUTE_RUN")),
                ("feedback", ("LLMROUTE_LEDGER",), ("OPENAI_API_KEY", "LLMROUTE_CONFIG"))):
            page = self.committed(f"man/llmroute-{name}.1")
            for variable in some:
                self.assertIn(f"\\fB{variable}", page)
            for variable in others:
                self.assertNotIn(variable, page)

    def test_help_prints_the_pages_of_the_file_formats(self):
        for word, page in (("toml", "llmroute.toml"), ("jsonl", "llmroute-jsonl")):
            text = self.say("help", word)
            self.assertEqual(text, self.say("help", page))
            self.assertNotRegex(text, r"(?m)^\.|\\f|\\\(")
            source = self.committed(f"man/{page}.5")
            for title in re.findall(r"(?m)^\.SH (.*)", source):
                self.assertIn(f"\n{title}\n", "\n" + text)
            prose = text.split("\nEXAMPLES\n")[0]
            self.assertLessEqual(max(map(len, prose.splitlines())), 80)
        self.assertIn("\n  min_difficulty\n", self.say("help", "toml"))

    def test_every_option_is_in_every_document(self):
        for command in COMMANDS:
            page = f"man/llmroute-{command}.1"
            for option in self.options_of(command):
                with self.subTest(f"{command} {option}"):
                    roff = option.replace("-", "\\-")
                    self.assertIn(f"\\fB{roff}\\fP", self.committed(page))
                    self.assertIn(option, self.committed("completions/llmroute.bash"))
                    self.assertIn(option, self.committed("completions/_llmroute"))
                    self.assertRegex(
                        self.committed("completions/llmroute.fish"),
                        rf"(?m)__llmroute_in[^']*\b{command}\b[^']*' .*"
                        rf"-l {option[2:]}\b")

    def test_every_exit_status_is_in_the_manual(self):
        help_text = self.say("--help").split("Exit status\n")[1]
        numbers = re.findall(r"^ +(\d+)  ", help_text, re.M)
        self.assertIn("75", numbers)
        for number in numbers:
            self.assertIn(f"\n\\fB{number}\\fP\n", self.committed("man/llmroute.1"))

    def test_a_command_lists_the_statuses_it_can_end_with(self):
        for command in COMMANDS:
            text = self.say(command, "--help").split("\nExit status")[-1]
            numbers = [int(n) for n in re.findall(r"\b(\d+)\s+[a-z]", text)]
            self.assertEqual(numbers, sorted(set(numbers)))
            self.assertLessEqual({0, 64, 70, 71, 74}, set(numbers))
            self.assertEqual(3 in numbers, command == "run")
            self.assertEqual(76 in numbers, command == "run")
            self.assertLess(text.count("\n"), 6)
            section = self.committed(f"man/llmroute-{command}.1").split(
                ".SH EXIT STATUS")[1].split(".SH ")[0]
            self.assertEqual([int(n) for n in re.findall(r"\n\\fB(\d+)\\fP\n", section)],
                             numbers)

    def test_every_command_is_in_help_and_manual(self):
        page = self.committed("man/llmroute.1")
        for command in COMMANDS:
            self.assertRegex(self.say("-h"), rf"(?m)^  (\w+, )*{command}\b")
            self.assertIn(f"\n\\fB{command}\\fP\n", page)

    def test_the_example_of_the_configuration_is_valid(self):
        page = self.committed("man/llmroute.toml.5")
        block = page.split(".SH EXAMPLES")[1].split(".nf\n")[1].split(".fi\n")[0]
        text = (block.replace("\\e", "\\").replace("\\-", "-")
                .replace("\\(aq", "'").replace("\\(ti", "~").replace("\\&", ""))
        self.assertIn("[[rules]]", text)
        path = self.home.write("example.toml", text)
        self.assert_status(self.run_llmroute(["config", "check", "-c", path]), 0)

    def test_models_named_in_examples_are_known(self):
        models = self.say("__complete", "models").split()
        named = re.findall(r"-m ([\w.,-]+)", self.say("--help"))
        named = [m for group in named for m in group.split(",") if m != "NAME"]
        self.assertTrue(named)
        for model in named:
            self.assertIn(model, models)

    def test_variables_of_the_manual_are_those_of_the_help(self):
        text = self.say("--help").split("\nEnvironment\n")[1]
        for name in re.findall(r"^  (LLMROUTE_\w+)", text, re.M):
            self.assertIn(f"\\fB{name}\\fP", self.committed("man/llmroute.1"))


class Installation(unittest.TestCase):
    def keep(self, manifest):
        """An earlier installation can still be removed after the test."""
        before = manifest.read_bytes() if manifest.exists() else None

        def restore():
            if before is None:
                manifest.unlink(missing_ok=True)
            else:
                manifest.write_bytes(before)
        self.addCleanup(restore)

    def test_documents_are_installed_where_they_are_looked_for(self):
        build = pathlib.Path(harness.BINARY).parent
        if not (build / "cmake_install.cmake").exists():
            self.skipTest("the program does not stand in its build directory")
        home = harness.Home()
        self.addCleanup(home.remove)
        self.keep(build / "install_manifest.txt")
        subprocess.run(["cmake", "--install", build, "--prefix", home.file("to")],
                       check=True, stdout=subprocess.DEVNULL,
                       env=home.environment({"DESTDIR": None}))
        for path in ("bin/llmroute", "share/man/man1/llmroute.1",
                     "share/man/man5/llmroute.toml.5",
                     "share/man/man5/llmroute-jsonl.5",
                     "share/bash-completion/completions/llmroute",
                     "share/zsh/site-functions/_llmroute",
                     "share/fish/vendor_completions.d/llmroute.fish"):
            self.assertTrue(os.path.exists(home.file("to", path)), path)
        self.assertEqual(os.path.exists(home.file("to/lib/llmroute/llmroute-http.so")),
                         (build / "llmroute-http.so").exists())
        self.assertEqual(*(subprocess.run(
            [program, "version"], check=True, capture_output=True).stdout
            for program in (build / "llmroute", home.file("to/bin/llmroute"))))


if __name__ == "__main__":
    unittest.main()
