"""`batch`: what goes in, what comes out, in which order, and what a record may
change for itself. Names hold the row of the fault matrix in
docs/reliability.md, or the option they prove."""

import io
import json
import os
import re
import subprocess
import threading
import time
import unittest

import harness
from batch_case import BatchCase, codes, lines, openai, parse, prompts, texts

ECHOING = [{"path": "/v1/chat/completions", "body": f"say {i}\"", "text": f"said {i}"}
           for i in range(1, 41)]


class Input(BatchCase):
    def test_I6_line_ends_marks_and_blank_lines(self):
        stub = self.stub([{"text": "ok"}])
        text = ("\ufeff" + '{"prompt":"a"}\r\n' + "\n" + "  \r\n" +
                '{"prompt":"b"}\n' + '{"prompt":"c"}')
        results = self.results(self.batch(stub, stdin=text))
        self.assertEqual([r["id"] for r in results], ["1", "4", "5"])
        self.assertEqual([r["line"] for r in results], [1, 4, 5])
        self.assertEqual({r.prompt for r in self.posts(stub)}, {"a", "b", "c"})

    def test_I6_a_torn_last_line_is_an_error_record(self):
        stub = self.stub([{"text": "ok"}])
        results = self.results(self.batch(stub, stdin='{"prompt":"a"}\n{"prompt":"b'), 1)
        self.assertEqual(codes(results), [None, "bad_json"])
        self.assertEqual(len(self.posts(stub)), 1)

    def test_I7_a_line_of_a_gigabyte_is_an_error_record(self):
        stub = self.stub([{"text": "ok"}])
        process = self.spawn_llmroute(["batch"], config=self.config(stub))
        feed(process.stdin, [b'{"prompt":"a"}\n{"prompt":"', *[b"x" * (1 << 20)] * 1024,
                             b'"}\n{"prompt":"b"}\n'])
        results = [json.loads(process.stdout.readline()) for _ in range(3)]
        self.assertEqual(codes(results), [None, "too_long", None])
        if not harness.SANITIZED:  # which keeps what was freed
            self.assertLess(peak_kib(process), 64 << 10)
        process.stdin.close()
        self.assertEqual(process.wait(), 1)

    def test_I8_duplicate_keys_and_duplicate_ids(self):
        stub = self.stub([{"text": "ok"}])
        text = lines('{"id":"a","prompt":"x","prompt":"y"}', {"id": "b", "prompt": "x"},
                     {"id": "b", "prompt": "y"}, '{"id":"c","prompt":"x"}')
        results = self.results(self.batch(stub, stdin=text), 1)
        self.assertEqual(codes(results), ["bad_json", None, "duplicate_id", None])
        self.assertEqual(len(self.posts(stub)), 2)

    def test_I9_odd_json(self):
        stub = self.stub([{"text": "ok"}])
        deep = "[" * 1_000_000
        text = lines('{"id":"big","prompt":"x","meta":{"n":' + "1" * 30 + ',"e":1e400,"z":-0}}',
                     '{"id":"half","prompt":"\\ud83d"}',
                     '{"id":"deep","prompt":"x","meta":' + deep + '}',
                     '{"prompt":"x"}{"prompt":"y"}',
                     '{"id":"pair","prompt":"\\ud83d\\ude00"}')
        result = self.batch(stub, ["--no-timing"], stdin=text)
        results = self.results(result, 1)
        self.assertEqual([bool(c) for c in codes(results)],
                         [False, True, True, True, False])
        self.assertIn(b'"meta":{"n":' + b"1" * 30 + b',"e":1e400,"z":-0}', result.out)
        self.assertIn("\U0001f600", [r.prompt for r in self.posts(stub)])

    def test_I9_a_json_array_is_refused_with_a_hint(self):
        stub = self.stub()
        result = self.batch(stub, stdin='[{"prompt":"a"},\n{"prompt":"b"}]\n')
        self.assert_status(result, 65)
        self.assertIn("jq -c", result.err)
        self.assertEqual(self.posts(stub), [])

    def test_I10_a_record_sets_no_address_key_header_or_command(self):
        stub, other = self.stub([{"text": "ok"}]), self.stub()
        evil = [{"base_url": other.base_url}, {"api_key": "sk-x"},
                {"headers": {"X": "y"}}, {"argv": ["touch", "/tmp/x"]},
                {"command": ["id"]}, {"route": "no-such"}, {"model": "no-such"}]
        text = lines(*({"id": str(i), "prompt": "x", **one} for i, one in enumerate(evil)))
        for args in ([], ["--ignore-unknown"]):
            results = self.results(self.batch(stub, args, stdin=text), 1)
            self.assertNotIn(None, codes(results))
        self.assertEqual(self.posts(stub) + self.posts(other), [])

    @unittest.skipIf(harness.SANITIZED, "a sanitizer keeps what was freed")
    def test_I11_memory_is_flat(self):
        """Records that nobody is asked for: a million; and asked ones, fewer."""
        stub = self.stub([{"text": "ok"}])
        config = self.config(stub)
        faulty = b'{"id":"row-%d","prompt":"x","model":"no-such"}\n'
        good = b'{"id":"row-%d","prompt":"x"}\n'
        for row, few, many in ((faulty, 100_000, MILLION), (good, 1000, 10_000)):
            process = self.spawn_llmroute(["batch", "-j", "32"], config=config)
            out = io.BufferedReader(process.stdout, 1 << 16)
            peaks = []
            for begin, end in ((0, few), (few, many)):
                feeder = threading.Thread(target=feed, args=(
                    process.stdin, (row % i for i in range(begin, end))))
                feeder.start()
                for _ in range(begin, end):
                    line = out.readline()
                feeder.join()
                self.assertEqual(json.loads(line)["id"], f"row-{end - 1}")
                peaks.append(peak_kib(process))
            self.assertLess(peaks[1], peaks[0] + (8 << 10), peaks)
            process.stdin.close()
            process.wait()
            out.close()

    def test_I11_what_is_read_ahead_is_bounded_in_bytes(self):
        stub = self.stub([{"text": "ok", "delay_headers_ms": 100}])
        path = self.home.file("in.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            for _ in range(40):
                file.write(json.dumps({"prompt": "x" * (10 << 20)}) + "\n")
        process = self.spawn_llmroute(
            ["batch", "-j", "2", path], config=self.config(
                stub, {"m": {"context_window": 100_000_000}}), stdout=subprocess.DEVNULL)
        process.stdin.close()
        most = 0
        while process.poll() is None:
            try:
                with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
                    found = [line.split()[1] for line in file if line.startswith("VmHWM")]
            except FileNotFoundError:
                break
            most = max([most, *map(int, found)])
            time.sleep(0.05)
        self.assertEqual(process.wait(), 0)
        self.assertLess(most >> 10, 350)  # MiB

    def test_I12_hostile_strings_are_echoed(self):
        stub = self.stub([{"text": "ok"}])
        hostile = ["'; DROP TABLE x;--", "$(reboot)", "../../etc/passwd", "\u202egnp",
                   "\x1b]52;c;AAAA\x07", "\x00", "{{7*7}}", "%s%n", "a\nb", "\U0001f468\u200d\U0001f469"]
        text = lines(*({"id": h, "prompt": h, "meta": {"tag": h}} for h in hostile))
        results = self.results(self.batch(stub, ["--echo"], stdin=text))
        self.assertEqual([r["id"] for r in results], hostile)
        self.assertEqual([r["meta"]["tag"] for r in results], hostile)
        self.assertEqual([r["input"]["prompt"] for r in results], hostile)
        self.assertEqual(sorted(r.prompt for r in self.posts(stub)), sorted(hostile))

    def test_I13_a_replaced_input_file_is_read_on_from_its_descriptor(self):
        stub = self.stub([{"text": "ok", "delay_headers_ms": 20}])
        path = self.home.write("in.jsonl", prompts(400))
        process = self.spawn_llmroute(["batch", "-j", "4", path], config=self.config(stub))
        process.stdin.close()
        first = process.stdout.readline()
        os.rename(self.home.write("other.jsonl", prompts(3, "other {}")), path)
        rest = process.stdout.read()
        self.assertEqual(process.wait(), 0)
        self.assertEqual(len(parse(first + rest)), 400)

    def test_I13_resume_detects_a_changed_line(self):
        stub = self.stub([{"nth": 3, "status": 401}, {"text": "ok"}])
        out = self.home.file("out.jsonl")
        path = self.home.write("in.jsonl", prompts(5))
        config = self.config(stub)
        args = ["-j", "1", path, "-o", out]
        self.assert_status(self.batch(stub, args, config=config), 77)
        self.home.write("in.jsonl", prompts(5, "changed {}"))
        result = self.batch(stub, args, config=config)
        self.assert_status(result, 65)
        self.assertIn("line 1", result.err)
        self.assertEqual(len(self.posts(stub)), 3)

    def test_lines(self):
        stub = self.stub(ECHOING)
        results = self.results(self.batch(stub, ["--lines"], stdin="say 1\nsay \"2\nsay 3\n"))
        self.assertEqual(texts(results)[0::2], ["said 1", "said 3"])
        self.assertIn('say "2', [r.prompt for r in self.posts(stub)])

    def test_null(self):
        stub = self.stub([{"text": "ok"}])
        results = self.results(self.batch(stub, ["-0"], stdin=b"a\nb\0c\0"))
        self.assertEqual(len(results), 2)
        self.assertEqual({r.prompt for r in self.posts(stub)}, {"a\nb", "c"})

    def test_template(self):
        stub = self.stub([{"text": "ok"}])
        rows = lines({"text": "hi", "n": 1.50, "id": 7}, '{"n":-0,"text":"x"}', {"n": 1})
        results = self.results(self.batch(
            stub, ["--template", "{{Classify}} {text} {n}", "--echo"], stdin=rows), 1)
        self.assertEqual(sorted(r.prompt for r in self.posts(stub)),
                         ["{Classify} hi 1.5", "{Classify} x -0"])
        self.assertEqual(codes(results), [None, None, "missing_field"])
        self.assertEqual(results[0]["input"], {"text": "hi", "n": 1.5, "id": 7})

    def test_template_of_nested_fields(self):
        stub = self.stub([{"text": "ok"}])
        row = {"user": {"name": "Ada"}, "meta": {"tags": ["a", "b"]}, "x.y": "dotted"}
        self.results(self.batch(
            stub, ["--template", "{user.name} {meta.tags.1} {x.y}"], stdin=lines(row)))
        self.results(self.batch(stub, ["--prompt-field", "user.name"], stdin=lines(row)))
        self.assertEqual([r.prompt for r in self.posts(stub)], ["Ada b dotted", "Ada"])

    def test_prompt_field(self):
        stub = self.stub([{"text": "ok"}])
        rows = lines({"q": "one", "other": [1]}, {"q": "two"})
        self.results(self.batch(stub, ["--prompt-field", "q"], stdin=rows))
        self.assertEqual({r.prompt for r in self.posts(stub)}, {"one", "two"})

    def test_system_and_system_file(self):
        stub = self.stub([{"text": "ok"}])
        rows = lines({"prompt": "a"}, {"prompt": "b", "system": "own"})
        file = self.home.write("system.txt", "Be brief.")
        for args in (["--system", "Be brief."], ["--system-file", file]):
            self.results(self.batch(stub, args, stdin=rows))
        systems = [r.json()["messages"][0]["content"] for r in self.posts(stub)]
        self.assertEqual(sorted(systems), ["Be brief.", "Be brief.", "own", "own"])

    def test_ignore_unknown(self):
        stub = self.stub([{"text": "ok"}])
        row = lines({"prompt": "a", "colour": "red"})
        results = self.results(self.batch(stub, stdin=row), 1)
        self.assertEqual(codes(results), ["unknown_field"])
        self.assertIn("colour", results[0]["error"]["message"])
        self.results(self.batch(stub, ["--ignore-unknown"], stdin=row))

    def test_skip_and_limit(self):
        stub = self.stub(ECHOING)
        results = self.results(self.batch(
            stub, ["--skip", "3", "--limit", "2"], stdin=prompts(9)))
        self.assertEqual(texts(results), ["said 4", "said 5"])

    def test_shard(self):
        stub = self.stub(ECHOING)
        path = self.home.write("in.jsonl", prompts(20))
        whole = self.batch(stub, ["--no-timing", path])
        self.assert_status(whole, 0)
        parts = []
        for k in (1, 2, 3):
            out = self.home.file(f"out-{k}.jsonl")
            result = self.batch(stub, ["--no-timing", "--shard", f"{k}/3", "-o", out, path])
            self.assert_status(result, 0)
            parts.append(out)
        pasted = subprocess.run(["paste", "-d", "\n", *parts], capture_output=True,
                                check=True).stdout
        self.assertEqual(b"".join(l + b"\n" for l in pasted.splitlines() if l), whole.out)

    def test_shard_counts_behind_what_is_skipped(self):
        stub = self.stub(ECHOING)
        found = [texts(self.results(self.batch(
            stub, ["--skip", "3", "--limit", "5", "--shard", f"{k}/2"], stdin=prompts(9))))
            for k in (1, 2)]
        self.assertEqual(found, [["said 4", "said 6", "said 8"], ["said 5", "said 7"]])

    def test_P6_repaired_answers_are_told_of_once(self):
        stub = self.stub([{"bad_utf8": True}])
        result = self.batch(stub, stdin=prompts(3))
        self.assert_status(result, 0)
        self.assertIn("3 answers held invalid UTF-8", result.err)

    def test_shard_auto_of_an_array_task(self):
        stub = self.stub(ECHOING)
        env = {"SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_MIN": "3",
               "SLURM_ARRAY_TASK_MAX": "4"}
        results = self.results(self.batch(stub, ["--shard", "auto"], stdin=prompts(5), env=env))
        self.assertEqual(texts(results), ["said 2", "said 4"])
        self.assert_status(self.batch(stub, ["--shard", "auto"], stdin=prompts(1)), 64)

    def test_files_in_order_and_stdin(self):
        stub = self.stub(ECHOING)
        a = self.home.write("a.jsonl", prompts(1, "say 1"))
        b = self.home.write("b.jsonl", prompts(1, "say 3"))
        results = self.results(self.batch(stub, [a, "-", b], stdin=prompts(1, "say 2")))
        self.assertEqual(texts(results), ["said 1", "said 2", "said 3"])
        self.assertEqual([r["line"] for r in results], [1, 2, 3])

    def test_stdin_that_is_not_to_be_read(self):
        stub = self.stub([{"text": "ok"}])
        env = {"LLMROUTE_STDIN": "never"}
        result = self.batch(stub, stdin=prompts(1), env=env)
        self.assert_status(result, 66)
        self.assertIn("LLMROUTE_STDIN", result.err)
        self.results(self.batch(stub, ["-"], stdin=prompts(1), env=env))

    def test_S7_a_byte_order_mark_before_a_reply(self):
        stub = self.stub([{"raw": "\ufeff" + json.dumps({"choices": [{
            "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]})}])
        (result,) = self.results(self.batch(stub, stdin=prompts(1)))
        self.assertEqual(result["text"], "ok")

    def test_S7_the_mark_comes_in_pieces(self):
        reply = json.dumps({"choices": [{
            "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]})
        stub = self.stub([{"raw": "\ufeff" + reply, "content_type": "application/json",
                           "chunk": 1, "trickle": 2}])
        (result,) = self.results(self.batch(stub, stdin=prompts(1)))
        self.assertEqual(result["text"], "ok")

    def test_a_missing_file_is_no_input(self):
        self.assert_status(self.batch(self.stub(), ["/no/such.jsonl"]), 66)

    def test_a_pipe_is_answered_as_lines_come(self):
        stub = self.stub(ECHOING)
        process = self.spawn_llmroute(["batch"], config=self.config(stub))
        for i in (1, 2, 3):
            process.stdin.write(prompts(1, f"say {i}").encode())
            self.assertEqual(json.loads(process.stdout.readline())["text"], f"said {i}")
        process.stdin.close()
        self.assertEqual(process.wait(), 0)

    def test_strict(self):
        stub = self.stub([{"text": "ok"}])
        result = self.batch(stub, ["--strict"], stdin=lines("{", {"prompt": "a"}))
        self.assert_status(result, 65)
        self.assertIn("line 1", result.err)

    def test_validate(self):
        stub = self.stub()
        text = lines({"prompt": "a"}, "{", {"prompt": 1}, {"prompt": "a", "model": "zzz"})
        result = self.batch(stub, ["--validate"], stdin=text, env={"STUB_KEY": None})
        self.assert_status(result, 65)
        for line in (2, 3, 4):
            self.assertIn(f"line {line}:", result.err)
        self.assertNotIn("line 1:", result.err)
        self.assert_status(self.batch(stub, ["--validate"], stdin=prompts(3)), 0)
        self.assertEqual(stub.connections(), 0)

    def test_offline(self):
        stub = self.stub()
        result = self.batch(stub, stdin=prompts(2), env={"LLMROUTE_OFFLINE": "1"})
        self.assert_status(result, 69)
        self.assertEqual(stub.connections(), 0)
        for args in (["-n"], ["--validate"]):
            result = self.batch(stub, args, stdin=prompts(2), env={"LLMROUTE_OFFLINE": "1"})
            self.assert_status(result, 0)


class Output(BatchCase):
    def test_a_native_result_says_what_is_known(self):
        stub = self.stub([{"text": "four", "usage": {"input": 80, "output": 12},
                           "served": "m-2026"}])
        row = lines({"id": "row-17", "prompt": "2+2", "meta": {"any": "thing"}})
        (result,) = self.results(self.batch(stub, stdin=row))
        ms = result.pop("ms")
        self.assertGreaterEqual(ms, 0)
        self.assertEqual(result, {
            "id": "row-17", "line": 1, "text": "four", "finish_reason": "stop",
            "model": {"routed": "m", "served": "m-2026", "provider": "openai-chat"},
            "route": {"name": "auto", "source": "analyzer"},
            "usage": {"input": 80, "output": 12}, "cost": {"usd": 0.000104},
            "attempts": 1, "meta": {"any": "thing"}, "error": None})

    def test_order_is_kept_behind_slow_records(self):
        stub = self.stub([{"body": "say 1\"", "text": "said 1", "delay_headers_ms": 700}] +
                         ECHOING)
        results = self.results(self.batch(stub, ["-j", "4"], stdin=prompts(30)))
        self.assertEqual(texts(results), [f"said {i}" for i in range(1, 31)])

    def test_unordered(self):
        stub = self.stub([{"body": "say 1\"", "text": "said 1", "delay_headers_ms": 1500}] +
                         ECHOING)
        results = self.results(self.batch(
            stub, ["-j", "4", "--unordered"], stdin=prompts(20)))
        self.assertEqual(results[-1]["text"], "said 1")
        self.assertEqual(sorted(r["line"] for r in results), list(range(1, 21)))

    def test_errors_keep_their_place(self):
        stub = self.stub([{"body": "say 2\"", "status": 400, "error": "bad \x1b[31mwords"}] +
                         ECHOING)
        results = self.results(self.batch(stub, stdin=prompts(3)), 1)
        self.assertEqual(texts(results), ["said 1", None, "said 3"])
        error = results[1]["error"]
        self.assertEqual((error["code"], error["http_status"], error["provider"],
                          error["retryable"]), ("data", 400, "openai-chat", False))
        self.assertIn("bad ", error["message"])

    def test_errors_file(self):
        stub = self.stub([{"body": "say 2\"", "status": 400}] + ECHOING)
        errors = self.home.file("errors.jsonl")
        results = self.results(self.batch(
            stub, ["--errors", errors], stdin=prompts(3)), 1)
        self.assertEqual([r["line"] for r in results], [1, 3])
        with open(errors, "rb") as file:
            self.assertEqual([r["line"] for r in parse(file.read())], [2])

    def test_an_openai_record_has_an_openai_result(self):
        stub = self.stub([{"text": "four"}])
        (result,) = self.results(self.batch(stub, stdin=lines(openai("a", "2+2"))))
        self.assertEqual(result["custom_id"], "a")
        body = result["response"]["body"]
        self.assertEqual(body["object"], "chat.completion")
        self.assertEqual(body["choices"][0]["message"]["content"], "four")
        self.assertEqual(result["llmroute"]["model"], "m")

    def test_out(self):
        stub = self.stub([{"text": "four"}])
        text = lines({"id": "a", "prompt": "x"}, openai("b", "y"))
        for form, key in (("openai", "custom_id"), ("native", "id")):
            results = self.results(self.batch(stub, ["--out", form], stdin=text))
            self.assertEqual([r[key] for r in results], ["a", "b"])

    def test_no_extras(self):
        stub = self.stub([{"text": "four"}])
        (result,) = self.results(self.batch(
            stub, ["--no-extras"], stdin=lines(openai("a", "x"))))
        self.assertEqual(set(result), {"id", "custom_id", "response", "error"})

    def test_an_answer_of_another_protocol_is_a_chat_completion(self):
        stub = self.stub([{"method": "POST", "text": "four"}])
        (result,) = self.results(self.batch(
            stub, stdin=lines(openai("a", "x")), models={"m": {"protocol": "anthropic"}}))
        message = result["response"]["body"]["choices"][0]["message"]
        self.assertEqual(message, {"role": "assistant", "content": "four", "refusal": None})

    def test_a_responses_record_has_a_response(self):
        stub = self.stub([{"text": "four"}])
        row = lines({"custom_id": "a", "method": "POST", "url": "/v1/responses",
                     "body": {"input": "2+2", "instructions": "Be brief."}})
        (result,) = self.results(self.batch(stub, stdin=row))
        body = result["response"]["body"]
        self.assertEqual((body["object"], body["output_text"]), ("response", "four"))
        self.assertEqual(self.posts(stub)[0].json()["messages"][0]["content"], "Be brief.")

    def test_other_urls_are_error_records(self):
        stub = self.stub()
        row = lines({"custom_id": "a", "method": "POST", "url": "/v1/embeddings",
                     "body": {"input": "x"}})
        (result,) = self.results(self.batch(stub, stdin=row), 1)
        self.assertIsNone(result["response"])
        self.assertEqual(result["error"]["code"], "bad_url")
        self.assertEqual(stub.connections(), 0)

    def test_an_openai_record_without_url_is_told_which_there_are(self):
        row = openai("a", "x")
        del row["url"]
        (result,) = self.results(self.batch(self.stub(), stdin=lines(row)), 1)
        self.assertEqual((result["error"]["code"], result["error"]["message"]), (
            "missing_field", "no 'url': \"/v1/chat/completions\" or \"/v1/responses\""))

    def test_the_number_of_a_line_without_id_takes_no_id_from_others(self):
        text = lines({"id": "2", "prompt": "x"}, {"prompt": "y"}, {"id": 1, "prompt": "z"},
                     {"id": "2", "prompt": "x"})
        for args in ([], ["--match", "id", "--journal", self.home.file("journal")]):
            results = self.results(self.batch(self.stub(), args, stdin=text), 1)
            self.assertEqual(codes(results), [None] * 3 + ["duplicate_id"])
            self.assertEqual([r["id"] for r in results], ["2", "2", 1, "2"])

    def test_echo(self):
        stub = self.stub([{"text": "ok"}])
        (result,) = self.results(self.batch(
            stub, ["--echo"], stdin='{"prompt":"a","meta":{"n":1}}\n'))
        self.assertEqual(result["input"], {"prompt": "a", "meta": {"n": 1}})

    def test_no_timing(self):
        stub = self.stub([{"text": "ok"}])
        text = prompts(3) + lines(openai("a", "x"))
        runs = [self.batch(stub, ["--no-timing"], stdin=text).out for _ in range(2)]
        ids = rb'"request_id":"[^"]*"'  # the stub's, a new one each time
        self.assertEqual(re.sub(ids, b"", runs[0]), re.sub(ids, b"", runs[1]))
        self.assertIsNone(parse(runs[0])[0]["ms"])

    def test_output_file(self):
        stub = self.stub(ECHOING)
        out = self.home.file("out.jsonl")
        args = ["-o", out, "--no-timing"]
        result = self.batch(stub, args, stdin=prompts(5))
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"")
        with open(out, "rb") as file:
            self.assertEqual(texts(parse(file.read())), [f"said {i}" for i in range(1, 6)])
        self.assert_status(self.batch(stub, args, stdin=prompts(5)), 0)
        self.assertEqual(len(self.posts(stub)), 5)

    def test_journal_of_stdout(self):
        stub = self.stub(ECHOING)
        args = ["--journal", self.home.file("journal"), "--no-timing"]
        first = self.batch(stub, args, stdin=prompts(5))
        again = self.batch(stub, args, stdin=prompts(5))
        self.assert_status(again, 0)
        self.assertEqual(first.out, again.out)
        self.assertEqual(len(self.posts(stub)), 5)

    def test_retry_errors(self):
        stub = self.stub([{"body": "say 2\"", "status": 400, "times": 1}] + ECHOING)
        out = self.home.file("out.jsonl")
        path = self.home.write("in.jsonl", prompts(3))
        config = self.config(stub)
        self.assert_status(self.batch(stub, [path, "-o", out], config=config), 1)
        again = self.batch(stub, [path, "-o", out, "--retry-errors"], config=config)
        self.assert_status(again, 0)
        self.assertEqual(len(self.posts(stub)), 4)
        with open(out, "rb") as file:
            self.assertEqual(texts(parse(file.read())), ["said 1", "said 2", "said 3"])

    def test_S17_an_answer_cut_by_a_limit_of_ours_keeps_its_text(self):
        stub = self.stub([{"text": "half an ans", "finish": "length"}])
        (native,) = self.results(self.batch(stub, stdin=prompts(1)), 1)
        self.assertEqual((native["text"], native["finish_reason"], native["error"]["code"]),
                         ("half an ans", "length", "incomplete"))
        (chat,) = self.results(self.batch(stub, stdin=lines(openai("a", "x"))), 1)
        choice = chat["response"]["body"]["choices"][0]
        self.assertEqual(choice["finish_reason"], "length")
        self.assertIn("limit", chat["llmroute"]["incomplete"])
        own = lines({"prompt": "x", "max_tokens": 5})
        (result,) = self.results(self.batch(stub, stdin=own))
        self.assertIsNone(result["error"])

    def test_S15_S16_empty_filtered_and_refused_are_failures_that_keep_their_text(self):
        for rule, finish in (({"text": ""}, "stop"), ({"text": "I", "finish": "filter"}, "filter")):
            stub = self.stub([rule])
            (result,) = self.results(self.batch(stub, stdin=prompts(1)), 1)
            self.assertEqual((result["text"], result["finish_reason"]), (rule["text"], finish))
            self.assertEqual(result["error"]["code"], "incomplete")

    def test_P1_the_served_model_is_recorded(self):
        stub = self.stub([{"text": "ok", "served": "another"}])
        (result,) = self.results(self.batch(stub, stdin=prompts(1)))
        self.assertEqual(result["model"]["served"], "another")

    def test_P5_choice_0_counts(self):
        body = {"id": "x", "object": "chat.completion", "model": "m", "choices": [
            {"index": i, "message": {"role": "assistant", "content": f"c{i}"},
             "finish_reason": "stop"} for i in (0, 1)],
            "usage": {"prompt_tokens": 10, "completion_tokens": 40, "total_tokens": 50}}
        stub = self.stub([{"raw": json.dumps(body), "content_type": "application/json"}])
        (result,) = self.results(self.batch(stub, stdin=prompts(1)))
        self.assertEqual((result["text"], result["usage"]["output"]), ("c0", 40))


class Overrides(BatchCase):
    MODELS = {"m": {"ability": 2.0}, "n": {"ability": 1.0}, "o": {"ability": 0.0}}

    def asked(self, record, args=(), rules=({"text": "ok"},), extra=""):
        stub = self.stub(list(rules))
        result = self.batch(stub, args, stdin=lines(record), models=self.MODELS, extra=extra)
        return result, self.posts(stub)

    def test_model_and_fallback(self):
        result, requests = self.asked(
            {"prompt": "x", "model": "o", "fallback": ["n"]},
            rules=[{"model": "o", "status": 400 + 4}, {"text": "ok"}])
        (line,) = self.results(result)
        self.assertEqual([r.model for r in requests], ["o", "n"])
        self.assertEqual((line["model"]["routed"], line["route"]["source"]), ("o", "record"))

    def test_reroute(self):
        free, _ = self.asked({"prompt": "x"})
        best = parse(free.out)[0]["model"]["routed"]
        other = next(m for m in self.MODELS if m != best)
        result, requests = self.asked({"prompt": "x", "model": other}, ["--reroute"])
        self.assert_status(result, 0)
        self.assertEqual([r.model for r in requests], [best])

    def test_route(self):
        extra = harness.table("[routes.cheap]", {"models": ["o"]})
        result, requests = self.asked({"prompt": "x", "route": "cheap"}, extra=extra)
        (line,) = self.results(result)
        self.assertEqual(([r.model for r in requests], line["route"]["name"]), (["o"], "cheap"))

    def test_sampling_and_limits(self):
        _, (request,) = self.asked({"prompt": "x", "max_tokens": 7, "temperature": 0.25,
                                    "stop": ["END"], "seed": 5})
        body = request.json()
        self.assertEqual((body["temperature"], body["stop"], body["seed"]),
                         (0.25, ["END"], 5))
        self.assertIn(7, (body.get("max_tokens"), body.get("max_completion_tokens")))

    def test_options_hold_for_records_that_say_nothing(self):
        _, (request,) = self.asked({"prompt": "x", "temperature": 0.5}, [
            "--max-tokens", "9", "--temperature", "1", "--stop", "E", "--seed", "3",
            "-O", "user=me"])
        body = request.json()
        self.assertEqual((body["temperature"], body["stop"], body["seed"], body["user"]),
                         (0.5, ["E"], 3, "me"))

    def test_timeout(self):
        """A record's own limit is shorter than the run's; others answer
        meanwhile, so that this is no outage."""
        stub = self.stub([{"body": "say 2\"", "hang_header": True},
                          {"text": "ok", "delay_headers_ms": 50}])
        text = lines({"prompt": "say 1"}, {"prompt": "say 2", "timeout": "300ms"},
                     *({"prompt": f"say {i}"} for i in range(3, 120)))
        results = self.results(self.batch(
            stub, ["--retries", "0", "-j", "2"], stdin=text), 1)
        self.assertEqual([i for i, c in enumerate(codes(results)) if c], [1])
        self.assertEqual(results[1]["error"]["code"], "try_later")

    def test_messages(self):
        _, (request,) = self.asked({"messages": [
            {"role": "system", "content": "s"}, {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]})
        self.assertEqual([m["content"] for m in request.json()["messages"]],
                         ["s", "a", "b", "c"])


class Routing(BatchCase):
    MODELS = {"strong": {"ability": 3.0, "price": {"input": 2.0, "output": 20.0}},
              "middle": {"ability": 0.0, "price": {"input": 1.0, "output": 4.0}},
              "weak": {"ability": -1.0, "price": {"input": 0.05, "output": 0.2}}}

    def test_each_record_is_routed_as_explain_would(self):
        stub = self.stub([{"text": "ok"}])
        texts_ = [PROMPTS[i % len(PROMPTS)].format(i) for i in range(100)]
        config = self.config(stub, self.MODELS)
        results = self.results(self.batch(
            stub, ["-j", "16", "--no-ledger"], config=config,
            stdin=lines(*({"prompt": t} for t in texts_))))
        expected = []
        for text in texts_:
            one = self.run_llmroute(["explain", "--json", "--no-timing", "-p", text],
                                    config=config)
            expected.append(one.json()["decision"]["model"])
        self.assertEqual([r["model"]["routed"] for r in results], expected)
        self.assertGreater(len(set(expected)), 1)

    def chosen(self, args, extra="", env=None):
        """The model that batch asks; checked against the decision of explain."""
        stub = self.stub([{"text": "ok"}])
        models = {name: dict(fields, tier=tier, tags=tags) for (name, fields), tier, tags in zip(
            self.MODELS.items(), ("large", "medium", "small"), ([], ["tools"], []))}
        config = self.config(stub, models, extra=extra)
        (result,) = self.results(self.batch(stub, args, stdin=prompts(1), config=config, env=env))
        one = self.run_llmroute(["explain", "--json", *args, "-p", "say 1"], config=config, env=env)
        self.assertEqual(result["model"]["routed"], one.json()["decision"]["model"])
        self.assertEqual([r.model for r in self.posts(stub)], [result["model"]["routed"]])
        return result["model"]["routed"]

    def test_model_allow_deny_and_require(self):
        self.assertEqual(self.chosen(["-m", "weak"]), "weak")
        self.assertEqual(self.chosen(["--allow", "mid*"]), "middle")
        self.assertEqual(self.chosen(["--deny", "strong", "--deny", "weak"]), "middle")
        self.assertEqual(self.chosen(["--require", "tools"]), "middle")

    def test_tier_min_tier_and_max_tier(self):
        self.assertEqual(self.chosen(["--tier", "medium"]), "middle")
        self.assertEqual(self.chosen(["--min-tier", "large"]), "strong")
        self.assertEqual(self.chosen(["--max-tier", "small"]), "weak")

    def test_worth_wait_and_profile(self):
        self.assertEqual(self.chosen(["--worth", "100"]), "strong")
        self.assertEqual(self.chosen(["--worth", "0.0000001", "--wait", "0"]), "weak")
        self.chosen(["--profile", "cost"])

    def test_route_and_tag(self):
        extra = (harness.table("[routes.only]", {"models": ["weak"]}) +
                 harness.table("[[rules]]", {"name": "x", "tag": "team=x", "model": "middle"}))
        self.assertEqual(self.chosen(["-r", "only"], extra), "weak")
        self.assertEqual(self.chosen(["--tag", "team=x"], extra), "middle")
        self.assertEqual(self.chosen([], extra, {"LLMROUTE_ROUTE": "only"}), "weak")

    def test_fallback_and_no_fallback(self):
        for args, asked, status in ((["-m", "strong", "--fallback", "weak"], ["strong", "weak"], 0),
                                    (["-m", "strong", "--no-fallback"], ["strong"], 1)):
            stub = self.stub([{"model": "strong", "status": 404}, {"text": "ok"}])
            self.results(self.batch(stub, args, stdin=prompts(1), models=self.MODELS), status)
            self.assertEqual([r.model for r in self.posts(stub)], asked)

    def test_no_config(self):
        result = self.run_llmroute(["batch", "--no-config", "-m", "m"], stdin=prompts(1))
        self.assert_status(result, 64)

    def test_what_the_options_name_and_nobody_knows_is_an_error_of_the_command(self):
        for args in (["-m", "no-such"], ["-r", "no-such"], ["--profile", "no-such"]):
            stub = self.stub()
            for more in ([], ["-n"], ["--validate"]):
                result = self.batch(stub, args + more, stdin=prompts(3))
                self.assert_status(result, 64)
                self.assertEqual(result.out, b"")
                self.assertIn("no-such", result.err)

    def test_C9_a_missing_key_burns_no_record(self):
        stub = self.stub()
        out = self.home.file("out.jsonl")
        result = self.batch(stub, ["-o", out], stdin=prompts(3), env={"STUB_KEY": None})
        self.assert_status(result, 77)
        self.assertIn("STUB_KEY", result.err)
        self.assertFalse(os.path.exists(out))

    def test_color_and_verbose(self):
        stub = self.stub([{"text": "ok"}])
        args = ["-o", self.home.file("out.jsonl"), "--color=always", "-v"]
        config = self.config(stub)
        self.batch(stub, args, stdin=prompts(1), config=config)
        done = self.batch(stub, args, stdin=prompts(1), config=config)
        self.assert_status(done, 0)
        self.assertIn("nothing is asked again", done.err)


PROMPTS = ["Write a C++ function that reverses list number {} and explain its complexity.",
           "hi {}", "What is {} plus 5?", "Prove that the square root of {} is irrational.",
           "Translate 'good morning {}' into French.",
           "Find the race condition in this patch:\n--- a/x.c\n+++ b/x.c\n+int n = {};\n",
           "Summarise: the cat {} sat on the mat.", "SELECT * FROM t WHERE id = {}; why slow?",
           "Write a poem about {} oceans", "Integrate x^{} sin(x) dx step by step."]


# The whole fault row takes ten times as many.
MILLION = int(os.environ.get("LLMROUTE_MANY_LINES", "1000000"))


def feed(pipe, chunks):
    """Writes all of it, in large pieces."""
    pending = bytearray()
    for chunk in chunks:
        pending += chunk
        if len(pending) > 1 << 16:
            write_all(pipe, pending)
            pending.clear()
    write_all(pipe, pending)


def write_all(pipe, data):
    view = memoryview(bytes(data))
    while view:
        view = view[pipe.write(view):]


def peak_kib(process):
    """The most memory that a running process has had."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmHWM:\s+(\d+) kB", file.read()).group(1))


if __name__ == "__main__":
    unittest.main()
