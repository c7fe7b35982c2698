"""OpenAI chat completions: the wire, and what compatible servers do."""

import json
import unittest

import harness
from provider_case import ProviderCase


def chunk(content=None, finish=None, **delta):
    return json.dumps({"choices": [{"index": 0, "finish_reason": finish,
                                    "delta": {"content": content} | delta}]})


class OpenAi(ProviderCase):
    def test_OAI_1_wire(self):
        result, stub = self.answered(
            [{"chunks": ["Hel", "lo"], "usage": {"input": 7, "output": 2}}], "Hello\n",
            args=["--system", "Be brief.", "--max-tokens", "50", "--temperature", "0.5",
                  "--stop", "END", "--seed", "7", "-O", "top_p=0.9", "-O", "user=jane"])
        request, = self.posts(stub)
        self.assertEqual(request.path, "/v1/chat/completions")
        self.assertEqual(request.header("Authorization"), f"Bearer {harness.KEY}")
        self.assertEqual(request.header("Content-Type"), "application/json")
        self.assertRegex(request.header("User-Agent"), r"^llmroute/\d")
        for absent in ("Expect", "Accept-Encoding", "Cookie", "Referer"):
            self.assertIsNone(request.header(absent))
        self.assertEqual(request.json(), {
            "model": "m", "max_tokens": 50, "temperature": 0.5, "stop": ["END"],
            "seed": 7, "top_p": 0.9, "user": "jane",
            "messages": [{"role": "system", "content": "Be brief."},
                         {"role": "user", "content": "Say hi"}],
            "stream": True, "stream_options": {"include_usage": True}})

    def test_a_providers_own_user_agent_takes_the_place_of_ours(self):
        for name in ("User-Agent", "user-agent"):
            _, stub = self.answered([{"text": "a"}], "a\n",
                                    provider={"headers": {name: "batch/7"}})
            request, = self.posts(stub)
            self.assertEqual([value for key, value in request.headers
                              if key.lower() == "user-agent"], ["batch/7"])

    def test_OAI_1_usage_chunk_without_choices(self):
        result, _ = self.ask([{"text": "a", "usage": {"input": 70, "cached": 20,
                                                       "output": 9, "reasoning": 4}}],
                             args=["--json"])
        self.assert_status(result, 0)
        usage = result.json()["usage"]
        self.assertEqual({k: usage[k] for k in ("input", "cached_input", "output",
                                                "reasoning", "source")},
                         {"input": 70, "cached_input": 20, "output": 9,
                          "reasoning": 4, "source": "provider"})

    def test_OAI_2_parameter_names_per_model(self):
        for model, provider, name in (
                ({}, {}, "max_tokens"),
                ({"token_limit_field": "max_completion_tokens"}, {},
                 "max_completion_tokens"),
                ({}, {"token_limit_field": "max_completion_tokens"},
                 "max_completion_tokens")):
            _, stub = self.answered([{"text": "a"}], "a\n", model=model, provider=provider,
                                    args=["--max-tokens", "9"])
            body = self.posts(stub)[0].json()
            limits = {k: v for k, v in body.items() if k.startswith("max_")}
            self.assertEqual(limits, {name: 9})

    def test_OAI_2_no_temperature_where_it_is_refused(self):
        _, stub = self.answered([{"text": "a"}], "a\n", args=["--temperature", "0.5"],
                                model={"temperature": False})
        self.assertNotIn("temperature", self.posts(stub)[0].json())

    def test_provider_differences(self):
        _, stub = self.answered(
            [{"text": "a"}], "a\n", args=["--seed", "3"],
            provider={"stream_usage": False, "seed_field": "random_seed",
                      "headers": {"X-Title": "t"}})
        request, = self.posts(stub)
        self.assertEqual(request.json()["random_seed"], 3)
        self.assertNotIn("seed", request.json())
        self.assertNotIn("stream_options", request.json())
        self.assertEqual(request.header("X-Title"), "t")

    def test_P7_refused_token_limit_is_renamed_once(self):
        refusal = {"status": 400, "times": 1, "body": '"max_tokens"', "error": {
            "message": "Unsupported parameter: 'max_tokens' is not supported with this "
                       "model. Use 'max_completion_tokens' instead.",
            "type": "invalid_request_error", "code": "unsupported_parameter"}}
        _, stub = self.answered([refusal, {"text": "ok"}], "ok\n",
                                args=["--max-tokens", "9"])
        first, second = self.posts(stub)
        self.assertEqual(first.json()["max_tokens"], 9)
        self.assertNotIn("max_tokens", second.json())
        self.assertEqual(second.json()["max_completion_tokens"], 9)

    def test_P7_a_server_that_goes_on_refusing(self):
        refusal = {"status": 400, "error": {
            "message": "Unsupported parameter: 'max_tokens'",
            "code": "unsupported_parameter"}}
        _, stub = self.fails([refusal], 65, "max_tokens", args=["--max-tokens", "9"])
        self.asked(stub, 2)

    def test_P5_choice_0_only(self):
        frames = ['{"choices":[{"index":1,"delta":{"content":"no"}}]}',
                  '{"choices":[{"index":1,"delta":{"content":"no"}},'
                  '{"index":0,"delta":{"content":"yes"}}]}',
                  chunk(finish="stop"), "[DONE]"]
        self.answered([{"frames": frames}], "yes\n")

    def test_P6_content_null_parts_or_reasoning_only(self):
        parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                 {"type": "text", "text": "a"}]
        self.answered([{"frames": [chunk(None), chunk(parts), chunk(None, "stop"),
                                   "[DONE]"]}], "a\n")
        self.answered([{"reasoning": "hm", "text": "b"}], "b\n")
        self.fails([{"frames": [chunk(None, reasoning_content="hm"),
                                chunk(None, "stop"), "[DONE]"]}], 3, "empty")

    def test_end_by_either_marker(self):
        self.answered([{"text": "a", "no_done": True}], "a\n")
        self.answered([{"text": "a", "no_finish": True}], "a\n")
        self.fails([{"text": "a", "no_terminal": True}], 3, "broke off after 1 byte",
                   out=b"a", args=["--retries", "0"])

    def test_usage_of_a_server_that_leaves_reasoning_out(self):
        usage = {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 354,
                 "completion_tokens_details": {"reasoning_tokens": 340}}
        result, _ = self.ask([{"text": "a", "usage": usage}], args=["--json"])
        self.assertEqual(result.json()["usage"]["output"], 342)

    def test_old_llama_cpp_error_line_then_done(self):
        error = ('error: {"code":500,"message":"the request exceeds the available '
                 'context size","type":"server_error"}\n\ndata: [DONE]\n\n')
        result, _ = self.ask([{"raw": error, "content_type": "text/event-stream"}],
                             args=["--retries", "0", "--json"])
        self.assertNotEqual(result.status, 0)
        self.assertEqual(result.json()["attempts"][0]["cause"], "error in reply")

    def test_keep_alive_blank_lines_before_a_document(self):
        document = json.dumps({"choices": [{"message": {"content": "late"},
                                            "finish_reason": "stop"}]})
        self.answered([{"raw": "\n\n\n" + document, "content_type": "application/json"}],
                      "late\n")

    def test_dry_run_shows_the_request_without_the_key(self):
        result, stub = self.ask([], args=["-n"])
        self.assert_status(result, 0)
        self.assertIn("/v1/chat/completions", result.text)
        self.assertIn('"messages":[{"role":"user","content":"Say hi"}]', result.text)
        self.assertEqual(stub.events(), [])

    def test_connection_is_used_again_between_attempts(self):
        _, stub = self.answered([{"status": 503, "times": 2}, {"text": "a"}], "a\n")
        self.asked(stub, 3)
        self.assertEqual(stub.connections(), 1)


if __name__ == "__main__":
    unittest.main()
