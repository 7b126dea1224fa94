#include "provider/status.hpp"

#include <nlohmann/json.hpp>

#include "net/problem.hpp"

namespace sp::provider {
namespace {

constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kOrders = "/v1/orders/";
constexpr std::string_view kFinish = "/finish";

using Controllers = std::vector<const Controller*>;

// The market that has taken the order; the last one, which says that it hasn't, where none has.
const Controller& controller_of(const Controllers& controllers, const api::OrderId& order) {
  SP_CHECK(!controllers.empty());
  for (const Controller* controller : controllers) {
    if (controller->progress(order)) return *controller;
  }
  return *controllers.back();
}

net::HttpResponse answer_progress(const Controller& controller, const api::OrderId& order) {
  const auto progress = controller.progress(order);
  if (!progress) return net::problem_response(progress.error());
  const Json json{{"state", entry_state_name(progress->state)},
                  {"stage", progress->stage},
                  {"failure", progress->failure}};
  return net::text_response(200, kJsonType,
                            json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

net::HttpResponse answer_finish(const Controller& controller, const api::OrderId& order) {
  const auto finish = controller.finish_of(order);
  if (!finish) return net::problem_response(finish.error());
  return net::text_response(200, "application/octet-stream", as_text(finish->encode()));
}

}  // namespace

net::HttpResponse handle_status_request(const Controllers& controllers,
                                        const net::HttpRequest& request) {
  if (request.method != "GET") return net::problem_response({Errc::unsupported, "GET only"});
  std::string_view path = request.path;
  if (path == "/health") return net::text_response(200, "text/plain", "ok");
  if (!path.starts_with(kOrders)) {
    return net::problem_response({Errc::not_found, "no such resource"});
  }
  path.remove_prefix(kOrders.size());
  const bool wants_finish = path.ends_with(kFinish);
  if (wants_finish) path.remove_suffix(kFinish.size());
  const auto order = api::OrderId::from_hex(path);
  if (!order) return net::problem_response(order.error());
  const Controller& controller = controller_of(controllers, *order);
  return wants_finish ? answer_finish(controller, *order) : answer_progress(controller, *order);
}

}  // namespace sp::provider
