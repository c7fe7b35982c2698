"""Tests that need a network of their own: each runs itself again in a network and
mount namespace, as its root, where no link is up at first."""

import array
import fcntl
import functools
import inspect
import os
import re
import shutil
import socket
import struct
import subprocess
import sys

INSIDE = "LLMROUTE_TEST_INSIDE"
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
UNSHARE = ["unshare", *([] if os.geteuid() == 0 else ["-r"]), "-n", "-m"]


def _why_not():
    try:
        subprocess.run([*UNSHARE, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no namespace of its own: {error}"
    return None


def in_a_namespace(test):
    """For a method of a test case. What is skipped inside is skipped outside."""
    @functools.wraps(test)
    def run(self):
        if INSIDE in os.environ:
            _raise_loopback()
            test(self)
            return
        if why_not := _why_not():
            self.skipTest(why_not)
        ended = subprocess.run(
            [*UNSHARE, sys.executable, inspect.getfile(type(self)), "-v",
             f"{type(self).__name__}.{self._testMethodName}"], check=False,
            env=os.environ | {INSIDE: "1"}, capture_output=True, text=True)
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        if skipped := re.search(r"\.\.\. skipped (.*)", ended.stderr):
            self.skipTest(skipped[1])
        self.assertIn("Ran 1 test ", ended.stderr)
    return run


def _raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = array.array("b", struct.pack("16sh14x", b"lo", IFF_UP))
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def configure(test, *words):
    """Runs `ip` or `tc`; the test is skipped where that, or the kernel, cannot."""
    if not shutil.which(words[0]):
        test.skipTest(f"{words[0]} is not installed (iproute2)")
    ended = subprocess.run(words, check=False, capture_output=True, text=True)
    if ended.returncode != 0:
        test.skipTest(f"{' '.join(words)}: {ended.stderr.strip()}")


def replace_file(test, path, text):
    """The file has this text for every process of the namespace."""
    if not os.path.exists(path):
        test.skipTest(f"there is no {path} to be replaced")
    own = test.home.write("etc" + path.replace("/", "-"), text, 0o644)
    subprocess.run(["mount", "--bind", own, path], check=True)
    test.addCleanup(subprocess.run, ["umount", path], check=True)
