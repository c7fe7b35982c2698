"""Servers that speak chat completions each in its own way: Azure, OpenRouter,
and what the table of docs/providers.md says of the others."""

import json
import unittest

import harness
from provider_case import ProviderCase, attempts


def chunk(delta=None, finish=None, **fields):
    choice = {"index": 0, "finish_reason": finish}
    if delta is not None:
        choice["delta"] = delta
    return json.dumps({"choices": [choice]} | fields)


def usage(prompt, completion, **fields):
    return {"prompt_tokens": prompt, "completion_tokens": completion,
            "total_tokens": prompt + completion} | fields


class Azure(ProviderCase):
    DEPLOYED = {"api_version": "2024-10-21"}

    def setUp(self):
        super().setUp()
        self.server = self.served([{"path": "/openai/deployments/*", "text": "a",
                                    "dialect": "openai"},
                                   {"path": "/openai/v1/*", "text": "b",
                                    "dialect": "openai"}])

    def test_a_deployment_in_the_address_and_the_key_in_api_key(self):
        for base in ("", "/openai"):
            self.answered([], "a\n", stub=self.server, model={"id": "my gpt"},
                          provider=self.DEPLOYED | {"base_url":
                                                    self.server.origin + base})
            request = self.posts(self.server)[-1]
            self.assertEqual(request.target,
                             "/openai/deployments/my%20gpt/chat/completions"
                             "?api-version=2024-10-21")
            self.assertEqual(request.header("api-key"), harness.KEY)
            self.assertIsNone(request.header("Authorization"))

    def test_a_token_of_entra(self):
        self.answered([], "a\n", stub=self.server, provider=self.DEPLOYED | {
            "base_url": self.server.origin, "key_header": "Authorization"})
        request, = self.posts(self.server)
        self.assertEqual(request.header("Authorization"), f"Bearer {harness.KEY}")
        self.assertIsNone(request.header("api-key"))

    def test_the_surface_without_a_version(self):
        self.answered([], "b\n", stub=self.server, provider={
            "base_url": self.server.origin + "/openai/v1", "key_header": "api-key"})
        request, = self.posts(self.server)
        self.assertEqual(request.target, "/openai/v1/chat/completions")
        self.assertEqual(request.header("api-key"), harness.KEY)

    def test_the_key_is_in_no_output(self):
        result, _ = self.ask([], args=["-n"], stub=self.server, provider=self.DEPLOYED)
        self.assert_status(result, 0)

    def test_chunks_of_its_content_filter(self):
        filters = {"content_filter_results": {"hate": {"filtered": False}}}
        frames = [json.dumps({"id": "", "model": "", "object": "", "created": 0,
                              "choices": [], "prompt_filter_results": []}),
                  chunk({"role": "assistant", "content": ""}), chunk({"content": "a"}),
                  json.dumps({"choices": [{"index": 0} | filters]}),
                  chunk({}, "stop"),
                  json.dumps({"choices": [{"index": 0, "finish_reason": None} | filters]}),
                  "[DONE]"]
        self.answered([{"frames": frames}], "a\n")

    def test_a_filtered_prompt_is_not_asked_again(self):
        error = {"error": {"code": "content_filter", "message": "filtered",
                           "param": "prompt", "status": 400, "type": None,
                           "innererror": {"code": "ResponsibleAIPolicyViolation"}}}
        result, stub = self.ask([{"status": 400, "raw": json.dumps(error)}],
                                args=["--json"])
        self.assert_status(result, 65)
        self.assertEqual(attempts(result), [(400, "refused", "content filter")])
        self.asked(stub, 1)

    def test_its_hint_in_milliseconds(self):
        busy = {"status": 429, "times": 1, "headers": {"x-ms-retry-after-ms": "40"},
                "raw": '{"error":{"code":"429","message":"Please retry."}}'}
        _, stub = self.answered([busy, {"text": "ok"}], "ok\n")
        first, second = self.posts(stub)
        self.assertGreaterEqual(second.t - first.t, 40_000_000)


