// Answers to our HTTP client: a server sends the input, in pieces, and hangs up. Whatever it is,
// the call ends with an error or with an answer within the limits, which reads as a problem.
#include <mutex>

#include "base/testing/fuzz_input.hpp"
#include "net/http.hpp"
#include "net/problem.hpp"
#include "net/testing/raw_socket.hpp"

namespace sp::net {
namespace {

constexpr std::size_t kBodyMax = 512;

// What the server answers with. It may be sending still when the client has what it needs.
class Answer {
 public:
  void set(ByteView bytes) {
    const std::lock_guard lock(mutex_);
    bytes_ = to_bytes(bytes);
  }
  Bytes get() {
    const std::lock_guard lock(mutex_);
    return bytes_;
  }

 private:
  std::mutex mutex_;  // guards bytes_
  Bytes bytes_;
};

Answer& answer() {
  static Answer the_answer;
  return the_answer;
}

void play(testing::RawSocket& peer, int /*count*/) {
  const std::string request = peer.read_until("\r\n\r\n");
  if (request.empty()) return;
  const Bytes bytes = answer().get();
  sp::testing::FuzzInput input(bytes);
  const bool in_pieces = input.flag();
  const std::string_view rest = as_text(input.rest());
  const std::size_t half = in_pieces ? rest.size() / 2 : 0;
  if (peer.send(rest.substr(0, half))) peer.send(rest.substr(half));
}

void check(const HttpResponse& response) {
  SP_CHECK(response.body.size() <= kBodyMax);
  SP_CHECK(response.status >= 200 && response.status <= 599);
  std::size_t header = 0;
  for (const auto& [name, value] : response.headers) header += name.size() + value.size();
  SP_CHECK(header <= 2 * kHeaderSizeMax);
  const Error problem = problem_from(response, "it");
  SP_CHECK(problem.message.size() <= kProblemTextMax + 100);
  for (const char c : problem.message) SP_CHECK(c >= 0x20 && c < 0x7f);
}

}  // namespace
}  // namespace sp::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::net;
  static const testing::RawServer server(play);
  answer().set({data, size});
  HttpClient::Options options;
  options.body_max = kBodyMax;
  options.connections_max = 0;
  options.timeout = std::chrono::milliseconds(5000);
  HttpClient client(options);
  const auto response = client.call(size % 7 == 0 ? "HEAD" : "GET", server.url());
  if (response) check(*response);
  return 0;
}
