"""`batch`: how fast providers are asked, and what their failures lead to. Names
begin with the row of the fault matrix in docs/reliability.md where there is one.
Times are lower bounds: a slow machine takes longer."""

import json
import os
import signal
import time
import unittest

import harness
from batch_case import BatchCase, codes, lines, parse, prompts, texts

SECOND = 1_000_000_000
TWO = {"m": {"ability": 2.0, "price": {"input": 0.01, "output": 0.01}},
       "n": {"ability": 1.0, "price": {"input": 5.0, "output": 5.0}}}


def shortest_span(requests, count):
    """The least time in which so many requests arrived, in seconds."""
    times = sorted(r.t for r in requests)
    return min(b - a for a, b in zip(times, times[count - 1:])) / SECOND


def at_once(requests):
    """The most requests that were under way at a time."""
    return max(r.in_flight for r in requests)


class Hints(BatchCase):
    def test_H1_retry_after_is_waited_for(self):
        stub = self.stub([{"status": 429, "retry_after": 2, "times": 1}, {"text": "ok"}])
        results = self.results(self.batch(stub, stdin=prompts(1)))
        first, second = self.posts(stub)
        self.assertGreaterEqual(second.t - first.t, 2 * SECOND)
        self.assertEqual(results[0]["attempts"], 2)

    def test_H2_hints_of_every_form_end_in_an_answer(self):
        for hint in ("0", "-5", "NaN", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "0.05"):
            stub = self.stub([{"status": 503, "headers": {"retry-after": hint}, "times": 1},
                              {"text": "ok"}])
            self.results(self.batch(stub, stdin=prompts(1)))
            self.assertEqual(len(self.posts(stub)), 2, hint)

    def test_H2_a_hint_of_years_stops_the_batch_to_be_resumed(self):
        stub = self.stub([{"status": 429, "headers": {"retry-after": "1000000000"}}])
        out = self.home.file("out.jsonl")
        result = self.batch(stub, ["-o", out], stdin=prompts(20))
        self.assert_status(result, 75)
        self.assertLessEqual(len(self.posts(stub)), 9)
        self.assertFalse(os.path.exists(out))

    def test_a_429_pauses_that_model_only(self):
        stub = self.stub([{"model": "m", "status": 429, "retry_after": 3, "times": 1},
                          {"text": "ok"}])
        text = lines(*({"prompt": f"p {i}", "model": "mn"[i % 2]} for i in range(40)))
        results = self.results(self.batch(stub, ["-j", "1", "--no-fallback"], stdin=text,
                                          models=TWO))
        self.assertEqual(len(results), 40)
        requests = self.posts(stub)
        hold = next(r for r in requests if r.model == "m")
        during = [r for r in requests if hold.t < r.t < hold.t + 3 * SECOND]
        self.assertEqual({r.model for r in during}, {"n"})
        self.assertEqual(len(during), 20)

    def test_P9_nothing_left_holds_the_model_until_the_reset(self):
        for headers in ({"x-ratelimit-remaining-requests": "0",
                         "x-ratelimit-reset-requests": "1.5s"},
                        {"x-ratelimit-remaining-tokens": "0",
                         "x-ratelimit-reset-tokens": "0m1500ms"}):
            stub = self.stub([{"model": "m", "text": "ok", "headers": headers, "times": 1},
                              {"text": "ok"}])
            text = lines(*({"prompt": f"p {i}", "model": "mn"[i % 2]} for i in range(12)))
            self.results(self.batch(stub, ["-j", "1"], stdin=text, models=TWO))
            first, second = [r for r in self.posts(stub) if r.model == "m"][:2]
            self.assertGreaterEqual(second.t - first.t, 1.4 * SECOND)
            during = [r for r in self.posts(stub) if first.t < r.t < second.t]
            self.assertEqual(len(during), 6)

    def test_a_long_hint_of_a_503_sends_all_to_the_next_model(self):
        stub = self.stub([{"model": "m", "body": "say 2\"", "status": 503, "retry_after": 300,
                           "delay_headers_ms": 300, "times": 1},
                          {"text": "ok", "delay_headers_ms": 10}])
        results = self.results(self.batch(stub, ["-j", "2"], stdin=prompts(200), models=TWO))
        self.assertEqual(texts(results), ["ok"] * 200)
        self.assertLess(len([r for r in self.posts(stub) if r.model == "m"]), 100)

    def test_a_long_hint_burns_no_record_that_only_this_model_may_answer(self):
        """They wait while others are answered, then the batch stops with them."""
        stub = self.stub([{"model": "m", "status": 429, "retry_after": 3000}, {"text": "ok"}])
        text = lines(*({"prompt": f"p {i}", "model": "mn"[i % 2]} for i in range(40)))
        summary = self.home.file("summary.json")
        result = self.batch(stub, ["-j", "2", "--no-fallback", "--summary", summary], stdin=text,
                            models=TWO)
        self.assert_status(result, 75)
        self.assertIn("m asks to wait", result.err)
        with open(summary, encoding="utf-8") as file:
            told = json.load(file)
        self.assertEqual(told["ok"], 20)
        self.assertLessEqual(told["failed"], 2)

    def test_retry_after_on_a_success_is_ignored(self):
        stub = self.stub([{"text": "ok", "headers": {"retry-after": "60"}}])
        result = self.batch(stub, ["-j", "1"], stdin=prompts(3))
        self.assert_status(result, 0)
        self.assertLess(result.elapsed, 50)