class OpenRouter(ProviderCase):
    REPORTS = {"reported_cost": True}

    def cost(self, usage_object, provider=None, **options):
        result, _ = self.ask([{"frames": [chunk({"content": "a"}, "stop"),
                                          json.dumps({"choices": [],
                                                      "usage": usage_object}), "[DONE]"]}],
                             args=["--json"], provider=provider, **options)
        self.assert_status(result, 0)
        return result.out

    def test_what_was_charged_counts_instead_of_the_prices(self):
        told = usage(10, 20) | {"cost": 0.00001234}
        self.assertIn(b'"usd":0.00001234,', self.cost(told, self.REPORTS))
        # 10 x 1 + 20 x 2 USD per million.
        self.assertIn(b'"usd":0.00005,', self.cost(told))
        self.assertIn(b'"usd":0.00005,', self.cost(told | {"is_byok": True}, self.REPORTS))
        self.assertIn(b'"usd":0.00005,', self.cost(told | {"cost": "no"}, self.REPORTS))

    def test_what_was_charged_is_the_cost_of_a_model_without_price(self):
        out = self.cost(usage(10, 20) | {"cost": 0.5}, self.REPORTS,
                        model={"price": None})
        self.assertIn(b'"usd":0.5,', out)

    def test_the_built_in_provider_reports_cost(self):
        result = self.run_llmroute(["config", "get", "providers.openrouter.reported_cost"])
        self.assert_status(result, 0)
        self.assertEqual(result.text.strip(), "true")

    def test_an_error_with_status_200(self):
        for error, status, words in (
                ({"code": 402, "message": "Insufficient credits"}, 77, "credits"),
                ({"code": 403, "message": "flagged",
                  "metadata": {"reasons": ["violence"]}}, 65, "flagged"),
                ({"code": 404, "message": "No endpoints found"}, 69, "endpoints"),
                ({"code": 400, "message": "bad"}, 65, "bad")):
            raw = {"raw": json.dumps({"error": error, "user_id": "u"}),
                   "content_type": "application/json"}
            _, stub = self.fails([raw], status, words)
            self.asked(stub, 1)
        busy = {"raw": json.dumps({"error": {"code": 429, "message": "slow"}}), "times": 1,
                "content_type": "application/json"}
        _, stub = self.answered([busy, {"text": "ok"}], "ok\n")
        self.asked(stub, 2)

    def test_an_error_in_the_middle_of_a_stream(self):
        broken = chunk({"content": ""}, "error",
                       error={"code": 502, "message": "Provider disconnected"})
        _, stub = self.fails([{"frames": [chunk({"content": "ab"}), broken]}], 3,
                             "Provider disconnected", out=b"ab")
        self.asked(stub, 1)
        _, stub = self.answered([{"frames": [broken], "times": 1}, {"text": "ok"}], "ok\n")
        self.asked(stub, 2)

    def test_its_comments_are_no_content(self):
        body = (": OPENROUTER PROCESSING\n\n" * 3 + "data: " +
                chunk({"content": "a"}, "stop") + "\n\ndata: [DONE]\n\n")
        self.answered([{"raw": body, "content_type": "text/event-stream"}], "a\n")

    def test_TG_1_ids_with_slashes_and_capitals_are_untouched(self):
        stub = self.served([{"text": "a"}])
        for name in ("meta-llama/Llama-3.3-70B-Instruct-Turbo",
                     "accounts/Fireworks/models/x", "a/b:free"):
            self.answered([], "a\n", stub=stub, model={"id": name})
            self.assertEqual(self.posts(stub)[-1].json()["model"], name)

    def test_TG_1_a_model_that_no_registry_lists(self):
        stub = self.served([{"text": "a"}])
        config = harness.provider("openrouter", base_url=stub.base_url,
                                  key_env=["STUB_KEY"])
        result = self.run_llmroute(
            ["run", "-m", "openrouter/Vendor/Some-Model:free", "-p", "x"], config=config)
        self.assert_status(result, 0)
        request, = self.posts(stub)
        self.assertEqual(request.json()["model"], "Vendor/Some-Model:free")


