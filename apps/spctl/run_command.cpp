// run: the front door, as easy as `docker run`.

#include "spctl/cli.hpp"
#include "spctl/commands.hpp"
#include "spctl/interrupts.hpp"
#include "spctl/order_end.hpp"
#include "spctl/order_options.hpp"
#include "spctl/result.hpp"

namespace sp::spctl {
namespace {

constexpr const char* kExamples =
    "  spctl run ./image.tar -- --verbose\n"
    "  spctl run ./image.tar --data ./input.csv --out ./result -- /sp/inputs/1/input.csv\n"
    "  spctl run 0xSOLUTION --data 0xDATA --memory 2G --disk 2G --max-price 1.5\n"
    "\n"
    "Inputs appear in the workload as /sp/inputs/1, /sp/inputs/2, ...; what it leaves in\n"
    "/sp/output is the result. Ctrl-C cancels the order and says what happens to the money.\n"
    "Where spctl itself is killed, 'spctl orders list' and 'spctl orders resume' go on.";

Result<int> run(Context& context, const OrderOptions& options) {
  catch_interrupts();
  Timeline timeline(context.console(), context.clock());
  SP_ASSIGN(const OrderRequest request, options.request());
  if (!options.out.empty()) SP_TRY(check_out(options.out));
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const PlacedOrder placed, place_order(context, *session, request, timeline));
  return follow_order(context, *session, placed, options.out, timeline);
}

}  // namespace

void add_run_command(Cli& cli) {
  auto options = std::make_shared<OrderOptions>();
  apps::Command command =
      cli.add(cli.app(), "run",
              "Run an image on others' hardware: seal, order, pay, wait, open the "
              "result, check the proof",
              kExamples);
  options->add_to(command);
  command.add_option("--out", options->out,
                     "New folder for the result [in the order's folder in HOME]");
  cli.on(command, [options](Context& context) { return run(context, *options); });
}

}  // namespace sp::spctl
