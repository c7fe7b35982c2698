// The output file OUT of a batch while it is being made: OUT.part grows in
// input order and takes OUT's name when it is whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/files.h"
#include "base/result.h"
#include "base/sha256.h"
#include "batch/output_digest.h"

namespace llmroute::batch {

// What becomes of an OUT that is there already.
enum class ExistingOutput : uint8_t {
  kRefuse,   // nothing: kCannotCreate
  kCompare,  // for a resumed batch, which may have been killed after it
             // published OUT: accepted if it is the same in the end
  kReplace,  // --force
};

// Before anything is created: a directory, or an OUT that may not be replaced,
// is kCannotCreate.
base::Status check_target(const std::string& out, ExistingOutput existing);

// One thread. Nothing is removed when it goes away: the next run makes the part
// anew from the journal.
class PartFile {
 public:
  // Creates OUT.part, which is locked until it is published; what is there is
  // dropped, but a link is refused. Where OUT is a link, both names are those
  // of its target. A FIFO or a device is written directly. A directory, an
  // existing OUT by `existing`, or nowhere to create it: kCannotCreate. Another
  // process writes it: kTryLater.
  static base::Result<PartFile> create(const std::string& out,
                                       ExistingOutput existing);

  // Appends the line and an LF, buffered up to 64 KiB. Failed: kIo; the part
  // is then of no use.
  base::Status write_line(std::string_view line);
  // Hands on what is buffered, so that `tail -f OUT.part` shows it.
  base::Status flush();
  // Flushes, syncs, renames, syncs the directory. Failed: kIo, or kCannotCreate
  // if there is an OUT that may not be replaced; the whole part is kept and
  // named. Ends the object's use.
  base::Result<OutputDigest> publish();

  // A FIFO or a device, which keeps nothing.
  bool in_place() const { return file_.in_place(); }
  // Where lines go now: OUT.part, or OUT itself if it is written directly.
  const std::string& path() const {
    return file_.in_place() ? file_.target() : file_.temporary();
  }

 private:
  PartFile(base::ReplacementFile file, ExistingOutput existing)
      : file_(std::move(file)), existing_(existing) {}
  base::Status check_existing(const OutputDigest& digest) const;

  base::ReplacementFile file_;
  ExistingOutput existing_;
  std::string buffer_;
  base::Sha256 hash_;
  int64_t size_ = 0;  // of what was handed on
};

}  // namespace llmroute::batch
