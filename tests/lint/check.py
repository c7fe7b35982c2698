"""The checks of tests/lint/run that need no tool: layers, libraries, banned
names, sizes of files and functions, traces of one machine.

Every check is a function from (path, text) to (line, message) pairs. --self-test
runs each on text that it must find fault with, and on text that it must not.
"""

import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# --- what is allowed ---------------------------------------------------------

# A layer may include itself and those to its right. Those in the middle do not
# know of one another: app composes them.
MIDDLE = ("config", "analyzer", "routing", "learning", "provider", "batch",
          "store")
BELOW = {"base": (), "core": ("base",)}
BELOW |= {layer: ("core", "base") for layer in MIDDLE}
BELOW["app"] = MIDDLE + ("core", "base")
BELOW["cli"] = ("app",) + BELOW["app"]
BELOW["main"] = ("cli",) + BELOW["cli"]

# Header of a library -> the files that wrap it.
LIBRARIES = {
    r"CLI/": r"src/cli/parse\.cc",
    r"toml\+\+/": r"src/config/read\.cc",
    r"curl/": r"(src|tests/unit)/provider/(curl_\w+|transport_test)\.(cc|h)|"
              r"src/provider/absent_libraries\.c",
    r"re2/": r"src/(routing/pattern_set|core/text_pattern)\.cc",
    r"simdjson": r"src/base/simdjson_library\.cc|src/base/json_text\.cc|"
                 r"src/(learning|batch)/\w+\.cc|tests/stub/.*|tests/unit/.*",
    r"zlib": r"(src|tests/unit)/learning/\w+\.cc",
    r"sqlite3": r"src/store/sqlite_library\.h",
    r"openssl/": r"tests/stub/.*|src/provider/absent_libraries\.c",
    r"dlfcn": r"src/(base|provider|store)/\w+_library\.cc",
    r"doctest/": r"tests/unit/.*",
}

# Pattern -> (what to use, the files that may).
NOWHERE = r"(?!)"
BANNED = {
    r"\b(atoi|atol|atof|strto(l|ll|ul|ull|d|f)|sto(i|l|ll|ul|d|f))\s*\(":
        ("std::from_chars, base/text.h", NOWHERE),
    r"\bv?sprintf\s*\(": ("fmt", NOWHERE),
    r"\bstrtok\s*\(": ("base::split", NOWHERE),
    r"\b(system|popen)\s*\(": ("argv without a shell", NOWHERE),
    r"\b(rand|srand|random_shuffle)\s*\(": ("<random> with a seed", NOWHERE),
    r"\bstd::regex\b|#include <regex>": ("RE2", NOWHERE),
    r"#include <(iostream|fstream|sstream|iomanip)>|\bstd::(cout|cerr|clog)\b":
        ("fmt, base/files.h", r"tests/.*"),
    r"\busing namespace\b": ("qualified names", NOWHERE),
    r"\b(getenv|setenv|unsetenv|putenv)\s*\(":
        ("base::Environment",
         r"src/base/environment\.cc|src/provider/preload\.cc|tests/.*"),
    r"\b(printf|puts|fputs|fprintf)\s*\(":
        ("app/output, app/messages",
         r"src/base/\w+_library\.cc|tools/.*|tests/.*"),
    r"(?<![\w.>])(_?exit|quick_exit|abort)\s*\(":
        ("a status that is returned",
         r"src/main\.cc|src/app/interrupt\.cc|src/analyzer/analyzer\.cc|"
         r"src/base/\w+_library\.cc|tools/.*|tests/.*"),
    r"\bshared_ptr\b": ("one owner", NOWHERE),
    r"\b(const|static|reinterpret)_cast<[^>]*>\s*\(\s*malloc|\bmalloc\s*\(":
        ("values and unique_ptr", r"tests/shim/.*"),
}

MOST_LINES = 600
TABLES = ("src/config/fields.cc", "src/config/schema.h", "src/cli/options.cc")
MOST_FUNCTION_LINES = 60

# What belongs to one machine or one workplace, not to the project.
TRACES = {
    r"(?<![\w.~$}])/(work|root|Users)/\w": "a path of one machine",
    r"(?<![\w.~$}/])/home/(?!you\b|user\b|me\b)\w": "a path of one machine",
    r"\b(registry\.npmjs\.org|pypi\.org|crates\.io|proxy\.golang\.org)\b":
        "the host of a package registry",
    r"\b[Ii]ssue #?\d+|\(#\d+\)": "the number of an issue",
}

# --- reading -----------------------------------------------------------------

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/'
    r'|R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.S)


def code_of(text):
    """`text` without comments and contents of literals; lines stay where they
    are. Names in #include lines are kept."""
    def blank(match):
        token = match.group()
        start = text.rfind("\n", 0, match.start()) + 1
        if text[start:match.start()].lstrip().startswith("#include"):
            return token
        quote = '""' if token[0] in '"R' else ""
        return quote + "\n" * token.count("\n")
    return TOKEN.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


# --- checks ------------------------------------------------------------------

