"""--schema: an answer in a form, asked for and checked here."""

import json
import unittest

import harness
from provider_case import ProviderCase, each_protocol

TAGS = {"tags": ["json"]}
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}},
          "required": ["name"], "additionalProperties": False}
LOOSE = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1.50}}}


def sent(protocol, body):
    """(schema, strict) of a request."""
    if protocol == "openai-chat":
        form = body["response_format"]
        assert form["type"] == "json_schema"
        return form["json_schema"]["schema"], form["json_schema"]["strict"]
    if protocol == "openai-responses":
        form = body["text"]["format"]
        assert form["type"] == "json_schema" and form["name"]
        return form["schema"], form["strict"]
    if protocol == "anthropic":
        form = body["output_config"]["format"]
        assert form["type"] == "json_schema"
        return form["schema"], None
    if protocol == "gemini":
        form = body["generationConfig"]
        assert form["responseMimeType"] == "application/json"
        return form["responseJsonSchema"], None
    return body["format"], None


class Schema(ProviderCase):
    def setUp(self):
        super().setUp()
        self.file = self.home.write("schema.json", json.dumps(SCHEMA, indent=2))

    def form(self, rules, *args, **options):
        return self.ask(rules, args=["--schema", self.file, *args], model=TAGS, **options)

    @each_protocol
    def test_OAI_5_forwarded_in_each_protocols_form(self, protocol):
        for schema, strict, answer in ((SCHEMA, True, '{"name": "x"}'), (LOOSE, False, '{"n": 2}')):
            path = self.home.write("one.json", json.dumps(schema))
            _, stub = self.answered([{"text": answer}], answer + "\n", protocol,
                                    ["--schema", path], model=TAGS)
            body = self.posts(stub)[0].json()
            got, its = sent(protocol, body)
            self.assertEqual(got, schema)
            self.assertIn(its, (strict, None))

    def test_OAI_5_an_answer_that_does_not_fit_is_65_and_still_printed(self):
        for text, why in (('{"name": 1}', "at /name: no string"),
                          ('{"name": "a", "x": 1}', "at /x: nothing may be here"),
                          ("Sure! {}", "not valid JSON"), ('{"name": "a"', "not valid JSON")):
            result, stub = self.form([{"text": text}])
            self.assert_status(result, 65)
            self.assertEqual(result.text, text + "\n")
            self.assertIn("the answer does not fit the schema: " + why, result.err)
            self.asked(stub, 1)
        result, _ = self.form([{"text": "[]"}], "--json")
        self.assert_status(result, 65)
        self.assertEqual(result.json()["error"]["exit"], 65)
        self.assertEqual(result.json()["text"], "[]")

    def test_what_does_not_fit_never_takes_the_place_of_a_file(self):
        path = self.home.write("out", "old")
        result, _ = self.form([{"text": "[]"}], "-o", path)
        self.assert_status(result, 65)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "old")

    def test_an_answer_that_is_not_whole_stays_3(self):
        result, _ = self.form([{"text": '{"name": "', "finish": "length"}])
        self.assert_status(result, 3)
        result, _ = self.form([{"text": ""}])
        self.assert_status(result, 3)

    def test_extract_looks_at_the_block(self):
        rules = [{"text": 'Here:\n```json\n{"name": "a"}\n```\nDone.'}]
        result, _ = self.form(rules)
        self.assert_status(result, 65)
        result, _ = self.form(rules, "-x")
        self.assert_status(result, 0)
        self.assertEqual(result.text, '{"name": "a"}\n')

    def test_calls_are_not_held_against_the_schema(self):
        tools = self.home.write("tools.json", '[{"name": "f"}]')
        result, _ = self.ask([{"tool_calls": [{"name": "f", "arguments": "{}"}]}],
                             args=["--schema", self.file, "--tools", tools],
                             model={"tags": ["json", "tools"]})
        self.assert_status(result, 0)

    def test_OAI_5_models_without_the_tag_are_excluded_with_that_reason(self):
        stub = self.stub([{"text": '{"name": "x"}'}])
        config = harness.stub_config(stub, {
            "plain": {"ability": 5}, "able": {"ability": -5, "tags": ["json"]}})
        result = self.run_llmroute(["run", "--schema", self.file, "-p", "x"], config=config)
        self.assert_status(result, 0)
        self.assertEqual([r.model for r in stub.requests()], ["able"])
        result = self.run_llmroute(["explain", "-m", "plain,able",
                                    "--schema", self.file, "x"], config=config)
        self.assert_status(result, 0)
        self.assertRegex(result.text, "excluded +not tagged json: plain")
        report = self.run_llmroute(["explain", "--json", "--schema", self.file, "x"],
                                   config=config).json()
        self.assertIn(("plain", "not tagged json"),
                      [(e["model"], e["reason"]) for e in report["excluded"]])

    def test_a_schema_that_cannot_be_enforced_is_65_and_nothing_is_sent(self):
        for text, why in (("{", "not valid JSON"),
                          ('{"properties": {"a": {"if": {}}}}', "at #/properties/a/if: keyword 'if'"),
                          ('{"pattern": "(?=x)"}', "RE2"), ('{"$ref": "#"}', "refers to itself")):
            path = self.home.write("bad.json", text)
            for command in (["run", "-p", "x"], ["explain", "x"]):
                stub = self.served([{"text": "a"}])
                result = self.run_llmroute([*command, "--schema", path],
                                           config=harness.stub_config(stub, {"m": TAGS}))
                self.assert_status(result, 65)
                self.assertIn("bad.json: ", result.err)
                self.assertIn(why, result.err)
                self.assertEqual(len(result.err.splitlines()), 1)
                self.asked(stub, 0)
        result, _ = self.ask([], args=["--schema", "/nowhere"], model=TAGS)
        self.assert_status(result, 66)

    def test_a_command_is_checked_too(self):
        config = ('[providers.cat]\nprotocol = "exec"\ncommand = ["cat"]\n'
                  '[models.cat]\nprovider = "cat"\ntags = ["json"]\n'
                  'price = { input = 0, output = 0 }\n')
        for prompt, status in (('{"name": "a"}', 0), ("words", 65)):
            result = self.run_llmroute(
                ["run", "-m", "cat", "--schema", self.file, "-p", prompt], config=config)
            self.assert_status(result, status)

    def test_the_schema_counts_as_input(self):
        def tokens(*args):
            result = self.run_llmroute(
                ["explain", "--json", "x", *args],
                config=harness.stub_config(self.served([]), {"m": TAGS}))
            return result.json()["candidates"][0]["input_tokens"]
        self.assertGreater(tokens("--schema", self.file), tokens() + 10)


