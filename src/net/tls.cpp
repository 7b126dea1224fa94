#include "net/coroutines.hpp"

#include "net/tls.hpp"

#include "net/server_files.hpp"

#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <system_error>

#include "net/connect.hpp"

namespace sp::net {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

ssl::context make_context(ssl::context::method method) {
  ssl::context context(method);
  SP_CHECK(SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION) == 1);
  // In TLS 1.2 a peer could make a write wait for its handshake.
  SSL_CTX_set_options(context.native_handle(), SSL_OP_NO_RENEGOTIATION);
  return context;
}

// Has the handshake hold the server to the URL's host: a DNS name of the certificate, or an address
// of it. Names in the subject alone don't count (RFC 9110 section 4.3.4).
Status expect_host(SSL* connection, const std::string& host) {
  X509_VERIFY_PARAM* rules = SSL_get0_param(connection);
  X509_VERIFY_PARAM_set_hostflags(
      rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  error_code not_an_address;
  boost::asio::ip::make_address(host, not_an_address);
  const bool set =
      not_an_address ? X509_VERIFY_PARAM_set1_host(rules, host.data(), host.size()) == 1 &&
                           // What the macro SSL_set_tlsext_host_name says, without its cast.
                           SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME,
                                    TLSEXT_NAMETYPE_host_name, const_cast<char*>(host.c_str())) == 1
                     : X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1;
  if (!set) return Error{Errc::malformed, "no host name for TLS: " + host};
  return {};
}

Error handshake_error(const Url& url, SSL* connection, const error_code& failure) {
  if (failure == boost::asio::error::timed_out) return timed_out(url);
  const long verified = SSL_get_verify_result(connection);
  if (verified == X509_V_OK) return unavailable(url, "TLS: " + failure.message());
  return {Errc::refused,
          url.host + " port " + std::to_string(url.port) +
              ": its certificate doesn't hold: " + X509_verify_cert_error_string(verified)};
}

}  // namespace

TlsStream::TlsStream(Fd socket, ssl::context& context)
    : transport_(std::move(socket)), session_(context, TlsSession::Side::client, *this) {
  transport_.write_despite_input();
}

error_code TlsStream::why() const { return wire_failure_ ? wire_failure_ : session_.failure(); }

void TlsStream::handshake(error_code& failure) {
  const bool done = session_.handshake() == TlsSession::Step::done;
  // What is sealed where it failed is an alert that tells the server why.
  send_sealed(failure);
  if (!done) failure = why();
}

std::size_t TlsStream::read(MutableByteView out, error_code& failure) {
  failure = {};
  std::size_t got = 0;
  const TlsSession::Step step = session_.read(out, got);
  if (step != TlsSession::Step::done) {
    failure = why();
    return 0;
  }
  send_sealed(failure);  // an answer to the peer's change of keys
  return failure ? 0 : got;
}

void TlsStream::seal(ByteView bytes, error_code& failure) {
  if (session_.write(bytes) != TlsSession::Step::done) failure = why();
}

void TlsStream::send_sealed(error_code& failure) {
  failure = {};
  while (!failure && !session_.sealed().empty()) {
    const ByteView left = session_.sealed();
    session_.sent(transport_.write_some(boost::asio::buffer(left.data(), left.size()), failure));
  }
}

std::ptrdiff_t TlsStream::receive(MutableByteView out, TlsSession::Patience patience) {
  const boost::asio::mutable_buffer room(out.data(), out.size());
  if (patience == TlsSession::Patience::only_what_is_there && !transport_.is_readable_now()) {
    return kNothingNow;
  }
  // Before it waits, the peer has to have what it waits for.
  error_code failure;
  send_sealed(failure);
  const std::size_t got = failure ? 0 : transport_.read_some(room, failure);
  if (!failure) return static_cast<std::ptrdiff_t>(got);
  if (failure == boost::asio::error::eof) return 0;
  wire_failure_ = failure;
  return kFailed;
}

// Asio says little of a file that isn't there.
Status check_readable(const std::string& what, const std::string& file) {
  if (::access(file.c_str(), R_OK) == 0) return {};
  return Error{Errc::usage, what + " file " + file + ": " + std::generic_category().message(errno)};
}

TlsClient::TlsClient() : context_(make_context(ssl::context::tls_client)) {}

Result<std::unique_ptr<TlsClient>> TlsClient::make(const std::string& ca_file) {
  std::unique_ptr<TlsClient> client(new TlsClient());
  error_code failure;
  client->context_.set_default_verify_paths(failure);
  if (failure) return Error{Errc::usage, "the system's CA certificates: " + failure.message()};
  if (!ca_file.empty()) {
    SP_TRY(check_readable("CA", ca_file));
    client->context_.load_verify_file(ca_file, failure);
    if (failure) return Error{Errc::usage, "CA file " + ca_file + ": " + failure.message()};
  }
  client->context_.set_verify_mode(ssl::verify_peer, failure);
  SP_CHECK(!failure);
  return client;
}

Result<std::unique_ptr<TlsStream>> TlsClient::connect(Fd socket, const Url& url,
                                                      DeadlineStream::SteadyTime deadline) {
  auto stream = std::make_unique<TlsStream>(std::move(socket), context_);
  SP_TRY(expect_host(stream->native_handle(), url.host));
  stream->next_layer().set_deadline(deadline);
  error_code failure;
  stream->handshake(failure);
  if (failure) return handshake_error(url, stream->native_handle(), failure);
  return stream;
}

ssl::context make_server_context() { return make_context(ssl::context::tls_server); }

Status load_server_files(ssl::context& context, const std::string& certificate_file,
                         const std::string& key_file) {
  SP_TRY(check_readable("certificate", certificate_file));
  SP_TRY(check_readable("key", key_file));
  error_code failure;
  context.use_certificate_chain_file(certificate_file, failure);
  if (failure) {
    return Error{Errc::usage, "certificate file " + certificate_file +
                                  " isn't a certificate in PEM: " + failure.message()};
  }
  context.use_private_key_file(key_file, ssl::context::pem, failure);
  if (failure) {
    return Error{Errc::usage,
                 "key file " + key_file + " isn't a private key in PEM: " + failure.message()};
  }
  if (SSL_CTX_check_private_key(context.native_handle()) != 1) {
    return Error{Errc::usage, key_file + " isn't the key of " + certificate_file};
  }
  return {};
}

Status check_ca_file(const std::string& ca_file) {
  if (ca_file.empty()) return {};
  SP_TRY(TlsClient::make(ca_file));
  return {};
}

Status check_server_files(const std::string& certificate_file, const std::string& key_file) {
  auto context = make_server_context();
  return load_server_files(context, certificate_file, key_file);
}

}  // namespace sp::net
