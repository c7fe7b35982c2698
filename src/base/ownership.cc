#include "base/ownership.h"

#include <unistd.h>

namespace llmroute::base {

bool owner_is_safe(const struct stat& info) {
  return info.st_uid == 0 || info.st_uid == ::geteuid();
}

bool others_can_write(const struct stat& info) {
  return (info.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

bool directory_is_safe(const struct stat& info) {
  if (!owner_is_safe(info)) return false;
  if (!others_can_write(info)) return true;
  return info.st_uid == 0 && (info.st_mode & S_ISVTX) != 0;
}

}  // namespace llmroute::base