def layer_of(path):
    match = re.match(r"src/(\w+)/", path)
    if match:
        return match[1]
    return "main" if path == "src/main.cc" else None


def check_layers(path, text):
    layer = layer_of(path)
    if layer is None:
        return
    if layer not in BELOW:
        yield 1, f"'{layer}' is not a layer: add it to tests/lint/check.py"
        return
    for match in re.finditer(r'#include "(\w+)/', code_of(text)):
        if match[1] != layer and match[1] not in BELOW[layer]:
            yield line_of(code_of(text), match.start()), (
                f"{layer} does not include {match[1]}")


def check_libraries(path, text):
    code = code_of(text)
    for match in re.finditer(r"#include <([^>]+)>", code):
        for library, files in LIBRARIES.items():
            if re.match(library, match[1]) and not re.fullmatch(files, path):
                yield line_of(code, match.start()), (
                    f"<{match[1]}> is included by the file that wraps it only")


def check_banned(path, text):
    code = code_of(text)
    for pattern, (instead, files) in BANNED.items():
        if re.fullmatch(files, path):
            continue
        for match in re.finditer(pattern, code):
            yield line_of(code, match.start()), (
                f"'{match.group().strip()}' is banned; use {instead}")


def check_header(path, text):
    if path.endswith(".h") and "#pragma once" not in text:
        yield 1, "a header begins with #pragma once"


def check_size(path, text):
    lines = text.count("\n")
    if lines > MOST_LINES and path not in TABLES:
        yield lines, f"{lines} lines; split by duty (cap {MOST_LINES})"


def bodies(code):
    """(first line, last line) of every function at namespace or class level."""
    stack, head = [], 0
    for match in re.finditer(r"[{};]", code):
        at = match.start()
        if match.group() == "{":
            before = re.sub(r"^\s*#.*$", "", code[head:at], flags=re.M)
            outside = all(kind == "scope" for kind, _ in stack)
            begin = head + len(code[head:at]) - len(code[head:at].lstrip())
            if not outside or re.match(r"[^(]*[^=!<>]=[^=]", before):
                kind = "block"  # also the value of a constant
            elif re.search(r"\b(namespace|class|struct|union|enum|extern)\b[^()]*$",
                           before):
                kind = "scope"
            else:
                kind = "function" if "(" in before else "block"
            stack.append((kind, begin))
        elif match.group() == "}" and stack:
            kind, begin = stack.pop()
            if kind == "function":
                yield line_of(code, begin), line_of(code, at)
        head = at + 1


def check_functions(path, text):
    if not path.startswith(("src/", "tools/", "tests/stub/")):
        return
    lines = text.split("\n")
    for first, last in bodies(code_of(text)):
        length = last - first + 1
        excused = any("NOLINT" in line for line in lines[max(0, first - 2):first + 1])
        if length > MOST_FUNCTION_LINES and not excused:
            yield first, (f"a function of {length} lines "
                          f"(cap {MOST_FUNCTION_LINES})")


def check_traces(path, text):
    for pattern, what in TRACES.items():
        for match in re.finditer(pattern, text):
            yield line_of(text, match.start()), f"'{match.group()}': {what}"


def check_whitespace(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            yield number, "blanks at the end of the line"
        if "\t" in line and not path.endswith((".md", ".tsv")):
            yield number, "a tab"
    if text and not text.endswith("\n"):
        yield text.count("\n") + 1, "no newline at the end"


TYPE = re.compile(r"^(?:struct|class|enum class) (\w+)(?: final)?(?: :[^;{]*)? \{",
                  re.M)
ANONYMOUS = re.compile(r"^namespace \{\n.*?^\}  // namespace$", re.M | re.S)


def check_types(texts):
    """Of (path, text) pairs: types of one name in one namespace. The linker
    takes their functions for the same."""
    seen = {}
    for path, text in texts:
        code = code_of(ANONYMOUS.sub(
            lambda match: "\n" * match[0].count("\n"), text))
        namespace = re.search(r"^namespace ([\w:]+)", code, re.M)
        for match in TYPE.finditer(code):
            name = f"{namespace[1] if namespace else ''}::{match[1]}"
            other = seen.setdefault(name, path)
            if other != path:
                yield path, line_of(code, match.start()), (
                    f"{name} is another type in {other}")


CODE_CHECKS = (check_layers, check_libraries, check_banned, check_header,
               check_size, check_functions, check_whitespace)
CODE = (".cc", ".h", ".c")
TEXT = CODE + (".py", ".sh", ".md", ".cmake", ".txt", ".toml", ".1", ".5")


def complaints(path, text):
    # What bench/ measures against is not part of the program.
    if path.endswith(CODE) and not path.startswith("bench/"):
        for check in CODE_CHECKS:
            yield from check(path, text)
    if not path.startswith("tests/lint/"):
        yield from check_traces(path, text)


# --- running -----------------------------------------------------------------

SKIPPED = {".git", "build", "corpus"}


def files():
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in SKIPPED]
        for name in names:
            if name.endswith(TEXT) or name == "CMakeLists.txt":
                yield pathlib.Path(folder, name)


