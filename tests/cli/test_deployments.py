"""Many models behind one key, and one model at several providers."""

import contextlib
import json
import sqlite3
import unittest

import harness

BOTH = {"ability": 2.0, "context_window": 131072}


class Key(harness.TestCase):
    """TG-2, TG-3: one provider, one key, several models."""

    def ask(self, stub, *args, scope=None, home=None):
        models = {name: {"id": f"Vendor/{name.upper()}-Turbo",
                         "price": {"input": price, "output": 2 * price}}
                  for name, price in (("a", 1), ("b", 2), ("c", 4))}
        fields = {"rate_limit_scope": scope} if scope else None
        return self.run_llmroute(
            ["run", "--json", "-p", "hi", *args],
            config=harness.stub_config(stub, models, provider_fields=fields),
            env={"LLMROUTE_LEDGER": self.home.file("ledger")})

    def asked(self, stub):
        return [r.model for r in stub.requests()]

    def test_TG_2_one_key_and_each_model_at_its_own_price(self):
        stub = self.stub([{"text": "a", "usage": {"input": 1000, "output": 10}}])
        for name, price in (("a", 1), ("b", 2), ("c", 4)):
            result = self.ask(stub, "-m", name)
            self.assert_status(result, 0)
            self.assertEqual(round(result.json()["cost"]["usd"] * 1e6), 1020 * price)
        self.assertEqual(self.asked(stub), ["Vendor/A-Turbo", "Vendor/B-Turbo",
                                            "Vendor/C-Turbo"])
        self.assertEqual({r.header("Authorization") for r in stub.requests()},
                         {f"Bearer {harness.KEY}"})

    LIMITED = [{"model": "Vendor/A-Turbo", "status": 429, "retry_after": "600"},
               {"text": "a"}]

    def test_TG_3_a_limit_cools_that_model_only(self):
        stub = self.stub(self.LIMITED)
        result = self.ask(stub, "-m", "a,b")
        self.assert_status(result, 0)
        self.assertEqual(self.asked(stub), ["Vendor/A-Turbo", "Vendor/B-Turbo"])
        result = self.ask(stub, "-m", "a,b,c")
        self.assert_status(result, 0)
        self.assertEqual(self.asked(stub)[2:], ["Vendor/B-Turbo"])

    def test_TG_3_a_limit_of_the_key_cools_all_of_its_models(self):
        stub = self.stub(self.LIMITED)
        result = self.ask(stub, "-m", "a,b,c", scope="key")
        self.assert_status(result, 75)
        self.assertEqual(self.asked(stub), ["Vendor/A-Turbo"])
        config = harness.stub_config(stub, {"a": {}, "b": {}, "other": {"stub": self.stub()}},
                                     provider_fields={"rate_limit_scope": "key"})
        result = self.run_llmroute(["explain", "--json", "x"], config=config, env={
            "LLMROUTE_LEDGER": self.home.file("ledger")})
        report = result.json()
        self.assertEqual([c["model"] for c in report["candidates"]], ["other"])
        reasons = {e["model"]: e["reason"] for e in report["excluded"]}
        self.assertRegex(reasons["a"], "^asked to wait [0-9]+ s$")
        self.assertRegex(reasons["b"], "^its key was asked to wait [0-9]+ s$")

    def test_TG_3_another_key_goes_on(self):
        stub = self.stub(self.LIMITED)
        other = self.stub([{"text": "other"}])
        config = harness.stub_config(
            stub, {"a": {"id": "Vendor/A-Turbo"}, "b": {}, "c": {"stub": other}},
            provider_fields={"rate_limit_scope": "key"})
        result = self.run_llmroute(["run", "-m", "a,b,c", "-p", "hi"], config=config)
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"other\n")
        self.assertEqual(self.asked(stub), ["Vendor/A-Turbo"])

    def test_TG_3_a_short_wait_is_waited_out_on_the_same_model(self):
        stub = self.stub([{"status": 429, "retry_after_ms": "50", "times": 1}, {"text": "a"}])
        result = self.ask(stub, "-m", "a,b", scope="key")
        self.assert_status(result, 0)
        self.assertEqual(self.asked(stub), ["Vendor/A-Turbo", "Vendor/A-Turbo"])

    def test_TG_3_a_batch_holds_all_models_of_the_key(self):
        for scope, wanted in (("model", ["a", "b"]), ("key", ["a"])):
            stub = self.stub([{"model": "a", "status": 429, "retry_after": "3600"},
                              {"text": "x"}])
            config = harness.stub_config(
                stub, {"a": {"ability": 3}, "b": {"ability": 1}},
                provider_fields={"rate_limit_scope": scope},
                extra=harness.table("[routes.r]", {"models": ["a", "b"], "select": "ordered"}))
            result = self.run_llmroute(["batch", "--lines", "-r", "r"], stdin="hi\n",
                                       config=config)
            self.assert_status(result, 0 if scope == "model" else 75)
            self.assertEqual(self.asked(stub), wanted)


