"""`batch`: what it costs, what it may cost, and what it would cost. The stub's
own account is the judge."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
import unittest

import harness
from batch_case import BatchCase, codes, lines, openai, parse, prompts, texts

PRICES = {"m": {"input": 1.0, "output": 2.0}, "n": {"input": 10.0, "output": 20.0}}
PICO = 10 ** 12


def total_usd(results):
    return sum(round(r["cost"]["usd"] * PICO) for r in results)


class Ceiling(BatchCase):
    def test_a_cheaper_model_that_is_left_alone_is_waited_for(self):
        """m answers, fails until it is left alone, and answers again; after its
        first answer a call of n does not fit any more."""
        answer = {"text": "ok", "usage": {"prompt_tokens": 10, "completion_tokens": 5}}
        stub = self.stub([{"model": "m", "times": 1} | answer,
                          {"model": "m", "status": 500, "times": 5}, answer])
        result = self.batch(
            stub, ["-j", "1", "-m", "m,n", "--max-tokens", "100",
                   "--max-cost", "0.0298"], stdin=lines({"prompt": "Hi"}) * 4,
            models={"m": {}, "n": {"price": {"input": 100.0, "output": 200.0}}})
        self.assertEqual(codes(self.results(result)), [None] * 4)
        self.assertEqual({r.model for r in self.posts(stub)}, {"m"})

    """100 words of answer: a record costs some $0.0003, its worst case, with
    the models' own output limit, $0.008."""
    RULES = [{"words": 100}]

    def test_cost_equals_hand_computed_values_and_the_stubs_account(self):
        stub = self.stub([{"body": "say 1\"", "text": "x", "usage": {"input": 1000, "output": 200}},
                          {"words": 20}], prices=PRICES)
        results = self.results(self.batch(stub, stdin=prompts(30)))
        self.assertEqual(results[0]["cost"]["usd"], 0.0014)
        others = results[1:]
        self.assertEqual(total_usd(others), sum(
            (r["usage"]["input"] + 2 * r["usage"]["output"]) * 10 ** 6 for r in others))

    def test_max_cost_is_never_exceeded_at_any_concurrency(self):
        for jobs in (1, 8, 32):
            stub = self.stub(self.RULES, prices=PRICES)
            ceiling = 0.02
            path = self.home.write("in.jsonl", prompts(500))
            out = self.home.file(f"out-{jobs}.jsonl")
            config = self.config(stub)
            args = ["-j", str(jobs), "-o", out, path, "--max-cost"]
            result = self.batch(stub, args + [str(ceiling)], config=config)
            self.assert_status(result, 4)
            self.assertIn("of the ceiling of $0.0200 are spent, and the next", result.err)
            spent = stub.account()["pico_usd"]
            self.assertLessEqual(spent, ceiling * PICO)
            self.assertGreater(spent, 0.3 * ceiling * PICO)
            self.assertFalse(os.path.exists(out))

    def test_below_one_worst_case_all_that_the_money_pays_for_is_answered(self):
        """The models' own limit would cost $0.008 at worst, an answer $0.0003."""
        stub = self.stub(self.RULES, prices=PRICES)
        result = self.batch(stub, ["-j", "8", "--max-cost", "0.005"], stdin=prompts(12))
        self.assertEqual(codes(self.results(result)), [None] * 12)
        limits = [r.json()["max_tokens"] for r in self.posts(stub)]
        self.assertEqual(limits, sorted(limits, reverse=True))
        self.assertLess(limits[-1], limits[0])

    def test_what_a_ceiling_must_be_for_one_more_record_is_told_and_true(self):
        stub = self.stub(self.RULES, prices=PRICES)
        path = self.home.write("in.jsonl", prompts(100))
        config = self.config(stub)
        args = ["-j", "4", "-o", self.home.file("out.jsonl"), path, "--max-cost"]
        ceiling, done = "0.0001", 0
        for _ in range(4):
            result = self.batch(stub, [*args, ceiling], config=config)
            self.assert_status(result, 4)
            self.assertGreaterEqual(len(self.posts(stub)), done, result.err)
            self.assertLessEqual(stub.account()["pico_usd"], float(ceiling) * PICO)
            line, ceiling = re.search(r"record \(line (\d+)\) needs --max-cost (\S+) or more",
                                      result.err).groups()
            self.assertEqual(int(line), len(self.posts(stub)) + 1)
            done = len(self.posts(stub)) + 1

    def test_of_a_shard_the_ceiling_of_all_is_told(self):
        stub = self.stub([{"words": 20}], prices=PRICES)
        args = ["--shard", "2/4", "--max-cost"]
        result = self.batch(stub, [*args, "0.0004"], stdin=prompts(4))
        needed = re.search(r"needs --max-cost (\S+) or more", result.err)[1]
        self.assert_status(self.batch(stub, [*args, needed], stdin=prompts(4)), 0)
        self.assertEqual(len(self.posts(stub)), 1)

    def test_no_field_of_a_record_changes_the_price_under_a_ceiling(self):
        stub = self.stub(self.RULES, prices=PRICES)
        records = lines(openai("a", "x", service_tier="priority"),
                        openai("b", "y", user="jane"))
        result = self.batch(stub, ["--max-cost", "1"], stdin=records)
        first, second = self.results(result, 1)
        self.assertEqual(codes([first, second]), ["data", None])
        self.assertIn("'service_tier' is not possible under a cost ceiling", str(first))
        self.assertEqual([r.json()["user"] for r in self.posts(stub)], ["jane"])
        self.assertEqual(codes(self.results(self.batch(stub, stdin=records))),
                         [None, None])

    def test_a_higher_ceiling_goes_on_and_asks_nothing_twice(self):
        stub = self.stub(self.RULES, prices=PRICES)
        path = self.home.write("in.jsonl", prompts(100))
        out = self.home.file("out.jsonl")
        config = self.config(stub)
        for ceiling, status in (("0.01", 4), ("0.02", 4), ("5", 0)):
            result = self.batch(stub, ["-j", "4", "-o", out, path, "--max-cost", ceiling],
                                config=config)
            self.assert_status(result, status)
            self.assertLessEqual(stub.account()["pico_usd"], float(ceiling) * PICO)
        asked = [r.prompt for r in self.posts(stub)]
        self.assertEqual(len(asked), len(set(asked)))
        with open(out, "rb") as file:
            self.assertEqual(total_usd(parse(file.read())), stub.account()["pico_usd"])

    def test_killed_runs_count_what_they_may_have_spent(self):
        stub = self.stub([{"words": 100, "delay_headers_ms": 30}], prices=PRICES)
        path = self.home.write("in.jsonl", prompts(400))
        config = self.config(stub)
        args = ["-j", "8", "-o", self.home.file("out.jsonl"), path, "--max-cost", "0.09"]
        chance = random.Random(7)
        for _ in range(12):
            process = self.spawn_llmroute(["batch"] + args, config=config)
            process.stdin.close()
            time.sleep(0.1 + 0.2 * chance.random())
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.assertIn(self.batch(stub, args, config=config).status, (0, 4))
        self.assertLessEqual(stub.account()["pico_usd"], 0.09 * PICO)

    def test_killed_attempts_that_were_refused_before_cost_nothing(self):
        """The worst case of the record is $0.0002: the ceiling holds two."""
        stub = self.stub([{"status": 429, "retry_after_ms": 20, "times": 6},
                          {"hang_header": True, "times": 1}, {"text": "ok"}], prices=PRICES)
        text = lines({"prompt": "x", "max_tokens": 50})
        path = self.home.write("in.jsonl", text)
        config = self.config(stub)
        args = ["-o", self.home.file("out.jsonl"), path, "--max-cost", "0.0005"]
        process = self.spawn_llmroute(["batch"] + args, config=config)
        process.stdin.close()
        until = time.monotonic() + 60
        while len(stub.requests(wait=0)) < 7 and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.assert_status(self.batch(stub, args, config=config), 0)

    def test_a_run_that_stops_holds_nothing_for_what_cost_nothing(self):
        """The same command during an outage: nothing is spent by asking."""
        stub = self.stub([{"status": 503, "times": 20}, {"words": 3}], prices=PRICES)
        config = self.config(stub, extra='[limits]\ngive_up = "1s"\n')
        path = self.home.write("in.jsonl", prompts(3))
        out = self.home.file("out.jsonl")
        args = ["-o", out, path, "-j", "3", "--max-cost", "0.03"]
        ends = [self.batch(stub, args, config=config) for _ in range(4)]
        for ended in ends[:3]:
            self.assert_status(ended, 75)
            self.assertNotIn("may have been spent", ended.err)
        while len(self.posts(stub)) <= 20:
            ends.append(self.batch(stub, args, config=config))
        self.assert_status(ends[-1], 0)

    def test_a_lower_ceiling_of_a_day_fails_the_record_not_the_batch(self):
        text = lines({"prompt": "x " * 30_000}, {"prompt": "b"})
        for limit, name in (("[limits]\nper_day = 0.02\n", "per_day"),
                            ('[budgets.b]\ntag = "a=b"\nper_month = 0.02\n',
                             "per_month of tag a=b")):
            stub = self.stub([{"words": 3}], prices=PRICES)
            result = self.batch(stub, ["--max-cost", "1", "--tag", "a=b"], stdin=text,
                                extra=limit, env={"LLMROUTE_LEDGER": self.home.file("l")})
            self.assertEqual(codes(self.results(result, 1)), ["budget", None])
            self.assertIn("; the ceiling is " + name,
                          parse(result.out)[0]["error"]["message"])

    def test_a_warning_comes_at_80_percent(self):
        stub = self.stub(self.RULES, prices=PRICES)
        result = self.batch(stub, ["--max-cost", "0.05", "-j", "1"], stdin=prompts(500))
        self.assert_status(result, 4)
        self.assertEqual(len(re.findall(r"of the ceiling of \$0.05\d* are spent\n", result.err)), 1)
        calm = self.batch(stub, ["--max-cost", "5"], stdin=prompts(3))
        self.assertNotIn("ceiling", calm.err)

    def test_P2_missing_usage_counts_as_the_worst_case(self):
        stub = self.stub([{"text": "ok", "usage": "omit"}])
        (result,) = self.results(self.batch(
            stub, ["--max-cost", "1"], stdin=lines({"prompt": "say 1", "max_tokens": 100})))
        self.assertTrue(result["cost"]["estimated"])
        # 100 tokens out, and at least the prompt's bytes in.
        self.assertGreaterEqual(result["cost"]["usd"], 0.000205)
        self.assertLess(result["cost"]["usd"], 0.0005)

    def test_P3_text_that_cost_nothing_is_not_believed(self):
        stub = self.stub([{"text": "ok", "usage": {"input": 5, "output": 0}}])
        (result,) = self.results(self.batch(
            stub, ["--max-cost", "1"], stdin=lines({"prompt": "say 1", "max_tokens": 100})))
        self.assertTrue(result["cost"]["estimated"])

    def test_P4_a_model_without_a_price_is_refused_under_a_ceiling(self):
        stub = self.stub([{"text": "ok"}])
        models = {"m": {"price": None}}
        result = self.batch(stub, ["--max-cost", "1"], stdin=prompts(3), models=models)
        self.assert_status(result, 4)
        self.assertEqual((self.posts(stub), result.out), ([], b""))
        (free,) = self.results(self.batch(stub, stdin=prompts(1), models=models))
        self.assertIsNone(free["cost"]["usd"])

    def test_a_records_own_max_cost(self):
        stub = self.stub([{"words": 1000}], prices=PRICES)
        text = lines({"prompt": "x", "max_cost": 0.0005}, {"prompt": "x", "max_cost": 0.000001})
        results = parse(self.batch(stub, stdin=text).out)
        self.assertLessEqual(stub.account()["pico_usd"], 0.0005 * PICO)
        self.assertEqual(len(self.posts(stub)), 1)
        self.assertEqual(results[1]["error"]["code"], "budget")

    def test_the_configs_max_cost_of_a_request_holds_for_all_attempts_of_a_record(self):
        """An attempt that breaks off counts as its worst case, some $0.0003."""
        stub = self.stub([{"words": 100, "cut_after": 10}], prices=PRICES)
        text = lines({"prompt": "x", "max_tokens": 100})
        result = self.batch(stub, stdin=text, extra='[limits]\nmax_cost = 0.0007\ngive_up = "9s"\n')
        self.assertLessEqual(len(self.posts(stub)), 2)
        self.assertEqual(codes(parse(result.out)), ["try_later"])

    def test_a_records_own_max_cost_holds_for_all_its_attempts(self):
        """Nobody answers, so that none of its attempts counts as one."""
        stub = self.stub([{"words": 100, "cut_after": 10}], prices=PRICES)
        text = lines({"prompt": "x", "max_tokens": 100, "max_cost": 0.0007})
        result = self.batch(stub, stdin=text, extra='[limits]\ngive_up = "9s"\n')
        self.assertLessEqual(len(self.posts(stub)), 2)
        self.assertEqual(codes(parse(result.out)), ["try_later"])

    def test_shards_divide_the_ceiling(self):
        stub = self.stub(self.RULES, prices=PRICES)
        path = self.home.write("in.jsonl", prompts(400))
        for k in (1, 2, 3, 4):
            self.assert_status(self.batch(
                stub, ["--shard", f"{k}/4", "--max-cost", "0.08", path]), 4)
        self.assertLessEqual(stub.account()["pico_usd"], 0.08 * PICO)

    def test_the_environment_sets_a_ceiling(self):
        stub = self.stub(self.RULES, prices=PRICES)
        self.assert_status(self.batch(stub, stdin=prompts(100),
                                      env={"LLMROUTE_MAX_COST": "0.01"}), 4)

    def test_failures_by_status_cost_nothing(self):
        stub = self.stub([{"status": 400}], prices=PRICES)
        (result,) = self.results(self.batch(stub, stdin=prompts(1)), 1)
        self.assertEqual(result["cost"]["usd"], 0)

    def test_a_summary_adds_up(self):
        stub = self.stub(self.RULES, prices=PRICES)
        file = self.home.file("summary.json")
        models = {"m": {"ability": 1.0}, "n": {"ability": 3.0, "price": {"input": 10.0, "output": 20.0}}}
        text = prompts(10).replace('"}', '","model":"m","fallback":["n"]}')
        results = self.results(self.batch(
            stub, ["--summary", file], stdin=text, models=models))
        with open(file, encoding="utf-8") as opened:
            summary = json.load(opened)
        self.assertEqual((summary["ok"], summary["failed"]), (10, 0))
        self.assertEqual(round(summary["cost"]["usd"] * PICO), stub.account()["pico_usd"])
        self.assertEqual(round(summary["cost"]["usd"] * PICO), total_usd(results))
        self.assertAlmostEqual(summary["cost"]["strongest_usd"], 10 * summary["cost"]["usd"])
        self.assertEqual(summary["models"]["m"]["records"], 10)
        self.assertEqual(len(summary["slowest"]), 3)


    def test_each_model_is_told_what_it_cost_itself(self):
        """n's answer does not fit, m's does."""
        stub = self.stub([{"model": "n", "text": "{}", "usage": {"input": 1000, "output": 500}},
                          {"text": "[]", "usage": {"input": 100, "output": 50}}], prices=PRICES)
        models = {"m": {"ability": 3.0, "tags": ["json"]},
                  "n": {"ability": 1.0, "tags": ["json"], "price": {"input": 10.0, "output": 20.0}}}
        text = lines({"prompt": "x", "schema": {"type": "array"}, "model": "n", "fallback": ["m"]})
        file, out = self.home.file("summary.json"), self.home.file("out.jsonl")
        path = self.home.write("in.jsonl", text + '{"prompt":"y","model":"m"}\n')
        config = self.config(stub, models)
        for _ in range(2):  # the second from the journal
            self.assert_status(self.batch(stub, ["--summary", file, path, "-o", out],
                                          config=config), 0)
            with open(file, encoding="utf-8") as opened:
                summary = json.load(opened)
            self.assertEqual({name: (m["records"], m["usd"]) for name, m in
                              summary["models"].items()},
                             {"n": (0, 0.02), "m": (2, 0.0004)})
            os.unlink(out)
            os.unlink(file)

    def test_what_killed_runs_may_have_spent_is_told(self):
        stub = self.stub([{"hang_header": True, "times": 1}, {"text": "ok"}], prices=PRICES)
        path = self.home.write("in.jsonl", lines({"prompt": "x", "max_tokens": 50}))
        config, file = self.config(stub), self.home.file("summary.json")
        args = ["-o", self.home.file("out.jsonl"), path, "--max-cost", "1", "--summary", file]
        process = self.spawn_llmroute(["batch"] + args, config=config)
        process.stdin.close()
        until = time.monotonic() + 60
        while not stub.requests(wait=0) and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        result = self.batch(stub, args, config=config)
        self.assert_status(result, 0)
        self.assertRegex(result.err, r"; \$0.000\d+ may have been spent without a result")
        with open(file, encoding="utf-8") as opened:
            cost = json.load(opened)["cost"]
        self.assertGreater(cost["orphaned_usd"], 0.0001)
        self.assertAlmostEqual(cost["total_usd"], cost["usd"] + cost["orphaned_usd"])

    def summary(self, stub, *args, status=0, **options):
        file = self.home.file("summary.json")
        result = self.batch(stub, [*args, "--summary", file], **options)
        self.assert_status(result, status)
        with open(file, encoding="utf-8") as opened:
            return json.load(opened), result

    def test_what_this_run_has_spent_in_vain_is_told(self):
        """Each attempt that timed out counts as its worst case."""
        stub = self.stub([{"hang_header": True}], prices=PRICES)
        path = self.home.write("in.jsonl", lines({"prompt": "x", "max_tokens": 50}))
        summary, result = self.summary(
            stub, path, "-o", self.home.file("out.jsonl"), "--max-cost", "1", "--timeout", "1s",
            status=75, extra='[limits]\ngive_up = "2s"\n')
        cost = summary["cost"]
        self.assertEqual(cost["usd"], 0)
        self.assertGreater(cost["orphaned_usd"], 0.0001)
        self.assertEqual(cost["orphaned_usd"], cost["total_usd"])
        self.assertIn("may have been spent without a result", result.err)

    def test_what_replaced_results_have_cost_is_told(self):
        """A misfit is paid for, and so is its repetition. A summary of a batch
        that is done says the same."""
        usage = {"usage": {"input": 1000, "output": 500}}
        stub = self.stub([{"text": "half", "finish": "length", "times": 1} | usage,
                          {"text": "ok"} | usage], prices=PRICES)
        path = self.home.write("in.jsonl", prompts(1))
        args, config = (path, "-o", self.home.file("out.jsonl")), self.config(stub)
        first, _ = self.summary(stub, *args, status=1, config=config)
        self.assertEqual((first["cost"]["usd"], first["cost"]["total_usd"]), (0.002, 0.002))
        again, result = self.summary(stub, *args, "--retry-errors", config=config)
        self.assertEqual((again["cost"]["usd"], again["cost"]["replaced_usd"],
                          again["cost"]["orphaned_usd"], again["cost"]["total_usd"]),
                         (0.002, 0.002, 0, 0.004))
        self.assertIn("$0.00200 for results that were replaced", result.err)
        os.unlink(self.home.file("summary.json"))
        done, result = self.summary(stub, *args, config=config)
        self.assertIn("an earlier run did all of it", result.err)
        self.assertEqual((done["cost"], done["ok"], done["replayed"]), (again["cost"], 1, 1))

    def test_what_is_not_known_is_never_nothing(self):
        stub = self.stub([{"text": "ok"}])
        summary, result = self.summary(
            stub, "--progress", "json", stdin=prompts(2), models={"m": {"price": None}})
        self.assertIsNone(summary["cost"]["usd"])
        self.assertIsNone(summary["cost"]["total_usd"])
        self.assertIsNone(summary["models"]["m"]["usd"])
        self.assertEqual({one["usd"] for one in summary["dearest"]}, {None})

    def test_a_long_id_does_not_fill_the_summary(self):
        summary, result = self.summary(
            self.stub([{"text": "ok"}]), stdin=lines({"id": "x" * 100_000, "prompt": "y"}))
        self.assertLess(len(result.err), 2000)
        self.assertLess(len(summary["slowest"][0]["id"]), 300)

    def test_H12_an_error_in_a_200_costs_nothing(self):
        """As it would with its status: the ceiling pays for no more than one."""
        stub = self.stub([{"raw": json.dumps({"error": {
            "code": 429, "type": "rate_limit_error", "message": "slow down"}}), "times": 3},
            {"text": "ok"}], prices=PRICES)
        (result,) = self.results(self.batch(
            stub, ["--max-cost", "0.0003"], stdin=lines({"prompt": "x", "max_tokens": 50})))
        self.assertEqual(result["text"], "ok")
        self.assertNotIn("estimated", result["cost"])


