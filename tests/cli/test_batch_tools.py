"""Records of a batch with tools and answer forms of their own, in the native and
in OpenAI's form; the calls that come back; queues and resumption."""

import json
import os
import signal
import unittest

import batch_case
import durable_batch
import harness
from provider_case import PROTOCOLS, each_protocol

WEATHER = {"name": "weather", "description": "Weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}},
    "required": ["city"], "x-odd": [1.5, 12345678901234567890]}}
TOOLS = [{"type": "function", "function": WEATHER},
         {"type": "function", "function": {"name": "now", "description": None}}]
CALLS = [{"name": "weather", "id": "c1", "arguments": '{"city": "\\u00c5rhus"}'},
         {"name": "now", "id": "c2", "arguments": "{}"}]
MADE = [{"id": "c1", "name": "weather", "arguments": {"city": "\u00c5rhus"}},
        {"id": "c2", "name": "now", "arguments": {}}]
USAGE = {"prompt_tokens": 10, "completion_tokens": 5}
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}},
          "required": ["name"], "additionalProperties": False}
ABLE = {"m": {"tags": ["tools", "json"]}}
NAMED = {"type": "function", "function": {"name": "now"}}


def native(text="Hi", **fields):
    return {"prompt": text, "tools": TOOLS} | fields


def chat(name="a", **body):
    return batch_case.openai(name, "Hi", **{"tools": TOOLS} | body)


def responses(name="a", **body):
    flat = [{"type": "function"} | tool["function"] for tool in TOOLS]
    return {"custom_id": name, "method": "POST", "url": "/v1/responses",
            "body": {"input": "Hi", "tools": flat} | body}


def form(**schema):
    return {"type": "json_schema", "json_schema": {"name": "n", "strict": True} | schema}


class ToolsCase(batch_case.BatchCase):
    def ask(self, rules, *records, status=0, args=(), models=None, **options):
        """(results, bodies that were sent)"""
        stub = self.stub([{"method": "POST"} | rule for rule in rules], models=["m"])
        result = self.batch(stub, ["-j", "1", "--no-timing", *args],
                            stdin=batch_case.lines(*records),
                            models=models or ABLE, **options)
        return (self.results(result, status),
                [post.json() for post in self.posts(stub)])

    def refused(self, record, code, part):
        """The error stands in its place, and nothing is sent."""
        (result,), sent = self.ask([{"text": "a"}], record, status=1)
        self.assertEqual(result["error"]["code"], code)
        self.assertIn(part, result["error"]["message"])
        self.assertEqual(sent, [])

    def message(self, result):
        choice, = result["response"]["body"]["choices"]
        return choice["message"], choice["finish_reason"]


