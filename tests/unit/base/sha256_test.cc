#include "base/sha256.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/sha256_blocks.h"

namespace llmroute::base {

// FIPS 180-4 examples and lengths around the padding's edges.
TEST_CASE("digests are those of the standard") {
  CHECK(hex(sha256("")) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(sha256("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(
      hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hex(sha256(std::string(1'000'000, 'a'))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a digest does not depend on how the bytes are cut") {
  std::string bytes;
  for (int i = 0; i < 300; ++i) bytes += static_cast<char>(i * 7);
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string_view text = std::string_view(bytes).substr(0, size);
    for (size_t cut = 0; cut <= size; cut += 13) {
      Sha256 hash;
      hash.update(text.substr(0, cut));
      hash.update(text.substr(cut, 5));
      hash.update(text.substr(std::min(cut + 5, size)));
      CAPTURE(size);
      CAPTURE(cut);
      REQUIRE(hash.finish() == sha256(text));
    }
  }
}

TEST_CASE("the machine's own instructions do what the standard says") {
  std::array<uint8_t, 64 * 7> bytes{};
  Sha256State plain{1, 2, 3, 4, 5, 6, 7, 0xffffffff}, fast = plain;
  for (uint32_t turn = 0; turn < 200; ++turn) {
    for (size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<uint8_t>((turn + 1) * (i * i + 3) >> (i % 5));
    }
    sha256_blocks_portable(plain, bytes.data(), turn % 8);
    sha256_blocks()(fast, bytes.data(), turn % 8);
    REQUIRE(plain == fast);
  }
}

TEST_CASE("a fingerprint is the first half of the digest") {
  CHECK(hex(fingerprint("abc")) == "ba7816bf8f01cfea414140de5dae2223");
}

// Source of the values: RFC 4231, test cases 1, 2 and 6.
TEST_CASE("keyed digests are those of the standard") {
  CHECK(hex(HmacSha256(std::string(20, '\x0b')).of("Hi There")) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hex(HmacSha256("Jefe").of("what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex(HmacSha256(std::string(131, '\xaa'))
                .of("Test Using Larger Than Block-Size Key - Hash Key "
                    "First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("a key makes the same digest of the same message again") {
  const HmacSha256 keyed("Jefe");
  const auto first = keyed.of("what do ya want for nothing?");
  CHECK(keyed.of("something else") != first);
  CHECK(keyed.of("what do ya want for nothing?") == first);
}

}  // namespace llmroute::base
