// `spnode check`: whether a daemon would start with its settings, without starting it.
#pragma once

#include <string>
#include <vector>

#include "base/files.hpp"

namespace sp::apps {

/// All that is wrong with the settings of a role ("store", "broker", "provider"), one text each:
/// the file, keys and certificates, folders and programs that it names. Empty where nothing is.
/// Paths in the settings are relative to the folder of this process.
std::vector<std::string> check_settings(const std::string& role, const Path& path);

}  // namespace sp::apps
