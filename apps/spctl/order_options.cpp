#include "spctl/order_options.hpp"

#include <limits>

#include "spctl/console.hpp"

namespace sp::spctl {

void OrderOptions::add_to(apps::Command command) {
  command
      .add_option("IMAGE", image,
                  "OCI layout folder, image archive, or id of a solution offer (0x...)")
      .required();
  command.add_option("ARGS", arguments, "Arguments of the workload, behind --");
  command.add_option("--data", data, "Input: a file, a folder, or id of a data offer; repeatable")
      .one_each_time();
  command.add_option("--env", environment, "Variable NAME=VALUE of the workload; repeatable")
      .one_each_time();
  command.add_option("--max-price", max_price, "Refuse to order where it may cost more (tokens)");
  command.add_option("--time", seconds, "Run time that is ordered, seconds [600]").at_least_one();
  command.add_option("--memory", memory, "Memory, such as 512M or 2G [512M]");
  command.add_option("--disk", disk, "Space for image, inputs and output, held in memory [512M]");
  command.add_option("--cpus", cpus, "Cores, such as 2 or 0.5 [1]");
  command.add_option("--pids", pids, "Processes and threads [256]").at_least_one();
  command.add_option("--compute", compute_offer, "Id of the compute offer [the cheapest]");
  command.add_option("--key", key, "The customer's key [me]");
}

Result<OrderRequest> OrderOptions::request() const {
  OrderRequest request;
  request.key_name = key;
  request.image = image;
  request.data = data;
  request.compute_offer = compute_offer;
  request.max_price = max_price;
  request.resources.seconds = seconds;
  SP_ASSIGN(request.resources.memory_mib, parse_mib(memory));
  SP_ASSIGN(request.resources.disk_mib, parse_mib(disk));
  SP_ASSIGN(request.resources.cpu_milli, parse_cpus(cpus));
  request.resources.pids = pids;
  request.arguments.argv = arguments;
  SP_ASSIGN(request.arguments.environment, parse_environment(environment));
  // What the format refuses (a NUL, too much) is refused here, before anything is sealed.
  const auto checked = api::Arguments::decode(request.arguments.encode());
  if (!checked) {
    return failure(Errc::usage, "the arguments are refused", checked.error().message,
                   "Put large input into a file and give it with --data");
  }
  return request;
}

}  // namespace sp::spctl
