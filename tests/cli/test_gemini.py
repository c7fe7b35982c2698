"""Gemini's generateContent: the wire, usage, finish reasons, blocks, errors."""

import json
import unittest

import harness
from provider_case import ProviderCase


def chunk(*parts, finish=None, usage=None, **fields):
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    whole = {"candidates": [candidate]} | fields
    if usage:
        whole["usageMetadata"] = usage
    return json.dumps(whole)


USAGE = {"promptTokenCount": 9, "candidatesTokenCount": 2, "totalTokenCount": 130,
         "thoughtsTokenCount": 119, "cachedContentTokenCount": 4}


class Gemini(ProviderCase):
    def ask(self, rules, protocol="gemini", args=(), **options):
        return super().ask(rules, protocol, args, **options)

    def answered(self, rules, words, **options):
        return super().answered(rules, words, "gemini", **options)

    def fails(self, rules, status, message, **options):
        return super().fails(rules, status, message, "gemini", **options)

    def test_VTX_1_wire(self):
        _, stub = self.answered(
            [{"chunks": ["Hel", "lo"]}], "Hello\n",
            args=["--system", "Be brief.", "--temperature", "0.5", "--stop", "END",
                  "--max-tokens", "77", "--seed", "3",
                  "-O", 'safetySettings=[{"category":"A","threshold":"OFF"}]'])
        request, = self.posts(stub)
        self.assertEqual(request.target,
                         "/v1beta/models/m:streamGenerateContent?alt=sse")
        self.assertEqual(request.header("x-goog-api-key"), harness.KEY)
        self.assertIsNone(request.header("Authorization"))
        self.assertEqual(request.json(), {
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [{"role": "user", "parts": [{"text": "Say hi"}]}],
            "generationConfig": {"maxOutputTokens": 77, "temperature": 0.5,
                                 "stopSequences": ["END"], "seed": 3},
            "safetySettings": [{"category": "A", "threshold": "OFF"}]})

    def test_a_batch_asks_for_the_whole_reply(self):
        stub = self.served([{"text": "a"}])
        config = harness.stub_config(stub, {"m": {"protocol": "gemini"}})
        result = self.run_llmroute(["batch", "--lines", "-m", "m"], stdin="hi\n",
                                   config=config)
        self.assert_status(result, 0)
        request, = self.posts(stub)
        self.assertEqual(request.target, "/v1beta/models/m:generateContent")

    def test_VTX_2_a_bearer_token_for_vertex(self):
        stub = self.served([{"text": "a"}])
        base = stub.origin + "/v1/projects/p/locations/eu/publishers/google"
        _, stub = self.answered(
            [], "a\n", stub=stub,
            provider={"base_url": base, "key_header": "Authorization"})
        request, = self.posts(stub)
        self.assertEqual(request.path, "/v1/projects/p/locations/eu/publishers/google"
                                       "/models/m:streamGenerateContent")
        self.assertEqual(request.header("Authorization"), f"Bearer {harness.KEY}")
        self.assertIsNone(request.header("x-goog-api-key"))

    def test_the_id_may_begin_with_models(self):
        _, stub = self.answered([{"text": "a"}], "a\n", model={"id": "models/m x"})
        self.assertEqual(self.posts(stub)[0].path,
                         "/v1beta/models/m%20x:streamGenerateContent")

    def test_VTX_1_thoughts_are_not_printed(self):
        self.answered([{"reasoning": "hm", "text": "b"}], "b\n")
        signed = chunk({"text": "", "thoughtSignature": "c2ln"}, finish="STOP")
        self.answered([{"frames": [chunk({"text": "hm", "thought": True}),
                                   chunk({"text": "b"}), signed]}], "b\n")

    def test_VTX_6_thoughts_are_output_and_the_last_count_holds(self):
        early = {"promptTokenCount": 9, "totalTokenCount": 9}
        frames = [chunk({"text": "a"}, usage=early),
                  chunk({"text": "b"}, finish="STOP", usage=USAGE)]
        result, _ = self.ask([{"frames": frames}], args=["--json"], model={
            "price": {"input": 0.3, "cached_input": 0.075, "output": 2.5}})
        self.assert_status(result, 0)
        said = result.json()
        self.assertEqual((said["usage"]["input"], said["usage"]["cached_input"],
                          said["usage"]["output"], said["usage"]["reasoning"]),
                         (9, 4, 121, 119))
        # 5 x 0.30 + 4 x 0.075 + 121 x 2.50 USD per million.
        self.assertIn(b'"usd":0.0003043,', result.out)

    def test_usage_that_leaves_something_out(self):
        for usage, expected in (
                ({"promptTokenCount": 9}, (9, None)),
                ({"promptTokenCount": 9, "totalTokenCount": 30}, (9, 21)),
                ({"promptTokenCount": 9, "thoughtsTokenCount": 7}, (9, 7)),
                ({"promptTokenCount": 9, "toolUsePromptTokenCount": 5,
                  "candidatesTokenCount": 3, "totalTokenCount": 17}, (14, 3)),
                ({"candidatesTokenCount": 3}, (None, 3))):
            result, _ = self.ask([{"frames": [chunk({"text": "a"}, finish="STOP",
                                                    usage=usage)]}], args=["--json"])
            self.assert_status(result, 0)
            said = result.json()["usage"]
            self.assertEqual((said["input"], said["output"]), expected, usage)

    def test_finish_reasons(self):
        for reason, status, words in (
                ("STOP", 0, ""), ("MAX_TOKENS", 3, "token limit"),
                ("SAFETY", 3, "content filter"), ("RECITATION", 3, "content filter"),
                ("PROHIBITED_CONTENT", 3, "content filter"),
                ("IMAGE_SAFETY", 3, "content filter"),
                ("SOMETHING_NEW", 0, "")):
            result, _ = self.ask([{"frames": [chunk({"text": "a"}, finish=reason)]}])
            self.assert_status(result, status)
            self.assertEqual(result.out.rstrip(), b"a")
            self.assertIn(words, result.err)

    def test_VTX_7_a_blocked_prompt_is_no_answer_and_not_asked_again(self):
        blocked = json.dumps({"promptFeedback": {"blockReason": "SAFETY"},
                              "usageMetadata": {"promptTokenCount": 9}})
        for rule in ({"frames": [blocked]},
                     {"raw": blocked, "content_type": "application/json"}):
            _, stub = self.fails([rule], 65, "blocked: SAFETY")
            self.asked(stub, 1)

    def test_a_model_that_breaks_off_is_asked_again(self):
        for reason in ("OTHER", "MALFORMED_FUNCTION_CALL"):
            broken = chunk(finish=reason)
            _, stub = self.answered([{"frames": [broken], "times": 1}, {"text": "ok"}],
                                    "ok\n")
            self.asked(stub, 2)

    def test_a_reason_alone_ends_the_stream_with_the_connection(self):
        bare = json.dumps({"candidates": [{"finishReason": "STOP"}]})
        late = json.dumps({"usageMetadata": USAGE})
        result, _ = self.ask([{"frames": [chunk({"text": "a"}), bare, late]}],
                             args=["--json"])
        self.assert_status(result, 0)
        self.assertEqual(result.json()["usage"]["output"], 121)
        self.fails([{"frames": [chunk({"text": "a"})]}], 3, "end marker", out=b"a")

    def test_a_list_of_chunks_instead_of_events(self):
        listed = "[%s\r\n,\r\n%s]\r\n" % (chunk({"text": "a"}),
                                        chunk({"text": "b"}, finish="STOP"))
        self.answered([{"raw": listed, "content_type": "application/json"}], "ab\n")
        self.fails([{"raw": "[%s]" % chunk({"text": "a"}),
                     "content_type": "application/json"}], 3, "no candidate", out=b"a")

    def test_candidate_0_only(self):
        two = json.dumps({"candidates": [
            {"index": 1, "content": {"parts": [{"text": "no"}]}},
            {"index": 0, "content": {"parts": [{"text": "yes"}]},
             "finishReason": "STOP"}]})
        self.answered([{"frames": [two]}], "yes\n")

    def test_errors_are_classified(self):
        def google(code, status, message="m", details=()):
            return {"status": code, "raw": json.dumps(
                [{"error": {"code": code, "message": message, "status": status,
                            "details": list(details)}}], indent=1)}
        key = google(400, "INVALID_ARGUMENT", "API key not valid.", [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo",
             "reason": "API_KEY_INVALID"}])
        long = google(400, "INVALID_ARGUMENT", "The input token count (2000000) exceeds "
                      "the maximum number of tokens allowed (1048576).")
        daily = google(429, "RESOURCE_EXHAUSTED", "quota", [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure",
             "violations": [{"quotaId": "GenerateRequestsPerDayPerProject"}]}])
        for rule, status, words in ((key, 77, "API key"), (long, 65, "2000000"),
                                    (daily, 77, "quota"),
                                    (google(404, "NOT_FOUND"), 69, "404")):
            _, stub = self.fails([rule], status, words)
            self.asked(stub, 1)
        soon = google(429, "RESOURCE_EXHAUSTED", "m", [
            {"@type": "type.googleapis.com/google.rpc.RetryInfo",
             "retryDelay": "0.05s"}])
        _, stub = self.answered([soon | {"times": 1}, {"text": "ok"}], "ok\n")
        self.asked(stub, 2)

    def test_H_errors_inside_the_stream(self):
        error = json.dumps({"error": {"code": 503, "message": "overloaded",
                                      "status": "UNAVAILABLE"}})
        _, stub = self.answered([{"frames": [error], "times": 1}, {"text": "ok"}], "ok\n")
        self.asked(stub, 2)


if __name__ == "__main__":
    unittest.main()
