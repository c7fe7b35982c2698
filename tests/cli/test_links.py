"""Faults of names, routes and links. Names begin with the row of the fault matrix in
docs/reliability.md."""

import contextlib
import ctypes
import os
import socket
import subprocess
import time
import unittest

import harness
from namespace import configure, in_a_namespace, replace_file
from provider_case import ProviderCase, attempts

ONCE = ["--retries", "0"]
NEAR, FAR = "192.0.2.1", "192.0.2.2"
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


class LinkCase(ProviderCase):
    def words_and_config(self, base_url, args):
        config = (harness.provider("p", protocol="openai-chat", base_url=base_url,
                                   allow_http=True) +
                  harness.model("m", provider="p", **harness.DEFAULT_MODEL))
        return ["run", "-m", "m", *args, "-p", "Hi"], config

    def ask_at(self, base_url, *args, **options):
        words, config = self.words_and_config(base_url, args)
        return self.run_llmroute(words, config=config, **options)

    def names(self, **addresses):
        """NAME.test has these addresses; other names are asked for."""
        replace_file(self, "/etc/nsswitch.conf", "hosts: files dns\n")
        replace_file(self, "/etc/hosts", "".join(
            f"{address} {name}.test\n" for name, all_of in addresses.items()
            for address in all_of))


class Names(LinkCase):
    @in_a_namespace
    def test_N2_a_resolver_that_never_answers(self):
        self.names()
        # Left to itself, the C library would wait for minutes.
        replace_file(self, "/etc/resolv.conf",
                     "nameserver 127.0.0.1\noptions timeout:30 attempts:5\n")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
            resolver.bind(("127.0.0.1", 53))
            result = self.ask_at("https://slow.test/v1", "--json",
                                 "--connect-timeout", "300ms")
            self.assertIn(b"\4slow\4test\0", resolver.recv(512, socket.MSG_DONTWAIT))
        self.assert_status(result, 75)
        self.assertEqual(attempts(result),
                         [(None, "transient", "connect time-out")] * 3)
        self.assertLess(result.elapsed, 60)
        limit = self.run_llmroute(["config", "get", "limits.connect_timeout"])
        self.assertEqual(limit.text, "10s\n")

    @in_a_namespace
    def test_A10_names_of_addresses_that_no_provider_has(self):
        stub = self.served([{"text": "ok"}])
        self.names(meta=["169.254.169.254"], none=["0.0.0.0"], link=["fe80::1"],
                   mapped=["::ffff:169.254.169.254"],
                   both=["169.254.169.254", "127.0.0.1"])
        for name in ("meta", "none", "link", "mapped"):
            result = self.ask_at(f"http://{name}.test:{stub.port}/v1", "--json", *ONCE)
            self.assert_status(result, 77)
            self.assertEqual(attempts(result)[0][1:], ("not allowed", "address refused"))
        self.assertEqual(stub.events(), [])
        # One address of a name says nothing of another.
        self.assert_status(self.ask_at(f"http://both.test:{stub.port}/v1", *ONCE), 0)


class Routes(LinkCase):
    @in_a_namespace
    def test_N8_a_broken_route_of_IPv6_costs_little(self):
        configure(self, "ip", "link", "add", "near", "type", "veth", "peer", "name", "far")
        for end in ("near", "far"):
            configure(self, "ip", "link", "set", end, "up")
        configure(self, "ip", "-6", "addr", "add", "2001:db8::1/64", "dev", "near", "nodad")
        # Nobody has this link address: what is sent there is lost.
        configure(self, "ip", "-6", "neigh", "add", "2001:db8::2", "lladdr",
                  "02:00:00:00:00:99", "dev", "near", "nud", "permanent")
        configure(self, "ip", "-6", "route", "add", "unreachable", "2001:db8:0:1::/64")
        self.names(four=["127.0.0.1"], lost=["2001:db8::2", "127.0.0.1"],
                   refused=["2001:db8:0:1::2", "127.0.0.1"])
        self.assertEqual(socket.getaddrinfo("lost.test", 1)[0][0], socket.AF_INET6)
        stub = self.served([{"text": "ok"}])
        alone = self.fastest(stub, "four")
        for name in ("lost", "refused"):
            self.assertLessEqual(self.fastest(stub, name) - alone, 0.3, name)

    def fastest(self, stub, name):
        """Of some runs, since others may keep the machine busy."""
        times = []
        for _ in range(5):
            result = self.ask_at(f"http://{name}.test:{stub.port}/v1", *ONCE)
            self.assert_status(result, 0)
            self.assertEqual(result.text, "ok\n")
            times.append(result.elapsed)
        return min(times)


class Links(LinkCase):
    """The stub is at one end of a link and llmroute at the other."""

    def setUp(self):
        super().setUp()
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)

    def link(self):
        """Makes the link and its far end's namespace."""
        holder = self.stack.enter_context(subprocess.Popen(
            ["unshare", "-n", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE))
        self.stack.callback(holder.stdin.close)
        holder.stdout.readline()  # its namespace is there
        self.far = os.open(f"/proc/{holder.pid}/ns/net", os.O_RDONLY)
        self.stack.callback(os.close, self.far)
        configure(self, "ip", "link", "add", "near", "mtu", "600", "type", "veth", "peer",
                  "name", "far", "mtu", "600", "netns", str(holder.pid))
        configure(self, "ip", "addr", "add", NEAR + "/24", "dev", "near")
        configure(self, "ip", "link", "set", "near", "up")
        there = ["nsenter", f"--net=/proc/{holder.pid}/ns/net", "ip"]
        configure(self, *there, "addr", "add", FAR + "/24", "dev", "far")
        configure(self, *there, "link", "set", "far", "up")

    def unlink(self):
        self.stack.close()
        subprocess.run(["ip", "link", "del", "near"], check=False, capture_output=True)

    def go_there(self):
        if LIBC.setns(self.far, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    @in_a_namespace
    def test_N9_a_link_of_8_kbit_a_second(self):
        self.link()
        configure(self, "tc", "qdisc", "add", "dev", "near", "root", "tbf", "rate", "8kbit",
                  "burst", "1600", "limit", "100000")
        words = [f"word{i} " for i in range(40)]
        stub = self.served([{"chunks": words}], address=NEAR)
        silence = 4
        result = self.ask_at(stub.base_url, "--idle-timeout", f"{silence}s", *ONCE,
                             preexec_fn=self.go_there)
        self.assert_status(result, 0)
        self.assertEqual(result.text.split(), "".join(words).split())
        self.assertGreater(result.elapsed, silence)

    @in_a_namespace
    def test_N10_a_link_that_vanishes_ends_after_the_silence(self):
        for how in (["set", "near", "down"], ["del", "near"]):
            with self.subTest(how):
                self.link()
                stub = self.served([{"words": 10_000, "delay_chunk_ms": 50}], address=NEAR)
                words, config = self.words_and_config(
                    stub.base_url, ["--idle-timeout", "2s"])
                process = self.spawn_llmroute(words, config=config,
                                              preexec_fn=self.go_there)
                process.stdin.close()
                self.assertTrue(process.stdout.read(1))
                configure(self, "ip", "link", *how)
                gone = time.monotonic()
                self.assertEqual(process.wait(timeout=60), 3)
                self.assertGreater(time.monotonic() - gone, 1)
                self.assertIn(b"silent for 2 s", process.stderr.read())
                self.unlink()


if __name__ == "__main__":
    unittest.main()
