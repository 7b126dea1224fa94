#include "store/tar_reader.hpp"

#include <archive.h>

#include <cerrno>

#include "store/tree.hpp"

namespace sp::store {
namespace {

constexpr std::size_t kBufferSize = 256 << 10;

}  // namespace

void ArchiveFree::operator()(archive* reader) const { archive_read_free(reader); }

struct TarReader::Feed {
  static la_ssize_t read(archive* reader, void* context, const void** block) {
    TarReader& self = *static_cast<TarReader*>(context);
    auto got = self.tar_.read(self.buffer_);
    if (!got) {
      self.failure_ = got.error();
      archive_set_error(reader, EIO, "the source failed");
      return -1;
    }
    self.ended_ = *got == 0;
    if (self.in_header_ && (self.header_size_ += *got) > kTarHeaderMax) {
      self.failure_ = Error{Errc::too_large, "tar: an entry's header has more than " +
                                                 std::to_string(kTarHeaderMax) + " bytes"};
      archive_set_error(reader, ENOMEM, "too large");
      return -1;
    }
    *block = self.buffer_.data();
    return static_cast<la_ssize_t>(*got);
  }
};

TarReader::TarReader(ByteSource& tar)
    : tar_(tar), buffer_(kBufferSize), reader_(archive_read_new()) {
  SP_CHECK(reader_ != nullptr);
  SP_CHECK(archive_read_support_format_tar(reader_.get()) == ARCHIVE_OK);
}

Status TarReader::open() {
  const int code = archive_read_open(reader_.get(), this, nullptr, &Feed::read, nullptr);
  return code == ARCHIVE_OK ? Status{} : failure();
}

Result<archive_entry*> TarReader::next() {
  archive_entry* entry = nullptr;
  in_header_ = true;
  header_size_ = 0;
  const int code = archive_read_next_header(reader_.get(), &entry);
  in_header_ = false;
  warned_ = code == ARCHIVE_WARN;
  if (failure_) return *failure_;
  if (code == ARCHIVE_EOF) return nullptr;
  if (code != ARCHIVE_OK && !warned_) return failure();
  return entry;
}

Status TarReader::skip_content() {
  return archive_read_data_skip(reader_.get()) == ARCHIVE_OK ? Status{} : failure();
}

const char* TarReader::warning() const {
  if (!warned_) return nullptr;
  const char* text = archive_error_string(reader_.get());
  return text == nullptr ? "broken" : text;
}

Error TarReader::failure() const {
  if (failure_) return *failure_;
  const char* text = archive_error_string(reader_.get());
  return {Errc::malformed, std::string("tar: ") + (text == nullptr ? "broken" : text)};
}

Status TarReader::finish() {
  // The end of a tar is two blocks of zeros, which libarchive doesn't insist on.
  if (ended_) return Error{Errc::malformed, "tar: cut before its end"};
  for (std::size_t trailer = 0;;) {
    SP_ASSIGN(const std::size_t got, tar_.read(buffer_));
    if (got == 0) return {};
    trailer += got;
    if (trailer > kTarTrailerMax) {
      return Error{Errc::too_large,
                   "tar: more than " + std::to_string(kTarTrailerMax) + " bytes behind the end"};
    }
  }
}

}  // namespace sp::store
