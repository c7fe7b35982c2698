"""Retries, fallback, and what an ending looks like from outside."""

import json
import re
import unittest

import harness

CHAIN = {"a": {"ability": 3.0}, "b": {"ability": 0.0}}


class Fallback(harness.TestCase):
    def ask(self, rules, models=None, args=(), extra=None, **options):
        stub = self.stub(rules)
        route = harness.table("[routes.chain]", {
            "models": list(models or CHAIN), "select": "ordered"})
        result = self.run_llmroute(
            ["run", "-r", "chain", "-p", "hi there"] + list(args),
            config=harness.stub_config(stub, models or CHAIN, extra=route + (extra or "")),
            **options)
        return stub, result

    def models_called(self, stub):
        return [request.model for request in stub.requests()]

    def test_P4_transient_statuses_are_retried_then_the_next_answers(self):
        for status in (408, 409, 425, 500, 502, 503, 504, 529):
            stub, result = self.ask([{"model": "a", "status": status},
                                     {"model": "b", "text": "from b"}])
            self.assert_status(result, 0)
            self.assertEqual(result.out, b"from b\n")
            self.assertEqual(self.models_called(stub), ["a", "a", "a", "b"], status)

    def test_P4_H7_401_and_403_are_asked_once_and_warned_about(self):
        for status in (401, 403):
            stub, result = self.ask([{"status": status}])
            self.assert_status(result, 77)
            self.assertEqual(self.models_called(stub), ["a"],
                             "one provider, so the second model has the same key")

    def test_P4_a_refused_key_falls_to_another_provider(self):
        other = self.stub([{"text": "from b"}])
        stub, result = self.ask([{"status": 401}],
                                {"a": {}, "b": {"stub": other}})
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"from b\n")
        self.assertIn("a (openai-chat)", result.err)

    def test_P4_H6_other_4xx_never_fall_back(self):
        for status in (400, 422):
            stub, result = self.ask([{"model": "a", "status": status,
                                      "error": {"message": "no such field"}},
                                     {"text": "from b"}])
            self.assert_status(result, 65)
            self.assertEqual(self.models_called(stub), ["a"])
            self.assertIn("no such field", result.err)

    def test_H5_a_model_that_is_gone_falls_to_the_next(self):
        stub, result = self.ask([{"model": "a", "status": 404}, {"text": "from b"}])
        self.assert_status(result, 0)
        self.assertEqual(self.models_called(stub), ["a", "b"])
        stub, result = self.ask([{"status": 404}])
        self.assert_status(result, 69)

    def test_P4_H9_overflow_goes_to_a_larger_window_only(self):
        overflow = {"model": "a", "status": 400, "error": {
            "message": "This model's maximum context length is 9000 tokens.",
            "code": "context_length_exceeded"}}
        models = {"a": {"context_window": 9000}, "same": {"context_window": 9000},
                  "wide": {"context_window": 90000}}
        stub, result = self.ask([overflow, {"text": "ok"}], models)
        self.assert_status(result, 0)
        self.assertEqual(self.models_called(stub), ["a", "wide"])
        stub, result = self.ask([dict(overflow, model="*")], {"a": {}, "b": {}})
        self.assert_status(result, 65)

    def test_H1_a_long_wait_is_told_of(self):
        rule = {"status": 429, "error": "busy", "retry_after": "2", "times": 1}
        for args, said in ((["-q"], ""), ([], "llmroute: a (openai-chat): HTTP 429: busy; "
                                              "waiting 2 s before try 2 of 3\n")):
            _, result = self.ask([rule, {"chunks": ["ok"]}], {"a": {}}, args)
            self.assert_status(result, 0)
            self.assertEqual(result.err, said)
        rule["retry_after"] = "1"
        _, result = self.ask([rule, {"chunks": ["ok"]}], {"a": {}})
        self.assertEqual(result.err, "")

    def test_H1_P4_retry_after_is_waited_out(self):
        stub, result = self.ask([{"status": 429, "retry_after": "2", "times": 1},
                                 {"text": "ok"}])
        self.assert_status(result, 0)
        first, second = [request.t for request in stub.requests()]
        self.assertGreaterEqual((second - first) / 1e9, 2.0)
        self.assertEqual(self.models_called(stub), ["a", "a"])

    def test_a_hint_above_60_s_goes_to_the_next_at_once(self):
        stub, result = self.ask([{"model": "a", "status": 429, "retry_after": "600"},
                                 {"text": "from b"}])
        self.assert_status(result, 0)
        self.assertEqual(self.models_called(stub), ["a", "b"])
        stub, result = self.ask([{"status": 429, "retry_after": "600"}])
        self.assert_status(result, 75)
        self.assertIn("600 s", result.err)

    def test_N3_refused_is_75_and_says_so(self):
        port = harness.closed_port()
        config = (harness.provider("p", protocol="openai-chat",
                                   base_url=f"http://127.0.0.1:{port}/v1",
                                   key_env=["STUB_KEY"])
                  + harness.model("a", provider="p", **harness.DEFAULT_MODEL))
        result = self.run_llmroute(["run", "-m", "a", "-p", "hi there"], config=config)
        self.assert_status(result, 75)
        self.assertIn("refused", result.err)
        self.assertIn("(3 attempts)", result.err)

    def test_retries_0_means_one_attempt_each(self):
        stub, result = self.ask([{"status": 500}], args=["--retries", "0"])
        self.assert_status(result, 75)
        self.assertEqual(self.models_called(stub), ["a", "b"])

    def test_no_fallback_keeps_to_the_first(self):
        stub, result = self.ask([{"model": "a", "status": 404}, {"text": "from b"}],
                                args=["--no-fallback"])
        self.assert_status(result, 69)
        self.assertEqual(self.models_called(stub), ["a"])

    def test_fallback_appends_to_a_chain(self):
        stub = self.stub([{"model": "a", "status": 404}, {"text": "from b"}])
        result = self.run_llmroute(
            ["run", "-m", "a", "--fallback", "b", "-p", "hi there"],
            config=harness.stub_config(stub, CHAIN))
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"from b\n")

    def test_P6_after_the_first_byte_it_stops_with_3(self):
        stub, result = self.ask([{"model": "a", "chunks": ["half"], "no_terminal": True},
                                 {"text": "from b"}])
        self.assert_status(result, 3)
        self.assertEqual(result.out, b"half")
        self.assertIn("4 bytes", result.err)
        self.assertEqual(self.models_called(stub), ["a"])

    def test_P6_held_back_output_falls_back_clean(self):
        for args in (["--no-stream"], ["--json"], ["-o", "answer.txt"]):
            stub, result = self.ask(
                [{"model": "a", "chunks": ["half"], "no_terminal": True},
                 {"text": "from b"}], args=args)
            self.assert_status(result, 0)
            self.assertNotIn(b"half", result.out)
            self.assertEqual(self.models_called(stub)[-1], "b")

    def test_the_model_that_answered_is_named(self):
        _, result = self.ask([{"model": "a", "status": 404}, {"text": "x"}],
                             args=["--json"])
        data = result.json()
        self.assertEqual((data["model"]["routed"], data["model"]["used"]), ("a", "b"))
        self.assertTrue(data["route"]["fell_back"])

    def test_timeout_bounds_everything(self):
        stub, result = self.ask([{"hang_header": True}], args=["--timeout", "1s"])
        self.assert_status(result, 75)
        self.assertLess(result.elapsed, 30)

    def test_max_cost_refuses_before_sending(self):
        stub, result = self.ask([{"text": "x"}], args=["--max-cost", "0.0000001"])
        self.assert_status(result, 4)
        self.assertEqual(stub.requests(), [])

    def test_max_cost_caps_the_output_it_asks_for(self):
        stub, result = self.ask([{"text": "x"}], args=["--max-cost", "0.01"])
        self.assert_status(result, 0)
        sent = stub.requests()[0].json()
        cap = sent.get("max_tokens") or sent.get("max_completion_tokens")
        self.assertIsNotNone(cap)
        self.assertLessEqual(cap * 2e-6, 0.01)

    def test_max_cost_refuses_what_would_be_cut(self):
        long = "Write a story of two thousand words about a lighthouse keeper."
        stub = self.stub([{"text": "x"}])
        result = self.run_llmroute(
            ["run", "--max-cost", "0.0003", "-p", long],
            config=harness.stub_config(stub, {"a": {}}))
        self.assert_status(result, 4)
        self.assertIn("does not pay for an answer", result.err)
        self.assertEqual(stub.requests(), [])
        needed = re.search(r"it needs --max-cost (\S+) or more\n", result.err)[1]
        for usd, status in ((float(needed) * 0.98, 4), (needed, 0)):
            result = self.run_llmroute(["run", "--max-cost", str(usd), "-p", long],
                                       config=harness.stub_config(stub, {"a": {}}))
            self.assert_status(result, status)

    def test_max_cost_holds_over_all_attempts(self):
        rule = {"chunks": ["word "] * 50, "end_after": 3000}
        stub, result = self.ask([rule], args=["--no-stream", "--max-cost", "0.01"])
        self.assertNotEqual(result.status, 0)
        self.assertEqual(len(stub.requests()), 1, "the worst case fits only once")

    def test_O_cannot_lift_a_ceiling(self):
        for field in ("max_tokens=5000", "n=4", "model=other", "service_tier=priority",
                      'models=["dear"]', 'tools=[{"type":"web_search"}]', "speed=fast"):
            stub, result = self.ask([{"text": "x"}],
                                    args=["--max-cost", "0.01", "-O", field])
            self.assert_status(result, 64)
            self.assertEqual(stub.requests(), [])

    def test_O_counts_as_input_under_a_ceiling(self):
        """What takes the place of the messages is as dear as they would be."""
        messages = json.dumps([{"role": "user", "content": "word " * 2000}])
        words = ["--max-tokens", "10", "-O", f"messages={messages}"]
        for more, status in (([], 64), (["--allow-unpriced"], 4)):
            stub, result = self.ask([{"text": "x"}], {"a": {}}, args=[
                *words, "--max-cost", "0.005", *more])
            self.assert_status(result, status)
            self.assertEqual(stub.requests(), [])
        stub, result = self.ask([{"text": "x"}], {"a": {}}, args=[
            *words, "--max-cost", "0.02", "--allow-unpriced"])
        self.assert_status(result, 0)

    def test_a_free_model_without_limits_runs_under_a_ceiling(self):
        free = {"price": {"input": 0, "output": 0}, "context_window": None,
                "max_output_tokens": None}
        stub, result = self.ask([{"text": "x", "usage": None}], {"a": free},
                                args=["--max-cost", "0.01", "--json"])
        self.assert_status(result, 0)
        self.assertEqual(result.json()["cost"]["usd"], 0)
        self.assertNotIn("max_tokens", stub.requests()[0].json())

    def test_no_fallback_of_a_route_is_never_left(self):
        extra = harness.table("[routes.only]", {"models": ["a"], "no_fallback": True})
        stub, result = self.ask([{"model": "a", "status": 404}, {"text": "from b"}],
                                args=["-r", "only", "--fallback", "b"], extra=extra)
        self.assert_status(result, 69)
        self.assertEqual(self.models_called(stub), ["a"])

    def test_leaving_a_model_is_told(self):
        stub, result = self.ask([{"model": "a", "status": 404}, {"text": "from b"}])
        self.assertIn("a (openai-chat)", result.err)
        self.assertIn("asking the next model", result.err)
        stub, result = self.ask([{"model": "a", "status": 404}, {"text": "from b"}],
                                args=["-q"])
        self.assertEqual(result.err, "")

    def test_retries_8_makes_nine_attempts(self):
        stub, result = self.ask([{"status": 503, "retry_after_ms": "1"}], {"a": {}},
                                args=["--retries", "8"])
        self.assert_status(result, 75)
        self.assertEqual(len(self.models_called(stub)), 9)

    def test_offline_sends_nothing(self):
        stub, result = self.ask([{"text": "x"}], env={"LLMROUTE_OFFLINE": "1"})
        self.assert_status(result, 69)
        self.assertEqual(stub.connections(), 0)


if __name__ == "__main__":
    unittest.main()
