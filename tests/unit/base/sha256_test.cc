#include "base/sha256.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

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

TEST_CASE("a fingerprint is the first half of the digest") {
  CHECK(hex(fingerprint("abc")) == "ba7816bf8f01cfea414140de5dae2223");
}

}  // namespace llmroute::base
