"""What the tests of providers and their faults share."""

import functools

import harness

PROTOCOLS = ("openai-chat", "openai-responses", "anthropic", "gemini", "ollama")


def each_protocol(test):
    """Runs a test method once for each protocol, as subtests."""
    @functools.wraps(test)
    def run(self):
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                test(self, protocol)
    return run


class ProviderCase(harness.TestCase):
    """Asks one model, `m`, of one stub, through one protocol."""

    def ask(self, rules, protocol="openai-chat", args=(), *, model=None,
            provider=None, extra="", stub=None, prompt="Say hi", **options):
        """Runs the binary once. The rules answer POST requests only, so that a
        listing of local models is always there. Returns (result, stub)."""
        stub = stub or self.served(rules)
        config = harness.stub_config(
            stub, {"m": {"protocol": protocol} | (model or {})},
            provider_fields=provider, extra=extra)
        result = self.run_llmroute(["run", "-m", "m", *args, "-p", prompt],
                                   config=config, **options)
        return result, stub

    def served(self, rules, **options):
        return self.stub([{"method": "POST"} | rule for rule in rules],
                         models=["m"], **options)

    def answered(self, rules, text, protocol="openai-chat", args=(), **options):
        """The answer is exactly this text, with status 0."""
        result, stub = self.ask(rules, protocol, args, **options)
        self.assert_status(result, 0)
        self.assertEqual(result.out.decode(), text)
        return result, stub

    def fails(self, rules, status, message, protocol="openai-chat", args=(),
              *, out=b"", **options):
        """It ends with this status, stdout and words on stderr."""
        result, stub = self.ask(rules, protocol, args, **options)
        self.assert_status(result, status)
        self.assertEqual(result.out, out)
        self.assertIn(message, result.err)
        return result, stub

    def posts(self, stub):
        return [r for r in stub.requests() if r.method == "POST"]

    def asked(self, stub, times):
        self.assertEqual(len(self.posts(stub)), times)


def attempts(result):
    """Of a run with --json: (status, class, cause) of each attempt."""
    return [(a["status"], a.get("class"), a.get("cause"))
            for a in result.json()["attempts"]]
