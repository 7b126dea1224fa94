// The options by which `run` and `orders create` describe an order.
#pragma once

#include "common/command_line.hpp"
#include "spctl/ordering.hpp"

namespace sp::spctl {

struct OrderOptions {
  std::string image;
  std::vector<std::string> data;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::string out;
  std::string max_price;
  std::string compute_offer;
  std::string key = "me";
  std::string memory = "512M";
  std::string disk = "512M";
  std::string cpus = "1";
  std::uint32_t seconds = 600;
  std::uint32_t pids = 256;

  /// Adds the options to a command; this object must outlive the parsing.
  void add_to(apps::Command command);
  /// Errc::usage names the option that is wrong.
  [[nodiscard]] Result<OrderRequest> request() const;
};

}  // namespace sp::spctl
