#!/usr/bin/env python3
"""Batch: requests a second against wrk, h2load, `curl --parallel` and a bare loop
around libcurl (bare_libcurl.c) asking the same nginx, CPU and memory a record, and
the dry run against `wc -l` and `jq`.

    bench/batch_speed.py [--binary build/release/llmroute] [--seconds 3]
                         [--records 60000] [--tls] [--memory 1000,100000]

The server has one core and the client the other, so figures are per core of the
client. All of one row run in turn, in one go. Needs nginx and wrk; h2load, curl, jq
and the bare loop, which needs cc and libcurl's headers, are left out where they are
missing. With --tls all talk HTTPS with a
certificate made for it (wrk without checking it), over HTTP/1.1. Figures are
without the ledger, but for the column that says what it adds.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
REPLY = json.dumps({
    "id": "x", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Four."},
                 "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14}})
PROMPT = ("What is {0} plus two? Explain the answer in one sentence, and say which "
          "rule of arithmetic you used. ") * 3
BODY = json.dumps({"model": "m", "messages": [
    {"role": "user", "content": PROMPT.format(12)}]})
CONFIG = """
[providers.p]
protocol = "openai-chat"
base_url = "{url}/v1"
{ca}
[models.m]
provider = "p"
ability = 0.4
price = {{ input = 0.1, output = 0.2 }}
context_window = 32768
max_output_tokens = 4096
[routes.auto]
models = ["m"]
"""
NGINX = """
worker_processes 1;
worker_cpu_affinity 01;
daemon off;
pid {dir}/pid;
error_log {dir}/errors;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c;
  uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e;
  server {{
    listen 127.0.0.1:{port} {tls} backlog=4096;
    {certificate}
    location / {{ default_type application/json; return 200 '{reply}'; }}
  }}
}}
"""
ON_THE_OTHER_CORE = ["taskset", "-c", str(os.cpu_count() - 1)]


class Server:
    def __init__(self, folder, tls):
        self.port = 18000 + os.getpid() % 1000
        self.tls = tls
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.ca = None
        if tls:
            self.ca = f"{folder}/cert.pem"
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                 "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                 "subjectAltName=IP:127.0.0.1", "-keyout", f"{folder}/key.pem",
                 "-out", self.ca], check=True, stderr=subprocess.DEVNULL)
        conf = pathlib.Path(folder, "nginx.conf")
        conf.write_text(NGINX.format(
            dir=folder, port=self.port, reply=REPLY, tls="ssl" if tls else "",
            certificate=f"ssl_certificate {self.ca}; ssl_certificate_key "
                        f"{folder}/key.pem;" if tls else ""))
        self.process = subprocess.Popen(["nginx", "-c", str(conf)],
                                        stderr=subprocess.DEVNULL)
        time.sleep(0.5)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def measured(argv, env=None, stdout=subprocess.DEVNULL):
    """Seconds, CPU seconds and peak KiB of a command."""
    peak = 0
    begin = time.perf_counter()
    process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL,
                               stdout=stdout, stderr=subprocess.DEVNULL)
    while True:
        # ru_maxrss would hold what this process had when it forked.
        status_file = pathlib.Path(f"/proc/{process.pid}/status")
        found = re.search(r"VmHWM:\s*(\d+)", status_file.read_text())
        peak = max(peak, int(found[1])) if found else peak
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        time.sleep(0.002)
    took = time.perf_counter() - begin
    if status:
        raise SystemExit(f"{' '.join(argv)}: status {status}")
    return took, usage.ru_utime + usage.ru_stime, peak


def wrk(server, connections, seconds, folder):
    script = pathlib.Path(folder, "post.lua")
    script.write_text("wrk.method='POST'\nwrk.headers['Content-Type']="
                      f"'application/json'\nwrk.body=[[{BODY}]]\n")
    out = subprocess.run(
        ON_THE_OTHER_CORE + ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
                             "-s", str(script), server.url + "/v1/chat/completions"],
        capture_output=True, text=True, check=True).stdout
    return float(re.search(r"Requests/sec:\s*([\d.]+)", out)[1])


def h2load(server, connections, records, folder):
    out = subprocess.run(
        ON_THE_OTHER_CORE + ["h2load", "-t1", f"-c{connections}", f"-n{records}",
                             "-d", f"{folder}/body.json", "-H", "Content-Type: application/json"]
        + ["--h1", server.url + "/v1/chat/completions"],
        capture_output=True, text=True, check=True).stdout
    return float(re.search(r"([\d.]+) req/s", out)[1])


def curl(server, connections, records, folder):
    config = pathlib.Path(folder, "curl.conf")
    config.write_text("next\n".join(
        f'url = "{server.url}/v1/chat/completions"\noutput = "/dev/null"\n'
        f'data-binary = "@{folder}/body.json"\nheader = "Content-Type: application/json"\n'
        + (f'cacert = "{server.ca}"\n' if server.tls else "")
        for _ in range(records)))
    took, _, _ = measured(ON_THE_OTHER_CORE + [
        "curl", "-s", "--parallel", "--parallel-immediate", "--parallel-max",
        str(min(connections, 300)), "-K", str(config)])
    return records / took


def build_bare_libcurl(folder):
    """The loop's path, or None where it cannot be built."""
    path = f"{folder}/bare"
    source = str(ROOT / "bench" / "bare_libcurl.c")
    try:
        subprocess.run(["cc", "-O2", source, "-lcurl", "-o", path], check=True,
                       stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return path


def bare_libcurl(server, connections, records, folder):
    argv = [f"{folder}/bare", server.url + "/v1/chat/completions", str(records),
            str(connections), f"{folder}/body.json"]
    out = subprocess.run(
        ON_THE_OTHER_CORE + argv + ([server.ca] if server.tls else []),
        capture_output=True, text=True, check=True).stdout
    return float(out.split()[0])


def write_records(path, count):
    with open(path, "w", encoding="utf-8") as file:
        for i in range(count):
            file.write(json.dumps({"id": f"r{i}", "prompt": PROMPT.format(i)}) + "\n")


def batch(options, folder, home, records, connections, *more, ledger="off"):
    return measured(
        ON_THE_OTHER_CORE + [options.binary, "batch", "-q", "-c",
                             f"{home}/config.toml", f"-j{connections}", *more,
                             f"{folder}/{records}.jsonl"],
        {"PATH": os.environ["PATH"], "HOME": home, "LLMROUTE_LEDGER": ledger})


def requests(options, server, folder, home):
    count = options.records
    write_records(f"{folder}/{count}.jsonl", count)
    pathlib.Path(folder, "body.json").write_text(BODY)
    peers = [("h2load", h2load if shutil.which("h2load") else None),
             ("curl -Z", curl if shutil.which("curl") else None),
             ("bare libcurl", build_bare_libcurl(folder) and bare_libcurl)]
    print(f"{count} records of ~{len(PROMPT) + 30} bytes, {server.url.split(':')[0]}; "
          "requests a second on one core, and the ratio to wrk\n")
    print(f"{'at a time':>9} {'wrk':>8} " + " ".join(f"{name:>14}" for name, _ in peers)
          + f" {'llmroute':>14} {'with -o':>14}   CPU us a record  + ledger   "
          "MiB (target)")
    for connections in (1, 16, 64, 256, 1024):
        base = wrk(server, connections, options.seconds, folder)
        cells = []
        for _, ask in peers:
            rate = ask and ask(server, connections, min(count, 20000), folder)
            cells.append(f"{rate:8.0f} {rate / base:5.2f}" if rate else f"{'-':>14}")
        took, cpu, peak = batch(options, folder, home, count, connections)
        cells.append(f"{count / took:8.0f} {count / took / base:5.2f}")
        out = f"{folder}/out-{connections}.jsonl"
        resumable, _, _ = batch(options, folder, home, count, connections, "-o", out)
        cells.append(f"{count / resumable:8.0f} {count / resumable / base:5.2f}")
        _, kept, _ = batch(options, folder, home, count, connections,
                           ledger=f"{home}/ledger-{connections}.db")
        print(f"{connections:9} {base:8.0f} {' '.join(cells)}   "
              f"{cpu / count * 1e6:15.1f}  {(kept - cpu) / count * 1e6:8.1f}   "
              f"{peak / 1024:5.1f} ({most_memory(connections, server.tls):.1f})")


def most_memory(transfers, tls):
    """MiB that a batch may take at most, with so many transfers at a time."""
    return 18 + transfers * (96 if tls else 32) / 1024


def memory(options, folder, home):
    print("\npeak memory by records in the input, 64 at a time; targets: "
          f"{most_memory(64, False):.0f} MiB, dry run 8 + 2 a thread")
    for count in (int(n) for n in options.memory.split(",")):
        write_records(f"{folder}/{count}.jsonl", count)
        took, cpu, peak = batch(options, folder, home, count, 64)
        dry = batch(options, folder, home, count, 64, "-n")
        os.unlink(f"{folder}/{count}.jsonl")
        print(f"{count:10}  {peak / 1024:5.1f} MiB  {cpu / count * 1e6:5.1f} us CPU a "
              f"record   dry run {dry[2] / 1024:5.1f} MiB")


def dry_run(options, folder, home):
    count = 4 * options.records
    path = f"{folder}/{count}.jsonl"
    write_records(path, count)
    size = os.path.getsize(path) / 1e6
    print(f"\ndry run over {size:.0f} MB, {count} records")
    rows = [("wc -l", ["wc", "-l", path]),
            ("jq .id", ["jq", ".id", path])]
    env = {"PATH": os.environ["PATH"], "HOME": home}
    command = [options.binary, "batch", "-n", "-q", "-c", f"{home}/config.toml", path]
    rows += [("llmroute batch -n, one core", ON_THE_OTHER_CORE + command),
             ("llmroute batch -n", command)]
    for name, argv in rows:
        if not shutil.which(argv[0]):
            continue
        best = min((measured(argv, env) for _ in range(3)), key=lambda row: row[0])
        print(f"  {name:28} {size / best[0]:8.1f} MB/s (CPU {size / best[1]:.0f})  "
              f"{best[0] / count * 1e6:7.2f} us a record  "
              f"{best[2] / 1024:5.1f} MiB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(ROOT / "build/release/llmroute"))
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--records", type=int, default=60000)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--memory", default="1000,100000,1000000")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder, options.tls)
        home = f"{folder}/home"
        os.mkdir(home)
        config = pathlib.Path(home, "config.toml")
        ca = f'ca_file = "{server.ca}"' if options.tls else ""
        config.write_text(CONFIG.format(url=server.url, ca=ca))
        config.chmod(0o600)
        try:
            requests(options, server, folder, home)
            if options.memory:
                memory(options, folder, home)
        finally:
            server.stop()
        dry_run(options, folder, home)


if __name__ == "__main__":
    main()
