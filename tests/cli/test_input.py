"""Where the prompt comes from: arguments, files, stdin."""

import os
import time
import unittest

import harness

CONFIG = {"m": {"context_window": 100_000_000}}


class Input(harness.TestCase):
    def ask(self, args, stdin=None, stub=None, **options):
        stub = stub or self.stub([{"text": "ok"}])
        result = self.run_llmroute(["run"] + args, stdin=stdin,
                                   config=harness.stub_config(stub, CONFIG), **options)
        return stub, result

    def assert_sent(self, args, stdin, expected, **options):
        stub, result = self.ask(args, stdin, **options)
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"ok\n")
        self.assertEqual(stub.requests()[0].prompt, expected)

    def assert_refused(self, args, stdin, status, text, **options):
        stub, result = self.ask(args, stdin, **options)
        self.assert_status(result, status)
        self.assertIn(text, result.err)
        self.assertEqual(result.out, b"")
        self.assertEqual(stub.requests(), [], "nothing may be sent")

    def test_stdin_alone_is_the_prompt_byte_for_byte(self):
        self.assert_sent([], "hello there\n", "hello there\n")

    def test_operands_are_the_prompt(self):
        self.assert_sent(["hello", "there you"], None, "hello there you")

    def test_p_and_dash_dash(self):
        self.assert_sent(["-p", "hello there"], None, "hello there")
        self.assert_sent(["--", "--not-an-option", "x"], None, "--not-an-option x")

    def test_stdin_is_context_and_comes_first_then_one_blank_line(self):
        self.assert_sent(["sum it up"], "a\nb\n", "a\nb\n\nsum it up")
        self.assert_sent(["sum it up"], "a\nb", "a\nb\n\nsum it up")

    def test_empty_stdin_adds_nothing(self):
        self.assert_sent(["sum it up"], "", "sum it up")

    def test_no_stdin_and_LLMROUTE_STDIN_never_skip_it(self):
        self.assert_sent(["--no-stdin", "just this"], "ctx", "just this")
        self.assert_sent(["just this"], "ctx", "just this",
                         env={"LLMROUTE_STDIN": "never"})

    def test_files_in_order_and_dash_for_stdin(self):
        one = self.home.write("one.txt", "first\n")
        two = self.home.write("two.txt", "second\n")
        self.assert_sent(["-f", one, "-f", "-", "-f", two, "-p", "go on"], "middle\n",
                         "first\n\nmiddle\n\nsecond\n\ngo on")

    def test_stdin_is_read_once(self):
        result = self.run_llmroute(["run", "-f", "-", "-f", "-", "what is it?"],
                                   stdin="context")
        self.assert_status(result, 64)
        self.assertIn("-f - can be given once", result.err)

    def test_a_file_alone_is_the_prompt(self):
        one = self.home.write("one.txt", "what is this?\n")
        self.assert_sent(["-f", one], None, "what is this?\n")

    def test_system_and_system_file(self):
        path = self.home.write("system.txt", "Be brief.")
        for args in (["-s", "Be brief."], ["--system-file", path]):
            stub, result = self.ask(args + ["hi there"])
            self.assert_status(result, 0)
            first = stub.requests()[0].json()["messages"][0]
            self.assertEqual((first["role"], first["content"]), ("system", "Be brief."))

    def test_I1_empty_and_blank_input_is_66_and_nothing_is_sent(self):
        for text in ("", " \n\t\n"):
            self.assert_refused([], text, 66, "empty")

    def test_I1_closed_descriptors(self):
        stub = self.stub([{"text": "ok"}])
        result = self.run_llmroute(
            ["run"], config=harness.stub_config(stub, CONFIG),
            preexec_fn=lambda: os.close(0))
        self.assert_status(result, 66)
        config = self.home.write("c.toml", harness.stub_config(stub, CONFIG))
        out = self.home.file("out.txt")
        process = self.spawn_llmroute(
            ["run", "-c", config, "--no-stdin", "-o", out, "-p", "hi there"],
            preexec_fn=lambda: [os.close(n) for n in (0, 1, 2)])
        self.assertEqual(process.wait(60), 0)
        with open(out, encoding="utf-8") as file:
            self.assertEqual(file.read(), "ok\n")

    def test_I2_P10_invalid_utf8_is_65_with_the_offset(self):
        self.assert_refused([], b"ab\xffcd", 65, "byte 2")
        self.assert_sent(["--lossy"], b"ab\xffcd", "ab\ufffdcd")

    def test_P10_nul_is_65_with_the_offset(self):
        self.assert_refused([], b"a\0b", 65, "byte 1")
        self.assert_sent(["--lossy"], b"a\0b", "a\ufffdb")

    def test_I3_P10_odd_text_is_sent_exactly(self):
        for text in ('{"model":"x","messages":[]}', "[providers]\nkey = 1\n",
                     "a\u2028b\u0085c\x01\x1b[31m", "e" + "\u0301" * 100_000,
                     "\U0001f680 \\ \" \t \r\n", "line\r\nline"):
            self.assert_sent([], text.encode(), text)

    def test_P10_ten_megabytes_arrive_whole(self):
        text = "0123456789abcde\n" * 655_360
        self.assert_sent([], text, text, timeout=60)

    def test_I4_more_than_64_MiB_is_65(self):
        with open("/dev/zero", "rb") as endless:
            self.assert_refused([], endless, 65, "larger than 64 MiB", timeout=60)

    def test_a_missing_file_is_66_and_named(self):
        self.assert_refused(["-f", "/nowhere/x.txt"], None, 66, "/nowhere/x.txt")
        self.assert_refused(["--system-file", "/nowhere/x.txt", "hi you"], None, 66,
                            "/nowhere/x.txt")

    def test_an_empty_pipe_beside_an_instruction_is_told(self):
        stub = self.stub()
        config = harness.stub_config(stub, {"m": {}})
        process = self.spawn_llmroute(["run", "sum this up"], config=config)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn(b"nothing came on stdin", err)
        result = self.run_llmroute(["run", "sum this up"], config=config)
        self.assertNotIn("nothing came", result.err)

    def test_I5_a_silent_pipe_is_noticed_and_waited_for(self):
        stub = self.stub([{"text": "ok"}])
        process = self.spawn_llmroute(["run", "hi there"],
                                      config=harness.stub_config(stub, CONFIG))
        begin = time.monotonic()
        line = process.stderr.readline().decode()
        self.assertIn("waiting for stdin", line)
        self.assertGreater(time.monotonic() - begin, 2.5)
        process.stdin.write(b"late\n")
        process.stdin.close()
        self.assertEqual(process.wait(60), 0)
        self.assertEqual(stub.requests()[0].prompt, "late\n\nhi there")

    def test_stdin_timeout_turns_the_wait_into_66(self):
        stub = self.stub([{"text": "ok"}])
        process = self.spawn_llmroute(["run", "--stdin-timeout", "200ms", "hi there"],
                                      config=harness.stub_config(stub, CONFIG))
        self.assertEqual(process.wait(60), 66)
        self.assertEqual(stub.requests(), [])

    def test_too_long_for_every_model_is_65_never_trimmed(self):
        stub = self.stub([{"text": "ok"}])
        result = self.run_llmroute(
            ["run"], stdin="word " * 4000,
            config=harness.stub_config(stub, {"m": {"context_window": 1000,
                                               "max_output_tokens": 500}}))
        self.assert_status(result, 65)
        self.assertIn("window 1,000", result.err)
        self.assertEqual(stub.requests(), [])


if __name__ == "__main__":
    unittest.main()
