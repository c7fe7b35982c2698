// The spill file: whatever stands in it, the ledger takes whole rows or none,
// and its counters stay the sums of its rows.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/files.h"
#include "store/ledger.h"
#include "store/ledger_file.h"
#include "store/spill.h"
#include "store/upkeep.h"

namespace {

namespace store = llmroute::store;
namespace base = llmroute::base;

struct Home {
  std::string folder =
      std::filesystem::temp_directory_path() / "llmroute-spill-XXXXXX";
  Home() {
    if (::mkdtemp(folder.data()) == nullptr) std::abort();
  }
  ~Home() { std::filesystem::remove_all(folder); }
};

void write(const std::string& path, std::string_view text) {
  const base::Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
  if (base::write_all(file.get(), text) != 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Home home;
  const auto path = store::ledger_path(home.folder + "/ledger.db");
  auto ledger = store::Ledger::open(*path, {});
  if (!ledger) std::abort();
  write(*path + ".spill", {reinterpret_cast<const char*>(data), size});
  if (store::import_spilled(*ledger)) {
    if (std::filesystem::file_size(*path + ".spill") != 0) std::abort();
    const auto wrong = store::recount(*ledger);
    if (!wrong || !wrong->empty()) std::abort();
  }
  if (!ledger->database().execute("DELETE FROM attempts_apart; DELETE FROM "
                                  "decisions; DELETE FROM scopes;"
                                  "DELETE FROM daily")) {
    std::abort();
  }
  return 0;
}
