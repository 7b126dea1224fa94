// A pair of stream ends in memory, for windows.
#pragma once

#include "base/byte_stream.hpp"
#include "sim/scheduler.hpp"

namespace sp::sim {

/// Two ends; each closes when it is destroyed.
class PipeEnd final : public ByteStream {
 public:
  static std::pair<std::unique_ptr<PipeEnd>, std::unique_ptr<PipeEnd>> pair(Tasks& tasks);
  ~PipeEnd() override { shut_down(); }
  PipeEnd(const PipeEnd&) = delete;
  PipeEnd& operator=(const PipeEnd&) = delete;

  Status write(ByteView bytes) override;
  Result<std::size_t> read(MutableByteView out) override;
  void shut_down() override;

 private:
  struct Flow {
    Bytes bytes;
    bool closed = false;
  };
  PipeEnd(Tasks& tasks, std::shared_ptr<Flow> in, std::shared_ptr<Flow> out)
      : tasks_(tasks), in_(std::move(in)), out_(std::move(out)) {}

  Tasks& tasks_;
  std::shared_ptr<Flow> in_, out_;
};

}  // namespace sp::sim
