// Which process holds money, so that others can tell when it has died, also
// after its number went to another process.
#pragma once

#include <string>

namespace llmroute::store {

// This process: boot, number and start time. Source of the latter: field 22 of
// /proc/PID/stat, proc(5). Without /proc they are empty.
std::string this_process();

// False if that process is certain to have ended. One of another machine or
// another boot has.
bool may_be_alive(const std::string& owner);

}  // namespace llmroute::store
