// Whether others could have written a file: what names hosts and commands, or
// keeps account of money, must be ours.
#pragma once

#include <sys/stat.h>

namespace llmroute::base {

// Ours or root's.
bool owner_is_safe(const struct stat& info);

bool others_can_write(const struct stat& info);

// Nobody else can replace what lies in it: not writable by others, or sticky
// and root's, such as /tmp.
bool directory_is_safe(const struct stat& info);

}  // namespace llmroute::base