class Native(ToolsCase):
    @each_protocol
    def test_OAI_4_calls_come_back_as_run_gives_them(self, protocol):
        models = {"m": {"tags": ["tools"], "protocol": protocol}}
        (called, silent, plain), sent = self.ask(
            [{"tool_calls": CALLS, "times": 1}, {"text": "no need"}],
            native(), native("b"), {"prompt": "c"}, models=models)
        ids = ["c1", "c2"] if protocol not in ("gemini", "ollama") else [None, None]
        self.assertEqual(called["tool_calls"],
                         [made | {"id": i} for made, i in zip(MADE, ids)])
        self.assertEqual((called["text"], called["finish_reason"], called["error"]),
                         ("", "tool_calls", None))
        self.assertEqual((silent["text"], silent["tool_calls"]), ("no need", []))
        self.assertNotIn("tool_calls", plain)
        self.assertIn("tools", sent[0])
        self.assertNotIn("tools", sent[2])

    def test_OAI_4_tools_are_forwarded_unchanged(self):
        _, (body,) = self.ask([{"text": "a"}], native(tools=[
            WEATHER, {"name": "odd-1", "input_schema": {"type": "object"}}]))
        self.assertEqual([tool["function"] for tool in body["tools"]], [
            WEATHER, {"name": "odd-1", "parameters": {"type": "object"}}])

    def test_OAI_4_only_models_tagged_tools_are_asked(self):
        results, sent = self.ask(
            [{"text": "a"}], native(), {"prompt": "b"}, native(model="plain"), status=1,
            models={"plain": {"ability": 5}, "able": {"ability": -5, "tags": ["tools"]}})
        self.assertEqual({body["model"]: "tools" in body for body in sent},
                         {"able": True, "plain": False})
        self.assertEqual(batch_case.codes(results), [None, None, "unavailable"])
        self.assertIn("plain: not tagged tools", results[2]["error"]["message"])

    def test_a_schema_is_for_text_and_not_for_calls(self):
        results, _ = self.ask(
            [{"tool_calls": CALLS, "times": 1}, {"text": '{"name": 1}'}],
            native(schema=SCHEMA), native("b", schema=SCHEMA), status=1)
        self.assertEqual(batch_case.codes(results), [None, "data"])

    def test_a_call_that_nobody_asked_for_is_no_answer(self):
        results, _ = self.ask(
            [{"tool_calls": CALLS}], {"prompt": "a"},
            {"prompt": "b", "schema": SCHEMA}, native("c", tool_choice="none"), status=1,
            models={"m": {"tags": ["tools", "json"]}})
        for result in results:
            self.assertIn("the answer is empty", result["error"]["message"])
            self.assertFalse(result.get("tool_calls"))

    def test_a_function_that_is_null_says_nothing(self):
        tool = {"type": "function", "function": None, "name": "now"}
        _, (body,) = self.ask([{"text": "a"}], native(tools=[tool]))
        self.assertEqual(body["tools"][0]["function"]["name"], "now")

    def test_what_is_no_list_of_tools_is_the_records_fault(self):
        self.refused(native(tools={}), "bad_value", "'tools': expected an array")
        self.refused(native(tools=[{"name": "a b"}]), "bad_value", "'tools': at /0/name")
        self.refused(native(tools=[{"type": "web_search"}]), "unsupported",
                     "a tool of type 'web_search' is not supported, only functions")

    def test_tools_count_in_the_estimate_and_in_the_worst_case(self):
        stub = self.stub([])
        big = native(tools=[WEATHER | {"description": "word " * 2000}], max_tokens=10)
        models = {"m": {"tags": ["tools"], "price": {"input": 1, "output": 1}}}

        def estimate(record):
            result = self.batch(stub, ["-n", "--json"], models=models,
                                stdin=batch_case.lines(record))
            self.assert_status(result, 0)
            return result.json()["all"]
        few, many = estimate({"prompt": "Hi", "max_tokens": 10}), estimate(big)
        self.assertGreater(many["input"], few["input"] + 1500)
        self.assertGreater(many["expected_usd"], few["expected_usd"])
        results, sent = self.ask([{"text": "a", "usage": USAGE}], big | {"max_cost": 0.002},
                                 {"prompt": "Hi", "max_tokens": 10, "max_cost": 0.002},
                                 models=models, status=1)
        self.assertEqual(batch_case.codes(results), ["budget", None])
        self.assertEqual(len(sent), 1)


