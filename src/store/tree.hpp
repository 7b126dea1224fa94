// Trees: folders of files as one canonical tar stream (POSIX pax/ustar), so that equal content is
// equal bytes.
//
// Canonical: entries sorted by path (byte order, folders before what is in them), only folders and
// regular files, mode 0755 for folders and executables and 0644 for other files, owner 0, time 0,
// no other attributes. FORMATS.md section 4. Reading accepts any tar of folders and files within
// the limits and writes nothing outside of the destination: names with "..", absolute names, links,
// devices and names that pass through a non-folder are Errc::refused.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "store/stream.hpp"

namespace sp::store {

inline constexpr std::size_t kTreePathMax = 1024;     ///< bytes of one entry's path
inline constexpr std::size_t kTreeNameMax = 255;      ///< bytes of one component of it
inline constexpr std::size_t kTreeMembersMax = 1024;  ///< of one read_tree
inline constexpr std::uint64_t kArchiveBytesMax = std::uint64_t{1} << 40;  ///< of read_archive
inline constexpr std::size_t kTarTrailerMax = 1 << 20;  ///< bytes behind the end of a tar stream
/// Bytes before an entry's content: headers, names, the map of a sparse file. They are held in
/// memory, many times their size. Of a compressed archive they are counted as they come out.
inline constexpr std::size_t kTarHeaderMax = 4 << 20;
inline constexpr std::size_t kTreeEntriesMax = 1'000'000;  ///< files and folders of one tree
/// Bytes of all paths of one read_tree together, and of what is kept beside them: they are held in
/// memory.
inline constexpr std::size_t kTreeNamesMax = std::size_t{128} << 20;
inline constexpr std::size_t kLeftOutNamedMax = 1000;

/// What to do with entries that are neither folders nor regular files (links, sockets, devices).
enum class OddEntries : std::uint8_t {
  refuse,    ///< Errc::refused
  leave_out  ///< as if they weren't there; their paths are told
};

/// One member of a tree that is put together: the content of `source` (a folder or one file)
/// appears as `name` in the stream; an empty name means the content of a folder itself.
struct TreeMember {
  std::string name;
  Path source;
};

/// Entries that OddEntries::leave_out left out.
struct LeftOut {
  std::uint64_t count = 0;
  std::vector<std::string> named;  ///< the first kLeftOutNamedMax of them, by their paths
};

inline constexpr std::uint64_t kAnySize = ~std::uint64_t{0};

/// A canonical tar stream of members, in any order; a folder that a name passes through is made up.
/// Errc::refused where two give the same path, for names that write_tree refuses and for odd
/// entries; Errc::too_large beyond the limits above, or where the files' sizes, holes included, are
/// more than `bytes_max` together: found by listing alone. Files are opened beneath their folder
/// without following links, so that a hostile writer of the folder can't lead elsewhere. Names are
/// listed at once, contents read lazily; what changes meanwhile (gone, another kind, another size)
/// is Errc::conflict.
Result<std::unique_ptr<ByteSource>> read_tree(const std::vector<TreeMember>& members,
                                              OddEntries odd, std::uint64_t bytes_max = kAnySize,
                                              LeftOut* left_out = nullptr);

/// A canonical tar stream of the entries of an existing tar archive file (an image archive, say);
/// gzip or zstd is undone, once, and is held to the same limits. Folders and regular files only;
/// others are Errc::refused. Entries are spooled to `scratch` (a folder that the caller owns and
/// removes).
Result<std::unique_ptr<ByteSource>> read_archive(const Path& archive, const Path& scratch);

struct TreeLimits {
  std::uint64_t bytes_max = 0;  ///< sum of file sizes
  std::size_t entries_max = kTreeEntriesMax;
};

/// Writes the tree below `destination` (an existing empty folder) and reads the stream to its end.
/// Folders that names pass through need no entry; "." in names is left out; a path that comes twice
/// is refused. On an error what was written so
/// far stays; the caller removes it. Errc::refused, Errc::too_large, Errc::malformed, Errc::io.
Status write_tree(ByteSource& tar, const Path& destination, const TreeLimits& limits);

/// Returns when all that was written below the folder is on the disk, and all else on that disk.
/// Errc::io.
Status sync_tree(const Path& folder);

/// SHA-256 of the canonical tar stream of a folder: the output digest, and `spctl files hash`.
Result<Digest32> tree_digest(const Path& folder, OddEntries odd);

}  // namespace sp::store
