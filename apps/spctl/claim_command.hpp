// orders claim: what an owner does when a provider had a part's key and stays silent.
#pragma once

namespace CLI {
class App;
}

namespace sp::spctl {

class Cli;

void add_claim_command(Cli& cli, CLI::App& orders);

}  // namespace sp::spctl
