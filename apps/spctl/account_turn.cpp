#include "spctl/account_turn.hpp"

namespace sp::spctl {

Result<apps::FolderLock> take_account_turn(Context& context, const Address& account) {
  return apps::FolderLock::take_in_turn(context.files(), context.home().turns() / account.hex0x());
}

}  // namespace sp::spctl
