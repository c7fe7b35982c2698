"""OpenAI Responses: the wire, events, endings."""

import json
import unittest

import harness
from provider_case import ProviderCase


def event(kind, **fields):
    return json.dumps({"type": kind} | fields)


def delta(text, kind="response.output_text.delta"):
    return event(kind, delta=text)


def end(status="completed", **fields):
    return event(f"response.{status}", response={"status": status, "output": []} | fields)


def message(*parts):
    return {"type": "message", "role": "assistant", "content": [
        {"type": kind, "text" if kind == "output_text" else kind: text}
        for kind, text in parts]}


class Responses(ProviderCase):
    def ask(self, rules, protocol="openai-responses", args=(), **options):
        return super().ask(rules, protocol, args, **options)

    def answered(self, rules, words, **options):
        return super().answered(rules, words, "openai-responses", **options)

    def fails(self, rules, status, message, **options):
        return super().fails(rules, status, message, "openai-responses", **options)

    def test_OAI_6_wire(self):
        _, stub = self.answered(
            [{"chunks": ["Hel", "lo"]}], "Hello\n",
            args=["--system", "Be brief.", "--temperature", "0.5", "--max-tokens", "77",
                  "-O", 'reasoning={"effort":"low"}'])
        request, = self.posts(stub)
        self.assertEqual(request.path, "/v1/responses")
        self.assertEqual(request.header("Authorization"), f"Bearer {harness.KEY}")
        self.assertEqual(request.json(), {
            "model": "m", "instructions": "Be brief.", "input": "Say hi",
            "max_output_tokens": 77, "temperature": 0.5, "store": False,
            "stream": True, "reasoning": {"effort": "low"}})

    def test_OAI_6_usage_of_the_completed_event(self):
        usage = {"input": 70, "cached": 20, "output": 9, "reasoning": 4}
        for rule in ({}, {"force_stream": False}):
            result, _ = self.ask([{"text": "a", "usage": usage} | rule], args=["--json"])
            self.assert_status(result, 0)
            said = result.json()["usage"]
            self.assertEqual((said["input"], said["cached_input"], said["output"],
                              said["reasoning"]), (70, 20, 9, 4))

    def test_OAI_6_reasoning_is_not_printed(self):
        self.answered([{"reasoning": "hm", "text": "b"}], "b\n")
        self.answered([{"reasoning": "hm", "text": "b", "force_stream": False}], "b\n")
        self.answered([{"frames": [delta("hm", "response.reasoning_text.delta"),
                                   delta("b"), end()]}], "b\n")

    def test_OAI_6_incomplete_is_reported_as_such(self):
        for reason, words in (("max_output_tokens", "token limit"),
                              ("content_filter", "content filter")):
            last = end("incomplete", incomplete_details={"reason": reason})
            self.fails([{"frames": [delta("a"), last]}], 3, words, out=b"a\n")
        document = {"status": "incomplete", "output": [message(("output_text", "a"))],
                    "incomplete_details": {"reason": "max_output_tokens"}}
        self.fails([{"raw": json.dumps(document), "content_type": "application/json"}],
                   3, "token limit", out=b"a\n")

    def test_OAI_6_failed_is_a_failure(self):
        error = {"code": "server_error", "message": "it broke"}
        for last in (end("failed", error=error),
                     event("error", code="server_error", message="it broke", param=None),
                     event("error", error=error)):
            self.fails([{"frames": [delta("a"), last]}], 3, "it broke", out=b"a")
            _, stub = self.answered([{"frames": [last], "times": 1}, {"text": "ok"}],
                                    "ok\n")
            self.asked(stub, 2)
        quota = event("error", error={"code": "insufficient_quota", "message": "no money"})
        _, stub = self.fails([{"frames": [quota]}], 77, "no money")
        self.asked(stub, 1)

    def test_refusals(self):
        self.fails([{"frames": [delta("I cannot", "response.refusal.delta"), end()]}], 3,
                   "refused", out=b"I cannot\n")
        self.fails([{"text": "I cannot", "finish": "refusal", "force_stream": False}], 3,
                   "refused", out=b"I cannot\n")

    def test_text_that_comes_only_at_the_end(self):
        self.answered([{"frames": [end(output=[
            {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "hm"}]},
            message(("output_text", "a"), ("output_text", "b"))])]}], "ab\n")
        self.answered([{"frames": [delta("ab"), end(output=[
            message(("output_text", "ab"))])]}], "ab\n")

    def test_end_without_a_last_event_is_cut(self):
        self.fails([{"frames": [delta("a")]}], 3, "end marker", out=b"a")
        self.fails([{"raw": '{"status":"in_progress","output":[]}',
                     "content_type": "application/json"}], 76, "in_progress")

    def test_S12_a_second_start_is_a_protocol_error(self):
        created = event("response.created", response={"status": "in_progress"})
        other = event("response.created", response={"status": "in_progress", "id": "2"})
        for second in (created, other):
            self.fails([{"frames": [created, delta("a"), second, delta("a"), end()]}], 3,
                       "second response", out=b"a")
            self.fails([{"frames": [created, second, delta("a"), end()]}], 76,
                       "second response")

    def test_unknown_events_and_missing_numbers(self):
        self.answered([{"frames": [event("response.queued"), delta("a"),
                                   event("response.new.thing", delta="no"), end()]}],
                      "a\n")

    def test_a_conversation_is_a_list_of_items(self):
        stub = self.served([{"text": "a"}])
        config = harness.stub_config(stub, {"m": {"protocol": "openai-responses"}})
        record = {"id": "1", "messages": [{"role": "user", "content": "Hi"},
                                          {"role": "assistant", "content": "Yes?"},
                                          {"role": "user", "content": "Why?"}]}
        result = self.run_llmroute(["batch", "-m", "m"], stdin=json.dumps(record) + "\n",
                                   config=config)
        self.assert_status(result, 0)
        body = self.posts(stub)[0].json()
        self.assertNotIn("stream", body)
        self.assertEqual(body["input"], [
            {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            {"role": "assistant", "content": [{"type": "output_text", "text": "Yes?"}]},
            {"role": "user", "content": [{"type": "input_text", "text": "Why?"}]}])


if __name__ == "__main__":
    unittest.main()
