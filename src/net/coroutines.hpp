// Asio's coroutines; only for .cpp files of this room, before any other header of Boost.
#pragma once

// Asio 1.74 looks for Clang's coroutines in <experimental/coroutine>, which GCC's library doesn't
// have; those of C++20 work.
#if defined(__clang__) && defined(__cpp_impl_coroutine)
#define BOOST_ASIO_HAS_CO_AWAIT 1
#endif

// ThreadSanitizer doesn't know fences; the locks of Asio's scheduler order what it needs to see.
#if defined(__SANITIZE_THREAD__)
#define BOOST_ASIO_DISABLE_FENCED_BLOCK 1
#endif

#include <utility>  // Asio 1.74's awaitable.hpp uses std::exchange without it

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