# name -> (frames, text, input, cached, output, reasoning)
SERVERS = {
    "vLLM counts in every chunk": (
        [chunk({"role": "assistant", "content": ""}, usage=usage(9, 0)),
         chunk({"reasoning": "hm"}, usage=usage(9, 1)),
         chunk({"content": "ab"}, usage=usage(9, 2)),
         chunk({}, "stop", usage=usage(9, 3)),
         json.dumps({"choices": [], "usage": usage(9, 3)}), "[DONE]"],
        "ab", 9, 0, 3, 0),
    "llama.cpp counts in a last chunk of its own": (
        [chunk({"role": "assistant", "content": None}), chunk({"content": "ab"}),
         chunk({}, "stop", timings={"prompt_n": 9}),
         json.dumps({"choices": [], "usage": usage(9, 3), "timings": {}}), "[DONE]"],
        "ab", 9, 0, 3, 0),
    "old llama.cpp counts in the chunk that ends": (
        [chunk({"content": "ab"}), chunk({}, "stop", usage=usage(9, 3)), "[DONE]"],
        "ab", 9, 0, 3, 0),
    "LM Studio": (
        [chunk({"role": "assistant", "reasoning_content": "hm"}),
         chunk({"content": "ab"}, system_fingerprint="m"), chunk({}, "stop"),
         json.dumps({"choices": [], "usage": usage(9, 3)}), "[DONE]"],
        "ab", 9, 0, 3, 0),
    "Groq": (
        [chunk({"role": "assistant", "content": ""}, x_groq={"id": "req_1"}),
         chunk({"reasoning": "hm"}), chunk({"content": "ab"}),
         chunk({}, "stop", x_groq={"id": "req_1", "usage": usage(
             9, 3, completion_tokens_details={"reasoning_tokens": 1})}), "[DONE]"],
        "ab", 9, 0, 3, 1),
    "Mistral's list of parts": (
        [chunk({"role": "assistant", "content": ""}),
         chunk({"content": [{"type": "thinking",
                             "thinking": [{"type": "text", "text": "hm"}]}]}),
         chunk({"content": [{"type": "text", "text": "a"}]}),
         chunk({"content": "b"}, "stop", usage=usage(9, 3)), "[DONE]"],
        "ab", 9, 0, 3, 0),
    "DeepSeek": (
        [chunk({"content": None, "reasoning_content": "hm"}),
         chunk({"content": "ab", "reasoning_content": None}),
         chunk({"content": ""}, "stop", usage=usage(
             9, 3, prompt_cache_hit_tokens=4, prompt_cache_miss_tokens=5,
             completion_tokens_details={"reasoning_tokens": 2})), "[DONE]"],
        "ab", 9, 4, 3, 2),
    "Together": (
        [chunk({"content": "ab", "token_id": 5}, usage=None),
         chunk({"content": "", "tool_calls": []}, "eos", usage=usage(9, 3)), "[DONE]"],
        "ab", 9, 0, 3, 0),
    "xAI leaves reasoning out": (
        [chunk({"reasoning_content": "hm"}), chunk({"content": "ab"}),
         chunk({}, "stop"),
         json.dumps({"choices": [], "usage": {
             "prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 351,
             "prompt_tokens_details": {"cached_tokens": 4},
             "completion_tokens_details": {"reasoning_tokens": 340}}}), "[DONE]"],
        "ab", 9, 4, 342, 340),
    "Cerebras": (
        [chunk({"content": "ab"}, created=1.5),
         chunk({}, "stop", time_info={"queue_time": 0.1}, usage=usage(9, 3)), "[DONE]"],
        "ab", 9, 0, 3, 0),
    "a reason nobody knows": (
        [chunk({"content": "ab"}, "something_new", usage=usage(9, 3)), "[DONE]"],
        "ab", 9, 0, 3, 0),
    "no reason, no [DONE], whole counts as floats": (
        [chunk({"content": "ab"}, "stop", id="", object="", usage={
            "prompt_tokens": 9.0, "completion_tokens": "3"})],
        "ab", 9, 0, 3, 0),
}

