"""What the tests of `batch` share."""

import json

import harness


def lines(*records):
    """Records as JSON lines; text stands as it is."""
    return "".join((r if isinstance(r, str) else json.dumps(r)) + "\n"
                   for r in records)


def prompts(count, text="say {}"):
    return lines(*({"prompt": text.format(i)} for i in range(1, count + 1)))


def openai(custom_id, text, **body):
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions",
            "body": {"messages": [{"role": "user", "content": text}], **body}}


class BatchCase(harness.TestCase):
    """Asks one model, `m`, of one stub, unless a config says otherwise."""

    def config(self, stub, models=None, **options):
        return harness.stub_config(stub, models or {"m": {}}, **options)

    def batch(self, stub, args=(), stdin=None, *, config=None, models=None,
              provider=None, extra="", **options):
        if config is None:
            config = self.config(stub, models, provider_fields=provider, extra=extra)
        return self.run_llmroute(["batch", *args], stdin=stdin, config=config,
                                 **{"timeout": 120} | options)

    def results(self, result, status=0):
        """The result lines of a run that ended with this status."""
        self.assert_status(result, status)
        return parse(result.out)

    def posts(self, stub):
        return [r for r in stub.requests() if r.method == "POST"]


def parse(data):
    return [json.loads(line) for line in data.splitlines()]


def codes(results):
    """The error code of each, None where there is none."""
    return [r["error"] and r["error"]["code"] for r in results]


def texts(results):
    return [r["text"] for r in results]
