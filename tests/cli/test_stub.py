"""The stub provider itself: its wire formats, every fault, its account."""

import gzip
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
import unittest

import harness

PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages",
         "ollama": "/api/chat"}
ROCKET = "a\U0001F680b"


def body_for(dialect, model="m", prompt="Hi", stream=False, **fields):
    body = {"model": model, "messages": [{"role": "user", "content": prompt}],
            "stream": stream}
    if dialect == "anthropic":
        body["max_tokens"] = 1000
    if dialect == "openai" and stream:
        body["stream_options"] = {"include_usage": True}
    return body | fields


def request_bytes(path, body, headers=(), method="POST", version="1.1"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/{version}", "Host: stub",
             "anthropic-version: 2023-06-01", f"Content-Length: {len(data)}"]
    lines += list(headers)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def sse_events(text):
    """(event name, data) pairs; lines may end in LF, CRLF or CR."""
    events, name, data = [], None, []
    for line in text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"):
        if line.startswith(b"event: "):
            name = line[7:].decode()
        elif line.startswith(b"data: "):
            data.append(line[6:])
        elif not line and data:
            events.append((name, b"\n".join(data)))
            name, data = None, []
    return events


def text_of_stream(dialect, raw):
    text = ""
    if dialect == "ollama":
        return "".join(json.loads(line)["message"]["content"]
                       for line in raw.splitlines() if line)
    for _, data in sse_events(raw):
        if data == b"[DONE]":
            break
        frame = json.loads(data)
        for choice in frame.get("choices", []):
            text += choice["delta"].get("content") or ""
        if frame.get("type") == "content_block_delta":
            text += frame["delta"].get("text", "")
    return text


class StubTestCase(harness.TestCase):
    def connect(self, stub, limit=5.0):
        connection = socket.create_connection(("127.0.0.1", stub.port), limit)
        self.addCleanup(connection.close)
        return connection

    def raw(self, stub, data=None, limit=5.0):
        """Everything the stub sends until it closes, resets or `limit` is over."""
        connection = self.connect(stub, limit)
        until = time.monotonic() + limit
        connection.sendall(data or request_bytes(
            PATHS["openai"], body_for("openai", stream=True),
            ["Connection: close"]))
        got = b""
        try:
            while piece := connection.recv(65536):
                got += piece
                if time.monotonic() > until:
                    return got, "going on"
        except ConnectionResetError:
            return got, "reset"
        except TimeoutError:
            return got, "silent"
        return got, "closed"

    def post(self, stub, dialect="openai", path=None, headers=None, **fields):
        """(response, body, how it ended) by http.client."""
        connection = http.client.HTTPConnection("127.0.0.1", stub.port, timeout=5)
        self.addCleanup(connection.close)
        headers = {"anthropic-version": "2023-06-01"} | (headers or {})
        connection.request("POST", path or PATHS[dialect],
                           json.dumps(body_for(dialect, **fields)), headers)
        response = connection.getresponse()
        try:
            return response, response.read(), "whole"
        except http.client.IncompleteRead as error:
            return response, error.partial, "cut"
        except ConnectionResetError:
            return response, b"", "reset"

    def stream(self, stub, dialect="openai", **fields):
        return self.post(stub, dialect, stream=True, **fields)[1]


class OfflineModel(StubTestCase):
    def test_answers_in_every_dialect_streamed_and_whole(self):
        stub = self.stub()
        for dialect in PATHS:
            with self.subTest(dialect):
                raw = self.stream(stub, dialect, prompt="Name one prime number")
                streamed = text_of_stream(dialect, raw)
                whole = json.loads(self.post(stub, dialect,
                                             prompt="Name one prime number")[1])
                text = {"openai": lambda: whole["choices"][0]["message"]["content"],
                        "anthropic": lambda: whole["content"][0]["text"],
                        "ollama": lambda: whole["message"]["content"]}[dialect]()
                self.assertEqual(streamed, text)
                self.assertIn("offline stub answering as m", text)
                self.assertIn('21 bytes and begins "Name one prime number"', text)

    def test_usage_is_a_quarter_of_the_bytes_rounded_up(self):
        stub = self.stub([{"text": "123456789"}])
        prompt = "x" * 41
        frames = [json.loads(d) for _, d in sse_events(
            self.stream(stub, prompt=prompt)) if d != b"[DONE]"]
        self.assertEqual(frames[-1]["choices"], [])
        usage = frames[-1]["usage"]
        self.assertEqual((usage["prompt_tokens"], usage["completion_tokens"],
                          usage["total_tokens"]), (11, 3, 14))
        whole = json.loads(self.post(stub, prompt=prompt)[1])["usage"]
        self.assertEqual(whole, usage)
        last = [json.loads(line) for line in self.stream(
            stub, "ollama", prompt=prompt).splitlines()][-1]
        self.assertEqual((last["prompt_eval_count"], last["eval_count"]), (11, 3))
        events = sse_events(self.stream(stub, "anthropic", prompt=prompt))
        start, delta = json.loads(events[0][1]), json.loads(events[-2][1])
        self.assertEqual(start["message"]["usage"]["input_tokens"], 11)
        self.assertEqual(delta["usage"]["output_tokens"], 3)

    def test_without_include_usage_no_usage_is_streamed(self):
        raw = self.stream(self.stub(), stream_options=None)
        self.assertNotIn(b'"usage"', raw)

    def test_the_token_limit_cuts_the_built_in_answer(self):
        stub = self.stub()
        cases = {"openai": ({"max_tokens": 5}, b'"finish_reason":"length"'),
                 "anthropic": ({"max_tokens": 5}, b'"stop_reason":"max_tokens"'),
                 "ollama": ({"options": {"num_predict": 5}}, b'"done_reason":"length"')}
        for dialect, (fields, mark) in cases.items():
            with self.subTest(dialect):
                raw = self.stream(stub, dialect, **fields)
                self.assertEqual(len(text_of_stream(dialect, raw)), 20)
                self.assertIn(mark, raw)
        raw = self.stream(stub, max_completion_tokens=2)
        self.assertEqual(text_of_stream("openai", raw), "This is ")

    def test_the_order_of_the_events_is_that_of_the_providers(self):
        stub = self.stub([{"chunks": ["a", "b"]}])
        names = [name for name, _ in sse_events(self.stream(stub, "anthropic"))]
        self.assertEqual(names, [
            "message_start", "ping", "content_block_start", "content_block_delta",
            "content_block_delta", "content_block_stop", "message_delta",
            "message_stop"])
        datas = [data for _, data in sse_events(self.stream(stub))]
        finishes = [json.loads(d)["choices"][0]["finish_reason"] for d in datas[:4]]
        self.assertEqual(finishes, [None, None, None, "stop"])
        self.assertEqual(datas[-1], b"[DONE]")
        dones = [json.loads(line)["done"]
                 for line in self.stream(stub, "ollama").splitlines()]
        self.assertEqual(dones, [False, False, True])

    def test_words_are_paced_by_the_option(self):
        stub = self.stub(word_delay_ms=20)
        begin = time.monotonic()
        words = len(text_of_stream("openai", self.stream(
            stub, max_tokens=10)).split())
        self.assertGreaterEqual(time.monotonic() - begin, 0.020 * (words - 1))

    def test_lists_and_versions(self):
        stub = self.stub(models=["one", "two"])

        def get(path, headers={}):
            connection = http.client.HTTPConnection("127.0.0.1", stub.port)
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            document = json.loads(response.read())
            connection.close()
            return response.status, document

        status, document = get("/v1/models")
        self.assertEqual([m["id"] for m in document["data"]], ["one", "two"])
        self.assertEqual([m["object"] for m in document["data"]], ["model"] * 2)
        document = get("/v1/models", {"anthropic-version": "2023-06-01"})[1]
        self.assertEqual([m["type"] for m in document["data"]], ["model"] * 2)
        document = get("/api/tags")[1]
        self.assertEqual([m["name"] for m in document["models"]], ["one", "two"])
        self.assertIn("version", get("/api/version")[1])
        for path in ("/", "/v1", "/v1/chat/completions", "/api/nothing"):
            self.assertEqual(get(path)[0], 404, path)

    def test_what_a_provider_refuses_is_refused(self):
        stub = self.stub()
        headers = ["Connection: close"]
        cases = [(PATHS["openai"], b"{", "parse"), (PATHS["openai"], b"[]", "parse"),
                 (PATHS["openai"], {"model": "m", "messages": []}, "messages"),
                 (PATHS["openai"], body_for("openai", stream_options={}), "stream"),
                 (PATHS["openai"], body_for("openai", model=""), "model"),
                 (PATHS["anthropic"], body_for("openai"), "max_tokens"),
                 (PATHS["ollama"], {"model": "m"}, "messages")]
        for path, body, word in cases:
            with self.subTest(body=body):
                got, _ = self.raw(stub, request_bytes(path, body, headers))
                self.assertTrue(got.startswith(b"HTTP/1.1 400 "), got)
                self.assertIn(word.encode(), got)
        without = request_bytes(PATHS["anthropic"], body_for("anthropic"), headers)
        got, _ = self.raw(stub, without.replace(b"anthropic-version", b"x-other"))
        self.assertIn(b"anthropic-version", got)


