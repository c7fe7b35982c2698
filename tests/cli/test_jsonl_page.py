"""llmroute-jsonl(5) says what the program does: every field that is read or
written, every error code, and examples that come out as they stand there."""

import re
import unittest

import harness

PAGE = (harness.SOURCE_DIR / "man/llmroute-jsonl.5").read_text(encoding="utf-8")


def source(name):
    return (harness.SOURCE_DIR / "src/batch" / name).read_text(encoding="utf-8")


def plain(roff):
    """Roff text as it is read."""
    for escape, char in (("\\fB", ""), ("\\fP", ""), ("\\fI", ""), ("\\-", "-"),
                         ("\\(aq", "'"), ("\\(ti", "~"), ("\\(ga", "`"),
                         ("\\(ha", "^"), ("\\&", ""), ("\\e", "\\")):
        roff = roff.replace(escape, char)
    return roff


def section(title, level="SH"):
    """A section; of a subsection only what stands before the next one."""
    rest = PAGE.split(f".{level} {title}\n")[1]
    return re.split(r"^\.SH " if level == "SH" else r"^\.S[HS] ", rest,
                    maxsplit=1, flags=re.M)[0]


def terms(text):
    """The terms of a section's lists."""
    found = re.findall(r"^\.TP\n(.*)$", text, re.M)
    return [name for line in found for name in plain(line).split(", ")]


def table(text, name):
    """Names of the rows of a table of fields, in order."""
    rows = text.split(f" {name}[] = {{")[1].split("\n};")[0]
    return re.findall(r'\{"(\w+)", \w+\}', rows)


def written(text, function):
    """Keys that a function writes."""
    body = re.search(rf"^[\w:]+ {function}\(.*?^}}", text, re.M | re.S)[0]
    return re.findall(r'(?:field|key)\("(\w+)"|write_\w+\(json, "(\w+)"', body)


class JsonlPage(harness.TestCase):
    maxDiff = None

    def test_every_field_of_a_native_record_is_there_in_its_order(self):
        self.assertEqual(terms(section("Native", "SS")),
                         table(source("native_record.cc"), "kFields"))

    def test_every_field_of_an_openai_record_is_there(self):
        text = source("openai_record.cc")
        named = terms(section("OpenAI batch", "SS"))
        outer, body = table(text, "kFields"), [
            *table(text, "kChatFields"), *table(text, "kResponsesFields")]
        self.assertGreater(len(body), 30)
        self.assertEqual(named[:len(outer)], outer)
        self.assertEqual(sorted(named[len(outer):]), sorted(body))

    def test_every_name_that_is_never_taken_is_there(self):
        rows = source("record_fields.cc").split("kRefused[] = {")[1].split("};")[0]
        refused = re.findall(r'"(\w+)"', rows)
        self.assertGreater(len(refused), 20)
        text = section("What a record cannot say", "SS")
        for name in refused:
            self.assertIn(f"\\fB{name}\\fP", text)

    def test_every_key_of_a_row_is_there(self):
        text = (harness.SOURCE_DIR / "src/learning/rows.cc").read_text(encoding="utf-8")
        keys = re.findall(r'\bobject(?:\[|, )"(\w+)"', text)
        self.assertGreater(len(keys), 15)
        self.assertEqual(set(terms(section("ROWS OF TRAIN AND BENCH"))), set(keys))

    def test_every_error_code_is_there(self):
        named = set(terms(section("ERRORS")))
        text = source("record_error.h")
        codes = text.split("Stable, for scripts:")[1].split(".\n")[0]
        own = re.findall(r"[a-z]\w+", codes)
        status = re.findall(r"^  k\w+ = (?!0,)\d+", (
            harness.SOURCE_DIR / "src/core/exit_status.h").read_text(), re.M)
        self.assertEqual(named & set(own), set(own))
        self.assertIn("incomplete", named)
        self.assertEqual(len(named), len(own) + len(status) + 2)

    def test_every_field_of_results_is_there(self):
        text = source("result_line.cc")
        keys = [a or b for a, b in written(text, "write_native")]
        outer = [key for key in keys if key not in ("output", "usd", "estimated", "input")]
        # What is written by a function of its own.
        outer += ["model", "route", "error", "input"]
        results = section("RESULTS")
        native, openai = results.split(".SS OpenAI batch\n")
        self.assertEqual(set(terms(native)), set(outer))
        keys = [a or b for a, b in written(text, "write_extras")]
        self.assertGreater(len(keys), 7)
        for key in [*keys, "custom_id", "response", "status_code", "request_id",
                    "body", "error", "input"]:
            self.assertIn(f"\\fB{key}\\fP", openai)

    def test_every_field_of_the_journal_is_there_in_its_order(self):
        frames = re.findall(r"std::string encode_frame\((.*?)^}",
                            source("journal_frame.cc"), re.M | re.S)
        keys = [re.findall(r'(?:field|key)\("(\w+)"', frame) for frame in frames]
        self.assertEqual(len(keys), 4)
        parts = section("JOURNAL").split(".SS ")[1:]
        self.assertEqual([part[0] for part in parts], list("HARE"))
        for part, frame in zip(parts, keys):
            self.assertEqual(sorted(terms(part)), sorted(frame))

    def test_every_field_of_the_manifest_is_there(self):
        text = source("split.cc")
        written_there = (text.split("JsonWriter manifest_line")[1].split("}\n")[0] +
                         text.split("JsonWriter line = manifest_line")[1] +
                         text.split("JsonWriter line = manifest_line")[2])
        keys = set(re.findall(r'(?:field|key)\("(\w+)"', written_there))
        choice = source("result_body.cc").split("void write_tool_choice")[1].split("\n}\n")[0]
        keys |= set(re.findall(r'(?:field|key)\("(\w+_\w+)"', choice))
        named = terms(section("MANIFEST"))
        self.assertEqual(set(named), keys - {"code", "message"})
        self.assertEqual(len(named), 16)

    def test_the_examples_come_out_as_they_stand_there(self):
        records, results = (plain(block.split(".fi\n")[0]) for block in
                            section("EXAMPLES").split(".nf\n")[1:])
        # Answers have no id here, so that one is made.
        stub = self.stub([{"text": "Yes.", "headers": {"x-request-id": None}}])
        config = harness.provider(
            "lab", protocol="openai-chat", base_url=stub.base_url,
            key_env=["STUB_KEY"]) + harness.model(
                "small", provider="lab", **harness.DEFAULT_MODEL)
        done = self.run_llmroute(["batch", "--no-timing"], stdin=records,
                                 config=config)
        self.assert_status(done, 1)  # one has a slip in it
        ids = re.compile(r"\b(batch_req|req|chatcmpl)(_|-)[0-9a-f]{16}_")
        self.assertEqual(ids.sub("ID", done.text), ids.sub("ID", results))
        self.assertEqual(ids.sub("ID", results).count('"ID3"'), 3)


if __name__ == "__main__":
    unittest.main()
