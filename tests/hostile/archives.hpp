// Archives as attackers write them: tar streams with any names and types, and images around them.
//
// Functions and values; they belong to the town's thread.
#pragma once

#include "orders.hpp"

namespace sp::hostile {

/// An entry of a tar archive, as hostile as wanted.
struct Entry {
  std::string name;
  char type = '0';
  std::string content = {};
  std::string link = {};
};

std::string tar_of(const std::vector<Entry>& entries);

/// An image of one layer with these settings ("Entrypoint", ...), as the customer's own upload.
Sealed image_of(Shop& shop, const std::string& layer, const Json& settings);

/// Writes a file, and the folders above it.
void write_text(const Path& path, const std::string& text);

}  // namespace sp::hostile