class Estimate(BatchCase):
    MODELS = {"m": {"ability": 1.0}, "n": {"ability": 3.0, "price": {"input": 100.0, "output": 200.0}},
              "free": {"ability": -3.0, "price": {"input": 0.001, "output": 0.001}}}

    def estimate(self, args=(), text=None, models=None):
        stub = self.stub()
        result = self.batch(stub, ["-n", "--json", *args], models=models or self.MODELS,
                            stdin=text or prompts(40, "Write an essay about {}"),
                            env={"STUB_KEY": None})
        self.assert_status(result, 0)
        self.assertEqual(stub.connections(), 0)
        return result.json()

    def test_dry_run(self):
        it = self.estimate()
        self.assertEqual(it["schema"], "llmroute.estimate/1")
        self.assertEqual(sum(m["records"] for m in it["models"].values()), 40)
        for part in (it["all"], it["strongest"], it["cheapest"], *it["models"].values()):
            self.assertLessEqual(part["low_usd"], part["expected_usd"])
            self.assertLessEqual(part["expected_usd"], part["high_usd"])
        self.assertLess(it["cheapest"]["expected_usd"], it["all"]["expected_usd"] + 1e-12)
        self.assertGreater(it["strongest"]["expected_usd"], it["all"]["expected_usd"])

    def test_dry_run_of_a_kept_model_is_that_models(self):
        it = self.estimate(["-m", "n"])
        self.assertEqual(list(it["models"]), ["n"])

    def test_dry_run_shows_an_unknown_price_as_unknown(self):
        it = self.estimate(models={"m": {"price": None}})
        self.assertIsNone(it["all"]["expected_usd"])
        self.assertEqual(it["all"]["unknown_price"], 40)
        text = self.batch(self.stub(), ["-n"], stdin=prompts(3), models={"m": {"price": None}})
        self.assertIn("unknown", text.text)
        self.assertNotIn("$0", text.text)

    def test_dry_run_names_what_cannot_be_asked(self):
        it = self.estimate(text=prompts(2) + "{\n" + '{"prompt":1}\n')
        self.assertEqual(it["faults"], {"bad_json": 1, "bad_value": 1})