class Choice(ToolsCase):
    def sent(self, record, protocol="openai-chat"):
        _, (body,) = self.ask([{"text": "a"}], record,
                              models={"m": {"tags": ["tools"], "protocol": protocol}})
        return body

    def test_OAI_4_each_protocol_is_told_in_its_own_words(self):
        def gemini(**config):
            return {"functionCallingConfig": config}
        wanted = {
            "openai-chat": (None, "none", "required", NAMED),
            "openai-responses": (None, "none", "required",
                                 {"type": "function", "name": "now"}),
            "anthropic": (None, {"type": "none"}, {"type": "any"},
                          {"type": "tool", "name": "now"}),
            "gemini": (None, gemini(mode="NONE"), gemini(mode="ANY"),
                       gemini(mode="ANY", allowedFunctionNames=["now"]))}
        for protocol, forms in wanted.items():
            for choice, told in zip(("auto", "none", "required", NAMED), forms):
                with self.subTest(protocol, choice=choice):
                    field = "toolConfig" if protocol == "gemini" else "tool_choice"
                    for record in (chat(tool_choice=choice), native(tool_choice=choice)):
                        self.assertEqual(self.sent(record, protocol).get(field), told)

    def test_OAI_4_one_call_at_the_most(self):
        one = chat(parallel_tool_calls=False)
        for protocol in ("openai-chat", "openai-responses"):
            self.assertIs(self.sent(one, protocol)["parallel_tool_calls"], False)
            self.assertNotIn("parallel_tool_calls",
                             self.sent(chat(parallel_tool_calls=True), protocol))
        self.assertEqual(self.sent(one, "anthropic")["tool_choice"],
                         {"type": "auto", "disable_parallel_tool_use": True})
        body = chat(parallel_tool_calls=False, tool_choice=NAMED)
        self.assertEqual(self.sent(body, "anthropic")["tool_choice"],
                         {"type": "tool", "name": "now", "disable_parallel_tool_use": True})

    def test_whoever_cannot_be_told_is_not_asked(self):
        for protocol, record, lacks in (
                ("ollama", chat(model="m", tool_choice="required"), "tool_choice"),
                ("ollama", chat(model="m", parallel_tool_calls=False), "parallel_tool_calls"),
                ("gemini", chat(model="m", parallel_tool_calls=False), "parallel_tool_calls")):
            models = {"m": {"tags": ["tools"], "protocol": protocol}}
            with self.subTest(protocol, lacks=lacks):
                (result,), sent = self.ask([{"text": "a"}], record, models=models, status=1)
                self.assertEqual(result["error"]["code"], "unavailable")
                self.assertIn("m: its protocol has no " + lacks,
                              result["error"]["message"])
                self.assertEqual(sent, [])
                self.ask([{"tool_calls": CALLS}], chat(), models=models)

    def test_X2_the_decision_can_be_taken_again(self):
        self.ask([{"tool_calls": CALLS}], chat(tool_choice="required"),
                 models=ABLE | {"o": {"tags": ["tools"], "protocol": "ollama",
                                      "ability": 9}})
        result = self.run_llmroute(["replay", "last", "--json"])
        self.assert_status(result, 0)
        again = result.json()
        self.assertIs(again["same"], True)
        self.assertEqual([c["model"] for c in again["is"]["candidates"]], ["m"])

    def test_a_choice_that_nobody_can_make_is_the_records_fault(self):
        other = {"type": "function", "function": {"name": "other"}}
        self.refused(chat(tool_choice=other), "bad_value", "'other', which is none of")
        self.refused(chat(tools=[], tool_choice="required"), "bad_value", "no 'tools'")
        self.refused(chat(tool_choice={"type": "allowed_tools"}), "unsupported",
                     "'allowed_tools'")


class OpenAi(ToolsCase):
    @each_protocol
    def test_OAI_4_calls_come_back_in_a_chat_completion(self, protocol):
        models = {"m": {"tags": ["tools"], "protocol": protocol}}
        (called, spoken), sent = self.ask(
            [{"tool_calls": CALLS, "times": 1}, {"text": "no need"}], chat(), chat("b"),
            models=models)
        message, finish = self.message(called)
        self.assertEqual(finish, "tool_calls")
        self.assertIsNone(message["content"])
        self.assertEqual([json.loads(call["function"]["arguments"])
                          for call in message["tool_calls"]],
                         [made["arguments"] for made in MADE])
        for call in message["tool_calls"]:
            self.assertEqual(set(call), {"id", "type", "function"})
            self.assertEqual(call["type"], "function")
        ids = [call["id"] for call in message["tool_calls"]]
        self.assertEqual(len(set(filter(None, ids))), 2)
        message, finish = self.message(spoken)
        self.assertEqual((message["content"], finish), ("no need", "stop"))
        self.assertNotIn("tool_calls", message)

    def test_arguments_are_what_the_model_wrote(self):
        odd = '{ "city" :1.50, '
        (result,), _ = self.ask([{"text": "So:", "tool_calls": [
            {"name": "f", "id": "c", "arguments": odd}]}], chat())
        message, _ = self.message(result)
        self.assertEqual(message["tool_calls"][0]["function"]["arguments"], odd)
        self.assertEqual(message["content"], "So:")

    def test_forms_may_be_changed(self):
        (one, two), _ = self.ask([{"tool_calls": CALLS}], native(), chat(),
                                 args=["--out", "openai"])
        for result in (one, two):
            self.assertEqual(self.message(result)[1], "tool_calls")
        (result,), _ = self.ask([{"tool_calls": CALLS}], chat(), args=["--out", "native"])
        self.assertEqual(result["tool_calls"], MADE)

    def test_OAI_4_a_record_of_responses(self):
        (called,), (body,) = self.ask([{"tool_calls": CALLS}], responses(
            tool_choice={"type": "function", "name": "now"}))
        self.assertEqual(body["tool_choice"], NAMED)
        self.assertEqual([tool["function"]["name"] for tool in body["tools"]],
                         ["weather", "now"])
        answer = called["response"]["body"]
        self.assertEqual([(item["type"], item["call_id"], item["name"])
                          for item in answer["output"]],
                         [("function_call", "c1", "weather"), ("function_call", "c2", "now")])
        self.assertEqual(answer["tool_choice"], {"type": "function", "name": "now"})
        self.assertIs(answer["parallel_tool_calls"], True)


