// How a run stands in our binary formats (docs/FORMATS.md): order (32), u16 attempt, u8 replica.
// Pure; safe to call from any thread.
#pragma once

#include "api/statements.hpp"
#include "base/codec.hpp"

namespace sp::api {

inline void write_run(Writer& writer, const Run& run) {
  writer.raw(run.order.view()).u16(run.attempt).u8(run.replica);
}

inline Run read_run(Reader& reader) {
  Run run;
  run.order = reader.fixed<OrderId>();
  run.attempt = reader.u16();
  run.replica = reader.u8();
  return run;
}

}  // namespace sp::api