class Script(StubTestCase):
    def test_the_first_rule_that_holds_answers(self):
        stub = self.stub([
            {"path": "/v1/messages", "text": "by path"},
            {"model": "gpt-*", "text": "by model"},
            {"header": "x-team: se", "text": "by header"},
            {"body": "needle", "text": "by body"},
            {"method": "GET", "raw": "by method"},
            {"stream": True, "text": "by stream"},
            {"nth": 2, "text": "second"},
            {"times": 1, "text": "once"},
            {"text": "otherwise"}])

        def ask(dialect="openai", **fields):
            document = json.loads(self.post(stub, dialect, **fields)[1])
            if dialect == "anthropic":
                return document["content"][0]["text"]
            return document["choices"][0]["message"]["content"]

        self.assertEqual(ask("anthropic"), "by path")
        self.assertEqual(ask(model="gpt-x"), "by model")
        self.assertEqual(ask(headers={"X-Team": "search"}), "by header")
        self.assertEqual(ask(prompt="a needle here"), "by body")
        self.assertEqual(text_of_stream("openai", self.stream(stub)), "by stream")
        self.assertEqual([ask() for _ in range(4)],
                         ["once", "second", "otherwise", "otherwise"])
        got, _ = self.raw(stub, request_bytes("/x", b"", ["Connection: close"], "GET"))
        self.assertTrue(got.endswith(b"by method"), got)

    def test_a_rule_without_method_and_path_leaves_lists_alone(self):
        stub = self.stub([{"times": 1, "status": 500}])
        got, _ = self.raw(stub, request_bytes("/api/tags", b"",
                                              ["Connection: close"], "GET"))
        self.assertIn(b"200 OK", got)
        self.assertEqual(self.post(stub)[0].status, 500)
        self.assertEqual([r.done["rule"] for r in stub.requests()], [0, 1])

    def test_chance_is_deterministic_by_seed(self):
        def statuses(seed):
            with harness.Stub([{"chance": 0.5, "status": 500}, {"text": "x"}],
                              seed=seed) as stub:
                return [self.post(stub)[0].status for _ in range(40)]
        first = statuses(7)
        self.assertEqual(first, statuses(7))
        self.assertNotEqual(first, statuses(8))
        self.assertTrue(8 < first.count(500) < 32, first)

    def test_mode_and_n_are_short_for_a_key(self):
        stub = self.stub([{"times": 1, "mode": "status", "n": 503},
                          {"times": 1, "mode": "retry-after", "n": 2},
                          {"times": 1, "mode": "model", "n": "served-x"},
                          {"times": 1, "mode": "no-terminal"}, {"mode": "ok"}])
        self.assertEqual(self.post(stub)[0].status, 503)
        response = self.post(stub)[0]
        self.assertEqual((response.status, response.headers["Retry-After"]),
                         (429, "2"))
        self.assertEqual(json.loads(self.post(stub)[1])["model"], "served-x")
        self.assertNotIn(b"[DONE]", self.stream(stub))
        self.assertIn(b"[DONE]", self.stream(stub))

    def test_a_script_with_a_mistake_is_refused(self):
        for line, words in [('{"cut_aftr": 1}', "unknown key 'cut_aftr'"),
                            ('{"status": "x"}', "bad value of 'status'"),
                            ('{"mode": "nope"}', "unknown key 'nope'"),
                            ("{", "not a JSON object"),
                            ('{"framing": "odd"}', "bad value of 'framing'")]:
            with self.subTest(line):
                path = self.home.write("script.jsonl", "# comment\n\n" + line)
                done = subprocess.run([harness.STUB, "--script", path],
                                      capture_output=True, timeout=5)
                self.assertEqual(done.returncode, 64)
                self.assertIn("line 3: " + words, done.stderr.decode())

    def test_options_with_a_mistake_are_refused(self):
        for args in (["--prot", "1"], ["--port"], ["--port", "x"],
                     ["--port", "70000"], ["--script", "/nonexistent"]):
            done = subprocess.run([harness.STUB] + args, capture_output=True,
                                  timeout=5)
            self.assertEqual(done.returncode, 64, args)
        done = subprocess.run([harness.STUB, "--help"], capture_output=True)
        self.assertEqual((done.returncode, done.stderr), (0, b""))


