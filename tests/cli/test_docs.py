"""docs/: what sources refer to is there, and numbers are those of the program."""

import pathlib
import re
import unittest

import harness

ROOT = harness.SOURCE_DIR
RELIABILITY = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")

# Phrase of the document -> file and what stands there.
NUMBERS = (
    ("attempts at one model | 3 | 5 |", "src/app/attempt_plan.h",
     "attempts_per_candidate = 3;"),
    ("attempts at one model | 3 | 5 |", "src/app/batch_run.cc",
     "limits.attempts_per_candidate : 5;"),
    ("attempts in all | 6 | 10 |", "src/app/attempt_plan.h",
     "attempts_per_request = 6;"),
    ("attempts in all | 6 | 10 |", "src/app/batch_run.cc",
     "limits.attempts_per_request : 10;"),
    ("0.5 s x 2^(n-1)", "src/app/attempt_plan.h", "base_transient{500};"),
    ("a 429 without a hint 1 s x", "src/app/attempt_plan.h",
     "base_throttled{1000};"),
    ("no longer than | 8 s | 60 s |", "src/app/attempt_plan.h", "cap{8000};"),
    ("no longer than | 8 s | 60 s |", "src/app/batch_run.cc",
     "cap = milliseconds(60'000);"),
    ("up to | 60 s | 120 s |", "src/app/attempt_plan.h", "longest_hint{60'000};"),
    ("up to | 60 s | 120 s |", "src/app/batch_run.cc",
     "longest_hint = milliseconds(120'000);"),
    ("an hour at most", "src/app/batch_failure.cc",
     "kLongestModelHold{3'600'000};"),
    ("during the first 10 minutes", "src/app/batch_dispatch.h",
     "longest_holds{600'000};"),
    ("has 20 retries in hand", "src/batch/pace.h", "kRetryBudget = 20;"),
    ("gives back a tenth", "src/batch/pace.h", "kRetryReturn = 0.1;"),
    ("fails 5 times in a row", "src/core/breaker.h", "kConsecutive = 5;"),
    ("at least 10\n  calls", "src/core/breaker.h", "kFewest = 10;"),
    ("the last 60 s, is left alone for 5 s", "src/core/breaker.h", "kWindow{60};"),
    ("the last 60 s, is left alone for 5 s", "src/core/breaker.h",
     "kFirstPause{5};"),
    ("up to 300 s", "src/core/breaker.h", "kLongestPause{300};"),
    ("Five successes in a row", "src/core/breaker.h", "kForgetAfter = 5;"),
    ("nobody answers for 10 minutes", "src/core/config.h", "give_up{600'000};"),
    ("name, connection and TLS | 10 s |", "src/core/config.h", "connect{10'000};"),
    ("the answer begins (`run`) | 300 s |", "src/core/config.h",
     "first_token{300'000};"),
    ("silence within an answer | 60 s |", "src/core/config.h", "idle{60'000};"),
    ("the whole of it | 600 s |", "src/core/config.h", "total{600'000};"),
    ("At most 256 records, or twice `--jobs`", "src/app/batch_admit.cc",
     "kWindow = 256;"),
    ("64 MiB of results", "src/app/batch_admit.cc", "size_t{64} << 20;"),
    ("last second, or the last 64", "src/batch/journal.h", "kGroupRecords = 64;"),
    ("last second, or the last 64", "src/batch/journal.h", "kGroupTime{1000};"),
    ("under way 5 seconds", "src/app/batch_run.cc", "kPatience{5000};"),
    ("locked for more\n  than 5 seconds", "src/app/ledger_book.cc",
     "std::chrono::seconds(5)};"),
    ("locked for\n  30 seconds", "src/app/ledger_book.cc",
     "std::chrono::seconds(30)};"),
)


class Docs(unittest.TestCase):
    def test_documents_that_sources_refer_to_are_there(self):
        named = set()
        for folder in ("src", "man", "examples"):
            for path in (ROOT / folder).rglob("*"):
                if path.suffix in (".h", ".cc", ".py", ".5", ".1", ".sh"):
                    named |= set(re.findall(r"\bdocs/[\w.-]+\.md", path.read_text(
                        encoding="utf-8", errors="replace")))
        self.assertGreaterEqual(named, {"docs/reliability.md", "docs/providers.md"})
        for name in named:
            self.assertTrue((ROOT / name).exists(), name)

    def test_numbers_are_those_of_the_program(self):
        for phrase, file, there in NUMBERS:
            with self.subTest(phrase):
                self.assertIn(phrase, RELIABILITY)
                self.assertIn(there, (ROOT / file).read_text(encoding="utf-8"))

    def test_every_exit_status_is_there(self):
        table = (ROOT / "src/core/exit_status.h").read_text(encoding="utf-8")
        for number in re.findall(r"k\w+ = (\d+),", table):
            if number != "70":  # a bug; nothing is promised
                self.assertRegex(RELIABILITY, rf"(?m)^\| {number} \|")

    def test_every_fault_row_that_a_test_names_is_there(self):
        rows = set(re.findall(r"^\| ([A-Z]\d+) \|", RELIABILITY, re.M))
        named = set()
        for path in (ROOT / "tests/cli").glob("*.py"):
            named |= set(re.findall(r"def test_([A-Z]\d+)_",
                                    path.read_text(encoding="utf-8")))
        self.assertGreater(len(named), 50)
        self.assertEqual(set(), named - rows)

    def test_options_that_are_named_are_known(self):
        options = (ROOT / "src/cli/options.cc").read_text(encoding="utf-8")
        for page in (ROOT / "docs").glob("*.md"):
            text = page.read_text(encoding="utf-8")
            for name in re.findall(r"`--([a-z-]+)", text):
                self.assertIn(f'.name = "{name}"', options, page.name)


if __name__ == "__main__":
    unittest.main()
