// The turn of an account: between reading its nonce and seeing its transaction in a block no other
// command of this home sends one. Two at once would take one nonce, and both would be told that
// what one of them sent is done; two permits at once would be over one nonce of the token.
#pragma once

#include "common/folder_lock.hpp"
#include "spctl/context.hpp"

namespace sp::spctl {

/// Waits for the commands before, and holds the turn until the lock goes, or the process ends. A
/// command that holds it doesn't take it again: it would wait for itself. Errc::io.
Result<apps::FolderLock> take_account_turn(Context& context, const Address& account);

}  // namespace sp::spctl
