// How the ABI lays out a type; for the .cpp files of this room. Safe to call from any thread.
#pragma once

#include "chain/abi.hpp"

namespace sp::chain {

/// Words that a value takes in the head of its tuple: one (an offset) for a dynamic type.
std::size_t abi_head_words(const AbiType& type);

/// Whether a 32-byte word is a value of an elementary type: padding, sign and range.
bool abi_word_fits(const AbiType& type, const Digest32& word);

/// Bytes filled up to whole words.
constexpr std::size_t abi_padded(std::size_t size) { return (size + 31) / 32 * 32; }

}  // namespace sp::chain