class Content(StubTestCase):
    def test_chunks_are_the_deltas(self):
        chunks = ["", "a\u0000", ROCKET, "\n\n", "[DONE]"]
        stub = self.stub([{"chunks": chunks}])
        for dialect in PATHS:
            raw = self.stream(stub, dialect)
            self.assertEqual(
                text_of_stream(dialect, raw.replace(b"data: [DONE]", b"")),
                "".join(chunks), dialect)

    def test_chunks_raw_stand_as_they_are_in_the_json_string(self):
        stub = self.stub([{"chunks_raw": ["\\ud83d", "\\ude80"]}])
        raw = self.stream(stub)
        self.assertIn(b'{"content":"\\ud83d"}', raw)
        self.assertIn(b'{"content":"\\ude80"}', raw)

    def test_frames_are_the_whole_stream(self):
        stub = self.stub([{"frames": ['{"a":1}', "[DONE]"]}])
        self.assertEqual(self.stream(stub), b'data: {"a":1}\n\ndata: [DONE]\n\n')
        self.assertEqual(self.stream(stub, "ollama"), b'{"a":1}\n[DONE]\n')

    def test_raw_and_raw_bytes_are_the_whole_body(self):
        stub = self.stub([{"times": 1, "raw": "plain"},
                          {"raw_bytes": [0, 255, 10], "content_type": "x/y"}])
        self.assertEqual(self.post(stub)[1], b"plain")
        response, body, _ = self.post(stub)
        self.assertEqual((body, response.headers["Content-Type"]),
                         (b"\x00\xff\n", "x/y"))

    def test_tool_calls_come_in_fragments_and_in_order(self):
        calls = [{"name": "add", "arguments": {"a": 1, "b": 22}},
                 {"id": "x9", "name": "sub", "arguments": '{"a":5}'}]
        stub = self.stub([{"tool_calls": calls}])
        found = {}
        for _, data in sse_events(self.stream(stub)):
            if data == b"[DONE]":
                break
            for choice in json.loads(data)["choices"]:
                for call in choice["delta"].get("tool_calls", []):
                    entry = found.setdefault(call["index"], {"arguments": ""})
                    entry["id"] = call.get("id", entry.get("id"))
                    entry["name"] = call["function"].get("name", entry.get("name"))
                    entry["arguments"] += call["function"]["arguments"]
        self.assertEqual(found, {
            0: {"id": "call_1", "name": "add", "arguments": '{"a":1,"b":22}'},
            1: {"id": "x9", "name": "sub", "arguments": '{"a":5}'}})
        whole = json.loads(self.post(stub)[1])["choices"][0]
        self.assertEqual(whole["finish_reason"], "tool_calls")
        self.assertIsNone(whole["message"]["content"])
        self.assertEqual(len(whole["message"]["tool_calls"]), 2)
        blocks = json.loads(self.post(stub, "anthropic")[1])["content"]
        self.assertEqual([b["input"] for b in blocks], [{"a": 1, "b": 22}, {"a": 5}])
        events = sse_events(self.stream(stub, "anthropic"))
        partial = "".join(json.loads(d)["delta"].get("partial_json", "")
                          for n, d in events if n == "content_block_delta")
        self.assertEqual(partial, '{"a":1,"b":22}{"a":5}')
        message = json.loads(self.post(stub, "ollama")[1])["message"]
        self.assertEqual(message["tool_calls"][0]["function"]["arguments"],
                         {"a": 1, "b": 22})

    def test_reasoning_comes_before_the_text(self):
        stub = self.stub([{"reasoning": "hmm", "text": "yes"}])
        for dialect, mark in (("openai", b'"reasoning_content":"hmm"'),
                              ("anthropic", b'"thinking":"hmm"'),
                              ("ollama", b'"thinking":"hmm"')):
            raw = self.stream(stub, dialect)
            self.assertLess(raw.index(mark), raw.index(b'yes'), dialect)
            self.assertEqual(text_of_stream(dialect, raw), "yes")
            self.assertIn(mark, self.post(stub, dialect)[1])
        usage = json.loads(self.post(stub)[1])["usage"]
        self.assertEqual(usage["completion_tokens_details"]["reasoning_tokens"], 1)
        self.assertEqual(usage["completion_tokens"], 2)

    def test_finish_words_are_the_dialects_own(self):
        table = {"filter": ("content_filter", "refusal", "stop"),
                 "length": ("length", "max_tokens", "length"),
                 "odd": ("odd", "odd", "odd")}
        for ours, theirs in table.items():
            stub = self.stub([{"text": "x", "finish": ours}])
            for dialect, word in zip(PATHS, theirs):
                self.assertIn(f'"{word}"'.encode(), self.stream(stub, dialect))

    def test_usage_can_be_set_left_out_or_be_garbage(self):
        stub = self.stub([
            {"times": 1, "text": "x", "usage": {"input": 9, "cached": 4, "output": 7}},
            {"times": 2, "text": "x", "usage": "omit"},
            {"times": 1, "text": "x", "usage": None},
            {"times": 1, "text": "x", "usage": {"prompt_tokens": "12"}},
            {"times": 1, "text": "x", "usage_raw": '{"prompt_tokens":1e400}'},
            {"text": "x", "usage": {"prompt_eval_count": -1}}])
        usage = json.loads(self.post(stub)[1])["usage"]
        self.assertEqual((usage["prompt_tokens"], usage["completion_tokens"]), (9, 7))
        self.assertEqual(usage["prompt_tokens_details"], {"cached_tokens": 4})
        self.assertNotIn(b'"prompt_tokens"', self.stream(stub))
        self.assertNotIn(b'"usage"', self.post(stub, "anthropic")[1])
        self.assertIn(b'"usage":null}', self.post(stub)[1])
        self.assertIn(b'"usage":{"prompt_tokens":"12"}', self.post(stub)[1])
        self.assertIn(b'"usage":{"prompt_tokens":1e400}', self.post(stub)[1])
        self.assertIn(b',"prompt_eval_count":-1}', self.post(stub, "ollama")[1])

    def test_words_obey_the_token_limit(self):
        stub = self.stub([{"words": 1000}])
        raw = self.stream(stub, max_tokens=10)
        self.assertEqual(len(text_of_stream("openai", raw)), 40)
        self.assertIn(b'"finish_reason":"length"', raw)

    def test_a_stream_may_be_answered_whole_and_the_reverse(self):
        stub = self.stub([{"times": 1, "force_stream": False, "text": "x"},
                          {"force_stream": True, "text": "x"}])
        response, body, _ = self.post(stub, stream=True)
        self.assertEqual(response.headers["Content-Type"], "application/json")
        self.assertEqual(json.loads(body)["choices"][0]["message"]["content"], "x")
        response, body, _ = self.post(stub)
        self.assertEqual(response.headers["Content-Type"], "text/event-stream")

    def test_another_path_can_speak_a_dialect(self):
        stub = self.stub([{"path": "/openai/*", "dialect": "openai", "text": "x"}])
        raw = self.post(stub, path="/openai/deployments/d/chat/completions",
                        stream=True)[1]
        self.assertEqual(text_of_stream("openai", raw), "x")

    def test_echo_auth_sends_the_key_back(self):
        stub = self.stub([{"times": 1, "echo_auth": True},
                          {"echo_auth": True, "status": 401}])
        auth = {"Authorization": "Bearer canary-1"}
        self.assertIn(b"Bearer canary-1", self.post(stub, headers=auth)[1])
        response, body, _ = self.post(stub, headers=auth)
        self.assertEqual(response.status, 401)
        self.assertIn(b"Bearer canary-1", body)

    def test_wrong_id_and_served_model(self):
        stub = self.stub([{"wrong_id": True, "served": "other", "text": "x"}])
        document = json.loads(self.post(stub)[1])
        self.assertEqual(document["model"], "other")
        self.assertNotEqual(document["id"], "chatcmpl-00000001")


