"""What the README shows works as it stands there."""

import json
import os
import re
import shutil
import subprocess
import unittest

import harness
from test_explain import THREE

README = (harness.SOURCE_DIR / "README.md").read_text(encoding="utf-8")


def section(title):
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def commands(title):
    """The indented lines of a section: what a reader would type."""
    return [line[4:] for line in section(title).splitlines()
            if line.startswith("    ")]


class Readme(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.server = self.stub([{"text": "a fine answer"}])
        self.home.write(".config/llmroute/config.toml",
                        harness.stub_config(self.server, THREE))
        os.chmod(self.home.file(".config"), 0o700)
        work = self.home.file("work")
        os.symlink(harness.SOURCE_DIR / "examples", os.path.join(work, "examples"))
        os.makedirs(self.home.file("bin"))
        os.symlink(harness.BINARY, self.home.file("bin", "llmroute"))
        for name in ("report.txt", "proof.tex"):
            self.home.write(f"work/{name}", "Some text to read.\n")
        self.home.write("work/outcomes.jsonl", "".join(
            json.dumps({"prompt": f"{'prove' if i % 3 else 'say'} number {i}",
                        "scores": {"a": 1, "b": 0 if i % 3 else 1},
                        "cost": {"a": 0.004, "b": 0.0001}}) + "\n"
            for i in range(400)))
        for line in ("git init -q .", "git add report.txt"):
            subprocess.run(line.split(), cwd=work, check=True,
                           env=self.home.environment())

    def shell(self, line):
        env = self.home.environment()
        env["PATH"] = self.home.file("bin") + ":" + env["PATH"]
        return subprocess.run(["bash", "-o", "pipefail", "-c", line], env=env,
                              cwd=self.home.file("work"), stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60, check=False)

    def test_OAI_7_what_is_not_emulated_is_said(self):
        text = " ".join(README.split())
        self.assertIn("Assistants threads and runs are retired upstream and not emulated; "
                      "tools and instructions without files are covered", text)

    def test_every_recipe_works(self):
        recipes = commands("Recipes")
        self.assertGreaterEqual(len(recipes), 5)
        for line in recipes:
            if "jq" in line and not shutil.which("jq"):
                continue
            with self.subTest(line):
                # Without what was learned from the recipes before it.
                shutil.rmtree(self.home.file(".local"), ignore_errors=True)
                done = self.shell(line)
                self.assertEqual(done.returncode, 0, done.stderr.decode())
                self.assertTrue(done.stdout.strip())

    def test_a_router_model_of_the_outcomes_alone_routes(self):
        train, bench = [line for line in commands("Recipes") if "mine.model" in line]
        for line in (train, bench):
            done = self.shell(line)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn("routing saves", done.stdout.decode())

    def test_the_commands_on_batches_work_one_after_the_other(self):
        shown = re.search(r"\$ cat in.jsonl\n(.*?)```", section("Batches"), re.S)[1]
        self.home.write("work/in.jsonl", shown)
        self.home.write("work/reviews.jsonl", '{"text": "Not bad at all."}\n')
        self.home.write("work/requests.jsonl", json.dumps(
            {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions",
             "body": {"messages": [{"role": "user", "content": "Hi"}]}}) + "\n")
        said = {}
        for line in commands("Batches"):
            if "jq" in line and not shutil.which("jq"):
                continue
            with self.subTest(line):
                done = self.shell(line)
                said[line] = done.stdout.decode()
                self.assertEqual(done.returncode, 0, done.stderr.decode())
                quiet = " -o " in line or "select(.error)" in line
                self.assertEqual(bool(done.stdout.strip()), not quiet)
        # Two for -o, none for --dry-run nor again, and those of the filters.
        self.assertEqual(self.server.account()["requests"], 2 + 1 + 2 + 1)
        self.assertIn("1\tcheap\ta fine answer\nrow-17\tcheap\ta fine answer\n",
                      said.values())

    def test_the_configuration_shown_is_valid(self):
        for text in re.findall(r"```toml\n(.*?)```", README, re.S):
            result = self.run_llmroute(["config", "check"], config=text)
            self.assert_status(result, 0)

    def test_the_commands_on_the_ledger_work(self):
        self.assertEqual(self.shell("llmroute 'say hello'").returncode, 0)
        self.home.write("work/new.toml",
                        harness.stub_config(self.server, {"other": {}}))
        for line in commands("What it cost"):
            with self.subTest(line):
                done = self.shell(line)
                self.assertEqual(done.returncode, 0, done.stderr.decode())

    def test_the_git_hook_suggests_a_message(self):
        message = self.home.write("work/MSG", "# comment\n")
        done = self.shell(f"sh examples/prepare-commit-msg {message}")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        with open(message, encoding="utf-8") as file:
            self.assertEqual(file.read(), "a fine answer\n# comment\n")

    def test_the_statuses_shown_are_those_of_the_table(self):
        shown = {int(number) for row in re.findall(
            r"^\| ([\d ]+) \|", section("When something goes wrong"), re.M)
            for number in row.split()}
        table = (harness.SOURCE_DIR / "src/core/exit_status.h").read_text()
        known = {int(n) for n in re.findall(r"k\w+ = (\d+),", table)}
        self.assertLessEqual(shown, known)

    def test_files_and_commands_that_are_named_exist(self):
        for path in re.findall(r"`((?:examples|tests|models|bench|docs)/[\w./-]*)", README):
            self.assertTrue((harness.SOURCE_DIR / path).exists(), path)


if __name__ == "__main__":
    unittest.main()
