#include "net/coroutines.hpp"

#include "net/tls_session.hpp"

#include <new>

namespace sp::net {
namespace {

constexpr std::size_t kReadAhead = 64 * 1024;  // of records, from the wire at once
// Handshake messages that a peer may send in a connection's life. OpenSSL sets no limit to those
// behind the handshake (changes of keys, tickets), takes all that the wire has in one call, and
// each costs us more than its sender. An honest peer sends about ten, and changes its keys once in
// millions of records.
constexpr unsigned kHandshakeMessagesMax = 64;

struct MethodFree {
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};

}  // namespace

struct TlsSession::Records {
  static TlsSession& of(BIO* bio) { return *static_cast<TlsSession*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* out, int size) {
    TlsSession& session = of(bio);
    BIO_clear_retry_flags(bio);
    const MutableByteView room(reinterpret_cast<std::uint8_t*>(out),
                               static_cast<std::size_t>(size));
    const std::ptrdiff_t got = session.wire_.receive(room, session.patience_);
    if (got == Wire::kNothingNow) BIO_set_retry_read(bio);
    if (got == 0) session.wire_ended_ = true;
    if (got > 0) session.received_ += static_cast<std::size_t>(got);
    return got < 0 ? -1 : static_cast<int>(got);
  }

  static int write(BIO* bio, const char* bytes, int size) {
    append(of(bio).sealed_, as_bytes({bytes, static_cast<std::size_t>(size)}));
    return size;
  }

  static long control(BIO* bio, int what, long, void*) {
    if (what == BIO_CTRL_FLUSH) return 1;
    return what == BIO_CTRL_EOF && of(bio).wire_ended_ ? 1 : 0;
  }

  // Called with whatever OpenSSL has received or sent.
  static void count_message(int sent, int, int type, const void*, std::size_t, SSL* ssl,
                            void* session) {
    if (sent != 0 || type != SSL3_RT_HANDSHAKE) return;
    auto& messages = static_cast<TlsSession*>(session)->handshake_messages_;
    if (++messages > kHandshakeMessagesMax) SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN);
  }

  static const BIO_METHOD* method() {
    static const std::unique_ptr<BIO_METHOD, MethodFree> made = [] {
      std::unique_ptr<BIO_METHOD, MethodFree> method(
          BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "records"));
      SP_CHECK(method != nullptr && BIO_meth_set_read(method.get(), read) == 1 &&
               BIO_meth_set_write(method.get(), write) == 1 &&
               BIO_meth_set_ctrl(method.get(), control) == 1);
      return method;
    }();
    return made.get();
  }
};

TlsSession::TlsSession(boost::asio::ssl::context& context, Side side, Wire& wire)
    : wire_(wire), ssl_(SSL_new(context.native_handle())) {
  if (ssl_ == nullptr) throw std::bad_alloc();
  BIO* bio = BIO_new(Records::method());
  if (bio == nullptr) {
    SSL_free(ssl_);
    throw std::bad_alloc();
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_mode(ssl_, SSL_MODE_RELEASE_BUFFERS);
  SSL_set_msg_callback(ssl_, Records::count_message);
  SSL_set_msg_callback_arg(ssl_, this);
  SSL_set_read_ahead(ssl_, 1);
  SSL_set_default_read_buffer_len(ssl_, kReadAhead);
  if (side == Side::client) {
    SSL_set_connect_state(ssl_);
  } else {
    SSL_set_accept_state(ssl_);
  }
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

TlsSession::Step TlsSession::fail(Step step, const boost::system::error_code& failure) {
  failure_ = failure;
  return step;
}

TlsSession::Step TlsSession::step_of(int result) {
  if (result == 1) return Step::done;
  if (handshake_messages_ > kHandshakeMessagesMax) {
    return fail(Step::failed, boost::asio::error::connection_reset);
  }
  const int why = SSL_get_error(ssl_, result);
  if (why == SSL_ERROR_WANT_READ) return Step::wants_input;
  if (why == SSL_ERROR_ZERO_RETURN) return fail(Step::ended, boost::asio::error::eof);
  if (wire_ended_) return fail(Step::cut_off, boost::asio::ssl::error::stream_truncated);
  const unsigned long words = ERR_get_error();
  if (words == 0) return fail(Step::failed, boost::asio::error::connection_reset);
  return fail(Step::failed, {static_cast<int>(words), boost::asio::error::get_ssl_category()});
}

TlsSession::Step TlsSession::handshake() {
  ERR_clear_error();
  patience_ = Patience::wait;
  return step_of(SSL_do_handshake(ssl_));
}

TlsSession::Step TlsSession::read(MutableByteView out, std::size_t& got) {
  ERR_clear_error();
  got = 0;
  received_ = 0;
  // Records that hold next to nothing fill no room: the wire may have them for ever.
  while (got < out.size() && received_ < out.size() + kReadAhead) {
    patience_ = got == 0 ? Patience::wait : Patience::only_what_is_there;
    std::size_t more = 0;
    const Step step = step_of(SSL_read_ex(ssl_, out.data() + got, out.size() - got, &more));
    // A failure behind bytes that came is told at the next call.
    if (step != Step::done) return got > 0 ? Step::done : step;
    got += more;
  }
  return Step::done;
}

TlsSession::Step TlsSession::write(ByteView bytes) {
  if (bytes.empty()) return Step::done;
  ERR_clear_error();
  sealed_.reserve(kSealedAtOnce + 4096);
  std::size_t taken = 0;
  const Step step = step_of(SSL_write_ex(ssl_, bytes.data(), bytes.size(), &taken));
  SP_CHECK(step != Step::done || taken == bytes.size());
  return step;
}

void TlsSession::sent(std::size_t size) {
  sent_ += size;
  SP_CHECK(sent_ <= sealed_.size());
  if (sent_ < sealed_.size()) return;
  sealed_.clear();
  sent_ = 0;
}

bool TlsSession::holds_input() const { return SSL_has_pending(ssl_) == 1; }

}  // namespace sp::net
