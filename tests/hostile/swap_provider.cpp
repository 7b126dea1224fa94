#include "swap_provider.hpp"

#include <unistd.h>

#include <filesystem>

#include "base/testing/must.hpp"
#include "tee/sandbox.hpp"

namespace sp::hostile {

HostileProvider::HostileProvider(Shop& shop)
    : shop_(shop),
      services_{{shop.town().network().broker.address, shop.town().network().broker.url},
                {shop.town().network().store.address, shop.town().network().store.url}},
      forwarder_(shop.town().http(), services_,
                 {&shop.town().action(), std::nullopt, &shop.town().clock(), nullptr, {}}),
      cgroup_("superprotocol-hostile/" + std::to_string(::getpid())),
      host_(must(tee::make_sandbox({shop.town().program("sploader"),
                                    shop.town().home() / "provider" / "state" / "platform",
                                    std::string(), cgroup_}))) {}

HostileProvider::~HostileProvider() {
  host_.reset();
  std::error_code ignored;
  for (const auto& controller : std::filesystem::directory_iterator("/sys/fs/cgroup", ignored)) {
    ::rmdir((controller.path() / cgroup_).c_str());
    ::rmdir((controller.path() / Path(cgroup_).parent_path()).c_str());
  }
  ::rmdir((Path("/sys/fs/cgroup") / cgroup_).c_str());
  ::rmdir((Path("/sys/fs/cgroup") / Path(cgroup_).parent_path()).c_str());
}

Result<Bytes> HostileProvider::answer(const api::Start& start, const api::Call& call,
                                      const Mischief& mischief) {
  if (mischief.on_answer) {
    if (auto own = mischief.on_answer(call)) return std::move(*own);
  }
  if (call.service != api::ServiceKind::provider) return forwarder_.forward(call);
  SP_ASSIGN(const Address session, Address::from(call.body));
  const api::OrderId order = mischief.accepts.value_or(start.terms.order_id(start.market));
  const api::Acceptance acceptance{{order, start.attempt, start.replica}, session};
  return to_bytes(shop_.town().action().sign(acceptance.digest(start.market)).view());
}

api::Finish HostileProvider::run(const api::Terms& terms, const Mischief& mischief) {
  calls_.clear();
  const api::Start start{shop_.town().network().market, terms, 0, 0};
  tee::StartOptions options;
  options.id = "swap-" + std::to_string(++runs_);
  options.memory_mib = terms.memory_mib;
  options.disk_mib = terms.disk_mib;
  options.pids = terms.pids;
  const auto running = must(host_->start(options));
  api::FrameStream window(running->window());
  must(window.write({api::FrameType::start, start.encode()}));
  for (;;) {
    const api::Frame frame = must(window.read());
    if (frame.type == api::FrameType::finish) {
      running->wait(std::chrono::seconds(10));
      return must(api::Finish::decode(frame.body));
    }
    if (frame.type != api::FrameType::call) continue;
    api::Call call = must(api::Call::decode(frame.body));
    calls_.push_back(call.method);
    if (mischief.on_call) mischief.on_call(call);
    const auto body = answer(start, call, mischief);
    api::Reply reply{call.id, std::nullopt, {}};
    if (body) {
      reply.body = *body;
    } else {
      reply.error = body.error().code;
      reply.body = to_bytes(as_bytes(body.error().message));
    }
    must(window.write({api::FrameType::reply, reply.encode()}));
  }
}

}  // namespace sp::hostile
