"""What comes out: stdout, -o, --json, status lines, --dry-run."""

import json
import os
import pty
import re
import time
import unittest

import harness


class Output(harness.TestCase):
    def ask(self, args, rules=None, models=None, **options):
        stub = self.stub(rules if rules is not None else [{"chunks": ["Hel", "lo"]}])
        result = self.run_llmroute(
            ["run", "-p", "hi there"] + args,
            config=harness.stub_config(stub, models or {"m": {}}), **options)
        return stub, result

    def test_the_answer_alone_with_one_final_newline(self):
        for text, out in (("Hello", b"Hello\n"), ("Hello\n", b"Hello\n"),
                          ("Hello\n\n", b"Hello\n\n")):
            _, result = self.ask([], [{"text": text}])
            self.assert_status(result, 0)
            self.assertEqual(result.out, out)
            self.assertEqual(result.err, "")

    def test_P2_first_byte_leaves_as_it_arrives(self):
        stub = self.stub([{"chunks": ["first", " second"], "delay_chunk_ms": 5000}])
        process = self.spawn_llmroute(
            ["run", "--no-stdin", "-p", "hi there"],
            config=harness.stub_config(stub, {"m": {}}))
        self.assertEqual(os.read(process.stdout.fileno(), 100), b"first")
        seen = time.monotonic_ns()
        self.assertIsNone(process.poll())
        self.assertEqual(process.wait(60), 0)
        sent = stub.requests()[0].done["first_delta_t"]
        self.assertLess((seen - sent) / 1e9, 2.5)  # not with the next one

    def test_o_writes_the_file_by_rename_and_nothing_to_stdout(self):
        path = self.home.write("answer.txt", "old")
        _, result = self.ask(["-o", path])
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "Hello\n")
        self.assertEqual(os.listdir(self.home.path).count("answer.txt"), 1)

    def test_o_keeps_the_old_file_when_the_call_fails(self):
        path = self.home.write("answer.txt", "old")
        _, result = self.ask(["-o", path, "--retries", "0"], [{"status": 500}])
        self.assert_status(result, 75)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "old")

    def test_o_that_cannot_be_created_is_73(self):
        _, result = self.ask(["-o", "/nowhere/answer.txt"])
        self.assert_status(result, 73)
        self.assertIn("/nowhere/answer.txt", result.err)

    def test_F9_o_is_checked_before_anything_is_paid(self):
        for path in ("/nowhere/answer.txt", self.home.path):
            stub, result = self.ask(["-o", path])
            self.assert_status(result, 73)
            self.assertEqual(stub.requests(), [])

    def test_o_keeps_links_and_modes(self):
        target = self.home.write("target.txt", "old", mode=0o640)
        link = self.home.file("link.txt")
        os.symlink(target, link)
        _, result = self.ask(["-o", link])
        self.assert_status(result, 0)
        self.assertTrue(os.path.islink(link))
        self.assertEqual(os.stat(target).st_mode & 0o777, 0o640)
        with open(target, encoding="utf-8") as file:
            self.assertEqual(file.read(), "Hello\n")

    def test_o_dev_stdout_is_stdout(self):
        _, result = self.ask(["-o", "/dev/stdout"])
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"Hello\n")

    def test_an_answer_that_is_not_whole_leaves_the_old_file(self):
        path = self.home.write("answer.txt", "old")
        _, result = self.ask(["-o", path], [{"text": "x", "finish": "length"}])
        self.assert_status(result, 3)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "old")

    def test_nor_does_json_of_a_failure_take_its_place(self):
        path = self.home.write("answer.json", "old")
        for rule, status in (({"text": "x", "finish": "length"}, 3), ({"status": 400}, 65)):
            _, result = self.ask(["-o", path, "--json"], [rule])
            self.assert_status(result, status)
            with open(path, encoding="utf-8") as file:
                self.assertEqual(file.read(), "old")

    def test_json_of_a_failure_goes_where_nothing_is_replaced(self):
        _, result = self.ask(["-o", "/dev/stderr", "--json"], [{"text": "x", "finish": "length"}])
        self.assert_status(result, 3)
        self.assertIn('"text":"x', result.err)

    def test_bytes_printed_are_those_that_were_printed(self):
        for more in ([], ["--no-stream"]):
            _, result = self.ask(["--error-format", "json", *more],
                                 [{"text": "Hello", "finish": "length"}])
            self.assert_status(result, 3)
            error = json.loads(result.err.splitlines()[-1])
            self.assertEqual(error["bytes_printed"], len(result.out))

    def test_a_closed_stdout_is_74_not_a_lost_answer(self):
        stub = self.stub([{"text": "x"}])
        process = self.spawn_llmroute(
            ["run", "--no-stdin", "-p", "hi there"],
            config=harness.stub_config(stub, {"m": {}}),
            preexec_fn=lambda: os.close(1))
        self.assertEqual(process.wait(60), 74)

    def test_F1_a_full_disk_on_stdout_is_74(self):
        with open("/dev/full", "wb") as full:
            _, result = self.ask([], stdout=full)
        self.assert_status(result, 74)
        self.assertIn("No space left", result.err)

    def test_G9_a_closed_or_full_stderr_changes_nothing(self):
        with open("/dev/full", "wb") as full:
            stub = self.stub([{"text": "ok"}])
            process = self.spawn_llmroute(
                ["run", "--no-stdin", "--show-route", "-p", "hi there"],
                config=harness.stub_config(stub, {"m": {}}), stderr=full)
            self.assertEqual(process.stdout.read(), b"ok\n")
            self.assertEqual(process.wait(60), 0)

    def test_json_is_one_object_with_every_field(self):
        _, result = self.ask(["--json"], [{"text": "Hello", "served": "m-2026",
                                           "usage": {"input": 100, "output": 20}}])
        self.assert_status(result, 0)
        data = result.json()
        self.assertEqual(data["schema"], "llmroute.result/1")
        self.assertEqual(data["text"], "Hello")
        self.assertEqual(data["finish_reason"], "stop")
        self.assertEqual(data["model"], {
            "requested": "auto", "routed": "m", "used": "m", "served": "m-2026",
            "provider": "openai-chat"})
        self.assertEqual(data["usage"]["input"], 100)
        self.assertEqual(data["usage"]["source"], "provider")
        self.assertEqual(data["attempts"][0]["status"], 200)
        self.assertIsNone(data["error"])
        self.assertEqual(len(data["id"]), 26)
        # 100 x $1 + 20 x $2 per million tokens
        self.assertAlmostEqual(data["cost"]["usd"], 0.00014, delta=1e-16)

    def test_P3_missing_usage_or_price_is_null_never_0(self):
        _, result = self.ask(["--json"], [{"text": "x", "usage": None}])
        self.assertIsNone(result.json()["cost"]["usd"])
        self.assertEqual(result.json()["usage"]["source"], "unknown")
        _, result = self.ask(["--json"], [{"text": "x"}], {"m": {"price": None}})
        self.assertIsNone(result.json()["cost"]["usd"])

    def test_json_tells_of_a_failure_too(self):
        _, result = self.ask(["--json", "--retries", "0"], [{"status": 503}])
        self.assert_status(result, 75)
        data = result.json()
        self.assertIsNone(data["text"])
        self.assertEqual(data["error"]["exit"], 75)
        self.assertEqual(data["attempts"][0]["status"], 503)

    def test_an_error_status_costs_nothing_and_a_broken_call_is_unknown(self):
        for rule, usd in (({"status": 401}, 0), ({"status": 404}, 0), ({"status": 500}, 0),
                          ({"chunks": ["word "] * 50, "end_after": 3000}, None)):
            _, result = self.ask(["--json", "--retries", "0"], [rule])
            self.assertEqual(result.json()["cost"]["usd"], usd, rule)
            self.assertIsNone(result.json()["text"])

    def test_a_route_that_was_not_taken_has_no_name(self):
        _, result = self.ask(["--json", "-m", "m"])
        self.assertIsNone(result.json()["route"]["name"])
        _, result = self.ask(["--json"])
        self.assertEqual(result.json()["route"]["name"], "auto")

    def test_stats_and_v_print_the_id_that_feedback_takes(self):
        _, result = self.ask(["--stats", "-v"])
        told, = re.findall(r"this decision is (\w{26})\n", result.err)
        self.assertRegex(result.err, rf"; 1 attempt; id {told}\n")
        self.assert_status(self.run_llmroute(["feedback", told, "good"]), 0)

    def test_of_several_attempts_stats_tell_the_cost_of_all(self):
        models = {"a": {}, "b": {}}
        _, result = self.ask(["--stats", "-m", "a,b"],
                             [{"model": "a", "status": 404}, {"text": "x"}], models)
        self.assertRegex(result.err, r"out, (\$\S+); .*; 2 attempts, \1 in all; id ")
        _, result = self.ask(["--stats", "-m", "a,b", "--no-stream"],
                             [{"model": "a", "chunks": ["word "] * 50, "end_after": 3000},
                              {"text": "x"}], models)
        self.assertIn("attempts, what they cost in all is unknown; id ", result.err)

    def events(self, result):
        return [json.loads(line) for line in result.text.splitlines()]

    def test_format_jsonl_is_a_line_an_event_as_it_happens(self):
        stub = self.stub([{"chunks": ["fir\u00e9st", " \"second\"\n"], "delay_chunk_ms": 5000}])
        process = self.spawn_llmroute(
            ["run", "--no-stdin", "-p", "hi there", "--format", "jsonl"],
            config=harness.stub_config(stub, {"m": {}}))
        first = [json.loads(process.stdout.readline()) for _ in range(3)]
        self.assertIsNone(process.poll())
        rest = [json.loads(line) for line in process.stdout.read().splitlines()]
        self.assertEqual(process.wait(), 0)
        self.assertEqual([e["event"] for e in first + rest],
                         ["route", "attempt", "delta", "delta", "done"])
        self.assertEqual(first[0]["model"], "m")
        self.assertEqual((first[1]["number"], first[1]["provider"]), (1, "openai-chat"))
        self.assertEqual(first[2]["text"] + rest[0]["text"], 'fir\u00e9st "second"\n')
        done = rest[-1]
        self.assertNotIn("text", done)
        self.assertEqual(done["schema"], "llmroute.result/1")
        self.assertEqual((done["finish_reason"], done["error"]), ("stop", None))

    def test_format_jsonl_tells_of_retries_and_of_the_end(self):
        _, result = self.ask(["--format", "jsonl"], [
            {"status": 503, "retry_after_ms": "1", "times": 1}, {"text": "ok"}])
        self.assert_status(result, 0)
        events = self.events(result)
        self.assertEqual([e["event"] for e in events],
                         ["route", "attempt", "retry", "attempt", "delta", "done"])
        self.assertEqual((events[2]["status"], events[2]["class"], events[2]["next"]),
                         (503, "transient", "m"))
        _, result = self.ask(["--format", "jsonl"], [{"status": 400}])
        self.assert_status(result, 65)
        *_, last = self.events(result)
        self.assertEqual((last["event"], last["code"], last["exit"], last["http_status"]),
                         ("error", "data", 65, 400))
        _, result = self.ask(["--format", "jsonl"], [{"chunks": ["ab", "cd"], "no_terminal": True}])
        self.assert_status(result, 3)
        events = self.events(result)
        self.assertEqual(events[-1]["event"], "error")
        self.assertEqual(events[-1]["bytes_printed"],
                         sum(len(e["text"]) for e in events if e["event"] == "delta"))
        path = self.home.file("events")
        _, result = self.ask(["--format", "jsonl", "-o", path])
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"")
        with open(path, encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
        self.assertEqual("".join(e["text"] for e in events if e["event"] == "delta"), "Hello")
        self.assertEqual([events[0]["event"], events[-1]["event"]], ["route", "done"])

    def test_error_format_json_has_every_fact(self):
        _, result = self.ask(["--error-format", "json", "--retries", "0"],
                             [{"status": 429, "headers": {"Retry-After": "900",
                                                          "x-request-id": "r-1"}}])
        self.assert_status(result, 75)
        error = json.loads(result.err.splitlines()[-1])
        self.assertEqual(
            {key: error[key] for key in error if key != "message"},
            {"code": "try_later", "exit": 75, "retryable": True, "retry_after_s": 900,
             "provider": "openai-chat", "model": "m", "http_status": 429, "request_id": "r-1",
             "attempts": 1, "bytes_printed": 0})
        self.assertIn("429", error["message"])
        result = self.run_llmroute(["run", "--error-format", "json", "-p", " "])
        error = json.loads(result.err.splitlines()[-1])
        self.assertEqual((error["exit"], error["attempts"], error["provider"]), (66, 0, None))

    def test_extract_prints_the_first_fenced_block_as_it_comes(self):
        answer = ["Sure:\n``", "`sh\nls", " -l\nwc\n```\nor\n```\nno\n```\n"]
        for args in ([], ["--no-stream"]):
            _, result = self.ask(["-x"] + args, [{"chunks": answer}])
            self.assert_status(result, 0)
            self.assertEqual((result.out, result.err), (b"ls -l\nwc\n", ""))
        _, result = self.ask(["-x", "--json"], [{"chunks": answer}])
        self.assertEqual(result.json()["text"], "ls -l\nwc\n")
        path = self.home.write("out", "old")
        _, result = self.ask(["-x", "-o", path], [{"chunks": answer}])
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "ls -l\nwc\n")
        for end in "", "\n":
            _, result = self.ask(["--extract", "-o", path], [{"text": "no block\nhere" + end}])
            self.assert_status(result, 3)
            self.assertEqual(result.err,
                             "no block\nhere\nllmroute: the answer has no fenced block\n")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "ls -l\nwc\n")

    def test_fail_on(self):
        cut = [{"text": "abc", "finish": "length"}]
        for args, rules, status in (
                ([], cut, 3), (["--fail-on", "filter,empty"], cut, 0),
                (["--fail-on", "length"], [{"text": ""}], 0), (["--fail-on", "none"], cut, 0),
                (["--fail-on", "refusal"], [{"text": "x", "finish": "filter"}], 0),
                (["--fail-on", "filter"], [{"text": "x", "finish": "filter"}], 3),
                (["--fail-on", "unpriced"], [{"text": "x"}], 0)):
            with self.subTest(args=args, rules=rules):
                _, result = self.ask(args, rules)
                self.assert_status(result, status)
        _, result = self.ask(["--fail-on", "unpriced"], [{"text": "x", "usage": None}])
        self.assert_status(result, 1)
        self.assertEqual(result.out, b"x\n")
        self.assertIn("what the answer cost is not known", result.err)
        _, result = self.ask(["--fail-on", "lenght"])
        self.assert_status(result, 64)

    def test_show_route_and_stats_are_lines_on_stderr(self):
        _, result = self.ask(["--show-route", "--stats"])
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"Hello\n")
        lines = result.err.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertIn("auto -> m (openai-chat)", lines[0])
        self.assertIn("tokens in", lines[1])

    def test_dry_run_sends_nothing_and_needs_no_key(self):
        stub, result = self.ask(["-n"], env={"STUB_KEY": None})
        self.assert_status(result, 0)
        self.assertEqual(stub.requests(), [])
        self.assertIn("hi there", result.text)
        self.assertIn("m (openai-chat)", result.text)

    # The harness searches what these print and leave behind.
    def test_A2_a_key_that_the_provider_sends_back_is_redacted(self):
        head = {"headers": {"x-request-id": harness.KEY}}
        error = {name: harness.KEY for name in ("message", "code", "type")}
        outputs = ([], ["--json"], ["--format", "jsonl"], ["--error-format", "json"],
                   ["-vvv", "--stats", "--show-route"])
        for rule, status in (
                (head | {"text": "ok", "served": harness.KEY}, 0),
                (head | {"status": 401, "error": error}, 77),
                ({"status": 401, "echo_auth": True}, 77),
                ({"status": 302, "redirect": "http://h/" + harness.KEY}, 76),
                ({"status": 400, "raw": harness.KEY * 3000}, 65),
                ({"status": 429, "retry_after": harness.KEY}, 75),
                ({"frames": [json.dumps({"error": error})]}, 75),
                ({"raw": harness.KEY}, 75)):
            for args in outputs:
                _, result = self.ask(["--retries", "0", *args], [rule])
                self.assert_status(result, status)
        self.assertEqual(self.home.files_with_key(), [])

    def test_A2_secret_headers_of_the_configuration_are_redacted(self):
        secrets = {"Authorization": "Bearer zz-canary-123456", "Cookie": "yy-canary-7890",
                   "X-Api-Key": "xx-canary-4567"}
        stub = self.stub([{"status": 400, "echo_auth": True}])
        config = harness.provider("p", protocol="openai-chat", base_url=stub.base_url,
                                  key_env=[], headers=secrets | {"X-Title": "shown"})
        config += harness.model("m", provider="p", **harness.DEFAULT_MODEL, id="m")
        for args in (["run", "-p", "x"], ["run", "-p", "x", "--json", "-vv"],
                     ["run", "-p", "x", "--format", "jsonl"], ["run", "-p", "x", "-n"],
                     ["run", "-p", "x", "--error-format", "json"], ["batch"]):
            result = self.run_llmroute([*args, "-m", "m"], config=config,
                                       stdin='{"prompt":"x"}\n')
            with self.subTest(args):
                self.assertIn(result.status, (0, 1, 65))
                self.assertNotIn("canary", result.text + result.err)
        result = self.run_llmroute(["run", "-p", "x", "-n", "-m", "m"], config=config)
        self.assertIn("Authorization: ...\n", result.text)
        self.assertIn("X-Title: shown\n", result.text)
        self.assertEqual(stub.requests()[0].header("x-api-key"), secrets["X-Api-Key"])

    def test_A2_an_answer_is_left_as_it_is(self):
        # Backwards, so that the harness does not find it.
        stub = self.stub([{"text": harness.KEY[::-1]}])
        result = self.run_llmroute(
            ["run", "-p", "hi"], config=harness.stub_config(stub, {"m": {}}),
            env={"STUB_KEY": harness.KEY[::-1]})
        self.assertEqual(result.text, harness.KEY[::-1] + "\n")

    def test_no_escape_byte_without_a_terminal(self):
        for args in (["--show-route", "--stats"], ["--json"], ["-n"]):
            _, result = self.ask(args)
            self.assertNotIn(b"\x1b", result.out + result.err.encode())

    def test_a_dry_run_with_json_is_what_explain_says(self):
        stub = self.stub([])
        config = self.home.write("a.toml", harness.stub_config(stub, {"m": {}}))
        run, explained = (self.run_llmroute(
            [*words, "-p", "hi there", "--json", "-c", config])
            for words in (["run", "-n"], ["explain"]))
        self.assert_status(run, 0)
        objects = [result.json() for result in (run, explained)]
        for one in objects:
            self.assertEqual(one["schema"], "llmroute.explain/1")
            del one["took_us"]
        self.assertEqual(*objects)
        self.assertEqual(stub.requests(), [])

    def test_verbose_says_who_is_asked_and_where(self):
        stub, result = self.ask(["-v"])
        self.assertRegex(result.err, (
            r"^llmroute: this decision is \w{26}\n"
            r"llmroute: asking m \(openai-chat\) at %s; the model is of \S*\.toml:\d+, the "
            r"provider of \S*\.toml:\d+\n$") % stub.origin)
        stub, result = self.ask(["-vv"])
        self.assertRegex(result.err, (
            r"\nllmroute: asking m .*\nllmroute: POST %s/v1/chat/completions\n"
            r"llmroute: HTTP 200, done after \d+ ms\n$") % stub.origin)
        _, result = self.ask(["-vv", "--retries", "0"], [{"status": 503, "error": "no"}])
        self.assertRegex(result.err, r"\nllmroute: HTTP 503: no, after \d+ ms\n")

    def test_S17_length_is_3_unless_the_limit_was_the_users(self):
        _, result = self.ask([], [{"text": "cut", "finish": "length"}])
        self.assert_status(result, 3)
        self.assertEqual(result.out, b"cut\n")
        _, result = self.ask(["--max-tokens", "5"], [{"text": "cut", "finish": "length"}])
        self.assert_status(result, 0)
        self.assertIn("--max-tokens", result.err)

    def test_S15_S16_empty_and_filtered_answers_are_3(self):
        for rule, word in (({"text": ""}, "empty"),
                           ({"text": "x", "finish": "content_filter"}, "filter")):
            _, result = self.ask([], [rule])
            self.assert_status(result, 3)
            self.assertIn(word, result.err)

    def test_A12_escapes_are_shown_on_a_terminal_and_raw_in_a_pipe(self):
        text = "\x1b]52;c;AAAA\x07red\x1b[31m"
        _, result = self.ask([], [{"text": text}])
        self.assertEqual(result.out, text.encode() + b"\n")
        stub = self.stub([{"text": text}])
        leader, follower = pty.openpty()
        self.addCleanup(os.close, leader)
        process = self.spawn_llmroute(
            ["run", "--no-stdin", "-p", "hi there"],
            config=harness.stub_config(stub, {"m": {}}), stdout=follower)
        self.assertEqual(process.wait(60), 0)
        os.close(follower)
        shown = harness.shown_on(leader)
        self.assertNotIn(b"\x1b", shown)
        self.assertIn(b"^[]52;c;AAAA^Gred^[[31m", shown)

    def shown_of(self, args, rule):
        stub = self.stub([rule])
        leader, follower = pty.openpty()
        self.addCleanup(os.close, leader)
        process = self.spawn_llmroute(
            ["run", "--no-stdin", *args], config=harness.stub_config(stub, {"m": {}}),
            stdout=follower)
        os.close(follower)
        shown = harness.shown_on(leader)
        self.assertEqual(process.wait(60), 0)
        return shown.decode().replace("\r\n", "\n")

    def test_A12_json_on_a_terminal_is_shown_as_well(self):
        text = "\u009b31m\u202e\x7f"
        for args in (["--json"], ["--format", "jsonl"], ["-n"], ["-n", "--json"]):
            shown = self.shown_of([*args, "-p", f"hi {text} there"], {"text": text})
            with self.subTest(args):
                self.assertNotRegex(shown, "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")
                self.assertIn("there" if args == ["-n"] else '"', shown)

    def test_sanitize_decides_for_pipes_and_terminals(self):
        text, seen = "\x1b[31mred\u009b", "^[[31mred<U+009B>\n"
        for when, piped, shown in (("auto", text + "\n", seen), ("always", seen, seen),
                                   ("never", text + "\n", text + "\n")):
            with self.subTest(when):
                _, result = self.ask(["--sanitize", when], [{"text": text}])
                self.assert_status(result, 0)
                self.assertEqual(result.text, piped)
                self.assertEqual(self.shown_of(["--sanitize", when, "-p", "hi there"],
                                               {"text": text}), shown)
        path = self.home.file("answer.txt")
        _, result = self.ask(["--sanitize", "always", "-o", path], [{"text": text}])
        self.assert_status(result, 0)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), text + "\n")

    def test_P1_strict_model_refuses_another_model(self):
        for served, status in (("m", 0), ("M", 0), ("m-2026-05-01", 0), ("m@20260501", 0),
                               ("m:latest", 0), ("m-mini", 3), ("m-", 3), ("other", 3),
                               ("", 0)):
            with self.subTest(served):
                rule = {"text": "ok", "served": served}
                _, result = self.ask(["--strict-model"], [rule])
                self.assert_status(result, status)
                self.assertEqual(result.out, b"ok\n")
                if status:
                    self.assertIn(f"another model served: {served}, not m", result.err)
                _, result = self.ask([], [rule])
                self.assert_status(result, 0)
        _, result = self.ask(["--strict-model", "--json"], [{"text": "ok", "served": "x"}])
        self.assertEqual(result.json()["error"]["code"], "incomplete")

    def test_A13_what_others_say_is_shown_in_messages(self):
        hostile = "\x1b]52;c;AAAA\x07\r\x1b[2Kok\u202e\u0085"
        head = {"headers": {"x-request-id": "\x1b[31m"}}
        command = ["sh", "-c", f"printf '{hostile}' >&2; exit 1"]
        shell = (harness.provider("local", protocol="exec", command=command) +
                 harness.model("shell", provider="local", **harness.DEFAULT_MODEL))
        for rule, args in (
                (head | {"status": 400, "error": {"message": hostile, "code": hostile}}, []),
                (head | {"text": "ok", "served": hostile}, ["--show-route", "--stats", "-vv"]),
                ({"status": 302, "headers": {"Location": "/\x1b[31m"}}, []),
                ({}, ["-m", "shell"]), ({}, ["-m", hostile]), ({}, ["-r", hostile]),
                ({}, ["-f", hostile]), ({}, ["-o", "/nowhere/" + hostile]),
                ({}, ["--ledger", "/proc/" + hostile])):
            for stderr in ("pipe", "terminal"):
                stub = self.stub([rule])
                leader, follower = pty.openpty()
                self.addCleanup(os.close, leader)
                process = self.spawn_llmroute(
                    ["run", "--no-stdin", "--retries", "0", *args, "-p", "hi there"],
                    config=harness.stub_config(stub, {"m": {}}, extra=shell),
                    **{"stderr": follower} if stderr == "terminal" else {})
                os.close(follower)
                if stderr == "terminal":
                    said = harness.shown_on(leader)
                    process.wait(60)
                else:
                    _, said = process.communicate(timeout=60)
                said = said.decode()
                with self.subTest(args=args, rule=rule, stderr=stderr):
                    self.assertTrue(said)
                    self.assertNotRegex(said.replace("\r\n", "\n"),
                                        "[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202e]")

    def test_A14_a_forged_line_stays_in_the_record_it_came_in(self):
        forged = "llmroute: all is well"
        row = '{"forged":1}'
        for end in ("\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028"):
            hostile = end.join(("bad", forged, row, ""))
            head = {"headers": {"x-request-id": "a" + forged}}
            for rule, args in (
                    (head | {"status": 400, "error": {"message": hostile, "code": hostile,
                                                      "type": hostile}}, []),
                    (head | {"text": "ok", "served": hostile}, ["--stats", "-vv"]),
                    ({"text": "ok"}, ["--tag", "note=" + hostile, "--show-route"]),
                    ({}, ["-m", hostile]), ({}, ["-r", hostile]), ({}, ["-f", hostile])):
                for more in ([], ["--json"], ["--error-format", "json"],
                             ["--transcript", "kept.jsonl"]):
                    _, result = self.ask(["--retries", "0", *args, *more], [rule])
                    with self.subTest(end=end, args=args, rule=rule, more=more):
                        for line in result.err.splitlines():
                            self.assertRegex(line, "^(llmroute: .|{)")
                            self.assertNotEqual(line, forged)
                            self.assertNotEqual(line, row)
                        if more == ["--json"] and result.text:
                            self.assertEqual(result.text.count("\n"), 1)
                            self.assertIn("id", result.json())
        with open(self.home.file("work/kept.jsonl"), encoding="utf-8", newline="\n") as kept:
            for line in kept:
                self.assertEqual(json.loads(line)["schema"], "llmroute.transcript/1")


if __name__ == "__main__":
    unittest.main()
