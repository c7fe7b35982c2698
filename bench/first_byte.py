#!/usr/bin/env python3
"""One call on loopback, whole processes: from spawn to the first byte of the answer on
stdout over plain HTTP, and a whole call over HTTPS with the certificate checked,
against `curl -N` asking the same server.

    bench/first_byte.py [--build build/release] [--runs 100]

The certificate's authority is made for it and added to a copy of the system's, once
as a bundle, which is what curl reads, and once as a hashed directory, which is what
llmroute prefers. `no ledger`: without what a call's record costs. A copy of the program
is measured, see startup.py.
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile

import paired

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUNDLE = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
BODY = json.dumps({"model": "cheap", "stream": True, "messages": [
    {"role": "user", "content": "hi there"}]})


def start_stub(build, home):
    stub = subprocess.Popen(
        [build / "tests/stub/llmroute-stub", "--exit-with-stdin", "--word-delay-ms", "0",
         "--tls", "--tls-dir", home], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return stub, json.loads(stub.stdout.readline())


def trust(home):
    """The system's authorities and the stub's: a bundle and a hashed directory."""
    own = pathlib.Path(home, "ca.pem").read_text(encoding="ascii")
    texts = (BUNDLE.read_text(encoding="utf-8") if BUNDLE.exists() else "") + own
    bundle = pathlib.Path(home, "bundle.pem")
    bundle.write_text(texts, encoding="utf-8")
    folder = pathlib.Path(home, "certs")
    folder.mkdir()
    for i, text in enumerate(texts.split("-----BEGIN CERTIFICATE-----")[1:]):
        pathlib.Path(folder, f"{i}.pem").write_text(
            "-----BEGIN CERTIFICATE-----" + text, encoding="utf-8")
    subprocess.run(["openssl", "rehash", folder], check=True, stderr=subprocess.DEVNULL)
    return str(bundle), str(folder)


def commands(binary, home, url, env, own_env):
    config = pathlib.Path(home, url.split(":")[0] + ".toml")
    config.write_text((ROOT / "examples/quickstart.toml").read_text()
                      .replace("http://127.0.0.1:@PORT@", url), encoding="utf-8")
    config.chmod(0o600)
    run = [binary, "run", "--no-stdin", "-c", str(config), "-m", "cheap", "-p", "hi there"]
    return [
        ("curl -N", ["curl", "-sN", "-H", "Content-Type: application/json", "-d", BODY,
                     url + "/v1/chat/completions"], env),
        ("llmroute run", run, own_env),
        ("llmroute run, no ledger", run, own_env | {"LLMROUTE_LEDGER": "off"}),
    ]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=str(ROOT / "build/release"))
    parser.add_argument("--runs", type=int, default=100)
    options = parser.parse_args()
    build = pathlib.Path(options.build)
    with tempfile.TemporaryDirectory() as home:
        binary = paired.install(build, home)
        stub, ports = start_stub(build, home)
        bundle, folder = trust(home)
        env = {"PATH": os.environ["PATH"], "HOME": home}
        print("first byte over plain HTTP; CPU of the whole process")
        paired.compare(
            paired.spawn_to_first_byte,
            commands(binary, home, f"http://127.0.0.1:{ports['port']}", env, env),
            options.runs, {"llmroute run": 1.05})
        print("\nwhole call over HTTPS, the certificate checked")
        paired.compare(
            paired.spawn,
            commands(binary, home, f"https://localhost:{ports['tls']['good']}",
                     env | {"CURL_CA_BUNDLE": bundle}, env | {"SSL_CERT_DIR": folder}),
            options.runs, {"llmroute run": 0.5})
        stub.stdin.close()
        stub.wait()


if __name__ == "__main__":
    main()