# Worth decides for the cheapest, then the middle one.
MODELS = {"small": {"ability": 3.0, "price": {"input": 1, "output": 1}} | TAGS,
          "middle": {"ability": 3.2, "price": {"input": 2, "output": 2}} | TAGS,
          "large": {"ability": 3.4, "price": {"input": 4, "output": 4}} | TAGS}


class Cascade(harness.TestCase):
    def ask(self, rules, *args):
        stub = self.stub(rules, prices={name: model["price"]
                                        for name, model in MODELS.items()})
        schema = self.home.write("schema.json", json.dumps(SCHEMA))
        result = self.run_llmroute(
            ["run", "-p", "hi there", "--worth", "0.01", "--schema", schema, *args],
            config=harness.stub_config(stub, MODELS))
        return stub, result, [r.model for r in stub.requests()]

    def test_OLR_11_an_answer_that_does_not_fit_goes_to_the_next_stronger(self):
        rules = [{"model": "small", "text": "no json"}, {"model": "middle", "text": "{}"},
                 {"text": '{"name": "x"}'}]
        stub, result, asked = self.ask(rules)
        self.assert_status(result, 0)
        self.assertEqual(result.out, b'{"name": "x"}\n')
        self.assertEqual(asked, ["small", "middle", "large"])
        self.assertIn("does not fit the schema: at /: 'name' is missing", result.err)
        stub, result, _ = self.ask(rules, "--json")
        report = result.json()
        self.assertEqual([bool(a.get("rejected")) for a in report["attempts"]],
                         [True, True, False])
        self.assertEqual(round(report["cost"]["usd"] * 1e12), stub.account()["pico_usd"])

    def test_OAI_5_nobody_stronger_is_65_and_the_last_is_printed(self):
        _, result, asked = self.ask([{"model": "large", "text": "[3]"}, {"text": "[]"}])
        self.assert_status(result, 65)
        self.assertEqual(result.out, b"[3]\n")
        self.assertEqual(asked, ["small", "middle", "large"])
        _, result, asked = self.ask([{"text": "[]"}], "--no-fallback")
        self.assert_status(result, 65)
        self.assertEqual(asked, ["small"])

    def test_a_check_comes_after_the_schema(self):
        mark = self.home.file("mark")
        rules = [{"model": "small", "text": "[]"}, {"text": '{"name": "x"}'}]
        _, result, asked = self.ask(rules, "--check", f"cat >> {mark}")
        self.assert_status(result, 0)
        self.assertEqual(asked, ["small", "middle"])
        with open(mark, encoding="utf-8") as file:
            self.assertEqual(file.read(), '{"name": "x"}')
        _, result, asked = self.ask([{"text": '{"name": "x"}'}], "--check", "false")
        self.assert_status(result, 1)


if __name__ == "__main__":
    unittest.main()