class Limits(BatchCase):
    def test_jobs(self):
        stub = self.stub([{"text": "ok", "delay_headers_ms": 60}])
        self.results(self.batch(stub, ["-j", "5"], stdin=prompts(40)))
        self.assertEqual(at_once(self.posts(stub)), 5)

    def test_concurrency_of_a_provider(self):
        stub = self.stub([{"text": "ok", "delay_headers_ms": 60}])
        self.results(self.batch(stub, ["-j", "16"], stdin=prompts(20),
                                provider={"concurrency": 3}))
        self.assertEqual(at_once(self.posts(stub)), 3)

    def test_rpm(self):
        stub = self.stub([{"text": "ok"}])
        self.results(self.batch(stub, ["--rpm", "600"], stdin=prompts(20)))
        self.assertGreaterEqual(shortest_span(self.posts(stub), 11), 0.9)

    def test_rpm_of_a_provider_comes_first(self):
        stub = self.stub([{"text": "ok"}])
        self.results(self.batch(stub, ["--rpm", "1"], stdin=prompts(12),
                                provider={"rpm": 600}))
        self.assertGreaterEqual(shortest_span(self.posts(stub), 11), 0.9)

    def test_tpm_is_corrected_by_real_usage(self):
        """The estimate of an answer is far above what is used, so that without
        the correction this would take minutes."""
        stub = self.stub([{"text": "ok", "usage": {"input": 50, "output": 50}}])
        result = self.batch(stub, ["--tpm", "12000", "-j", "1"], stdin=prompts(21))
        self.assert_status(result, 0)
        self.assertGreaterEqual(shortest_span(self.posts(stub), 21), 0.9 * 20 * 100 / 200)

    def test_connections_are_used_again(self):
        stub = self.stub([{"text": "ok"}])
        self.results(self.batch(stub, ["-j", "4"], stdin=prompts(100)))
        self.assertLessEqual(stub.connections(), 4)