class Deployments(harness.TestCase):
    """TG-4: one model at two providers is a route over both."""

    def setUp(self):
        super().setUp()
        self.one = self.stub([{"text": "one"}])
        self.two = self.stub([{"text": "two"}])

    def config(self, select="best", one=None, two=None, stubs=None):
        first, second = stubs or (self.one, self.two)
        models = {"llama-one": BOTH | {"id": "meta-llama/Llama", "stub": first} | (one or {}),
                  "llama-two": BOTH | {"id": "llama", "stub": second} | (two or {})}
        return harness.stub_config(self.one, models, extra=harness.table(
            "[routes.llama]", {"models": ["llama-one", "llama-two"], "select": select}))

    def ask(self, config, *args, ledger="ledger"):
        result = self.run_llmroute(["run", "--json", "-r", "llama", "-p", "hi", *args],
                                   config=config,
                                   env={"LLMROUTE_LEDGER": self.home.file(ledger)})
        self.assert_status(result, 0)
        return result.json()

    def test_TG_4_by_price(self):
        dear, cheap = {"price": {"input": 4, "output": 8}}, {"price": {"input": 1, "output": 2}}
        self.assertEqual(self.ask(self.config(one=dear, two=cheap))["model"]["used"],
                         "llama-two")
        self.assertEqual(self.ask(self.config(one=cheap, two=dear),
                                  ledger="another")["model"]["used"], "llama-one")

    def test_TG_4_by_order(self):
        cheap = {"price": {"input": 0.1, "output": 0.1}}
        report = self.ask(self.config("ordered", two=cheap))
        self.assertEqual(report["model"]["used"], "llama-one")

    def test_TG_4_by_measured_latency(self):
        slow = self.stub([{"text": "one", "delay_headers_ms": 1500}])
        config = self.config(stubs=(slow, self.two))
        same = self.ask(config, "--wait", "0.01")["model"]["used"]
        self.assertEqual(same, "llama-one")
        self.assertEqual(self.ask(config, "--wait", "0.01")["model"]["used"], "llama-two")

    def test_TG_4_failover_between_them_keeps_both_names_in_the_ledger(self):
        broken = self.stub([{"status": 404, "error": "no such model"}])
        report = self.ask(self.config("ordered", stubs=(broken, self.two)))
        self.assertEqual((report["route"]["name"], report["model"]["used"],
                          report["route"]["fell_back"]), ("llama", "llama-two", True))
        self.assertEqual(self.two.requests()[0].model, "llama")
        with contextlib.closing(sqlite3.connect(self.home.file("ledger"))) as ledger:
            self.assertEqual(
                ledger.execute("SELECT route FROM decisions").fetchall(), [("llama",)])
            self.assertEqual(
                ledger.execute("SELECT model, provider FROM attempts ORDER BY number")
                .fetchall(),
                [("llama-one", "openai-chat-2"), ("llama-two", "openai-chat-3")])
        result = self.run_llmroute(["usage", "--by", "route,provider", "--format", "json"],
                                   env={"LLMROUTE_LEDGER": self.home.file("ledger")})
        self.assert_status(result, 0)
        self.assertIn("llama", json.dumps(result.json()))


if __name__ == "__main__":
    unittest.main()
