// Requests to our HTTP server: the input comes over a connection, in pieces. Whatever it is, each
// answer is HTTP, what reaches the handler holds to its limits, and the connection ends.
#include <charconv>

#include "base/testing/fuzz_input.hpp"
#include "net/http.hpp"
#include "net/testing/raw_socket.hpp"

namespace sp::net {
namespace {

constexpr std::size_t kBodyMax = 512;
constexpr std::size_t kPiecesMax = 4;

HttpResponse handle(const HttpRequest& request) {
  SP_CHECK(request.path.starts_with('/') && request.path.find('\0') == std::string::npos);
  SP_CHECK((request.path + "/").find("/../") == std::string::npos);
  SP_CHECK(request.body.size() <= kBodyMax && !request.method.empty());
  std::size_t header = 0;
  for (const auto& [name, value] : request.headers) {
    header += name.size() + value.size();
    SP_CHECK(!name.empty() && value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos);
  }
  SP_CHECK(header <= 2 * kHeaderSizeMax);
  return text_response(200, "text/plain", request.path);
}

HttpServer& server() {
  static const std::unique_ptr<HttpServer> made = [] {
    HttpServer::Options options;
    options.body_max = kBodyMax;
    options.workers = 1;
    return HttpServer::start(options, handle).value();
  }();
  return *made;
}

// Every answer begins with a status line; our own server's bodies never hold one.
void check_answers(std::string_view answers) {
  if (answers.empty()) return;
  SP_CHECK(answers.starts_with("HTTP/1.1 "));
  unsigned status = 0;
  const auto [end, code] = std::from_chars(answers.data() + 9, answers.data() + 12, status);
  SP_CHECK(code == std::errc() && end == answers.data() + 12);
  SP_CHECK(status == 100 || status == 200 || (status >= 400 && status <= 503));
  SP_CHECK(status != 500);
}

}  // namespace
}  // namespace sp::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::net;
  sp::testing::FuzzInput input({data, size});
  const std::size_t pieces = 1 + input.below(kPiecesMax);
  // From many addresses: the ports of one would all wait for their time to pass after a minute.
  static std::size_t runs = 0;
  const std::string from = "127.0.0." + std::to_string(2 + runs++ % 250);
  auto peer = testing::RawSocket::connect(server().port(), from.c_str());
  peer.reset_on_close();
  std::string_view rest = sp::as_text(input.rest());
  for (std::size_t i = 0; i < pieces; ++i) {
    const std::string_view piece = rest.substr(0, rest.size() / (pieces - i));
    if (!peer.send(piece)) break;
    rest.remove_prefix(piece.size());
  }
  peer.end_sending();
  check_answers(peer.read_all());
  return 0;
}
