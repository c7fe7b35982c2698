"""--tools: functions that are offered, and the calls that come back."""

import json
import unittest

import harness
from provider_case import ProviderCase, each_protocol

TAGS = {"tags": ["tools"]}
WEATHER = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 9}},
           "required": ["city"], "x-odd": [1.50, 12345678901234567890]}
TOOLS = [{"name": "weather", "description": "Weather \u00e4 \U0001f680", "parameters": WEATHER},
         {"type": "function", "function": {"name": "now"}},
         {"name": "odd-1", "input_schema": {"type": "object"}}]
NOTHING = {"type": "object", "properties": {}}
CALLS = [{"name": "weather", "id": "c1",
          "arguments": '{"city": "\\u00c5rhus \\ud83d\\ude80", "n": 1.50}'},
         {"name": "now", "arguments": "{}", "id": "c2"}]
ARGUMENTS = {"city": "\u00c5rhus \U0001f680", "n": 1.5}


def functions(protocol, body):
    """What stands in a request: (name, description, schema) of each tool."""
    tools = body["tools"]
    if protocol in ("openai-chat", "ollama"):
        assert all(tool["type"] == "function" for tool in tools)
        tools = [tool["function"] for tool in tools]
    if protocol == "gemini":
        tools = tools[0]["functionDeclarations"]
    schema = {"anthropic": "input_schema", "gemini": "parametersJsonSchema"}.get(
        protocol, "parameters")
    return [(t["name"], t.get("description"), t[schema]) for t in tools]


