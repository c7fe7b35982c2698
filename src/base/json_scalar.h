// The scalars of JSON text (RFC 8259), as a parser that keeps numbers and
// strings raw leaves them.
#pragma once

#include <string>
#include <string_view>

namespace llmroute::base {

// Section 6: no plus, no leading zero, digits on both sides of the point.
bool is_json_number(std::string_view token);

enum class Unescaped { kText, kLoneSurrogate, kBad };

// Appends what stands between the quotes of a JSON string, its escapes
// resolved; never longer than it was. Half of a surrogate pair (\ud83d alone)
// is kept in its three-byte form (ED A0 BD), which is not UTF-8. kBad: an
// escape that is none; `out` then holds a part. Control characters and UTF-8
// are not checked.
Unescaped append_unescaped(std::string& out, std::string_view between_quotes);

}  // namespace llmroute::base
