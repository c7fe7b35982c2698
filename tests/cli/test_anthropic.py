"""Anthropic Messages: the wire, stop reasons, overload."""

import json
import unittest

import harness
from provider_case import ProviderCase


def start(**usage):
    return json.dumps({"type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [], "usage": {"input_tokens": 12, "output_tokens": 1} | usage}})


def text(words):
    return json.dumps({"type": "content_block_delta", "index": 0,
                       "delta": {"type": "text_delta", "text": words}})


def end(reason, **usage):
    return json.dumps({"type": "message_delta", "delta": {"stop_reason": reason},
                       "usage": {"output_tokens": 15} | usage})


STOP = '{"type":"message_stop"}'


class Anthropic(ProviderCase):
    def ask(self, rules, protocol="anthropic", args=(), **options):
        return super().ask(rules, protocol, args, **options)

    def answered(self, rules, words, **options):
        return super().answered(rules, words, "anthropic", **options)

    def fails(self, rules, status, message, **options):
        return super().fails(rules, status, message, "anthropic", **options)

    def test_ANT_1_wire(self):
        _, stub = self.answered(
            [{"chunks": ["Hel", "lo"]}], "Hello\n",
            args=["--system", "Be brief.", "--temperature", "0.5", "--stop", "END",
                  "--max-tokens", "77"])
        request, = self.posts(stub)
        self.assertEqual(request.path, "/v1/messages")
        self.assertEqual(request.header("x-api-key"), harness.KEY)
        self.assertEqual(request.header("anthropic-version"), "2023-06-01")
        self.assertIsNone(request.header("Authorization"))
        self.assertEqual(request.json(), {
            "model": "m", "max_tokens": 77, "system": "Be brief.",
            "messages": [{"role": "user", "content": "Say hi"}],
            "temperature": 0.5, "stop_sequences": ["END"], "stream": True})

    def test_ANT_1_max_tokens_is_always_there(self):
        _, stub = self.answered([{"text": "a"}], "a\n", model={"max_output_tokens": 999})
        self.assertEqual(self.posts(stub)[0].json()["max_tokens"], 999)

    def test_ANT_1_usage_from_start_and_last_delta(self):
        frames = [start(cache_creation_input_tokens=3, cache_read_input_tokens=5),
                  '{"type":"ping"}', text("a"), end("end_turn"), STOP]
        result, _ = self.ask([{"frames": frames}], args=["--json"])
        self.assert_status(result, 0)
        usage = result.json()["usage"]
        self.assertEqual((usage["input"], usage["cached_input"], usage["output"]),
                         (20, 5, 15))

    def test_thinking_is_not_printed(self):
        self.answered([{"reasoning": "hm", "text": "b"}], "b\n")

    def test_ANT_4_overload_by_status(self):
        error = {"type": "overloaded_error", "message": "Overloaded"}
        _, stub = self.answered([{"status": 529, "error": error, "times": 1},
                                 {"text": "ok"}], "ok\n")
        self.asked(stub, 2)

    def test_ANT_4_overload_inside_the_stream(self):
        error = {"type": "overloaded_error", "message": "Overloaded"}
        _, stub = self.fails([{"error_event_after": 1, "chunks": ["ab", "c"],
                               "error": error}], 3, "Overloaded", out=b"ab")
        self.asked(stub, 1)
        _, stub = self.answered([{"error_event_after": 0, "error": error, "times": 1},
                                 {"text": "ok"}], "ok\n")
        self.asked(stub, 2)

    def test_ANT_6_stop_reasons(self):
        for reason, status, words in (("max_tokens", 3, "token limit"),
                                      ("refusal", 3, "refused"),
                                      ("end_turn", 0, ""), ("stop_sequence", 0, "")):
            frames = [start(), text("a"), end(reason), STOP]
            result, _ = self.ask([{"frames": frames}])
            self.assert_status(result, status)
            self.assertEqual(result.out.rstrip(), b"a")
            self.assertIn(words, result.err)

    def test_end_without_message_stop_is_cut(self):
        self.fails([{"frames": [start(), text("a"), end("end_turn")]}], 3,
                   "end marker", out=b"a")

    def test_S12_a_second_start_is_a_protocol_error(self):
        self.fails([{"frames": [start(), start()]}], 76, "second message")

    def test_context_overflow_is_not_retried(self):
        error = {"type": "invalid_request_error",
                 "message": "prompt is too long: 210000 tokens > 200000 maximum"}
        _, stub = self.fails([{"status": 400, "error": error}], 65, "210000 tokens")
        self.asked(stub, 1)


if __name__ == "__main__":
    unittest.main()
