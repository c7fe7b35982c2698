// Stands in for libFuzzer's main: runs the target once on every file of the
// folders given, so that every build replays the corpora.
#include <dirent.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "base/files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

int replay_folder(const std::string& folder) {
  DIR* entries = opendir(folder.c_str());
  if (entries == nullptr) return 0;
  int count = 0;
  while (const dirent* entry = readdir(entries)) {
    if (entry->d_name[0] == '.') continue;
    const auto text = llmroute::base::read_file(folder + "/" + entry->d_name,
                                                size_t{64} << 20);
    if (!text) continue;
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(text->data()),
                           text->size());
    ++count;
  }
  closedir(entries);
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  int count = 0;
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] != '-') count += replay_folder(argv[i]);
  }
  std::printf("replayed %d inputs\n", count);
  return count > 0 ? 0 : 1;
}