class Heads(StubTestCase):
    def test_statuses_have_the_dialects_error_bodies(self):
        for status in (400, 401, 402, 403, 404, 408, 409, 413, 422, 425, 429, 500,
                       501, 502, 503, 504, 529):
            stub = self.stub([{"status": status}])
            response, body, _ = self.post(stub)
            self.assertEqual(response.status, status)
            self.assertIn("message", json.loads(body)["error"])
            document = json.loads(self.post(stub, "anthropic")[1])
            self.assertEqual(document["type"], "error")
            self.assertIsInstance(json.loads(self.post(stub, "ollama")[1])["error"],
                                  str)
            stub.stop()

    def test_the_error_can_be_given(self):
        stub = self.stub([{"status": 429, "error": {
            "message": "no money", "type": "t", "code": "insufficient_quota"}}])
        error = json.loads(self.post(stub)[1])["error"]
        self.assertEqual((error["message"], error["type"], error["code"]),
                         ("no money", "t", "insufficient_quota"))

    def test_headers_replace_repeat_and_drop(self):
        stub = self.stub([{"headers": {
            "Date": "Thu, 01 Jan 1970 00:00:00 GMT", "x-a": ["1", "2"],
            "Server": None, "x-should-retry": True}}])
        headers = self.post(stub)[0].headers
        self.assertEqual(headers.get_all("Date"), ["Thu, 01 Jan 1970 00:00:00 GMT"])
        self.assertEqual(headers.get_all("x-a"), ["1", "2"])
        self.assertIsNone(headers["Server"])
        self.assertEqual(headers["x-should-retry"], "true")

    def test_redirects_and_hints(self):
        stub = self.stub([{"times": 1, "redirect": "http://127.0.0.1:1/"},
                          {"times": 1, "redirect": "file:///x", "status": 308},
                          {"retry_after": "soon", "retry_after_ms": 20}])
        response = self.post(stub)[0]
        self.assertEqual((response.status, response.headers["Location"]),
                         (302, "http://127.0.0.1:1/"))
        self.assertEqual(self.post(stub)[0].status, 308)
        headers = self.post(stub)[0].headers
        self.assertEqual((headers["Retry-After"], headers["retry-after-ms"]),
                         ("soon", "20"))

    def test_wrong_type_is_a_page(self):
        response, body, _ = self.post(self.stub([{"mode": "wrong-type"}]))
        self.assertEqual(response.status, 200)
        self.assertIn("text/html", response.headers["Content-Type"])
        self.assertIn(b"<html>", body)

    def test_encoded_says_gzip_and_can_be_gzip(self):
        packed = gzip.compress(b"hello")
        stub = self.stub([{"encoded": True, "raw_bytes": list(packed)}])
        response, body, _ = self.post(stub)
        self.assertEqual(response.headers["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(body), b"hello")

    def test_large_heads(self):
        stub = self.stub([{"times": 1, "huge_header": 300000}, {"many_headers": 500}])
        got, _ = self.raw(stub)
        self.assertIn(b"x-huge: " + b"h" * 300000 + b"\r\n", got)
        got, _ = self.raw(stub)
        self.assertEqual(got.count(b"\r\nx-many-"), 500)

    def test_interim_versions_and_raw_heads(self):
        stub = self.stub([{"times": 1, "interim": [100, 103], "text": "x"},
                          {"times": 1, "version": "1.0", "text": "x"},
                          {"times": 1, "raw_head": "", "raw": "HTTP/0.9 body"},
                          {"raw_head": "HTTP/1.1 200 OK\r\nbad line\r\n\r\n",
                           "raw": "y"}])
        got, _ = self.raw(stub)
        self.assertTrue(got.startswith(b"HTTP/1.1 100 Interim\r\n\r\n"
                                       b"HTTP/1.1 103 Interim\r\n\r\nHTTP/1.1 200"))
        got, how = self.raw(stub)
        self.assertTrue(got.startswith(b"HTTP/1.0 200 OK\r\n"))
        self.assertNotIn(b"chunked", got)
        self.assertEqual(how, "closed")
        self.assertEqual(self.raw(stub)[0], b"HTTP/0.9 body")
        self.assertEqual(self.raw(stub)[0],
                         b"HTTP/1.1 200 OK\r\nbad line\r\n\r\ny")

    def test_lengths_that_lie(self):
        stub = self.stub([{"times": 1, "raw": "12345", "length_long": 3},
                          {"times": 1, "raw": "12345", "length_short": 3},
                          {"raw": "12345", "both_lengths": True}])
        _, body, how = self.post(stub)
        self.assertEqual((body, how), (b"12345", "cut"))
        got, _ = self.raw(stub)
        self.assertIn(b"Content-Length: 2\r\n", got)
        self.assertTrue(got.endswith(b"12345"))
        got, _ = self.raw(stub)
        self.assertIn(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", got)

    def test_framings(self):
        stub = self.stub([{"times": 1, "framing": "close", "text": "x"},
                          {"times": 1, "framing": "length", "text": "x"},
                          {"framing": "chunked", "text": "x"}])
        bodies = []
        for header in (None, "Content-Length", "Transfer-Encoding"):
            response, body, _ = self.post(stub, stream=True)
            for name in ("Content-Length", "Transfer-Encoding"):
                self.assertEqual(response.headers[name] is not None, name == header)
            bodies.append(text_of_stream("openai", body))
        self.assertEqual(bodies, ["x"] * 3)


class Streams(StubTestCase):
    def test_ends_that_miss_something(self):
        for rule, has_finish, has_done in (
                ({"no_terminal": True}, False, False),
                ({"no_finish": True}, False, True), ({"no_done": True}, True, False)):
            stub = self.stub([rule | {"text": "x"}])
            _, raw, how = self.post(stub, stream=True)
            self.assertEqual(how, "whole")
            self.assertEqual(b'"finish_reason":"stop"' in raw, has_finish, rule)
            self.assertEqual(b"[DONE]" in raw, has_done, rule)
            raw = self.stream(stub, "anthropic")
            self.assertEqual(b"message_stop" in raw, has_done, rule)
        stub = self.stub([{"no_terminal": True, "text": "x"}])
        self.assertNotIn(b'"done":true', self.stream(stub, "ollama"))

    def test_doubled_starts_and_ends(self):
        stub = self.stub([{"dup_start": True, "dup_terminal": True, "text": "x"}])
        self.assertEqual(self.stream(stub).count(b"[DONE]"), 2)
        raw = self.stream(stub, "anthropic")
        self.assertEqual(raw.count(b"event: message_start"), 2)
        self.assertEqual(raw.count(b"event: message_stop"), 2)

    def test_error_event_after_n_deltas_ends_the_stream(self):
        rule = {"chunks": ["a", "b", "c"],
                "error": {"message": "busy", "type": "overloaded_error"}}
        for n in range(5):
            stub = self.stub([rule | {"error_event_after": n}])
            raw = self.stream(stub)
            datas = [json.loads(d) for _, d in sse_events(raw)]
            self.assertEqual(datas[-1]["error"]["message"], "busy")
            texts = [d["choices"][0]["delta"].get("content") for d in datas[:-1]]
            self.assertEqual("".join(texts), "abc"[:n])
            name, data = sse_events(self.stream(stub, "anthropic"))[-1]
            self.assertEqual(name, "error")
            self.assertEqual(json.loads(data)["error"]["type"], "overloaded_error")
            last = self.stream(stub, "ollama").splitlines()[-1]
            self.assertEqual(json.loads(last), {"error": "busy"})
            stub.stop()

    def test_odd_events_stand_after_at_deltas(self):
        stub = self.stub([
            {"times": 1, "mode": "bad-json", "chunks": ["a", "b"]},
            {"times": 1, "mode": "deep-json", "n": 5000, "at": 0, "chunks": ["a"]},
            {"times": 1, "mode": "unknown-events", "chunks": ["a"]},
            {"times": 1, "mode": "huge-line", "n": 1 << 20, "chunks": ["a"]}])
        raw = self.stream(stub)
        self.assertLess(raw.index(b'"a"'), raw.index(b'data: {"choices":[{\n'))
        self.assertLess(raw.index(b'data: {"choices":[{\n'), raw.index(b'"b"'))
        raw = self.stream(stub)
        self.assertIn(b"data: " + b"[" * 5000 + b"\n\n", raw)
        self.assertLess(raw.index(b"[[["), raw.index(b'"a"'))
        self.assertIn(b"event: novelty", self.stream(stub))
        longest = max(self.stream(stub).split(b"\n"), key=len)
        self.assertGreaterEqual(len(longest), 1 << 20)

    def test_broken_bytes_in_the_text(self):
        stub = self.stub([{"times": 2, "mode": "bad-utf8", "chunks": ["a"]},
                          {"mode": "nul", "chunks": ["a"]}])
        for stream in (True, False):
            raw = self.post(stub, stream=stream)[1]
            self.assertIn(b"\xff\xc3(\xe2\x82", raw)
        self.assertEqual(text_of_stream("openai", self.stream(stub)),
                         "a\x00\x01\x1b[31m")

    def test_broken_whole_bodies(self):
        stub = self.stub([{"times": 1, "mode": "bad-json"},
                          {"mode": "deep-json", "n": 3000}])
        with self.assertRaises(ValueError):
            json.loads(self.post(stub)[1])
        self.assertEqual(self.post(stub)[1], b"[" * 3000)

    def test_line_ends_and_a_mark(self):
        for eol, mark in (("crlf", b"\r\n\r\n"), ("cr", b"\r\r"),
                          ("mixed", b"\n\r\n")):
            stub = self.stub([{"chunks": ["a", ROCKET], "eol": eol, "bom": True}])
            raw = self.stream(stub)
            self.assertTrue(raw.startswith(b"\xef\xbb\xbfdata: "))
            self.assertIn(mark, raw)
            self.assertEqual(text_of_stream("openai", raw[3:]), "a" + ROCKET)

    def test_comments_only_never_end(self):
        stub = self.stub([{"mode": "comments-only", "n": 10}])
        for dialect, comment in (("openai", b": keep-alive\n\n"),
                                 ("anthropic", b"event: ping\n"), ("ollama", b"\n")):
            got, how = self.raw(stub, request_bytes(
                PATHS[dialect], body_for(dialect, stream=True)), limit=0.3)
            self.assertEqual(how, "going on")
            self.assertGreater(got.count(comment), 3)
            self.assertNotIn(b"content", got.partition(b"\r\n\r\n")[2])

    def test_endless_goes_on_until_the_client_leaves(self):
        stub = self.stub([{"mode": "endless"}])
        for stream in (True, False):
            connection = self.connect(stub)
            connection.sendall(request_bytes(
                PATHS["openai"], body_for("openai", stream=stream)))
            got = 0
            while got < 20 << 20:
                got += len(connection.recv(1 << 20))
            connection.close()
        for request in stub.requests():
            self.assertTrue(request.done["client_closed"])
        stub = self.stub([{"endless": 200000, "text": ""}])
        self.assertEqual(len(text_of_stream("openai", self.stream(stub))), 4 * 65536)

    def test_every_chunking_gives_the_same_bytes(self):
        chunks = ["Hel", "lo ", ROCKET, "\n"]
        plain = self.stream(self.stub([{"chunks": chunks}]))
        for chunk in (1, 2, 3, "random"):
            for seed in (1, 2):
                stub = self.stub([{"chunks": chunks, "chunk": chunk, "seed": seed}])
                self.assertEqual(self.stream(stub), plain, (chunk, seed))
                stub.stop()
        got, _ = self.raw(self.stub([{"raw": "abcd", "framing": "chunked",
                                      "chunk": 3}]))
        self.assertTrue(got.endswith(b"\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"))


class Connections(StubTestCase):
    def test_a_connection_serves_many_requests(self):
        stub = self.stub()
        connection = http.client.HTTPConnection("127.0.0.1", stub.port)
        for stream in (True, False, True):
            connection.request("POST", PATHS["openai"], json.dumps(
                body_for("openai", stream=stream)))
            self.assertIn(b"offline", connection.getresponse().read())
        connection.close()
        self.assertEqual([r.conn for r in stub.requests()], [1, 1, 1])

    def test_cut_and_reset_after_every_byte(self):
        rule = {"chunks": ["Hi", "!"]}
        whole = self.stream(self.stub([rule]))
        stub = self.stub([rule | {"times": 1, how + "_after": n}
                          for n in range(len(whole) + 1) for how in ("cut", "rst")])
        for n in range(len(whole) + 1):
            for how in ("cut", "reset"):
                got, ended = self.raw(stub)
                head, _, body = got.partition(b"\r\n\r\n")
                self.assertEqual(ended, "closed" if how == "cut" else "reset")
                self.assertIn(b"chunked", head)
                self.assertFalse(body.endswith(b"0\r\n\r\n"))
        for number, request in enumerate(stub.requests()):
            self.assertEqual(request.done["body_bytes"], number // 2)
            self.assertFalse(request.done["complete"])
            self.assertFalse(request.done["client_closed"])

    def test_end_after_is_a_clean_end_of_http(self):
        stub = self.stub([{"times": 1, "mode": "end-after", "n": 7},
                          {"mode": "end-after", "n": 0}])
        for size in (7, 0):
            _, body, how = self.post(stub, stream=True)
            self.assertEqual((len(body), how), (size, "whole"))

    def test_cut_header_sends_part_of_the_head(self):
        stub = self.stub([{"mode": "cut-header", "n": 12, "times": 1},
                          {"mode": "cut-header"}])
        self.assertEqual(self.raw(stub), (b"HTTP/1.1 200", "closed"))
        self.assertEqual(self.raw(stub), (b"", "closed"))

    def test_what_happens_at_accept(self):
        stub = self.stub([{"mode": "cut-accept", "times": 1},
                          {"mode": "rst-accept", "times": 1},
                          {"mode": "hang-accept", "times": 1}])

        def listen():
            try:  # a reset may come before connect() returns
                return self.connect(stub, 0.3).recv(10)
            except (ConnectionResetError, TimeoutError) as error:
                return type(error)
        self.assertEqual([listen() for _ in range(3)],
                         [b"", ConnectionResetError, TimeoutError])
        self.assertEqual(stub.requests(), [])
        self.assertEqual(self.post(stub)[0].status, 200)
        self.assertEqual(stub.connections(), 4)

    def test_hangs_notice_when_the_client_leaves(self):
        for rule in ({"mode": "hang-header"}, {"mode": "hang-after", "n": 30},
                     {"delay_headers_ms": 60000}, {"delay_first_ms": 60000}):
            stub = self.stub([rule])
            got, how = self.raw(stub, request_bytes(
                PATHS["openai"], body_for("openai", stream=True)), limit=0.2)
            self.assertEqual(how, "silent")
            left = time.monotonic_ns()
            # raw() keeps its socket until the test ends; this one leaves now.
            connection = self.connect(stub)
            connection.sendall(request_bytes(
                PATHS["openai"], body_for("openai", stream=True)))
            while len(stub.requests(wait=0)) < 2:
                time.sleep(0.005)
            left = time.monotonic_ns()
            connection.close()
            until = time.monotonic() + 3
            while not stub.requests(wait=0)[1].done:
                self.assertLess(time.monotonic(), until, rule)
                time.sleep(0.005)
            done = stub.requests(wait=0)[1].done
            self.assertTrue(done["client_closed"], rule)
            self.assertLess(done["client_closed_t"] - left, 1_000_000_000, rule)
            stub.stop()

    def test_after_terminal_hang_keeps_the_connection_open(self):
        got, how = self.raw(self.stub([{"mode": "after-terminal-hang"}]), limit=0.3)
        self.assertEqual(how, "silent")
        self.assertTrue(got.endswith(b"data: [DONE]\n\n\r\n"))

    def test_delays_are_kept(self):
        stub = self.stub([{"chunks": ["a", "b", "c"], "delay_headers_ms": 60,
                           "delay_first_ms": 50, "delay_chunk_ms": 40}])
        begin = time.monotonic()
        self.stream(stub)
        self.assertGreaterEqual(time.monotonic() - begin, 0.060 + 0.050 + 0.080)
        request = stub.requests()[0]
        self.assertGreaterEqual(request.done["first_delta_t"] - request.t, 110e6)

    def test_noise_spreads_the_delays_around_their_median(self):
        stub = self.stub([{"text": "x", "delay_headers_ms": 10, "delay_noise": 0.5}])
        for _ in range(21):
            self.post(stub)
        waits = sorted((r.done["first_delta_t"] - r.t) / 1e6 for r in stub.requests())
        self.assertLess(waits[0], 9)
        self.assertGreater(waits[-1], 12)

    def test_trickles(self):
        stub = self.stub([{"raw": "12345", "mode": "trickle", "n": 20, "times": 1},
                          {"raw": "12345", "mode": "trickle-header", "n": 1}])
        begin = time.monotonic()
        self.assertEqual(self.post(stub)[1], b"12345")
        self.assertGreaterEqual(time.monotonic() - begin, 0.08)
        begin = time.monotonic()
        self.assertEqual(self.post(stub)[1], b"12345")
        self.assertGreaterEqual(time.monotonic() - begin, 0.1)

    def test_close_idle_closes_without_a_word(self):
        stub = self.stub([{"mode": "close-idle", "n": 30}])
        connection = self.connect(stub)
        connection.sendall(request_bytes(PATHS["openai"], body_for("openai")))
        got = b""
        while piece := connection.recv(65536):
            got += piece
        self.assertNotIn(b"Connection: close", got)
        self.assertTrue(got.endswith(b"}}}"), got[-80:])

    def test_bad_chunks(self):
        stub = self.stub([{"chunks": ["a"], "bad_chunk": "size", "times": 1},
                          {"chunks": ["a"], "bad_chunk": "no_last", "times": 1},
                          {"chunks": ["a"], "bad_chunk": "extension"}])
        self.assertIn(b"\r\nzz\r\n", self.raw(stub)[0])
        got, how = self.raw(stub)
        self.assertTrue(got.endswith(b"[DONE]\n\n\r\n"))
        self.assertEqual(how, "closed")
        connection = self.connect(stub)
        connection.sendall(request_bytes(PATHS["openai"],
                                         body_for("openai", stream=True)))
        got = b""
        while len(got) < 1 << 20:
            got += connection.recv(65536)
        self.assertIn(b"\r\n\r\n5;x=xxxx", got)

    def test_requests_may_be_chunked_or_wait_for_a_continue(self):
        stub = self.stub([{"text": "x"}])
        data = json.dumps(body_for("openai")).encode()
        half = len(data) // 2
        chunked = (b"POST /v1/chat/completions HTTP/1.1\r\nHost: s\r\n"
                   b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in (data[:half], data[half:]):
            chunked += b"%x;ext=1\r\n%s\r\n" % (len(part), part)
        got, _ = self.raw(stub, chunked + b"0\r\n\r\n")
        self.assertIn(b"200 OK", got)
        self.assertEqual(stub.requests()[0].body, data)
        connection = self.connect(stub)
        request = request_bytes(PATHS["openai"], data, ["Expect: 100-continue"])
        connection.sendall(request[:-len(data)])
        self.assertEqual(connection.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(data)
        self.assertIn(b"200 OK", connection.recv(1000))

    def test_what_is_no_request_is_closed(self):
        stub = self.stub()
        for data in (b"nonsense\r\n\r\n", b"GET / HTTP/2\r\n\r\n",
                     b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
                     b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"):
            self.assertEqual(self.raw(stub, data), (b"", "closed"))

    def test_http_1_0_clients_get_no_chunks(self):
        got, how = self.raw(self.stub(), request_bytes(
            PATHS["openai"], body_for("openai", stream=True), version="1.0"))
        self.assertNotIn(b"chunked", got)
        self.assertTrue(got.endswith(b"[DONE]\n\n"))


class Tls(StubTestCase):
    def connect_tls(self, stub, variant, **options):
        context = ssl.create_default_context(cafile=stub.ca_file)
        for name, value in options.items():
            setattr(context, name, value)
        plain = socket.create_connection(
            ("127.0.0.1", stub.tls_ports[variant]), timeout=5)
        self.addCleanup(plain.close)
        return context.wrap_socket(plain, server_hostname="127.0.0.1")

    def talk(self, secure):
        secure.sendall(request_bytes(PATHS["openai"], body_for("openai", stream=True),
                                     ["Connection: close"]))
        got = b""
        while piece := secure.recv(65536):
            got += piece
        return got

    def test_the_good_certificate_is_trusted(self):
        stub = self.stub(tls=True)
        self.assertEqual(stub.tls_port, stub.tls_ports["good"])
        with self.connect_tls(stub, "good", suppress_ragged_eofs=False) as secure:
            self.assertIn(b"[DONE]", self.talk(secure))

    def test_each_bad_certificate_fails_for_its_reason(self):
        stub = self.stub(tls=True)
        for variant, reason in (("expired", "expired"), ("wrong-host", "mismatch"),
                                ("self-signed", "self-signed"),
                                ("wrong-purpose", "purpose")):
            with self.subTest(variant):
                with self.assertRaisesRegex(ssl.SSLCertVerificationError, reason):
                    self.connect_tls(stub, variant)
        with self.assertRaises(ssl.SSLError):
            self.connect_tls(stub, "old")
        self.assertEqual(stub.requests(), [])

    def test_tls_cut_leaves_out_the_farewell(self):
        stub = self.stub([{"mode": "tls-cut", "framing": "close"}], tls=True)
        context = ssl.create_default_context(cafile=stub.ca_file)
        plain = socket.create_connection(("127.0.0.1", stub.tls_port), timeout=5)
        self.addCleanup(plain.close)
        secure = context.wrap_socket(plain, server_hostname="127.0.0.1",
                                     suppress_ragged_eofs=False)
        with secure, self.assertRaises(ssl.SSLEOFError):
            self.talk(secure)

    def test_a_client_that_leaves_is_noticed(self):
        stub = self.stub([{"mode": "hang-after", "n": 10}], tls=True)
        with self.connect_tls(stub, "good") as secure:
            secure.sendall(request_bytes(PATHS["openai"],
                                         body_for("openai", stream=True)))
            secure.recv(10)
        self.assertTrue(stub.requests()[0].done["client_closed"])


class AccountOfTheStub(StubTestCase):
    PRICES = {"m": {"input": 1.5, "output": 2, "cached_input": 0.25},
              "free": {"input": 0, "output": 0}}

    def test_totals_by_model_in_picodollars(self):
        stub = self.stub([{"status": 500, "times": 1},
                          {"model": "m", "usage": {"input": 100, "cached": 40,
                                                   "output": 10}, "text": "x"}],
                         prices=self.PRICES)
        for model in ("m", "m", "free", "unpriced"):
            self.post(stub, model=model)
        account = stub.account()
        self.assertEqual((account["requests"], account["answers"]), (4, 3))
        own = 60 * 1_500_000 + 40 * 250_000 + 10 * 2_000_000
        self.assertEqual(account["by_model"]["m"], {
            "requests": 2, "answers": 1, "input_tokens": 100, "cached_tokens": 40,
            "output_tokens": 10, "reasoning_tokens": 0, "pico_usd": own})
        self.assertEqual(account["pico_usd"], own)
        self.assertEqual(account["by_model"]["free"]["pico_usd"], 0)

    def test_an_answer_nobody_read_to_its_end_is_owed_as_far_as_it_went(self):
        stub = self.stub([{"chunks": ["12345678", "abcdefgh"], "error_event_after": 9,
                           "delay_chunk_ms": 60000}], prices=self.PRICES)
        connection = self.connect(stub)
        connection.sendall(request_bytes(
            PATHS["openai"], body_for("openai", prompt="x" * 40, stream=True)))
        while b"12345678" not in connection.recv(65536):
            pass
        connection.close()
        done = stub.requests()[0].done
        self.assertTrue(done["client_closed"])
        self.assertEqual((done["input_tokens"], done["output_tokens"]), (10, 2))
        self.assertEqual(done["pico_usd"], 10 * 1_500_000 + 2 * 2_000_000)

    def test_the_log_holds_everything_that_came(self):
        stub = self.stub()
        before = time.monotonic_ns()
        self.raw(stub, request_bytes("/v1/chat/completions?a=b", b"\xff\x00{",
                                     ["X-Twice: 1", "x-twice: 2", "Connection: close"]))
        self.post(stub, prompt="caf\u00e9")
        first, second = stub.requests()
        self.assertTrue(before < first.t < second.t < time.monotonic_ns())
        self.assertEqual(first.body, b"\xff\x00{")
        self.assertEqual((first.method, first.path, first.target),
                         ("POST", "/v1/chat/completions", "/v1/chat/completions?a=b"))
        self.assertEqual([h for h in first.headers if h[0].lower() == "x-twice"],
                         [["X-Twice", "1"], ["x-twice", "2"]])
        self.assertEqual(first.done["status"], 400)
        self.assertEqual(second.prompt, "caf\u00e9")
        self.assertTrue(second.done["complete"])
        self.assertEqual([second.model, second.conn], ["m", 2])

    def test_requests_under_way_are_counted(self):
        stub = self.stub([{"delay_headers_ms": 200, "text": "x"}])
        threads = [threading.Thread(target=self.post, args=(stub,)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(stub.account()["most_in_flight"], 5)
        self.assertEqual(stub.account()["in_flight"], 0)

    def test_many_clients_at_once_lose_nothing(self):
        stub = self.stub([{"text": "x"}])

        def work():
            connection = http.client.HTTPConnection("127.0.0.1", stub.port)
            for _ in range(25):
                connection.request("POST", PATHS["openai"],
                                   json.dumps(body_for("openai")))
                connection.getresponse().read()
            connection.close()
        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(stub.account()["answers"], 400)
        self.assertEqual(sorted(r.seq for r in stub.requests()),
                         list(range(1, 401)))


class Life(StubTestCase):
    def start(self, *args):
        process = subprocess.Popen([harness.STUB, *args], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        for step in (process.stdout.close, process.stdin.close, process.wait,
                     process.kill):  # cleanups run last in, first out
            self.addCleanup(step)
        return process, json.loads(process.stdout.readline())

    def test_ends_with_its_standard_input_even_with_a_hanging_client(self):
        script = self.home.write("s.jsonl", '{"mode":"hang-header"}')
        process, ready = self.start("--exit-with-stdin", "--script", script)
        client = socket.create_connection(("127.0.0.1", ready["port"]))
        client.sendall(request_bytes(PATHS["openai"], body_for("openai")))
        time.sleep(0.1)
        process.stdin.close()
        self.assertEqual(process.wait(timeout=3), 0)
        client.close()

    def test_ends_on_a_signal_and_frees_its_port(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process, ready = self.start()
            self.assertIsNone(ready["tls_port"])
            process.send_signal(number)
            self.assertEqual(process.wait(timeout=3), 0)
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", ready["port"]))

    def test_a_given_port_is_taken_on_loopback_only(self):
        port = harness.closed_port()
        process, ready = self.start("--port", str(port))
        self.assertEqual(ready["port"], port)
        with open("/proc/net/tcp", encoding="ascii") as file:
            sockets = file.read()
        self.assertIn(f" 0100007F:{port:04X} 00000000:0000 0A", sockets)
        self.assertNotIn(f" 00000000:{port:04X} ", sockets)
        done = subprocess.run([harness.STUB, "--port", str(port)],
                              capture_output=True, timeout=5)
        self.assertEqual(done.returncode, 64)
        self.assertIn(b"cannot bind", done.stderr)


class Harness(StubTestCase):
    def test_toml_text_reads_back(self):
        import tomllib
        stub = self.stub()
        other = self.stub()
        text = harness.stub_config(
            stub, {"a b": {"tags": ["tools"], "ability": {"code": 1.5}},
                   "c": {"protocol": "anthropic", "price": None, "id": "x\u007f\n\""},
                   "d": {"stub": other, "provider_fields": {"tags": ["local"]}}},
            extra=harness.table("[[rules]]", {"name": "r", "deny": ["c"]}))
        config = tomllib.loads(text)
        self.assertEqual(config["models"]["a b"]["ability"], {"code": 1.5})
        self.assertEqual(config["models"]["c"]["id"], "x\u007f\n\"")
        self.assertNotIn("price", config["models"]["c"])
        self.assertEqual(config["providers"]["openai-chat"]["base_url"],
                         stub.origin + "/v1")
        self.assertEqual(config["providers"]["stub-anthropic"]["base_url"],
                         stub.origin)
        self.assertEqual(config["providers"]["openai-chat-2"]["tags"], ["local"])
        self.assertEqual(config["models"]["d"]["provider"], "openai-chat-2")
        self.assertEqual(config["rules"], [{"name": "r", "deny": ["c"]}])

    def test_the_environment_is_clean(self):
        os.environ["OPENAI_API_KEY"] = os.environ["OLLAMA_HOST"] = "inherited"
        self.addCleanup(os.environ.pop, "OPENAI_API_KEY")
        self.addCleanup(os.environ.pop, "OLLAMA_HOST")
        env = self.home.environment({"LLMROUTE_PROFILE": "cost", "LANG": None})
        self.assertNotIn("inherited", env.values())
        self.assertNotIn("LANG", env)
        self.assertEqual((env["HOME"], env["LLMROUTE_PROFILE"]),
                         (self.home.path, "cost"))


if __name__ == "__main__":
    unittest.main()