def check_all():
    texts = [(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8"))
             for file in sorted(files())]
    found = [(path, line, message) for path, text in texts
             for line, message in complaints(path, text)]
    found += check_types((path, text) for path, text in texts
                         if path.startswith("src/") and path.endswith(CODE))
    for path, line, message in found:
        print(f"{path}:{line}: {message}")
    return len(found)


# path, text, what the complaint must say; None: there must be none.
LONG = "int f() {\n" + "  g();\n" * 60 + "}\n"
SAMPLES = (
    ("src/core/a.cc", '#include "app/run.h"\n', "core does not include app"),
    ("src/config/a.cc", '#include "routing/router.h"\n', "does not include"),
    ("src/strange/a.cc", "\n", "is not a layer"),
    ("src/main.cc", '#include "cli/program.h"\n', None),
    ("src/app/a.cc", '#include "provider/call.h"\n', None),
    ("src/app/a.cc", "#include <curl/curl.h>\n", "the file that wraps it"),
    ("src/provider/curl_transport.cc", "#include <curl/curl.h>\n", None),
    ("bench/peer.c", "#include <curl/curl.h>\n", None),
    ("src/app/a.cc", "int n = std::stoi(text);\n", "stoi"),
    ("src/app/a.cc", "int n = atoi(text);\n", "atoi"),
    ("src/app/a.cc", "using namespace std;\n", "using namespace"),
    ("src/app/a.cc", "#include <iostream>\n", "iostream"),
    ("src/app/a.cc", "std::regex r;\n", "std::regex"),
    ("src/app/a.cc", "const char* v = std::getenv(name);\n", "getenv"),
    ("src/app/a.cc", "unsetenv(name);\n", "unsetenv"),
    ("src/app/a.cc", "std::exit(1);\n", "exit"),
    ("src/app/a.cc", "printf(format);\n", "printf"),
    ("src/app/a.cc", "std::shared_ptr<int> p;\n", "shared_ptr"),
    ("src/app/a.cc", '// atoi( is banned\nconst char* t = "rand()";\n', None),
    ("src/app/a.cc", 'auto t = R"x(\nsystem("a");)x";\n', None),
    ("src/app/a.cc", "int branding(int);\n", None),
    ("src/app/a.h", "int a;\n", "#pragma once"),
    ("src/app/a.cc", "int a;\n" * 601, "601 lines"),
    ("src/app/a.cc", "int a;\n" * 600, None),
    ("src/app/a.cc", LONG, "a function of 62 lines"),
    ("src/app/a.cc", "namespace b {\nclass C {\n" + LONG + "};\n}\n", "62 lines"),
    ("src/app/a.cc", "// NOLINT: a table\n" + LONG, None),
    ("src/app/a.cc", "constexpr R kRows[] = {\n" + "  {f(1)},\n" * 90 + "};\n",
     None),
    ("src/app/a.cc", "auto kRows = f<R>({\n" + "  {f(1)},\n" * 90 + "});\n", None),
    ("src/app/a.cc", LONG.replace("f()", "f(int a = 1)"), "62 lines"),
    ("src/app/a.cc", "int a; \n", "blanks at the end"),
    ("src/app/a.cc", "\tint a;\n", "a tab"),
    ("src/app/a.cc", "int a;", "no newline"),
    ("README.md", "see /" + "work/main\n", "a path of one machine"),
    ("README.md", "~/.config/llmroute, /home/you/x\n", None),
    ("README.md", "fixes issue " + "12\n", "the number of an issue"),
    ("README.md", "from pypi" + ".org\n", "package registry"),
)


# Two files; whether their types are at odds.
PAIRS = (
    ("namespace a::b {\nstruct S {\n};\n}\n",
     "namespace a::b {\nclass S : T {\n};\n}\n", True),
    ("namespace a::b {\nstruct S {\n};\n}\n",
     "namespace a::c {\nstruct S {\n};\n}\n", False),
    ("namespace a {\nstruct S {\n};\n}\n",
     "namespace a {\nstruct S;\nnamespace {\nstruct S {\n};\n}  // namespace\n}\n",
     False),
)


def self_test():
    failures = 0
    for one, other, at_odds in PAIRS:
        texts = (("src/app/a.h", one), ("src/app/b.cc", other))
        if bool(list(check_types(texts))) != at_odds:
            failures += 1
            print(f"{one!r}, {other!r}: types at odds: expected {at_odds}")
    for path, text, expected in SAMPLES:
        messages = [message for _, message in complaints(path, text)]
        good = (not messages if expected is None
                else any(expected in message for message in messages))
        if not good:
            failures += 1
            print(f"{path}: {text[:60]!r}: expected {expected!r}, got {messages}")
    print(f"{len(SAMPLES) + len(PAIRS)} samples, {failures} wrong")
    return failures


if __name__ == "__main__":
    sys.exit(1 if (self_test() if "--self-test" in sys.argv else check_all()) else 0)
