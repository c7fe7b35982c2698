"""Small router model files for tests, written byte by byte as the table in
src/analyzer/model_file.h has it.

    python3 tests/cli/router_model.py      writes the seeds of the fuzz target
"""

import hashlib
import pathlib
import struct

VERSION = 4
DENSE = 80
HEADS = ("code", "agentic", "math", "reasoning", "knowledge", "writing", "chat", "text",
         "tools", "difficulty", "hard-math", "hard-code", "hard-know", "hard-open",
         "length", "unused")
DOMAINS = 9

# Where things begin.
DIGEST, CRC, TABLES, SCALE, BIAS, BASE, WEIGHTS = 64, 112, 128, 384, 448, 512, 576
SEEN = WEIGHTS + 4 * DENSE * len(HEADS)
OWN_SIZE = 64 + 4 + 4 * (len(HEADS) + DENSE)


def crc_table():
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82f63b78 if byte & 1 else 0)
        yield byte


CRC_TABLE = list(crc_table())


def crc32c(data):
    total = 0xffffffff
    for byte in data:
        total = total >> 8 ^ CRC_TABLE[(total ^ byte) & 255]
    return ~total & 0xffffffff


def with_crc(data):
    """The bytes with the CRC that belongs to them."""
    return put(data, CRC, "I", crc32c(data[:CRC] + data[CRC + 4:]))


def sealed(data):
    """The bytes with the checksums that belong to them."""
    data = bytes(data)
    digest = hashlib.sha256(data[:DIGEST] + data[DIGEST + 32:CRC] + data[CRC + 4:]).digest()
    return with_crc(data[:DIGEST] + digest + data[DIGEST + 32:])


def put(data, offset, layout, *values):
    """The bytes with numbers written into them; the checksums are then wrong."""
    data = bytearray(data)
    struct.pack_into("<" + layout, data, offset, *values)
    return bytes(data)


def make(bucket_bits=4, seen_bits=5, own=None, salt=0):
    """A valid model. own: name -> bias of its head; salt: for another model."""
    own = own or {}
    tables = b"".join(name.encode().ljust(16, b"\0") for name in HEADS)
    count = len(HEADS)
    tables += struct.pack(f"<{count}f", *[0.01 + 0.001 * h for h in range(count)])
    tables += struct.pack(f"<{count}f", *[(h + salt) % 5 / 4 - 0.5 for h in range(count)])
    tables += struct.pack("<16f", *[d / 8 - 0.5 if d < DOMAINS else 0 for d in range(16)])
    tables += struct.pack(f"<{count * DENSE}f",
                          *[(i * 7 + salt) % 11 / 50 - 0.1 for i in range(count * DENSE)])
    tables += bytes((255 - i * 37 - salt) % 256 for i in range(2 ** seen_bits // 8))
    tables += bytes((i * 29 + salt) % 256 for i in range(2 ** bucket_bits * count))
    for name, bias in own.items():
        tables += name.encode().ljust(64, b"\0")
        tables += struct.pack(f"<{1 + count + DENSE}f", bias,
                              *[0.0] * (count + DENSE))
    header = struct.pack(
        "<8sIIQIIIIIIQQ32sffI20s", b"LLMRMODL", 0x01020304, VERSION, TABLES + len(tables),
        count, DENSE, DOMAINS, bucket_bits, seen_bits, 8, 7, 100, b"", 1.25, 1.5, len(own),
        b"")
    return sealed(header + tables)


def write_seeds(directory):
    whole = make()
    seeds = {"plain": whole, "own_heads": make(own={"first": 0.5, "vendor/second": -0.25}),
             "cut": whole[:3000], "head": whole[:TABLES],
             "older_version": sealed(put(whole, 12, "I", VERSION - 1)),
             "text": b"not a model\n"}
    for name, data in seeds.items():
        (directory / name).write_bytes(data)


if __name__ == "__main__":
    write_seeds(pathlib.Path(__file__).resolve().parents[1] / "fuzz/corpus/model_file")