class Tools(ProviderCase):
    def setUp(self):
        super().setUp()
        self.file = self.home.write("tools.json", json.dumps(TOOLS))

    def call(self, rules, protocol="openai-chat", args=(), **options):
        return self.ask(rules, protocol, ["--tools", self.file, *args],
                        model=TAGS, **options)

    @each_protocol
    def test_OAI_4_tools_are_forwarded_unchanged(self, protocol):
        result, stub = self.call([{"text": "no need"}], protocol)
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"no need\n")
        body = self.posts(stub)[0].json()
        self.assertEqual(functions(protocol, body), [
            ("weather", "Weather \u00e4 \U0001f680", WEATHER), ("now", None, NOTHING),
            ("odd-1", None, {"type": "object"})])
        self.assertIn(b"12345678901234567890", self.posts(stub)[0].body)

    @each_protocol
    def test_OAI_4_parallel_calls_come_in_order(self, protocol):
        ids = ["c1", "c2"] if protocol not in ("gemini", "ollama") else [None, None]
        wanted = [{"id": ids[0], "name": "weather", "arguments": ARGUMENTS},
                  {"id": ids[1], "name": "now", "arguments": {}}]
        for extra in ([], ["--no-stream"], ["-o", self.home.file("out")]):
            result, _ = self.call([{"tool_calls": CALLS}], protocol, extra)
            self.assert_status(result, 0)
            out = result.text
            if "-o" in extra:
                with open(extra[1], encoding="utf-8") as file:
                    out = file.read()
            self.assertEqual([json.loads(line) for line in out.splitlines()], wanted)
        result, _ = self.call([{"tool_calls": CALLS}], protocol, ["--json"])
        self.assert_status(result, 0)
        report = result.json()
        self.assertEqual(report["tool_calls"], wanted)
        self.assertEqual((report["text"], report["finish_reason"]), ("", "tool_calls"))

    @each_protocol
    def test_OAI_4_every_cut_of_a_stream_gives_the_same_calls(self, protocol):
        for seed in range(5):
            result, _ = self.call([{"tool_calls": CALLS, "chunk": "random", "seed": seed}],
                                  protocol)
            self.assert_status(result, 0)
            self.assertEqual(json.loads(result.text.splitlines()[0])["arguments"], ARGUMENTS)

    @each_protocol
    def test_OAI_4_a_document_in_place_of_a_stream(self, protocol):
        result, _ = self.call([{"tool_calls": CALLS, "force_stream": False}], protocol)
        self.assert_status(result, 0)
        self.assertEqual([json.loads(line)["name"] for line in result.text.splitlines()],
                         ["weather", "now"])

    def test_text_before_calls_ends_its_line(self):
        result, _ = self.call([{"text": "One moment", "tool_calls": CALLS[1:]}])
        self.assert_status(result, 0)
        self.assertEqual(result.text,
                         'One moment\n{"id":"c2","name":"now","arguments":{}}\n')

    def test_OAI_4_events(self):
        result, _ = self.call([{"text": "a", "tool_calls": CALLS}],
                              args=["--format", "jsonl"])
        self.assert_status(result, 0)
        events = [json.loads(line) for line in result.text.splitlines()]
        self.assertEqual([e["event"] for e in events],
                         ["route", "attempt", "delta", "tool_call", "tool_call", "done"])
        self.assertEqual(events[3], {"event": "tool_call", "id": "c1", "name": "weather",
                                     "arguments": ARGUMENTS})
        self.assertEqual(events[5]["finish_reason"], "tool_calls")
        self.assertEqual([c["name"] for c in events[5]["tool_calls"]], ["weather", "now"])

    def test_arguments_that_are_no_json_stay_as_they_are(self):
        result, _ = self.call([{"tool_calls": [{"name": "f", "arguments": '{"a":'}]}])
        self.assert_status(result, 0)
        self.assertEqual(json.loads(result.out)["arguments"], '{"a":')

    def test_a_call_without_a_name_is_nonsense(self):
        frame = json.dumps({"choices": [{"index": 0, "finish_reason": "tool_calls", "delta": {
            "tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}}]})
        result, _ = self.call([{"frames": [frame, "[DONE]"]}], args=["--retries", "0"])
        self.assert_status(result, 76)
        self.assertIn("without a name", result.err)
        self.assertEqual(result.out, b"")

    def test_a_stream_of_calls_that_broke_off_is_tried_again(self):
        result, stub = self.call([{"tool_calls": CALLS, "no_terminal": True, "times": 1},
                                  {"tool_calls": CALLS}])
        self.assert_status(result, 0)
        self.asked(stub, 2)
        self.assertEqual(len(result.text.splitlines()), 2)

    def test_OAI_4_models_without_the_tag_are_excluded_with_that_reason(self):
        stub = self.stub([{"text": "a"}])
        config = harness.stub_config(stub, {
            "plain": {"ability": 5}, "able": {"ability": -5, "tags": ["tools"]}})
        result = self.run_llmroute(["run", "--tools", self.file, "-p", "x"], config=config)
        self.assert_status(result, 0)
        self.assertEqual([r.model for r in stub.requests()], ["able"])
        result = self.run_llmroute(["explain", "--tools", self.file, "x"], config=config)
        self.assert_status(result, 0)
        self.assertRegex(result.text, "excluded +not tagged tools: plain")
        result = self.run_llmroute(["explain", "--jsonl", "--json", "--tools", self.file],
                                   stdin='{"prompt": "x"}\n', config=config)
        self.assert_status(result, 0)
        self.assertEqual(result.json()["model"], "able")
        result = self.run_llmroute(["explain", "--jsonl", "--json"],
                                   stdin='{"prompt": "x"}\n', config=config)
        self.assertEqual(result.json()["model"], "plain")
        result = self.run_llmroute(
            ["run", "-m", "plain", "--tools", self.file, "-p", "x"], config=config)
        self.assert_status(result, 69)
        self.assertIn('plain: not tagged tools; add tags = ["tools"] to the '
                      "[models.NAME] of one that is", result.err)
        result = self.run_llmroute(["run", "--require", "tolls", "-p", "x"], config=config)
        self.assert_status(result, 69)
        self.assertIn("not tagged tolls; did you mean 'tools'?", result.err)

    def test_a_command_is_given_no_tools(self):
        config = ('[providers.cat]\nprotocol = "exec"\ncommand = ["cat"]\n'
                  '[models.cat]\nprovider = "cat"\ntags = ["tools"]\n'
                  'price = { input = 0, output = 0 }\n')
        result = self.run_llmroute(
            ["run", "-m", "cat", "--tools", self.file, "-p", "x"], config=config)
        self.assert_status(result, 69)
        self.assertIn("a command is given no tools", result.err)

    def test_a_check_reads_the_calls(self):
        result, _ = self.call([{"tool_calls": CALLS}], args=["--check", "grep -q weather"])
        self.assert_status(result, 0)
        result, _ = self.call([{"tool_calls": CALLS}], args=["--check", "grep -q Paris"])
        self.assert_status(result, 1)

    def test_what_is_no_list_of_tools_is_65_and_nothing_is_sent(self):
        for text, why in (("{", "not valid JSON"), ("[]", "an array of tools"),
                          ('[{"name": "f", "x": 1}]', "at /0/x")):
            path = self.home.write("bad.json", text)
            result, stub = self.ask([{"text": "a"}], args=["--tools", path], model=TAGS)
            self.assert_status(result, 65)
            self.assertIn("bad.json: ", result.err)
            self.assertIn(why, result.err)
            self.asked(stub, 0)
        result, _ = self.ask([], args=["--tools", "/nowhere"], model=TAGS)
        self.assert_status(result, 66)

    def test_A13_hostile_calls_are_one_line(self):
        hostile = {"name": "f\n\x1b[31m", "arguments": '{\n"a":\n"\\u001b[2J\\n"}'}
        result, _ = self.call([{"tool_calls": [hostile]}])
        self.assert_status(result, 0)
        self.assertEqual(result.out.count(b"\n"), 1)
        self.assertNotIn(b"\x1b", result.out)

    def test_transcript_and_dry_run(self):
        path = self.home.file("log.jsonl")
        result, _ = self.call([{"tool_calls": CALLS}], args=["--transcript", path])
        self.assert_status(result, 0)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(len(json.loads(file.read())["tool_calls"]), 2)
        result, stub = self.call([], args=["--dry-run"])
        self.assert_status(result, 0)
        self.assertIn('"tools":[{"type":"function"', result.text)


class OddServers(ProviderCase):
    def test_functions_of_old(self):
        def frame(finish=None, **call):
            return json.dumps({"choices": [{"index": 0, "finish_reason": finish,
                                            "delta": {"function_call": call}}]})
        frames = [frame(name="f", arguments=""), frame(arguments='{"a"'),
                  frame("function_call", arguments=":1}"), "[DONE]"]
        self.answered([{"frames": frames}], '{"id":null,"name":"f","arguments":{"a":1}}\n')

    def test_responses_without_ids_or_with_calls_at_the_end_only(self):
        call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'}

        def frames(*events, output=()):
            end = {"type": "response.completed", "response": {
                "status": "completed", "output": list(output),
                "usage": {"input_tokens": 1, "output_tokens": 1}}}
            return [json.dumps(event) for event in (*events, end)]
        done = {"type": "response.output_item.done", "item": call}
        other = {"type": "response.output_item.done", "item": call | {"call_id": "c2"}}
        one = '{"id":"c1","name":"f","arguments":{"a":1}}\n'
        for given, wanted in (
                (frames(output=[call]), one), (frames(done, output=[call]), one),
                (frames(done, other), one + one.replace("c1", "c2"))):
            self.answered([{"frames": given}], wanted, "openai-responses")

    def test_anthropics_own_tools_are_no_calls(self):
        frames = [
            {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 1}}},
            {"type": "content_block_start", "index": 0, "content_block": {
                "type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}},
            {"type": "content_block_delta", "index": 0, "delta": {
                "type": "input_json_delta", "partial_json": "{}"}},
            {"type": "content_block_start", "index": 1, "content_block": {
                "type": "text", "text": "a"}},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"},
             "usage": {"output_tokens": 3}}, {"type": "message_stop"}]
        self.answered([{"frames": [json.dumps(f) for f in frames]}], "a\n", "anthropic")

    def test_tool_choice_goes_along_as_it_is(self):
        path = self.home.write("tools.json", '[{"name": "f"}]')
        _, stub = self.answered([{"text": "a"}], "a\n", model=TAGS, args=[
            "--tools", path, "-O", "tool_choice=required"])
        self.assertEqual(self.posts(stub)[0].json()["tool_choice"], "required")

    def test_strict_is_said_where_there_is_such_a_thing(self):
        path = self.home.write("tools.json", '[{"name": "f", "strict": true}, {"name": "g"}]')
        for protocol, wanted in (("openai-chat", [True, None]), ("anthropic", [True, None]),
                                 ("openai-responses", [True, False])):
            _, stub = self.answered([{"text": "a"}], "a\n", protocol, ["--tools", path],
                                    model=TAGS)
            tools = self.posts(stub)[0].json()["tools"]
            self.assertEqual([t.get("function", t).get("strict") for t in tools], wanted)

    def test_P6_reasoning_between_tags_is_not_the_answer(self):
        for protocol in ("openai-chat", "ollama"):
            with self.subTest(protocol):
                self.answered([{"chunks": ["<thi", "nk>h", "m</th", "ink>\n", "\nyes"]}],
                              "yes\n", protocol)
                self.answered([{"chunks": ["a ", "<think>b</think>"]}],
                              "a <think>b</think>\n", protocol)
                self.fails([{"text": "<think>hm", "finish": "length"}], 3, "token limit",
                           protocol)
        self.answered([{"text": "<think>a</think>b"}], "<think>a</think>b\n", "anthropic")


if __name__ == "__main__":
    unittest.main()
