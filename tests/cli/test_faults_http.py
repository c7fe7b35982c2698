"""Faults of the network and of HTTP. Names begin with the row of the fault matrix
in docs/reliability.md."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

import harness
from provider_case import PROTOCOLS, ProviderCase, attempts, each_protocol

ONCE = ["--retries", "0"]


class Status(ProviderCase):
    def test_H1_retry_after_is_waited_for(self):
        for headers in ({}, {"Date": "Thu, 01 Jan 2026 10:00:00 GMT",
                             "Retry-After": "Thu, 01 Jan 2026 10:00:02 GMT"}):
            rule = {"status": 429, "times": 1, "headers": headers}
            if not headers:
                rule["retry_after"] = "2"
            _, stub = self.answered([rule, {"text": "ok"}], "ok\n")
            first, second = self.posts(stub)
            waited = (second.t - first.t) / 1e9
            self.assertGreaterEqual(waited, 2.0)
            self.assertLess(waited, 3.3)

    def test_H2_hints_that_are_none(self):
        for hint in ("0", "-5", "NaN", "soon", "1e9", "", "inf",
                     "Thu, 01 Jan 1970 00:00:00 GMT"):
            rules = [{"status": 503, "times": 1, "headers": {"Retry-After": hint}},
                     {"text": "ok"}]
            result, stub = self.answered(rules, "ok\n")
            self.asked(stub, 2)
            self.assertLess(result.elapsed, 30, hint)

    def test_H2_a_hint_too_long_is_not_waited_for(self):
        for rule in ({"retry_after": "1000000000"}, {"retry_after_ms": "9e99"},
                     {"status": 429, "headers": {"Retry-After": "3600"}}):
            result, stub = self.ask([rule], args=ONCE)
            self.assert_status(result, 75)
            self.assertLess(result.elapsed, 30)

    def test_H2_forms_of_hints(self):
        message = "Rate limit reached. Please try again in 1.2s."
        for rule in ({"retry_after_ms": "1200"}, {"retry_after": "1.2"},
                     {"status": 429, "error": {"message": message}},
                     {"status": 429, "headers": {"Retry-After": ["soon", "1.2"]}}):
            _, stub = self.answered([rule | {"times": 1}, {"text": "ok"}], "ok\n")
            first, second = self.posts(stub)
            self.assertGreaterEqual((second.t - first.t) / 1e9, 1.2, rule)

    def test_H3_no_money_is_not_waited_for(self):
        for error in ({"message": "You exceeded your current quota, please check your "
                                  "plan and billing details.",
                       "type": "insufficient_quota", "code": "insufficient_quota"},
                      {"message": "You exceeded your current quota"},
                      {"message": "x", "code": "billing_hard_limit_reached"}):
            _, stub = self.fails([{"status": 429, "error": error}], 77, error["message"])
            self.asked(stub, 1)

    def test_H3_its_look_alike_is(self):
        error = ('{"error":{"code":429,"message":"You exceeded your current quota, '
                 'please check your plan and billing details.","status":'
                 '"RESOURCE_EXHAUSTED","details":[{"retryDelay":"1.1s"}]}}')
        rule = {"status": 429, "raw": error, "content_type": "application/json"}
        _, stub = self.answered([rule | {"times": 1}, {"text": "ok"}], "ok\n")
        first, second = self.posts(stub)
        self.assertGreaterEqual((second.t - first.t) / 1e9, 1.1)

    @each_protocol
    def test_H4_transient_statuses(self, protocol):
        for status in (408, 409, 425, 500, 502, 503, 504, 529):
            _, stub = self.answered([{"status": status, "times": 1}, {"text": "ok"}],
                                    "ok\n", protocol, args=["--retries", "1"])
            self.asked(stub, 2)
        _, stub = self.fails([{"status": 503}], 75, "503", protocol)
        self.asked(stub, 3)

    def test_H5_gone(self):
        for status in (404, 410, 501, 505):
            _, stub = self.fails([{"status": status, "error": "no such model"}], 69,
                                 "no such model")
            self.asked(stub, 1)

    def test_H6_our_fault(self):
        for status in (400, 422):
            _, stub = self.fails([{"status": status, "error": "bad \x1b[31mthing"}], 65,
                                 "bad ^[[31mthing")
            self.asked(stub, 1)

    @each_protocol
    def test_H7_not_allowed(self, protocol):
        for status in (401, 403):
            _, stub = self.fails([{"status": status, "error": "who are you"}], 77,
                                 "who are you", protocol)
            self.asked(stub, 1)

    def test_H7_the_variable_is_named(self):
        self.fails([{"status": 401, "error": "no"}], 77, "STUB_KEY")

    def test_H8_402_with_and_without_a_hint(self):
        _, stub = self.fails([{"status": 402}], 77, "402")
        self.asked(stub, 1)
        _, stub = self.answered([{"status": 402, "retry_after": "1", "times": 1},
                                 {"text": "ok"}], "ok\n")
        self.asked(stub, 2)

    def test_H9_too_long(self):
        overflow = {"message": "This model's maximum context length is 9 tokens.",
                    "code": "context_length_exceeded"}
        for rule in ({"status": 413}, {"status": 400, "error": overflow}):
            _, stub = self.fails([rule], 65, str(rule["status"]))
            self.asked(stub, 1)

    def test_H9_one_request_over_a_rate_limit_is_waited_for(self):
        error = {"message": "Request too large on tokens per minute",
                 "code": "rate_limit_exceeded"}
        _, stub = self.answered([{"status": 413, "error": error, "times": 1},
                                 {"text": "ok"}], "ok\n")
        self.asked(stub, 2)

    def test_H10_A11_redirects_are_never_followed(self):
        other = self.stub([])
        for status in (301, 302, 303, 307, 308):
            for place in (f"{other.origin}/v1/chat/completions", "file:///etc/passwd",
                          "http://127.0.0.1:1/", "/v1/chat/completions"):
                _, stub = self.fails([{"status": status, "redirect": place}], 76, place)
                asked, = self.posts(stub)
                self.assertEqual(asked.header("authorization"), "Bearer " + harness.KEY)
        self.assertEqual(other.events(), [])  # no connection, so no key either

    def test_H11_replies_that_are_none(self):
        for rule in ({"wrong_type": True},
                     {"raw": "<html>login</html>", "content_type": "application/json"},
                     {"raw": "", "content_type": "application/json"},
                     {"raw": "", "status": 204}, {"raw": "{}"}, {"raw": "[]"},
                     {"raw": '{"choices":[]}'}, {"raw": "{]}"}):
            result, stub = self.ask([rule])
            self.assert_status(result, 76)
            self.assertEqual(result.out, b"")
            self.asked(stub, 1)

    def test_H11_N6_the_next_model_answers_and_that_is_told(self):
        good = self.stub([{"text": "ok"}])
        secure = self.stub([{"text": "never"}], tls=True)
        page = self.served([{"wrong_type": True}])
        for base, words in ((page.base_url, "web page"),
                            (secure.base_url_for("openai-chat", "expired"), "certificate")):
            config = (harness.provider("p", protocol="openai-chat", base_url=base,
                                       key_env=["STUB_KEY"], ca_file=secure.ca_file) +
                      harness.model("m", provider="p", **harness.DEFAULT_MODEL, id="m") +
                      harness.stub_config(good, {"n": {}}))
            result = self.run_llmroute(["run", "-m", "m,n", "-p", "Hi"], config=config)
            self.assert_status(result, 0)
            self.assertEqual(result.out, b"ok\n")
            self.assertIn(words, result.err)
            self.assertIn("asking the next model", result.err)
        self.assertEqual(secure.requests(), [])

    @each_protocol
    def test_H12_an_error_object_in_a_200(self, protocol):
        for error, status, times in (
                ({"message": "slow", "type": "rate_limit_error"}, 75, 3),
                ({"message": "who", "type": "authentication_error"}, 77, 1),
                ({"message": "bad", "type": "invalid_request_error"}, 65, 1)):
            body = '{"error":{"message":"%s","type":"%s"}}' % (error["message"],
                                                              error["type"])
            _, stub = self.fails([{"raw": body, "content_type": "application/json"}],
                                 status, error["message"], protocol)
            self.asked(stub, times)

    def test_H19_x_should_retry_is_obeyed(self):
        _, stub = self.ask([{"status": 503, "headers": {"x-should-retry": "false"}}])
        self.asked(stub, 1)
        _, stub = self.answered(
            [{"status": 400, "headers": {"x-should-retry": "true"}, "times": 1},
             {"text": "ok"}], "ok\n")
        self.asked(stub, 2)


class Head(ProviderCase):
    def test_H13_heads_out_of_bounds(self):
        ok = "HTTP/1.1 200 OK\r\n"
        for rule in ({"huge_header": 1 << 20}, {"many_headers": 10_000},
                     {"raw_head": ok + "no colon\r\n\r\n"},
                     {"raw_head": ok + "A: b\r\n folded\r\n\r\n"},
                     {"raw_head": ok + "A: b\0c\r\n\r\n"},
                     {"raw_head": ok + "A: b\rc\r\n\r\n"},
                     {"raw_head": "HTTP/1.1 999 What\r\n\r\n"}):
            result, stub = self.ask([rule])
            self.assert_status(result, 76)
            self.assertEqual(result.out, b"")

    @unittest.skipIf(harness.SANITIZED, "a sanitizer takes memory of its own")
    def test_H13_H15_H16_memory_stays_small(self):
        """Not more than 32 MiB over what an answer takes."""
        usual = self.memory_of({"text": "a"}, 0)
        for rule, status in (({"huge_header": 1 << 20}, 76), ({"many_headers": 10_000}, 76),
                             ({"encoded": "gzip", "raw": "x" * (32 << 20)}, 76),
                             ({"huge_line": 100 << 20, "at": 0}, 76),
                             ({"status": 503, "raw": "x" * (32 << 20)}, 75)):
            with self.subTest(list(rule)[0]):
                self.assertLess(self.memory_of(rule, status) - usual, 32 << 10)

    def memory_of(self, rule, status):
        """The most memory of a run, in KiB."""
        # By a small process of its own: what a fork has counts for its child.
        measure = ("import os, sys; child = os.posix_spawn(sys.argv[1], sys.argv[1:], "
                   "os.environ); _, end, used = os.wait4(child, 0); "
                   "print(used.ru_maxrss, os.waitstatus_to_exitcode(end))")
        words = self.home.command(
            ["run", "--no-ledger", "-m", "m", *ONCE, "-p", "x"],
            harness.stub_config(self.served([rule]), {"m": {}}))
        said = subprocess.run([sys.executable, "-c", measure, *words], check=True,
                              env=self.home.environment(), stdin=subprocess.DEVNULL,
                              capture_output=True).stdout.splitlines()[-1]
        most, ended = map(int, said.split())
        self.assertEqual(ended, status)
        return most

    def test_H14_lengths_that_lie(self):
        for rule in ({"length_long": 10, "force_stream": False},
                     {"length_short": 10, "force_stream": False},
                     {"bad_chunk": "size"}):
            result, _ = self.ask([rule | {"text": "a"}], args=ONCE)
            self.assertIn(result.status, (0, 75, 76), rule)
            if result.status == 0:
                self.assertEqual(result.out, b"a\n")
            else:
                self.assertEqual(result.out, b"")

    def test_H14_no_last_chunk_after_the_end_marker(self):
        self.answered([{"text": "a", "bad_chunk": "no_last"}], "a\n")
        # Without a marker it is a cut.
        self.fails([{"text": "a", "bad_chunk": "no_last", "no_terminal": True}], 3,
                   "broke off", out=b"a")

    def test_H15_encodings_that_were_not_asked_for(self):
        for encoding in ("gzip", "br", "deflate", "gzip, gzip", "x-own"):
            _, stub = self.fails([{"encoded": encoding, "text": "a"}], 76, encoding)
            self.asked(stub, 1)

    def test_H17_interim_heads_and_old_versions(self):
        self.answered([{"text": "a", "interim": [100, 103, 103]}], "a\n")
        self.answered([{"text": "a", "version": "1.0"}], "a\n")
        # HTTP/0.9: a body without a head.
        self.fails([{"raw_head": "", "raw": "hello there, this is no head"}], 76, "")

    def test_H18_a_head_that_trickles(self):
        result, _ = self.ask([{"trickle_header": 100}], args=[
            *ONCE, "--first-token-timeout", "500ms", "--json"])
        self.assert_status(result, 75)
        self.assertEqual(attempts(result)[0][2], "first-token time-out")
        self.assertLess(result.elapsed, 30)


class Network(ProviderCase):
    def config_for(self, base_url, **fields):
        return (harness.provider("p", protocol="openai-chat", base_url=base_url, **fields)
                + harness.model("m", provider="p", **harness.DEFAULT_MODEL, id="m"))

    def run_at(self, base_url, *args, **options):
        fields = options.pop("fields", {"key_env": ["STUB_KEY"]})
        return self.run_llmroute(["run", "-m", "m", *args, "-p", "Hi"],
                                 config=self.config_for(base_url, **fields), **options)

    def test_N1_a_name_that_does_not_resolve(self):
        result = self.run_at("https://llmroute.invalid/v1", "--connect-timeout", "2s",
                             *ONCE, "--json")
        self.assert_status(result, 75)
        self.assertIn(attempts(result)[0][2], ("name does not resolve",
                                               "connect time-out"))

    def test_N3_refused(self):
        result = self.run_at(f"http://127.0.0.1:{harness.closed_port()}/v1", "--json")
        self.assert_status(result, 75)
        self.assertEqual(attempts(result), [(None, "transient", "refused")] * 3)
        self.assertIn("refused", result.err)

    def test_N4_nobody_accepts(self):
        # A listener whose queue is full drops what comes.
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            fill = [socket.socket() for _ in range(4)]
            for one in fill:
                one.setblocking(False)
                one.connect_ex(listener.getsockname())
            result = self.run_at(f"http://127.0.0.1:{listener.getsockname()[1]}/v1",
                                 "--connect-timeout", "300ms", *ONCE, "--json")
            for one in fill:
                one.close()
        self.assert_status(result, 75)
        self.assertEqual(attempts(result)[0][2], "connect time-out")
        self.assertLess(result.elapsed, 30)

    def test_N5_reset_or_closed_right_after_accept(self):
        for rule in ({"rst_accept": True}, {"cut_accept": True}):
            stub = self.stub([rule], models=["m"])
            result = self.run_at(stub.base_url, *ONCE, "--json")
            self.assert_status(result, 75)
            self.assertEqual(attempts(result)[0][1:], ("transient", "reset"))

    def test_P5_silence_before_the_head(self):
        for rule in ({"hang_accept": True}, {"hang_header": True}):
            stub = self.stub([rule], models=["m"])
            result = self.run_at(stub.base_url, *ONCE, "--json",
                                 "--first-token-timeout", "300ms")
            self.assert_status(result, 75)
            self.assertEqual(attempts(result)[0][2], "first-token time-out")
            self.assertLess(result.elapsed, 30)

    def test_P5_total_time(self):
        stub = self.served([{"words": 1000, "delay_chunk_ms": 100}])
        result = self.run_at(stub.base_url, "--timeout", "400ms")
        self.assert_status(result, 3)
        self.assertIn("0.4 s", result.err)
        self.assertLess(result.elapsed, 30)

    def test_N6_certificates(self):
        stub = self.stub([{"text": "ok"}], tls=True)
        fields = {"key_env": ["STUB_KEY"], "ca_file": stub.ca_file}
        result = self.run_at(stub.base_url_for("openai-chat", "good"), fields=fields)
        self.assert_status(result, 0)
        self.assertEqual(len(stub.requests()), 1)
        for variant in ("expired", "wrong-host", "self-signed", "wrong-purpose", "old"):
            result = self.run_at(stub.base_url_for("openai-chat", variant), "--json",
                                 fields=fields)
            self.assert_status(result, 77)
            (status, kind, _), = attempts(result)
            self.assertEqual((status, kind), (None, "not allowed"), variant)
        # Nobody vouches for the stub's authority without ca_file.
        result = self.run_at(stub.base_url_for("openai-chat", "good"))
        self.assert_status(result, 77)
        self.assertIn("certificate not trusted", result.err)
        self.assertEqual(len(stub.requests()), 1)

    def test_N6_a_port_of_plain_http_is_guessed(self):
        def answer(server):
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        with socket.create_server(("127.0.0.1", 0)) as server:
            origin = f"https://127.0.0.1:{server.getsockname()[1]}"
            thread = threading.Thread(target=answer, args=(server,), daemon=True)
            thread.start()
            result = self.run_at(origin + "/v1", fields={"key_env": ["STUB_KEY"]})
            thread.join()
        self.assert_status(result, 77)
        self.assertIn(f"; {origin} may speak plain http (base_url with http://)", result.err)

    def test_N6_the_usual_variables_name_the_authority(self):
        stub = self.stub([{"text": "ok"}], tls=True)
        for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE"):
            result = self.run_at(stub.base_url_for("openai-chat", "good"),
                                 env={name: stub.ca_file})
            self.assert_status(result, 0)

    def test_N7_tls_closed_without_notice(self):
        stub = self.stub([{"text": "ok", "tls_cut": True, "times": 1},
                          {"text": "ok", "tls_cut": True, "no_terminal": True}], tls=True)
        fields = {"key_env": ["STUB_KEY"], "ca_file": stub.ca_file}
        base = stub.base_url_for("openai-chat", "good")
        self.assert_status(self.run_at(base, fields=fields), 0)
        result = self.run_at(base, fields=fields)
        self.assert_status(result, 3)
        self.assertEqual(result.out, b"ok")

    def test_N11_a_kept_connection_that_has_died(self):
        _, stub = self.answered(
            [{"status": 503, "retry_after": "0.3", "close_idle": 1, "times": 1},
             {"text": "ok"}], "ok\n", args=["--retries", "1"])
        self.asked(stub, 2)

    def test_N13_a_stopped_server(self):
        stub = self.served([{"chunks": ["ab", "cd"], "delay_chunk_ms": 200}])
        process = self.spawn_llmroute(
            ["run", "-m", "m", "-p", "x", "--idle-timeout", "500ms"],
            config=harness.stub_config(stub, {"m": {}}))
        process.stdin.close()
        self.assertEqual(process.stdout.read(2), b"ab")
        stub.process.send_signal(signal.SIGSTOP)
        try:
            self.assertEqual(process.wait(timeout=60), 3)
        finally:
            stub.process.send_signal(signal.SIGCONT)
        self.assertIn(b"silent", process.stderr.read())

    def test_A10_addresses_that_no_provider_has(self):
        for host in ("169.254.169.254", "0.0.0.0", "[fe80::1]", "[fd00:ec2::254]",
                     "[::ffff:169.254.169.254]"):
            result = self.run_at(f"https://{host}/v1", "--json", *ONCE,
                                 "--connect-timeout", "2s")
            self.assert_status(result, 77)
            self.assertEqual(attempts(result)[0][1:], ("not allowed", "address refused"))

    def test_A22_a_file_for_tls_keys_only_if_asked_for(self):
        stub = self.stub([{"text": "ok"}], tls=True)
        place = self.home.file("keys.log")
        for args in ((), ("--tls-keylog",)):
            result = self.run_at(stub.base_url_for("openai-chat", "good"), *args,
                                 fields={"key_env": ["STUB_KEY"], "ca_file": stub.ca_file},
                                 env={"SSLKEYLOGFILE": place})
            self.assert_status(result, 0)
            self.assertEqual(os.path.exists(place), bool(args))
        with open(place, encoding="utf-8") as keys:
            self.assertIn("CLIENT_TRAFFIC_SECRET_0 ", keys.read())

    @unittest.skipIf(harness.SANITIZED, "a sanitizer opens pipes itself")
    def test_R1_no_descriptors_left(self):
        # Whether there are just enough depends on what is open at the moment.
        stub = self.served([{"text": "ok"}])
        result = self.run_at(stub.base_url, preexec_fn=few_descriptors)
        if result.status == 0:
            self.assertEqual(result.text, "ok\n")
        else:
            self.assertGreaterEqual(result.status, 64)  # no signal, no "incomplete"
            self.assertEqual(result.out, b"")

    def test_R4_a_small_stack_is_enough(self):
        for protocol in PROTOCOLS:
            self.answered([{"text": "ok"}], "ok\n", protocol, preexec_fn=harness.small_stack)


class Proxy(ProviderCase):
    """N12: a proxy that misbehaves. It records what it was told."""

    def proxy(self, reply):
        listener = socket.create_server(("127.0.0.1", 0))
        seen = []

        def serve():
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    seen.append(peer.recv(65536))
                    peer.sendall(reply)

        threading.Thread(target=serve, daemon=True).start()
        self.addCleanup(listener.close)
        return f"http://127.0.0.1:{listener.getsockname()[1]}", seen

    def through(self, reply):
        address, seen = self.proxy(reply)
        config = (harness.provider("p", protocol="openai-chat", key_env=["STUB_KEY"],
                                   base_url="https://llmroute.invalid/v1") +
                  harness.model("m", provider="p", **harness.DEFAULT_MODEL, id="m"))
        result = self.run_llmroute(["run", "-m", "m", *ONCE, "--json", "-p", "x"],
                                   config=config, env={"HTTPS_PROXY": address})
        self.assert_no_key(*seen)
        self.assertTrue(seen[0].startswith(b"CONNECT llmroute.invalid:443 "))
        return result

    def test_N12_a_proxy_that_refuses(self):
        result = self.through(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
        self.assert_status(result, 75)
        self.assertEqual(attempts(result)[0][1:], ("transient", "proxy refused"))

    def test_N12_a_proxy_that_wants_a_login(self):
        result = self.through(b"HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic\r\n"
                              b"Content-Length: 0\r\n\r\n")
        self.assert_status(result, 77)
        self.assertEqual(attempts(result)[0][1:], ("not allowed", "proxy wants a login"))

    def test_N12_a_proxy_that_talks_nonsense(self):
        result = self.through(b"220 mail.example ESMTP\r\n")
        self.assertIn(result.status, (75, 76))

    def tunnel(self, port):
        """A proxy that connects whoever asks to that port."""
        listener = socket.create_server(("127.0.0.1", 0))

        def pass_on(source, target):
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    target.sendall(data)
                target.shutdown(socket.SHUT_WR)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = listener.accept()
                    self.assertTrue(peer.recv(65536).startswith(b"CONNECT wrong.example"))
                    server = socket.create_connection(("127.0.0.1", port))
                    peer.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    for ends in ((peer, server), (server, peer)):
                        threading.Thread(target=pass_on, args=ends, daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        self.addCleanup(listener.close)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def test_a_proxy_that_connects_is_passed_through(self):
        stub = self.stub([{"text": "ok"}], tls=True)
        config = (harness.provider("p", protocol="openai-chat", key_env=["STUB_KEY"],
                                   base_url="https://wrong.example/v1",
                                   ca_file=stub.ca_file) +
                  harness.model("m", provider="p", **harness.DEFAULT_MODEL, id="m"))
        env = {"HTTPS_PROXY": self.tunnel(stub.tls_ports["wrong-host"])}
        result = self.run_llmroute(["run", "-m", "m", *ONCE, "-p", "x"],
                                   config=config, env=env)
        self.assert_status(result, 0)
        self.assertEqual(result.text, "ok\n")
        result = self.run_llmroute(["batch", "-m", "m", "--lines"], stdin=b"one\ntwo\n", config=config,
                                   env=env)
        self.assert_status(result, 0)
        self.assertEqual(len(stub.requests()), 3)

    def test_a_request_that_did_not_leave_the_tunnel_cost_nothing(self):
        stub = self.stub([{"text": "ok"}], tls=True)
        config = (harness.provider("p", protocol="openai-chat", key_env=["STUB_KEY"],
                                   base_url="https://wrong.example/v1") +
                  harness.model("m", provider="p", **harness.DEFAULT_MODEL, id="m"))
        result = self.run_llmroute(
            ["run", "-m", "m", *ONCE, "--json", "-p", "x"], config=config,
            env={"HTTPS_PROXY": self.tunnel(stub.tls_ports["wrong-host"])})
        self.assert_status(result, 77)
        self.assertEqual(result.json()["cost"]["usd"], 0)

    def test_loopback_goes_past_the_proxy(self):
        address, seen = self.proxy(b"")
        self.answered([{"text": "ok"}], "ok\n",
                      env={"http_proxy": address, "ALL_PROXY": address})
        self.assertEqual(seen, [])


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (5, 5))


if __name__ == "__main__":
    unittest.main()
