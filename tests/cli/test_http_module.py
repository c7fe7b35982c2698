"""llmroute-http.so: which file is opened for HTTP, and that an answer does not depend
on it."""

import os
import pathlib
import shutil
import socket
import threading
import unittest
import unittest.mock

import harness
from provider_case import ProviderCase

MODULE = pathlib.Path(harness.BINARY).parent / "llmroute-http.so"


def http_line(text):
    return text.splitlines()[-1]


class Places(ProviderCase):
    """The program is copied to a directory of its own."""

    def setUp(self):
        super().setUp()
        if not MODULE.exists():
            self.skipTest("this build has no module")
        self.place = pathlib.Path(self.home.file("there/bin"))
        self.place.mkdir(parents=True)
        self.program = shutil.copy(harness.BINARY, self.place)

    def start(self, *args, program=None, **options):
        """As run_llmroute() starts the program of the build."""
        with unittest.mock.patch.object(harness, "BINARY",
                                        str(program or self.program)):
            return self.run_llmroute(list(args), **options)

    def uses(self, own, **options):
        """Which one it opens, and that it answers over HTTP and HTTPS."""
        result = self.start("version", **options)
        self.assert_status(result, 0)
        line = http_line(result.text)
        self.assertEqual(line.startswith("http: libcurl "), own, line)
        self.assertEqual(line.startswith("http: libcurl"), True, line)
        self.assertEqual(result.err, "")
        stub = self.stub([{"chunks": ["a", "b"]}], tls=True)
        for base in (stub.base_url, stub.base_url_for("openai-chat", "good")):
            config = harness.stub_config(stub, {"m": {}}, provider_fields={
                "base_url": base, "ca_file": stub.ca_file})
            result = self.start("run", "-p", "x", config=config, **options)
            self.assert_status(result, 0)
            self.assertEqual((result.text, result.err), ("ab\n", ""))
        stub.stop()

    def test_the_module_of_the_build_is_used(self):
        self.uses(True, program=harness.BINARY)

    def test_without_a_module_the_systems_libcurl_answers_the_same(self):
        self.uses(False)

    def test_beside_the_program_and_where_it_is_installed(self):
        beside = shutil.copy(MODULE, self.place)
        self.uses(True)
        os.unlink(beside)
        installed = self.place.parent / "lib/llmroute"
        installed.mkdir(parents=True)
        shutil.copy(MODULE, installed)
        self.uses(True)
        link = pathlib.Path(self.home.file("elsewhere"))
        link.symlink_to(self.program)
        self.uses(True, program=link)

    def test_nowhere_else(self):
        there = pathlib.Path(self.home.file("work"))
        shutil.copy(MODULE, there)
        self.uses(False, cwd=there, env={"LD_LIBRARY_PATH": str(there),
                                         "PATH": f"{there}:{os.environ['PATH']}"})
        link = there / "llmroute"
        link.symlink_to(self.program)
        self.uses(False, program=link)

    def test_a_module_that_others_could_have_written_is_not_opened(self):
        module = pathlib.Path(shutil.copy(MODULE, self.place))
        module.chmod(0o757)
        self.uses(False)
        module.chmod(0o775)
        self.uses(False)
        os.chmod(self.program, 0o775)  # then it is as safe as the program
        self.uses(True)
        if os.geteuid() == 0:
            os.chown(module, 65534, 65534)
            module.chmod(0o755)
            self.uses(False)

    def test_what_is_no_module_is_not_opened(self):
        path = self.place / MODULE.name
        whole = MODULE.read_bytes()
        for content in (b"", b"\x7fELF", b"#!/bin/sh\n" * 50, whole[:64],
                        whole[:4096], whole[:len(whole) // 2], whole[:-1],
                        bytes(len(whole)), whole[:16] + bytes(48) + whole[64:]):
            with self.subTest(len(content)):
                path.write_bytes(content)
                self.uses(False)
        path.unlink()
        other = pathlib.Path(harness.BINARY).parent / "tests/wall_clock.so"
        shutil.copy(other, path)
        self.uses(False)
        path.unlink()
        path.mkdir()
        self.uses(False)
        path.rmdir()
        path.symlink_to(MODULE)
        self.uses(False)
        path.unlink()
        os.mkfifo(path)
        self.uses(False)


class Socks(ProviderCase):
    def test_a_socks_proxy_is_offered_no_kerberos(self):
        offered = []
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            with listener.accept()[0] as peer:
                offered.append(peer.recv(64))
                peer.sendall(b"\x05\xff")  # none of these

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        config = harness.table("[providers.p]", {
            "protocol": "openai-chat", "base_url": "https://llmroute.invalid/v1",
            "key_env": ["STUB_KEY"]}) + harness.model("m", provider="p",
                                                      **harness.DEFAULT_MODEL)
        result = self.run_llmroute(
            ["run", "-m", "m", "--retries", "0", "-p", "x"], config=config,
            env={"ALL_PROXY": f"socks5h://me:word@127.0.0.1:{listener.getsockname()[1]}"})
        thread.join(60)
        self.assertNotEqual(result.status, 0)
        # Version 5, then as many ways to log in: none, a name and a password.
        self.assertEqual(offered, [b"\x05\x02\x00\x02"])


if __name__ == "__main__":
    unittest.main()
