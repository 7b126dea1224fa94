// What every daemon of ours has in common: a key from a file, an HTTP listener, and a stop at
// SIGTERM or SIGINT.
#pragma once

#include <functional>

#include "base/files.hpp"
#include "common/settings.hpp"
#include "crypto/secp256k1.hpp"
#include "net/http.hpp"

namespace sp::apps {

/// A file that holds a raw 32-byte secp256k1 secret.
Result<crypto::EthKey> load_key(const Files& files, const Path& path);

/// Blocks the stop signals in this thread and all that it starts; call before any thread is
/// started.
void block_stop_signals();
/// Waits for SIGTERM or SIGINT.
void wait_for_stop();

/// Serves `handler` until a stop signal; logs where it listens. Errc::io.
Status serve_until_stopped(const char* name, const Listen& listen, std::size_t body_max,
                           net::HttpServer::Handler handler);

}  // namespace sp::apps
