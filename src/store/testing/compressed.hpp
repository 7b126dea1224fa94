// What a file's owner may have compressed, for tests and fuzz targets of what undoes it.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace sp::store::testing {

/// `plain` and as many zeros behind it, through one of libarchive's filters, such as
/// ARCHIVE_FILTER_GZIP.
inline Bytes compressed(ByteView plain, int filter, std::size_t zeros = 0) {
  Bytes stored;
  const auto take = [](archive*, void* to, const void* bytes, std::size_t size) {
    append(*static_cast<Bytes*>(to), {static_cast<const std::uint8_t*>(bytes), size});
    return static_cast<la_ssize_t>(size);
  };
  archive* writer = archive_write_new();
  SP_CHECK(archive_write_set_format_raw(writer) == ARCHIVE_OK);
  SP_CHECK(archive_write_add_filter(writer, filter) == ARCHIVE_OK);
  SP_CHECK(archive_write_set_bytes_per_block(writer, 0) == ARCHIVE_OK);
  SP_CHECK(archive_write_open(writer, &stored, nullptr, take, nullptr) == ARCHIVE_OK);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  SP_CHECK(archive_write_header(writer, entry) == ARCHIVE_OK);
  archive_entry_free(entry);
  const auto write = [writer](ByteView bytes) {
    SP_CHECK(archive_write_data(writer, bytes.data(), bytes.size()) ==
             static_cast<la_ssize_t>(bytes.size()));
  };
  write(plain);
  const Bytes nothing(std::min(zeros, std::size_t{1} << 20));
  for (; zeros > 0; zeros -= std::min(zeros, nothing.size())) {
    write(ByteView(nothing).first(std::min(zeros, nothing.size())));
  }
  SP_CHECK(archive_write_close(writer) == ARCHIVE_OK);
  archive_write_free(writer);
  return stored;
}

}  // namespace sp::store::testing
