// What a daemon tells of its own process: build, start, memory, open files, processor time.
#pragma once

#include "net/metrics.hpp"

namespace sp::apps {

/// Families PREFIX_build_info, PREFIX_start_time_seconds, PREFIX_resident_memory_bytes,
/// PREFIX_open_fds, PREFIX_cpu_seconds_total. What the system doesn't say is left out. Safe to call
/// from any thread.
void write_process_metrics(net::MetricsText& text, const std::string& prefix,
                           std::int64_t started_at);

}  // namespace sp::apps
