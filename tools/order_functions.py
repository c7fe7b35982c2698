#!/usr/bin/env python3
"""Makes cmake/start_order.ld: a linker script that puts the functions which short
commands touch side by side, so that few pages are read to start.

    cmake --preset release && ninja -C build/release llmroute llmroute-stub
    tools/order_functions.py [--build build/release] > cmake/start_order.ld

The program is linked again with a map of its sections, each command below is run
under valgrind's callgrind, and what the functions seen lie in is listed, once, in
the order of the commands. Nothing depends on the list being right: sections that
are no longer there are ignored, new ones are left where the linker puts them. So
it is made again only if start-up has become slower (bench/startup.py).
"""

import argparse
import bisect
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
HEAD = """\
/* Made by tools/order_functions.py: what short commands touch lies side by side.
   Added to the linker's own script. */
SECTIONS
{
  .text.start :
  {
"""
TAIL = """\
  }
}
INSERT BEFORE .text;
"""


def link(build, folder):
    """The program and where its sections are: [(address, size, name)], sorted."""
    command = subprocess.run(["ninja", "-C", build, "-t", "commands", "llmroute"],
                             check=True, capture_output=True,
                             text=True).stdout.splitlines()[-1]
    words = [word for word in shlex.split(command)
             if word not in (":", "&&") and "start_order" not in word]
    binary = words[words.index("-o") + 1] = f"{folder}/llmroute"
    subprocess.run(words + [f"-Wl,-Map={folder}/map"], check=True, cwd=build)
    text = pathlib.Path(folder, "map").read_text(encoding="utf-8")
    sections = re.findall(r"^ (\.text\.\S+)\s+0x(\w+)\s+0x(\w+) \S", text, re.M)
    return binary, sorted((int(address, 16), int(size, 16), name)
                          for name, address, size in sections if int(size, 16))


def addresses(binary):
    """Name of a function -> where functions of that name begin."""
    found = {}
    lines = subprocess.run(["nm", binary], check=True, capture_output=True, text=True)
    for line in lines.stdout.splitlines():
        address, _, kind, name = re.match(r"(\w*)( *)(\S) (\S+)", line).groups()
        if kind in "tTwWi" and address:
            found.setdefault(name, []).append(int(address, 16))
    return found


def touched(binary, arguments, folder, env):
    """Names of the program's functions that a command runs."""
    profile = pathlib.Path(folder, "profile")
    subprocess.run(
        ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={profile}",
         "--demangle=no", "--compress-strings=no", "--compress-pos=no", binary,
         *arguments], check=True, cwd=folder, env=env, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL)
    names, ours = set(), False
    for line in profile.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key == "ob":
            ours = value == binary
        elif key == "fn" and ours:
            names.add(value.partition("'")[0])  # 'N: a level of recursion
    return names


def start_stub(build, folder):
    """A provider on loopback, and a configuration that names it."""
    stub = subprocess.Popen([build / "tests/stub/llmroute-stub", "--exit-with-stdin"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    port = json.loads(stub.stdout.readline())["port"]
    config = pathlib.Path(folder, "config.toml")
    config.write_text((ROOT / "examples/quickstart.toml").read_text(encoding="utf-8")
                      .replace("@PORT@", str(port)), encoding="utf-8")
    config.chmod(0o600)
    return stub, str(config)


def commands(folder, config):
    prompts = sorted((ROOT / "examples/prompts").iterdir())
    records = pathlib.Path(folder, "in.jsonl")
    records.write_text("".join(
        json.dumps({"id": str(i), "prompt": path.read_text(encoding="utf-8")}) + "\n"
        for i, path in enumerate(prompts)), encoding="utf-8")
    yield ["--version"]
    yield ["__complete", "models", "cl"]
    for path in prompts:
        yield ["explain", "--no-stdin", "-p", path.read_text(encoding="utf-8")]
    yield ["explain", "-c", config, "--json", "hello"]
    yield ["run", "-c", config, "-m", "cheap", "-p", "hello"]
    yield ["run", "-c", config, "hello"]
    yield ["batch", "-n", "-c", config, str(records)]
    for words in (["--help"], ["explain", "-h"], ["models"]):
        yield words


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    build = parser.parse_args().build.resolve()
    with tempfile.TemporaryDirectory() as folder:
        binary, sections = link(build, folder)
        starts = [address for address, _, _ in sections]
        functions = addresses(binary)
        stub, config = start_stub(build, folder)
        env = {"PATH": os.environ["PATH"], "HOME": folder, "OPENAI_API_KEY": "unused"}
        listed, size = {}, 0
        for arguments in commands(folder, config):
            places = sorted(at for name in touched(binary, arguments, folder, env)
                            for at in functions.get(name, []))
            for at in places:
                address, length, name = sections[bisect.bisect(starts, at) - 1]
                if address <= at < address + length and name not in listed:
                    listed[name] = True
                    size += length
            print(f"{arguments[0]}: {len(listed)} sections, {size >> 10} KiB",
                  file=sys.stderr)
        stub.stdin.close()
        stub.wait()
    print(HEAD + "".join(f"    *({name})\n" for name in listed) + TAIL, end="")


if __name__ == "__main__":
    main()
