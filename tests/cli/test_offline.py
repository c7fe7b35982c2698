"""OLR-9: with no network but the loopback, everything works from end to end with
local models. This file runs itself in a network namespace of its own."""

import array
import errno
import fcntl
import os
import pathlib
import socket
import struct
import subprocess
import sys
import unittest

import harness
from test_train import outcomes, lines

INSIDE = "LLMROUTE_TEST_INSIDE"
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
NAMESPACE = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-r", "-n"]


def raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = array.array("b", struct.pack("16sh14x", b"lo", IFF_UP))
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


@unittest.skipUnless(INSIDE in os.environ, "runs in a namespace")
class Inside(harness.TestCase):
    def setUp(self):
        super().setUp()
        raise_loopback()
        with socket.socket() as outside, self.assertRaises(OSError) as refused:
            outside.connect(("192.0.2.1", 80))
        self.assertEqual(refused.exception.errno, errno.ENETUNREACH)

    def said(self, *args, **options):
        result = self.run_llmroute(list(args), **options)
        self.assert_status(result, 0)
        return result

    def test_OLR_9_a_local_configuration_works_from_end_to_end(self):
        stub = self.stub(models=["llama"])
        config = harness.stub_config(stub, {
            "llama": {"protocol": "ollama", "price": {"input": 0, "output": 0}},
            "vllm": {"ability": 1.0}})
        local = {"config": config}
        self.assertIn("stub", self.said("run", "-p", "Say hi", **local).text)
        self.assertIn("candidates", self.said("explain", "-p", "Say hi", **local).text)
        result = self.said("batch", "--lines", stdin="one\ntwo\n", **local)
        self.assertEqual(result.text.count("\n"), 2)
        self.said("feedback", "last", "good")
        self.assertIn("llama", self.said("models", **local).text)
        self.assertEqual(self.said("usage", "--json").json()["total"]["calls"], 3)
        self.assertIn("the same", self.said("replay", "last").text)
        rows = self.home.write("rows.jsonl", lines(outcomes(600)))
        model = self.home.file("mine.model")
        self.said("train", "--force", "-o", model, rows)
        self.assertTrue(pathlib.Path(model).exists())
        self.said("bench", "--part", "test", "--model-file", model, rows)


class Offline(harness.TestCase):
    def test_OLR_9_in_a_namespace_without_a_network(self):
        if INSIDE in os.environ:
            self.skipTest("this is the namespace")
        try:
            subprocess.run([*NAMESPACE, "true"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.skipTest(f"no namespace of its own: {error}")
        ended = subprocess.run(
            [*NAMESPACE, sys.executable, __file__, "Inside"], check=False,
            env=os.environ | {INSIDE: "1"}, capture_output=True, text=True)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertNotIn("skipped", ended.stderr)


if __name__ == "__main__":
    unittest.main()