# body, HTTP status -> exit status, class
ERRORS = {
    "vLLM": ({"error": {"message": "This model's maximum context length is 10 tokens.",
                        "type": "BadRequestError", "param": None, "code": 400}},
             400, 65, "too long"),
    "old vLLM": ({"object": "error", "message": "no such model", "type": "NotFoundError",
                  "code": 404}, 404, 69, "gone"),
    "llama.cpp": ({"error": {"code": 400, "message": "request (9 tokens) exceeds the "
                             "available context size (8 tokens), try increasing it",
                             "type": "exceed_context_size_error", "n_ctx": 8}},
                  400, 65, "too long"),
    "LM Studio": ({"error": "Model not loaded"}, 404, 69, "gone"),
    "LM Studio with 200": ({"error": "Model not found"}, 200, 69, "gone"),
    "Mistral": ({"object": "error", "message": "bad", "type": "invalid_request_error",
                 "param": None, "code": "1500"}, 400, 65, "refused"),
    "Mistral's 422": ({"detail": [{"loc": ["body", "stop"], "msg": "field required",
                                   "type": "missing"}]}, 422, 65, "refused"),
    "Mistral's 401": ({"detail": "Unauthorized"}, 401, 77, "not allowed"),
    "DeepSeek": ({"error": {"message": "Insufficient Balance", "type": "unknown_error",
                            "code": "invalid_request_error"}}, 402, 77, "no money"),
    "Together's overflow": ({"error": {"message": "input and max_tokens exceed the "
                                       "maximum context length"}}, 403, 65, "too long"),
    "xAI's bad key": ({"code": "invalid", "error": "Incorrect API key provided"},
                      400, 77, "not allowed"),
    "Fireworks": ({"fault": {"faultstring": "Invalid API key", "detail": {
        "errorcode": "oauth.v2.InvalidApiKey"}}}, 401, 77, "not allowed"),
    "Cerebras": ({"message": "Model x does not exist", "type": "not_found_error",
                  "param": "model", "code": "model_not_found"}, 404, 69, "gone"),
    "LoRAX": ({"error": "inputs too long", "error_type": "validation"},
              422, 65, "refused"),
}


class Compatible(ProviderCase):
    def test_P6_answers_and_counts_of_each_server(self):
        for name, (frames, text, *counts) in SERVERS.items():
            for chunk_size in (None, 1):
                with self.subTest(name, chunk=chunk_size):
                    rule = {"frames": frames}
                    if chunk_size:
                        rule["chunk"] = chunk_size
                    result, _ = self.ask([rule], args=["--json"])
                    self.assert_status(result, 0)
                    said = result.json()
                    self.assertEqual(said["text"], text)
                    self.assertEqual(
                        [said["usage"][key] for key in
                         ("input", "cached_input", "output", "reasoning")], counts)

    def test_errors_of_each_server(self):
        for name, (body, status, exit_status, kind) in ERRORS.items():
            with self.subTest(name):
                rule = {"status": status, "raw": json.dumps(body),
                        "content_type": "application/json"}
                result, stub = self.ask([rule], args=["--json", "--retries", "0"])
                self.assert_status(result, exit_status)
                self.assertEqual(attempts(result)[0][1], kind)
                self.asked(stub, 1)

    def test_an_empty_stream_with_status_200_is_no_answer(self):
        for body in ("data: [DONE]\n\n", ""):
            result, _ = self.ask([{"raw": body, "content_type": "text/event-stream"}],
                                 args=["--retries", "0"])
            self.assertIn(result.status, (75, 76), result.err)
            self.assertEqual(result.out, b"")

    def test_a_model_that_is_still_loading_is_waited_for(self):
        loading = {"status": 503, "times": 1, "raw": '{"error":{"code":503,"message":'
                   '"Loading model","type":"unavailable_error"}}'}
        _, stub = self.answered([loading, {"text": "ok"}], "ok\n")
        self.asked(stub, 2)

    def test_OAI_2_built_in_models_have_their_parameters(self):
        cases = {"gpt-5.4-mini": ("max_completion_tokens", False),
                 "gpt-4o": ("max_tokens", True)}
        for name, (limit, temperature) in cases.items():
            stub = self.served([{"text": "a"}])
            config = harness.provider("openai", base_url=stub.base_url,
                                      key_env=["STUB_KEY"])
            result = self.run_llmroute(["run", "-m", name, "-p", "x", "--max-tokens", "9",
                                        "--temperature", "0.5"], config=config)
            self.assert_status(result, 0)
            body = self.posts(stub)[0].json()
            self.assertEqual(body.get(limit), 9)
            self.assertEqual("temperature" in body, temperature)


if __name__ == "__main__":
    unittest.main()
