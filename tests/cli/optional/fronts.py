"""Servers and tools of others between llmroute and the stub: nginx and caddy as
TLS and HTTP/2 fronts, tinyproxy as a proxy, xargs and GNU parallel as drivers.

    LLMROUTE_OPTIONAL_TESTS=1 python3 tests/cli/optional/fronts.py -v

Needs Debian's nginx-light, caddy, tinyproxy, openssl and parallel; a test whose program is
missing is skipped and says so.
"""

import json
import os
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness  # pylint: disable=wrong-import-position

NGINX = """
daemon off; pid {dir}/nginx.pid; error_log {dir}/nginx.errors;
events {{}}
http {{
  access_log {dir}/nginx.log;
  client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c;
  uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e;
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem;
    location / {{
      proxy_pass http://127.0.0.1:{stub}; proxy_http_version 1.1;
      proxy_buffering off;
    }}
  }}
}}
"""
CADDY = """
{{
  admin off
  auto_https off
}}
https://127.0.0.1:{port} {{
  tls {dir}/cert.pem {dir}/key.pem
  reverse_proxy 127.0.0.1:{stub} {{
    flush_interval -1
  }}
}}
"""
TINYPROXY = "Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nConnectPort {front}\n"


def needs(program):
    return unittest.skipUnless(shutil.which(program), f"{program} is not installed")


class Fronts(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.dir = self.home.file("tmp")
        self.server = self.stub([{"chunks": ["a", "b", "c"], "usage": {
            "prompt_tokens": 3, "completion_tokens": 3}}])

    def start(self, argv, port, **options):
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=os.environ | {"HOME": self.dir}, **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        self.fail(f"{argv[0]} did not come up")

    def certificate(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", f"{self.dir}/key.pem", "-out", f"{self.dir}/cert.pem"],
            check=True, capture_output=True)

    def front(self, template, name, *argv):
        self.certificate()
        port = harness.closed_port()
        path = pathlib.Path(self.dir, name)
        path.write_text(template.format(dir=self.dir, port=port,
                                        stub=self.server.port), encoding="utf-8")
        self.start([*argv, str(path)], port)
        return port

    def nginx(self):
        return self.front(NGINX, "nginx.conf", "nginx", "-c")

    def config(self, port):
        text = harness.stub_config(self.server, {"m": {}})
        return text.replace(f"http://127.0.0.1:{self.server.port}",
                            f"https://127.0.0.1:{port}").replace(
            "key_env", f'ca_file = "{self.dir}/cert.pem"\nkey_env', 1)

    def check(self, port, **options):
        """A stream, and a batch of 30 over few connections."""
        config = self.config(port)
        result = self.run_llmroute(["run", "-p", "Hi"], config=config, **options)
        self.assert_status(result, 0)
        self.assertEqual(result.text.strip(), "abc")
        records = "".join(json.dumps({"prompt": f"say {i}"}) + "\n" for i in range(30))
        result = self.run_llmroute(["batch", "-j", "8"], stdin=records, config=config,
                                   **options)
        self.assert_status(result, 0)
        self.assertEqual(len(result.out.splitlines()), 30)
        self.assertEqual(len(self.server.requests()), 31)

    @needs("nginx")
    def test_nginx_with_tls_and_http2(self):
        self.check(self.nginx())
        log = pathlib.Path(self.dir, "nginx.log").read_text(encoding="utf-8")
        self.assertIn("HTTP/2.0", log)

    @needs("caddy")
    def test_caddy_with_tls_and_http2(self):
        self.check(self.front(CADDY, "Caddyfile", "caddy", "run", "--adapter",
                              "caddyfile", "--config"))

    @needs("nginx")
    def test_a_certificate_that_nobody_vouches_for_is_refused(self):
        config = self.config(self.nginx()).replace("ca_file", "# ca_file")
        result = self.run_llmroute(["run", "-p", "Hi", "--retries", "0"], config=config)
        self.assertIn(result.status, (75, 76, 77))
        self.assertIn("certificate", result.err)
        self.assertEqual(self.server.requests(), [])

    @needs("tinyproxy")
    @needs("nginx")
    def test_tls_through_a_proxy(self):
        front = self.nginx()
        port = harness.closed_port()
        path = pathlib.Path(self.dir, "tinyproxy.conf")
        path.write_text(TINYPROXY.format(port=port, front=front), encoding="utf-8")
        self.start(["tinyproxy", "-d", "-c", str(path)], port)
        self.check(front, env={"https_proxy": f"http://127.0.0.1:{port}",
                               "no_proxy": ""})

    @needs("xargs")
    def test_xargs_runs_eight_at_a_time(self):
        self.check_driver(["xargs", "-P", "8", "-I", "{}"])

    @needs("parallel")
    def test_parallel_runs_eight_at_a_time(self):
        self.check_driver(["parallel", "--will-cite", "-j", "8"])

    def check_driver(self, driver):
        config = harness.stub_config(self.server, {"m": {}})
        command = self.home.command(["run", "--no-stdin", "-p", "{}"], config)
        done = subprocess.run(
            driver + command, check=False,
            input="".join(f"say {i}\n" for i in range(40)), text=True,
            env=self.home.environment({}), capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("abc"), 40)
        with sqlite3.connect(
                self.home.file(".local/state/llmroute/ledger.db")) as ledger:
            self.assertEqual(ledger.execute("SELECT count(*) FROM attempts "
                                            "WHERE state='answered'").fetchall(),
                             [(40,)])


if __name__ == "__main__":
    if os.environ.get("LLMROUTE_OPTIONAL_TESTS") != "1":
        print("skipped: LLMROUTE_OPTIONAL_TESTS is not 1")
        sys.exit(0)
    unittest.main()
