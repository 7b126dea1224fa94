// Just enough of XML 1.0 for an S3 server's answers, bounded: elements, attributes (passed over),
// text, the five named entities and numeric ones. Comments, CDATA, processing instructions and
// document types are refused. Hostile input; safe to call from any thread.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.hpp"

namespace sp::store {

inline constexpr std::size_t kXmlSizeMax = 256 * 1024;  ///< bytes of a document
inline constexpr std::size_t kXmlDepthMax = 8;          ///< elements inside of each other
inline constexpr std::size_t kXmlElementsMax = 4096;    ///< of a document
inline constexpr std::size_t kXmlNameMax = 64;          ///< bytes of an element's name
inline constexpr std::size_t kXmlAttributesMax = 8;     ///< of one element
inline constexpr std::size_t kXmlTextMax = 4096;        ///< bytes of one element's own text
inline constexpr std::size_t kXmlDeclarationMax = 128;  ///< bytes of "<?xml ... ?>"

/// Called as each element ends: its names from the root on ("ListPartsResult/Part/ETag") and its
/// own text, decoded. An error ends the reading.
using XmlVisitor = std::function<Status(std::string_view path, std::string_view text)>;

/// Reads one document to its end. Errc::malformed, Errc::too_large, or the visitor's error.
Status read_xml(std::string_view document, const XmlVisitor& visit);

}  // namespace sp::store