ARGUMENTS = '{"city": "\u00c5rhus", "n":1.50}'


def wire(*calls):
    """Calls as chat completions have them; (id, name, arguments)."""
    return [{"id": i, "type": "function", "function": {"name": name, "arguments": args}}
            for i, name, args in calls]


TALK = [
    {"role": "user", "content": "Weather and time?"},
    {"role": "assistant", "content": None,
     "tool_calls": wire(("c1", "weather", ARGUMENTS), ("c2", "now", "{}"))},
    {"role": "tool", "tool_call_id": "c2", "content": '{"hour": 9}'},
    {"role": "tool", "tool_call_id": "c1", "content": "12 degrees"},
    {"role": "assistant", "content": "One more.", "tool_calls": wire(("c3", "now", "{}"))},
    {"role": "tool", "tool_call_id": "c3", "content": ""},
    {"role": "user", "content": "So?"}]
ITEMS = [
    {"role": "user", "content": [{"type": "input_text", "text": "Weather and time?"}]},
    {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": ARGUMENTS},
    {"type": "function_call", "call_id": "c2", "name": "now", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c2", "output": '{"hour": 9}'},
    {"type": "function_call_output", "call_id": "c1", "output": "12 degrees"},
    {"role": "assistant", "content": [{"type": "output_text", "text": "One more."}]},
    {"type": "function_call", "call_id": "c3", "name": "now", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c3", "output": ""},
    {"role": "user", "content": [{"type": "input_text", "text": "So?"}]}]
CITY = json.loads(ARGUMENTS)


def told(protocol):
    """TALK as that protocol has it."""
    if protocol == "openai-chat":
        return "messages", TALK
    if protocol == "openai-responses":
        return "input", ITEMS
    if protocol == "anthropic":
        use = lambda i, name, given: {"type": "tool_use", "id": i, "name": name, "input": given}
        gave = lambda i, text: {"type": "tool_result", "tool_use_id": i} | (
            {"content": text} if text else {})
        return "messages", [
            {"role": "user", "content": "Weather and time?"},
            {"role": "assistant", "content": [use("c1", "weather", CITY), use("c2", "now", {})]},
            {"role": "user", "content": [gave("c2", '{"hour": 9}'), gave("c1", "12 degrees")]},
            {"role": "assistant", "content": [{"type": "text", "text": "One more."},
                                              use("c3", "now", {})]},
            {"role": "user", "content": [gave("c3", ""), {"type": "text", "text": "So?"}]}]
    if protocol == "gemini":
        signed = {"thoughtSignature": "skip_thought_signature_validator"}
        call = lambda name, given: {"functionCall": {"name": name, "args": given}}
        gave = lambda name, given: {"functionResponse": {"name": name, "response": given}}
        turn = lambda role, *parts: {"role": role, "parts": list(parts)}
        return "contents", [
            turn("user", {"text": "Weather and time?"}),
            turn("model", call("weather", CITY) | signed, call("now", {})),
            turn("user", gave("now", {"hour": 9}), gave("weather", {"output": "12 degrees"})),
            turn("model", {"text": "One more."}, call("now", {}) | signed),
            turn("user", gave("now", {"output": ""})), turn("user", {"text": "So?"})]
    call = lambda name, given: {"function": {"name": name, "arguments": given}}
    gave = lambda name, text: {"role": "tool", "tool_name": name, "content": text}
    return "messages", [
        {"role": "user", "content": "Weather and time?"},
        {"role": "assistant", "content": "", "tool_calls": [call("weather", CITY),
                                                            call("now", {})]},
        gave("now", '{"hour": 9}'), gave("weather", "12 degrees"),
        {"role": "assistant", "content": "One more.", "tool_calls": [call("now", {})]},
        gave("now", ""), {"role": "user", "content": "So?"}]


class Conversation(ToolsCase):
    def answered(self, result):
        if "response" not in result:
            return result["text"]
        body = result["response"]["body"]
        return (body["output_text"] if "output_text" in body
                else body["choices"][0]["message"]["content"])

    @each_protocol
    def test_OAI_4_calls_and_their_results_are_sent_in_the_protocols_own_form(self, protocol):
        records = [chat("a", messages=TALK), responses("b", input=ITEMS),
                   {"messages": TALK, "tools": TOOLS}]
        results, sent = self.ask([{"text": "9 and 12"}], *records, models={
            "m": {"tags": ["tools"], "protocol": protocol}})
        self.assertEqual([self.answered(result) for result in results], ["9 and 12"] * 3)
        field, wanted = told(protocol)
        self.assertEqual([body[field] for body in sent], [wanted] * 3)

    def test_a_conversation_may_end_with_results(self):
        (one, two), sent = self.ask([{"text": "9"}], chat("a", messages=TALK[:4]),
                                    responses("b", input=ITEMS[:5]))
        self.assertEqual([self.answered(one), self.answered(two)], ["9", "9"])
        self.assertEqual([body["messages"] for body in sent], [TALK[:4]] * 2)

    def test_calls_as_a_native_result_has_them_can_be_given_back(self):
        (called,), _ = self.ask([{"tool_calls": CALLS}], native())
        talk = [{"role": "user", "content": "Hi"},
                {"role": "assistant", "content": called["text"],
                 "tool_calls": called["tool_calls"]},
                *({"role": "tool", "tool_call_id": call["id"], "content": "x"}
                  for call in called["tool_calls"])]
        _, (body,) = self.ask([{"text": "a"}], {"messages": talk, "tools": TOOLS})
        self.assertEqual([json.loads(call["function"]["arguments"])
                          for call in body["messages"][1]["tool_calls"]],
                         [made["arguments"] for made in MADE])

    def test_the_text_of_the_user_decides(self):
        noise = "Prove the theorem rigorously. " * 20
        noisy = [m | ({"content": noise} if m["role"] == "tool" else {}) for m in TALK]
        plain = [m for m in TALK if m["role"] == "user"]
        result = self.run_llmroute(
            ["explain", "--jsonl", "-"],
            stdin=batch_case.lines(*({"messages": m} for m in (TALK, noisy, plain))),
            config=harness.stub_config(self.stub([]), ABLE))
        self.assert_status(result, 0)
        decided = [(line["domain"], line["hardness"], line["confidence"])
                   for line in batch_case.parse(result.out)]
        self.assertEqual(decided, decided[:1] * 3)

    def test_only_models_that_know_calls_are_asked(self):
        script = self.home.write("cat.sh", "#!/bin/sh\ncat\n", mode=0o755)
        extra = (harness.provider("local", protocol="exec", command=[script]) +
                 harness.model("cat", provider="local", tags=["tools"], ability=9))
        results, sent = self.ask(
            [{"text": "a"}], chat("a", messages=TALK), chat("b", messages=TALK, model="cat"),
            chat("c", messages=TALK, model="plain", tools=[]), status=1, extra=extra,
            models={"plain": {"ability": 5}} | ABLE)
        self.assertEqual([body["model"] for body in sent], ["m"])
        self.assertIsNone(results[0]["error"])
        self.assertIn("cat: its protocol has no tool_results", results[1]["error"]["message"])
        self.assertIn("plain: not tagged tools", results[2]["error"]["message"])

    def test_calls_count_in_the_estimate_and_in_the_worst_case(self):
        stub = self.stub([])
        models = {"m": {"tags": ["tools"], "price": {"input": 1, "output": 1}}}
        long = json.dumps({"city": "word " * 2000})
        big = [TALK[0], {"role": "assistant", "tool_calls": wire(("c1", "weather", long))},
               {"role": "tool", "tool_call_id": "c1", "content": "x"}]

        def estimate(messages):
            result = self.batch(stub, ["-n", "--json"], models=models, stdin=batch_case.lines(
                {"messages": messages, "max_tokens": 10}))
            self.assert_status(result, 0)
            return result.json()["all"]
        few, many = estimate(TALK[:1]), estimate(big)
        self.assertGreater(many["input"], few["input"] + 1500)
        results, sent = self.ask(
            [{"text": "a", "usage": USAGE}],
            *({"messages": m, "max_tokens": 10, "max_cost": 0.005} for m in (big, TALK[:1])),
            models=models, status=1)
        self.assertEqual(batch_case.codes(results), ["budget", None])

    def test_split_writes_calls_and_their_results(self):
        folder = self.home.file("work/queues")
        result = self.batch(self.stub([]), ["--split", folder], models=ABLE,
                            stdin=batch_case.lines(chat("a", messages=TALK),
                                                   responses("b", input=ITEMS)))
        self.assert_status(result, 0)
        with open(os.path.join(folder, "m.jsonl"), "rb") as file:
            for line in batch_case.parse(file.read()):
                self.assertEqual(line["body"]["messages"], TALK)

    def test_calls_without_results_say_where(self):
        for messages, part in (
                (TALK[:2], "the call 'c1' before has no result"),
                ([TALK[0], TALK[2]], "messages[1]: the answer before has no call"),
                (TALK[:5], "the call 'c3' before has no result")):
            self.refused(chat(messages=messages), "bad_value", part)


class NoChoice(ToolsCase):
    def test_tools_that_may_not_be_called_exclude_nobody(self):
        record = chat(tool_choice="none", parallel_tool_calls=False)
        for models, said in (
                ({"m": {"tags": ["tools"]}}, True), ({"m": {}}, False),
                ({"m": {"tags": ["tools"], "protocol": "ollama"}}, False),
                ({"m": {"tags": ["tools"], "protocol": "gemini"}}, True)):
            with self.subTest(models=models):
                (result,), (body,) = self.ask([{"text": "a"}], record, models=models)
                self.assertEqual(self.message(result)[0]["content"], "a")
                self.assertEqual("tools" in body, said)
        script = self.home.write("cat.sh", "#!/bin/sh\ncat\n", mode=0o755)
        config = (harness.provider("local", protocol="exec", command=[script]) +
                  harness.model("m", provider="local"))
        result = self.batch(None, stdin=batch_case.lines(record), config=config)
        self.assertEqual(self.message(self.results(result)[0])[0]["content"], "Hi")


class AnswerForm(ToolsCase):
    def test_OAI_5_a_response_format_is_the_records_schema(self):
        results, sent = self.ask(
            [{"text": '{"name": "x"}', "times": 1}, {"text": '{"name": 1}', "times": 1},
             {"text": "{}"}],
            chat("a", tools=[], response_format=form(schema=SCHEMA)),
            chat("b", tools=[], response_format=form(schema=SCHEMA)),
            chat("c", tools=[], response_format={"type": "json_object"}),
            chat("d", tools=[], response_format={"type": "text"}), status=1)
        self.assertEqual([r["llmroute"].get("incomplete", "")[:30] for r in results],
                         ["", "the answer does not fit the sc", "", ""])
        self.assertEqual(self.message(results[1])[0]["content"], '{"name": 1}')
        forms = [body.get("response_format") for body in sent]
        self.assertEqual(forms[0]["json_schema"],
                         {"name": "answer", "strict": True, "schema": SCHEMA})
        self.assertEqual(forms[2]["json_schema"]["schema"], {"type": "object"})
        self.assertIsNone(forms[3])

    def test_OAI_5_each_protocol_has_it_in_its_own_form(self):
        for protocol in PROTOCOLS:
            _, (body,) = self.ask(
                [{"text": '{"name": "x"}'}],
                chat(tools=[], response_format=form(schema=SCHEMA)),
                models={"m": {"tags": ["json"], "protocol": protocol}})
            self.assertIn(json.dumps(SCHEMA, sort_keys=True),
                          json.dumps(body, sort_keys=True))
            self.assertEqual("response_format" in body, protocol == "openai-chat")

    def test_a_record_of_responses_has_it_as_well(self):
        (result,), (body,) = self.ask(
            [{"text": "no"}], responses(tools=[], text={"format": {
                "type": "json_schema", "name": "n", "schema": SCHEMA}}), status=1)
        self.assertEqual(body["response_format"]["json_schema"]["schema"], SCHEMA)
        self.assertIn("does not fit", result["llmroute"]["incomplete"])

    def test_a_form_that_cannot_be_had_is_the_records_fault(self):
        self.refused(chat(response_format={"type": "grammar"}), "unsupported", "'grammar'")
        self.refused(chat(response_format="json"), "bad_value",
                     "'response_format' is not an object")
        self.refused(chat(response_format=form()), "missing_field", "without its schema")
        self.refused(chat(response_format=form(schema={"unheard": 1})), "bad_value",
                     "unheard")


class Queues(ToolsCase):
    def split(self, *records):
        """(directory, the bodies in it)"""
        folder = self.home.file("work/queues")
        result = self.batch(self.stub([]), ["--split", folder], models=ABLE,
                            stdin=batch_case.lines(*records))
        self.assert_status(result, 0)
        with open(os.path.join(folder, "m.jsonl"), "rb") as file:
            return folder, [line["body"] for line in batch_case.parse(file.read())]

    def collect(self, folder, messages, args=(), status=0):
        results = [{"custom_id": name, "error": None, "response": {
            "status_code": 200, "request_id": "r", "body": {
                "id": "c", "object": "chat.completion", "model": "m", "usage": USAGE,
                "choices": [{"index": 0, "message": {"role": "assistant"} | message,
                             "finish_reason": "tool_calls" if "tool_calls" in message
                             else "stop"}]}}} for name, message in messages.items()]
        with open(os.path.join(folder, "out.jsonl"), "w", encoding="utf-8") as file:
            file.write(batch_case.lines(*results))
        return self.results(self.batch(self.stub([]), ["--collect", folder, *args],
                                       models=ABLE), status)

    def test_split_writes_all_of_it_for_the_queue(self):
        _, bodies = self.split(
            chat("a", tool_choice=NAMED, parallel_tool_calls=False,
                 response_format=form(schema=SCHEMA)),
            native(id="b", tool_choice="required"),
            responses("c"), {"id": "d", "prompt": "Hi"})
        forwarded = [WEATHER, {"name": "now", "parameters": {
            "type": "object", "properties": {}}}]
        for body in bodies[:3]:
            self.assertEqual([tool["function"] for tool in body["tools"]], forwarded)
        self.assertEqual([body.get("tool_choice") for body in bodies],
                         [NAMED, "required", None, None])
        self.assertIs(bodies[0]["parallel_tool_calls"], False)
        self.assertEqual(bodies[0]["response_format"]["json_schema"]["schema"], SCHEMA)
        self.assertEqual(set(bodies[3]), {"model", "messages"})

    def test_collect_keeps_the_calls(self):
        folder, _ = self.split(native(id="a"), chat("b"), native(id="c"), responses("d"))
        calls = [{"id": call["id"], "type": "function", "function": {
            "name": call["name"], "arguments": call["arguments"]}} for call in CALLS]
        called = {"content": None, "tool_calls": calls}
        one, two, three, four = self.collect(
            folder, {"a": called, "b": called, "c": {"content": "no"}, "d": called})
        self.assertEqual((one["tool_calls"], one["finish_reason"], one["error"]),
                         (MADE, "tool_calls", None))
        message, finish = self.message(two)
        self.assertEqual((message["tool_calls"], message["content"], finish),
                         (calls, None, "tool_calls"))
        self.assertEqual((three["text"], three["tool_calls"]), ("no", []))
        self.assertEqual([item["name"] for item in four["response"]["body"]["output"]],
                         ["weather", "now"])

    def test_OAI_4_collect_repeats_what_was_chosen(self):
        chosen = {"type": "function", "name": "now"}
        folder, _ = self.split(
            responses("a", tool_choice=chosen, parallel_tool_calls=False),
            responses("b", tool_choice="none"), responses("c", tools=[]))
        bodies = [result["response"]["body"] for result in self.collect(
            folder, {name: {"content": "no"} for name in "abc"})]
        self.assertEqual([body["tool_choice"] for body in bodies], [chosen, "none", "auto"])
        self.assertEqual([body["parallel_tool_calls"] for body in bodies],
                         [False, True, True])

    def test_collect_keeps_no_calls_that_nobody_asked_for(self):
        folder, _ = self.split({"id": "a", "prompt": "Hi"}, native(id="b", tool_choice="none"),
                               chat("c", tools=[]), native(id="d"))
        calls = wire(("c1", "now", "{}"))
        results = self.collect(folder, {
            "a": {"content": None, "tool_calls": calls},
            "b": {"content": "text", "tool_calls": calls},
            "c": {"content": "", "tool_calls": calls},
            "d": {"content": None, "tool_calls": calls}}, status=1)
        self.assertEqual([r["error"]["code"] if r["error"] else None for r in results],
                         ["incomplete", None, None, None])
        self.assertIn("the answer is empty", results[0]["error"]["message"])
        self.assertNotIn("tool_calls", results[0])
        self.assertEqual((results[1]["text"], results[1]["tool_calls"]), ("text", []))
        self.assertNotIn("tool_calls", self.message(results[2])[0])
        self.assertIn("the answer is empty", results[2]["llmroute"]["incomplete"])
        self.assertEqual(len(results[3]["tool_calls"]), 1)

    def test_OAI_5_collect_checks_answers_by_their_schema(self):
        folder, _ = self.split(
            {"id": "a", "prompt": "Hi", "schema": SCHEMA},
            {"id": "b", "prompt": "Hi", "schema": SCHEMA},
            chat("c", tools=[], response_format=form(schema=SCHEMA)),
            {"id": "d", "prompt": "Hi"})
        results = self.collect(folder, {
            "a": {"content": '{"name": "x"}'}, "b": {"content": '{"name": 1}'},
            "c": {"content": "Sure!"}, "d": {"content": "Sure!"}}, status=1)
        self.assertEqual(batch_case.codes(results), [None, "data", None, None])
        self.assertEqual(results[1]["text"], '{"name": 1}')
        self.assertIn("at /name: no string", results[1]["error"]["message"])
        self.assertIn("does not fit", results[2]["llmroute"]["incomplete"])


class Resumed(durable_batch.KillCase):
    @durable_batch.needs_strace
    def test_G5_results_with_calls_survive_a_kill_byte_for_byte(self):
        self.prepare([{"tool_calls": CALLS, "headers": {"x-request-id": "r"}}], count=6, jobs=1, models=ABLE)
        text = ({"id": f"row-{n}"} | native(f"question {n}.") for n in (0, 2, 4))
        made = (batch_case.openai(f"row-{n}", f"question {n}.", tools=TOOLS)
                for n in (1, 3, 5))
        self.write_input(batch_case.lines(*(r for pair in zip(text, made) for r in pair)))
        expected = self.undisturbed()
        self.assertEqual(expected.count(b'"tool_calls":['), 6)
        for results in range(1, 6):
            killed = self.go(tracer=durable_batch.strace(
                "write", results + 2, paths=[self.path(durable_batch.JOURNAL)]))
            self.assertEqual(killed.status, -signal.SIGKILL)
            self.server.account()
            self.go_on(expected, self.asked.new(), 1)
            self.clear()


if __name__ == "__main__":
    unittest.main()