class Failures(BatchCase):
    def test_H4_transient_statuses_are_asked_again(self):
        statuses = (500, 502, 503, 504, 529, 408, 409, 425)
        stub = self.stub([{"body": f"say {i}\"", "status": s, "times": 1}
                          for i, s in enumerate(statuses, 1)] + [{"text": "ok"}])
        self.results(self.batch(stub, ["-j", "1"], stdin=prompts(len(statuses))))
        self.assertEqual(len(self.posts(stub)), 2 * len(statuses))

    def test_H6_a_refused_request_is_an_error_record(self):
        stub = self.stub([{"body": "say 2\"", "status": 422, "error": "no"}, {"text": "ok"}])
        results = self.results(self.batch(stub, stdin=prompts(3)), 1)
        self.assertEqual(codes(results), [None, "data", None])
        self.assertEqual(len(self.posts(stub)), 3)

    def test_P7_a_refused_parameter_is_left_out_of_all_that_run_at_once(self):
        stub = self.stub([{"body": '"max_tokens":', "status": 400, "delay_headers_ms": 300,
                           "error": {"message": "Unsupported parameter: 'max_tokens' is not "
                                     "supported with this model.",
                                     "code": "unsupported_parameter"}},
                          {"text": "ok"}])
        results = self.results(self.batch(
            stub, ["-j", "8", "--max-tokens", "50"], stdin=prompts(16)))
        self.assertEqual(texts(results), ["ok"] * 16)
        self.assertLessEqual(len(self.posts(stub)), 16 + 8)

    def test_H7_a_refused_key_costs_no_more_than_one_call_a_job(self):
        stub = self.stub([{"header": "Bearer " + harness.KEY, "status": 401}, {"text": "ok"}])
        path = self.home.write("in.jsonl", prompts(10_000))
        args = ["-j", "16", path, "-o", self.home.file("out.jsonl")]
        config = self.config(stub)
        result = self.batch(stub, args, config=config)
        self.assert_status(result, 77)
        self.assertLessEqual(len(self.posts(stub)), 17)
        self.assertEqual(result.err.count("not asked any more"), 1)
        # A second or two of work, for which a busy machine may need minutes.
        again = self.batch(stub, args, config=config, timeout=900,
                           env={"STUB_KEY": "sk-good-" + harness.KEY})
        self.assert_status(again, 0)
        self.assertLessEqual(len(self.posts(stub)), 10_017)
        with open(self.home.file("out.jsonl"), "rb") as file:
            self.assertEqual(set(texts(parse(file.read()))), {"ok"})

    def test_H7_the_next_provider_takes_over(self):
        bad, good = self.stub([{"status": 403}]), self.stub([{"text": "ok"}])
        models = {"m": TWO["m"], "n": TWO["n"] | {"stub": good}}
        results = self.results(self.batch(bad, ["-j", "4"], stdin=prompts(50), models=models))
        self.assertEqual(len(results), 50)
        self.assertLessEqual(len(self.posts(bad)), 5)

    def test_H8_402_with_a_hint_waits_without_one_stops(self):
        stub = self.stub([{"status": 402, "headers": {"retry-after": "1"}, "times": 1},
                          {"text": "ok"}])
        self.results(self.batch(stub, stdin=prompts(1)))
        first, second = self.posts(stub)
        self.assertGreaterEqual(second.t - first.t, SECOND)
        poor = self.stub([{"status": 402}])
        self.assert_status(self.batch(poor, stdin=prompts(50)), 77)
        self.assertLessEqual(len(self.posts(poor)), 9)

    def test_H20_an_outage_burns_no_record(self):
        """An outage for ever, its ten minutes shortened: no record is journaled
        as failed, and the same command goes on."""
        stub = self.stub([{"header": "Bearer " + harness.KEY, "status": 500}, {"text": "ok"}])
        path = self.home.write("in.jsonl", prompts(1000))
        out = self.home.file("out.jsonl")
        config = self.config(stub, extra='[limits]\ngive_up = "8s"\n')
        args = ["-j", "16", path, "-o", out]
        result = self.batch(stub, args, config=config)
        self.assert_status(result, 75)
        self.assertIn("nobody has answered", result.err)
        self.assertRegex(result.err, r"m keeps failing .*; left alone for \d+ s; the "
                                     r"batch stops in [1-8] s unless somebody answers\n")
        requests = len(self.posts(stub))
        self.assertLessEqual(requests, 16 + 20 + 5)
        with open(out + ".llmroute-journal", "rb") as file:
            self.assertEqual(len(file.read().splitlines()), 1)
        again = self.batch(stub, args, config=config, env={"STUB_KEY": "sk-good-" + harness.KEY})
        self.assert_status(again, 0)
        self.assertEqual(len(self.posts(stub)) - requests, 1000)

    def test_H20_records_that_are_left_and_never_answered_end_a_batch(self):
        """The second time nobody answers, though others were: they are the cause.
        Until then, and while others are left, it may be an outage."""
        stub = self.stub([{"body": "say 3\"", "status": 500}, {"body": "say 4\"", "status": 500},
                          {"text": "ok"}])
        path = self.home.write("in.jsonl", prompts(4))
        out = self.home.file("out.jsonl")
        config = self.config(stub, extra='[limits]\ngive_up = "3s"\n')
        args = ["-j", "1", path, "-o", out]
        self.assert_status(self.batch(stub, args, config=config), 75)
        self.home.write("in.jsonl", prompts(5))  # there is one who can tell
        with open(path, "a", encoding="utf-8") as more:
            more.write('{"prompt":"say 4","id":"x"}\n')
        self.assert_status(self.batch(stub, args, config=config), 75)
        result = self.batch(stub, args, config=config)
        self.assert_status(result, 1)
        with open(out, "rb") as file:
            results = parse(file.read())
        self.assertEqual(codes(results), [None, None, "try_later", "try_later", None, "try_later"])
        self.assertTrue(results[2]["error"]["retryable"])
        self.assertEqual(results[2]["error"]["http_status"], 500)
        self.assertGreaterEqual(results[2]["attempts"], 1)

    def test_H20_a_second_outage_burns_nothing_but_what_is_left(self):
        """All of the second run's records but one were never tried before."""
        stub = self.stub([{"body": "say 1\"", "text": "ok"}, {"status": 500}])
        path = self.home.write("in.jsonl", prompts(40))
        out = self.home.file("out.jsonl")
        config = self.config(stub, extra='[limits]\ngive_up = "2s"\n')
        for _ in range(3):
            self.assert_status(self.batch(stub, ["-j", "1", path, "-o", out], config=config), 75)
        with open(out + ".llmroute-journal", "rb") as file:
            self.assertEqual(file.read().count(b'"frame":"R"'), 1)

    def test_H20_an_outage_that_ends_burns_no_record(self):
        rules = [{"nth": n, "status": 503} for n in range(41, 71)]
        stub = self.stub(rules + [{"text": "ok"}])
        results = self.results(self.batch(stub, ["-j", "8"], stdin=prompts(200)))
        self.assertEqual(set(codes(results)), {None})

    def test_breaker_leaves_a_model_alone_and_probes_it_once(self):
        """While it is open nobody asks; then one probe, whose failure keeps it
        open for longer."""
        stub = self.stub([{"status": 500}])
        self.assert_status(self.batch(
            stub, ["-j", "8"], stdin=prompts(100), extra='[limits]\ngive_up = "18s"\n'), 75)
        requests = self.posts(stub)
        times = sorted(r.t for r in requests)
        gaps = [(b - a) / SECOND for a, b in zip(times, times[1:])]
        first = next(i for i, gap in enumerate(gaps) if gap > 3.5)
        self.assertLessEqual(first + 1, 8 + 5)
        after = times[first + 1:]
        self.assertLessEqual(len(after), 2)

    def test_breaker_gives_way_to_the_next_model(self):
        stub = self.stub([{"model": "m", "status": 500}, {"text": "ok"}])
        results = self.results(self.batch(stub, ["-j", "8"], stdin=prompts(300), models=TWO))
        self.assertEqual({r["model"]["served"] for r in results}, {"n"})
        self.assertLess(len([r for r in self.posts(stub) if r.model == "m"]), 30)

    def test_breaker_that_closes_takes_back_what_the_next_model_refuses(self):
        """m is left alone after five failures; n knows no such model."""
        stub = self.stub([{"model": "m", "status": 500, "times": 5}, {"model": "m", "text": "ok"},
                          {"model": "n", "status": 404}])
        results = self.results(self.batch(stub, ["-j", "2"], stdin=prompts(6), models=TWO))
        self.assertEqual(texts(results), ["ok"] * 6)

    def test_breaker_whose_probe_hangs_holds_nobody(self):
        """Both models fail, the second later; then the first hangs when it is
        probed, and the second answers meanwhile."""
        first = self.stub([{"status": 500, "times": 5}, {"hang_header": True}])
        second = self.stub([{"status": 500, "times": 5, "delay_headers_ms": 700}, {"text": "ok"}])
        one_at_a_time = {"provider_fields": {"concurrency": 1}}
        models = {"m": TWO["m"] | one_at_a_time, "n": TWO["n"] | one_at_a_time | {"stub": second}}
        self.batch(first, ["--timeout", "20s"], stdin=prompts(40), models=models)
        probe = self.posts(first)[5]
        during = [r for r in self.posts(second) if probe.t < r.t < probe.done["t"]]
        self.assertGreaterEqual(len(during), 39)

    def test_retry_budget(self):
        """Attempts stay near what was asked, whatever share of them fails."""
        stub = self.stub([{"chance": 0.3, "status": 503}, {"text": "ok"}])
        self.results(self.batch(stub, ["-j", "4"], stdin=prompts(60)))
        self.assertLessEqual(len(self.posts(stub)), 60 * 2 + 20)

    def test_retries(self):
        """Others answer meanwhile, so this is no outage: its attempts count."""
        stub = self.stub([{"body": "say 2\"", "status": 500},
                          {"text": "ok", "delay_headers_ms": 100}])
        results = self.results(self.batch(
            stub, ["--retries", "1", "-j", "2"], stdin=prompts(80)), 1)
        self.assertEqual(codes(results), [None, "try_later"] + [None] * 78)
        self.assertTrue(results[1]["error"]["retryable"])
        self.assertEqual(results[1]["error"]["http_status"], 500)

    def test_give_up_does_not_count_the_time_when_nothing_is_asked(self):
        stub = self.stub([{"body": "first", "status": 503, "times": 1},
                          {"body": "first", "status": 400}, {"text": "ok"}])
        process = self.spawn_llmroute(["batch"], config=self.config(
            stub, extra='[limits]\ngive_up = "2s"\n'))
        for prompt, code in (("first", "data"), ("second", None)):
            process.stdin.write(lines({"prompt": prompt}).encode())
            (result,) = parse(process.stdout.readline())
            self.assertEqual(codes([result]), [code])
            time.sleep(3)
        process.stdin.close()
        self.assertEqual(process.wait(), 1)

    def test_N3_refused_connections_are_an_outage(self):
        config = (harness.provider("p", protocol="openai-chat", key_env=["STUB_KEY"],
                                   base_url=f"http://127.0.0.1:{harness.closed_port()}/v1") +
                  harness.model("m", provider="p", **harness.DEFAULT_MODEL, id="m") +
                  '[limits]\ngive_up = "3s"\n')
        result = self.run_llmroute(["batch"], stdin=prompts(5), config=config)
        self.assert_status(result, 75)
        self.assertIn("refused", result.err)
        self.assertEqual(result.out, b"")

    def test_N11_a_connection_closed_between_records_costs_no_attempt(self):
        stub = self.stub([{"text": "ok", "close_idle": 5}])
        process = self.spawn_llmroute(["batch", "-j", "1"], config=self.config(stub))
        for i in range(6):
            process.stdin.write(prompts(1).encode())
            (result,) = parse(process.stdout.readline())
            self.assertEqual((result["attempts"], result["error"]), (1, None), i)
            time.sleep(0.05)
        process.stdin.close()
        self.assertEqual(process.wait(), 0)

    def test_N11_what_was_sent_is_not_sent_again_unseen(self):
        """A server that reads a request on a kept connection and hangs up."""
        stub = self.stub([{"nth": 1, "text": "ok"}, {"cut_header": 0, "times": 3}, {"text": "ok"}])
        out, file = self.home.file("out.jsonl"), self.home.file("summary.json")
        path = self.home.write("in.jsonl", prompts(3))
        result = self.batch(stub, ["-j", "1", path, "-o", out, "--max-cost", "1",
                                   "--summary", file])
        self.assert_status(result, 0)
        with open(out, "rb") as opened:
            results = parse(opened.read())
        self.assertEqual(sum(r["attempts"] for r in results), len(self.posts(stub)))
        with open(out + ".llmroute-journal", "rb") as opened:
            self.assertGreaterEqual(opened.read().count(b'"frame":"A"'), len(self.posts(stub)))

    def test_S1_a_reply_that_breaks_off_is_asked_again(self):
        for n in (0, 1, 60):
            stub = self.stub([{"text": "a long answer", "cut_after": n, "times": 1},
                              {"text": "ok"}])
            (result,) = self.results(self.batch(stub, stdin=prompts(1)))
            self.assertEqual((result["text"], result["attempts"]), ("ok", 2))

    def test_max_errors(self):
        stub = self.stub([{"status": 400}])
        result = self.batch(stub, ["--max-errors", "3", "-j", "1"], stdin=prompts(50))
        self.assert_status(result, 1)
        self.assertLessEqual(len(self.posts(stub)), 5)
        self.assertIn("--max-errors", result.err)

    def test_max_errors_in_percent(self):
        stub = self.stub([{"status": 400}])
        self.assert_status(self.batch(
            stub, ["--max-errors", "5%", "-j", "1"], stdin=prompts(500)), 1)
        self.assertLessEqual(len(self.posts(stub)), 8)

    def test_max_errors_stops_among_lines_that_cannot_be_asked(self):
        stub = self.stub()
        out = self.home.file("out.jsonl")
        result = self.batch(stub, ["--max-errors", "3", "-o", out], stdin="{\n" * 5000)
        self.assert_status(result, 1)
        with open(out + ".llmroute-journal", "rb") as file:
            self.assertEqual(len(file.read().splitlines()), 1 + 4)

    def test_max_errors_does_not_count_those_of_an_earlier_run(self):
        stub = self.stub([{"status": 400, "times": 5}, {"text": "ok"}])
        path = self.home.write("in.jsonl", prompts(20))
        out = self.home.file("out.jsonl")
        args = ["--max-errors", "3", "-j", "1", "-o", out, path]
        config = self.config(stub)
        self.assert_status(self.batch(stub, args, config=config), 1)
        self.assertFalse(os.path.exists(out))
        self.assert_status(self.batch(stub, args, config=config), 1)
        self.assertTrue(os.path.exists(out))

    def test_timeout_is_the_whole_records(self):
        """What is left of it after a first attempt is the next one's."""
        stub = self.stub([{"body": "say 2\"", "status": 500, "delay_headers_ms": 3000, "times": 1},
                          {"body": "say 2\"", "hang_header": True},
                          {"text": "ok", "delay_headers_ms": 100}])
        results = self.results(self.batch(
            stub, ["-j", "2", "--timeout", "4s"], stdin=prompts(60)), 1)
        self.assertEqual(codes(results), [None, "try_later"] + [None] * 58)
        self.assertLess(results[1]["ms"], 6000)

    def test_connect_timeout_and_timeout_are_taken(self):
        stub = self.stub([{"hang_header": True, "times": 1}, {"text": "ok"}])
        args = ["--connect-timeout", "5s", "--timeout", "600ms"]
        result = self.batch(stub, args, stdin=prompts(2))
        self.assertEqual(len(parse(result.out)), 2)
        self.assertLess(result.elapsed, 100)


class Exec(BatchCase):
    def config_of(self, script, **fields):
        return (harness.provider("local", protocol="exec", command=["sh", "-c", script], **fields) +
                harness.model("m", provider="local", **harness.DEFAULT_MODEL))

    def test_commands_run_in_parallel(self):
        result = self.run_llmroute(["batch", "-j", "8"], stdin=prompts(16), timeout=60,
                                   config=self.config_of("sleep 1; cat"))
        results = self.results(result)
        self.assertEqual(texts(results), [f"say {i}" for i in range(1, 17)])
        self.assertLess(result.elapsed, 14)

    def test_X4_a_hanging_command_is_killed_at_the_time_out(self):
        script = 'read -r word rest; case "$rest" in 2) sleep 300;; *) echo ok;; esac'
        result = self.run_llmroute(
            ["batch", "--timeout", "2s", "--retries", "0"], stdin=prompts(3), timeout=60,
            config=self.config_of(script))
        results = self.results(result, 1)
        self.assertEqual(texts(results), ["ok\n", None, "ok\n"])


if __name__ == "__main__":
    unittest.main()