class Queues(BatchCase):
    """--split, a queue that answers in its own order and not always, --collect."""
    MODELS = {"m": {"ability": 1.0}, "n": {"ability": 1.0}}

    def split(self, text, args=()):
        stub = self.stub()
        directory = self.home.file("queue")
        result = self.batch(stub, ["--split", directory, *args], stdin=text,
                            models=self.MODELS, env={"STUB_KEY": None})
        self.assertEqual(stub.connections(), 0)
        return directory, result

    def answer(self, directory, keep=lambda n: True):
        """Each file's requests, answered in another order; the third fails."""
        for name in sorted(os.listdir(directory)):
            if name == "manifest.jsonl":
                continue
            with open(os.path.join(directory, name), "rb") as file:
                requests = parse(file.read())
            self.assertEqual(len({r["body"]["model"] for r in requests}), 1)
            replies, errors = [], []
            for n, request in enumerate(requests):
                if not keep(n):
                    continue
                body = {"id": "c", "object": "chat.completion", "model": "served",
                        "choices": [{"index": 0, "finish_reason": "stop", "message": {
                            "role": "assistant",
                            "content": "re: " + request["body"]["messages"][-1]["content"]}}],
                        "usage": {"prompt_tokens": 1000, "completion_tokens": 500,
                                  "total_tokens": 1500}}
                line = {"id": f"b{n}", "custom_id": request["custom_id"], "error": None,
                        "response": {"status_code": 200, "request_id": f"r{n}", "body": body}}
                if n == 2:
                    line["response"] = None
                    line["error"] = {"code": "batch_expired", "message": "too late"}
                (errors if n == 2 else replies).append(line)
            random.Random(3).shuffle(replies)
            for kind, found in (("output", replies), ("errors", errors)):
                with open(os.path.join(directory, f"{name}-{kind}.jsonl"), "w",
                          encoding="utf-8") as file:
                    file.write(lines(*found))

    def collect(self, directory, args=()):
        return self.batch(self.stub(), ["--collect", directory, *args], models=self.MODELS)

    def test_split_and_collect(self):
        text = lines(*({"id": f"r{i}", "prompt": f"p {i}", "model": "mn"[i % 2],
                        "meta": {"i": i}} for i in range(20)))
        directory, result = self.split(text)
        self.assert_status(result, 0)
        self.assertEqual(len(os.listdir(directory)), 3)
        self.answer(directory)
        results = self.results(self.collect(directory), 1)
        self.assertEqual([r["id"] for r in results], [f"r{i}" for i in range(20)])
        self.assertEqual([r["meta"]["i"] for r in results], list(range(20)))
        failed = [i for i, r in enumerate(results) if r["error"]]
        self.assertEqual(failed, [4, 5])
        self.assertEqual(results[0]["text"], "re: p 0")
        self.assertEqual(results[0]["cost"]["usd"], (0.001 + 0.001) / 2)

    def test_T_a_result_that_is_not_whole_is_an_error_record(self):
        """As a live answer would be; but for a limit that the record set."""
        messages = [({"content": "half"}, "length", {}), ({"content": ""}, "stop", {}),
                    ({"content": "x"}, "content_filter", {}),
                    ({"content": None, "refusal": "no"}, "stop", {}),
                    ({"content": "half"}, "length", {"max_tokens": 5}),
                    ({"content": "whole"}, "stop", {})]
        text = lines(*({"id": str(i), "prompt": "p"} | more
                       for i, (_, _, more) in enumerate(messages)))
        directory, _ = self.split(text, ["-m", "m"])
        with open(os.path.join(directory, "results.jsonl"), "w", encoding="utf-8") as out:
            for i, (message, finish, _) in enumerate(messages):
                out.write(json.dumps({"custom_id": str(i), "response": {
                    "status_code": 200, "body": {"choices": [{
                        "message": {"role": "assistant"} | message,
                        "finish_reason": finish}]}}, "error": None}) + "\n")
        results = self.results(self.collect(directory), 1)
        self.assertEqual([r["error"] and r["error"]["code"] for r in results],
                         ["incomplete"] * 4 + [None] * 2)

    def test_modes_refuse_what_says_nothing_to_them(self):
        directory, result = self.split(prompts(2), ["-m", "m"])
        self.assert_status(result, 0)
        self.assertNotIn("OpenAI", result.err)
        for args in (["--collect", directory, "x.jsonl"],
                     ["--collect", directory, "--split", directory],
                     ["--collect", directory, "--summary", "x"],
                     ["--collect", directory, "--limit", "1"],
                     ["--collect", directory, "--shard", "1/2"],
                     ["--collect", directory, "--template", "{x}"],
                     ["--split", directory, "-o", "x"],
                     ["--split", directory, "--retry-errors"]):
            self.assert_status(self.run_llmroute(["batch", *args]), 64)

    def test_split_warns_of_models_that_no_such_queue_serves(self):
        stub = self.stub()
        config = harness.stub_config(stub, {"c": {"protocol": "anthropic"}})
        result = self.run_llmroute(["batch", "--split", self.home.file("split")],
                                   stdin=prompts(3), config=config)
        self.assert_status(result, 0)
        self.assertEqual(result.err.count("OpenAI's batch API"), 1)

    def test_missing_results_and_bad_records_are_error_records(self):
        text = prompts(3) + "{\n" + prompts(3, "more {}")
        directory, result = self.split(text, ["-m", "m"])
        self.assert_status(result, 1)
        self.answer(directory, keep=lambda n: n != 1)
        result = self.collect(directory)
        results = self.results(result, 1)
        self.assertEqual([r["line"] for r in results], list(range(1, 8)))
        self.assertEqual(codes(results)[1], "missing_result")
        self.assertEqual(codes(results)[3], "bad_json")
        self.assertIn("missing", result.err)

    def test_an_openai_record_comes_back_in_its_form(self):
        directory, _ = self.split(lines(openai("a", "x")), ["-m", "m"])
        self.answer(directory)
        (result,) = self.results(self.collect(directory, ["--no-extras"]))
        self.assertEqual(result["custom_id"], "a")
        self.assertNotIn("llmroute", result)

    def test_a_line_without_id_has_a_custom_id_of_its_own(self):
        directory, result = self.split(lines({"id": "2", "prompt": "x"}, {"prompt": "y"}),
                                       ["-m", "m"])
        self.assert_status(result, 0)
        with open(os.path.join(directory, "m.jsonl"), "rb") as file:
            self.assertEqual([r["custom_id"] for r in parse(file.read())], ["2", "line-2"])
        self.answer(directory)
        results = self.results(self.collect(directory))
        self.assertEqual([r["text"] for r in results], ["re: x", "re: y"])

    def test_what_was_split_is_private(self):
        directory, _ = self.split(prompts(3))
        for name in os.listdir(directory):
            self.assertEqual(os.stat(os.path.join(directory, name)).st_mode & 0o777, 0o600)

    def test_split_again_leaves_no_requests_of_before(self):
        """Else --collect takes them for results."""
        text = lines(*({"prompt": f"p {i}", "model": "mn"[i % 2]} for i in range(4)))
        directory, _ = self.split(text)
        self.assert_status(self.split(prompts(2), ["--force", "-m", "n"])[1], 0)
        self.assertEqual(sorted(os.listdir(directory)), ["manifest.jsonl", "n.jsonl"])

    def test_split_again_takes_names_that_differ_in_case_for_others(self):
        text = lines({"prompt": "x", "model": "M"})
        models = {"M": {}, "m": {}}
        directory = self.home.file("queue")
        for args in ((), ("--force", "--reroute", "-m", "m")):
            self.assert_status(self.batch(self.stub(), ["--split", directory, *args],
                                          stdin=text, models=models), 0)
        self.assertEqual(sorted(os.listdir(directory)), ["m.jsonl", "manifest.jsonl"])

    def test_a_split_that_fails_leaves_the_one_before(self):
        directory, _ = self.split(prompts(2), ["-m", "m"])
        os.mkdir(os.path.join(directory, "n.jsonl"))
        before = sorted(os.listdir(directory))
        result = self.split(prompts(2, "other {}"), ["--force", "-m", "n"])[1]
        self.assert_status(result, 73)
        self.assertIn("n.jsonl' is a directory", result.err)
        self.assertEqual(sorted(os.listdir(directory)), before)

    def test_split_into_a_file_is_73(self):
        self.home.write("queue", "mine")
        directory, result = self.split(prompts(1))
        self.assert_status(result, 73)
        self.assertIn(f"'{directory}' is not a directory", result.err)

    @unittest.skipUnless(shutil.which("strace"), "needs strace")
    @unittest.skipIf(harness.SANITIZED, "strace stands in the way of a sanitizer")
    def test_a_split_that_ends_while_it_takes_its_names_is_not_taken_for_one(self):
        directory, _ = self.split(lines({"prompt": "a", "model": "m"},
                                        {"prompt": "b", "model": "n"}))
        config = self.home.write("c.toml", self.config(self.stub(), self.MODELS))
        text = lines({"prompt": "c", "model": "m"}, {"prompt": "d", "model": "n"})
        for when, what in ((1, "signal=KILL"), (2, "signal=KILL"), (3, "signal=KILL"),
                           (1, "error=EIO"), (2, "error=EIO"), (3, "error=EIO")):
            ended = subprocess.run(
                ["strace", "-f", "-o", "/dev/null", "-e",
                 f"inject=rename,renameat,renameat2:{what}:when={when}",
                 harness.BINARY, "batch", "-c", config, "--split", directory, "--force"],
                input=text.encode(), env=self.home.environment({}), check=False)
            self.assertEqual(ended.returncode, 74 if "EIO" in what else -signal.SIGKILL)
            left = os.listdir(directory)
            if "manifest.jsonl" in left:  # all had their names
                self.assertEqual(sorted(left), ["m.jsonl", "manifest.jsonl", "n.jsonl"])
            else:
                self.assert_status(self.collect(directory), 66)
        self.assert_status(self.split(text, ["--force"])[1], 0)
        self.assertEqual(sorted(os.listdir(directory)),
                         ["m.jsonl", "manifest.jsonl", "n.jsonl"])

    def test_split_is_refused_where_results_of_another_one_are(self):
        """They may have the same ids as its own."""
        directory, _ = self.split(prompts(2), ["-m", "m"])
        self.answer(directory)
        before = sorted(os.listdir(directory))
        for args in ([], ["--force"]):
            result = self.split(prompts(2, "other {}"), [*args, "-m", "m"])[1]
            self.assert_status(result, 73)
        self.assertIn("m.jsonl-errors.jsonl", result.err)
        self.assertEqual(sorted(os.listdir(directory)), before)
        self.assertEqual(texts(self.results(self.collect(directory))),
                         ["re: say 1", "re: say 2"])

    def test_I14_split_does_not_write_over_its_input(self):
        directory = self.home.file("queue")
        for name in ("m.jsonl", "manifest.jsonl"):
            path = self.home.write("queue/" + name, prompts(2))
            for source in ([path], []):
                with open(path, "rb") as stdin:
                    result = self.batch(self.stub(), ["--split", directory, "--force", "-m", "m",
                                                      *source], stdin=stdin, models=self.MODELS)
                self.assert_status(result, 73)
                self.assertIn(f"{name} is also the input", result.err)
            with open(path, encoding="utf-8") as file:
                self.assertEqual(file.read(), prompts(2))
            os.unlink(path)

    def contents(self, files):
        found = {}
        for name, path in files.items():
            with open(path, "rb") as file:
                found[name] = file.read()
        return found

    def test_I14_collect_does_not_write_over_what_it_reads(self):
        directory, _ = self.split(prompts(2), ["-m", "m"])
        self.answer(directory)
        files = {name: os.path.join(directory, name) for name in os.listdir(directory)}
        before = self.contents(files)
        for path in (*files.values(), os.path.join(directory, "new.jsonl")):
            for option in ("-o", "--errors"):
                result = self.collect(directory, ["--force", option, path])
                self.assert_status(result, 73)
        with open(files["m.jsonl-errors.jsonl"], "ab") as stdout:
            result = self.batch(self.stub(), ["--collect", directory], models=self.MODELS,
                                stdout=stdout)
        self.assert_status(result, 73)
        self.assertEqual(self.contents(files), before)
        self.assert_status(self.collect(directory, ["-o", os.path.join(directory, "all")]), 0)

    def test_split_tells_what_it_leaves_out(self):
        text = lines({"prompt": "x", "model": "m"}, {"prompt": "y", "model": "nobody"})
        directory, result = self.split(text)
        self.assert_status(result, 1)
        self.assertIn("1 of 2 records are in no file of requests: 1 usage (line 2)", result.err)
        result = self.split(text, ["--force", "--strict"])[1]
        self.assert_status(result, 65)
        self.assertIn("line 2", result.err)
        with open(os.path.join(directory, "manifest.jsonl"), "rb") as file:
            self.assertEqual(file.read().count(b"\n"), 2)  # the one before
        result = self.split(prompts(3), ["--force", "-m", "m", "--max-cost", "0.0000001"])[1]
        self.assert_status(result, 4)
        self.assertIn("3 budget (first in line 1)", result.err)
        own = lines({"prompt": "x", "max_cost": 0.0000001})
        self.assert_status(self.split(own, ["--force", "--max-cost", "1"])[1], 1)

    def test_errors_of_a_collection(self):
        directory, _ = self.split(prompts(4), ["-m", "m"])
        self.answer(directory)
        bad = self.home.file("bad.jsonl")
        results = self.results(self.collect(directory, ["--errors", bad]), 1)
        self.assertEqual([r["line"] for r in results], [1, 2, 4])
        with open(bad, "rb") as file:
            self.assertEqual([r["line"] for r in parse(file.read())], [3])

    def test_a_split_that_was_killed_is_done_again(self):
        directory = self.home.file("queue")
        process = self.spawn_llmroute(
            ["batch", "--split", directory, "-m", "m"],
            config=self.config(self.stub(), self.MODELS))
        process.stdin.write(prompts(3).encode())
        until = time.monotonic() + 20
        while time.monotonic() < until and (
                not os.path.exists(directory) or len(os.listdir(directory)) < 2):
            time.sleep(0.01)
        result = self.split(prompts(2), ["-m", "n"])[1]
        self.assert_status(result, 75)
        self.assertIn(f"in use by process {process.pid}", result.err)
        process.kill()
        process.wait()
        self.assertTrue(all(name.endswith(".llmroute-new") for name in os.listdir(directory)))
        self.assert_status(self.split(prompts(2), ["-m", "n"])[1], 0)
        self.assertEqual(sorted(os.listdir(directory)), ["manifest.jsonl", "n.jsonl"])

    def test_results_of_anthropics_message_batches_are_read(self):
        text = lines(*({"id": f"r{i}", "prompt": f"p {i}"} for i in range(6)))
        directory, _ = self.split(text, ["-m", "m"])
        def message(reason, *content):
            return {"type": "succeeded", "message": {
                "id": "msg_1", "type": "message", "role": "assistant", "model": "served",
                "content": list(content), "stop_reason": reason,
                "usage": {"input_tokens": 600, "cache_read_input_tokens": 400,
                          "output_tokens": 500}}}
        answers = [message("end_turn", {"type": "text", "text": "a"}, {"type": "text", "text": "b"}),
                   message("max_tokens", {"type": "text", "text": "half"}),
                   {"type": "errored", "error": {"type": "error", "error": {
                       "type": "invalid_request_error", "message": "no"}}},
                   {"type": "canceled"}, {"type": "expired"},
                   message("refusal", {"type": "text", "text": "no"})]
        with open(os.path.join(directory, "results.jsonl"), "w", encoding="utf-8") as out:
            out.write(lines(*({"custom_id": f"r{i}", "result": answer}
                              for i, answer in reversed(list(enumerate(answers))))))
        results = self.results(self.collect(directory), 1)
        self.assertEqual(codes(results), [None, "incomplete", "invalid_request_error",
                                          "batch_cancelled", "batch_expired", "incomplete"])
        self.assertEqual((results[0]["text"], results[0]["usage"], results[0]["model"]["served"]),
                         ("ab", {"input": 1000, "output": 500}, "served"))
        self.assertEqual(results[0]["cost"]["usd"], (0.001 + 0.001) / 2)
        self.assertEqual([r["error"]["retryable"] for r in results[2:5]], [False, True, True])

    def test_split_again_needs_force(self):
        directory, _ = self.split(prompts(2))
        self.assert_status(self.split(prompts(2))[1], 73)
        self.assert_status(self.split(prompts(2), ["--force"])[1], 0)


if __name__ == "__main__":
    unittest.main()
