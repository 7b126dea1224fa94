#include "chain/keystore.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/testing/temporary_folder.hpp"
#include "chain/testing/anvil.hpp"
#include "crypto/random.hpp"

namespace sp::chain {
namespace {

using testing::Anvil;

// Web3 Secret Storage Definition, test vectors (ethereum.org): password and secret of both.
constexpr std::string_view kPassword = "testpassword";
constexpr std::string_view kSecret =
    "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";

Json pbkdf2_vector() {
  return Json::parse(R"({"crypto":{"cipher":"aes-128-ctr",
    "cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
    "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
    "kdf":"pbkdf2","kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256",
    "salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
    "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
    "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3})");
}

Json scrypt_vector() {
  return Json::parse(R"({"crypto":{"cipher":"aes-128-ctr",
    "cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},
    "ciphertext":"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
    "kdf":"scrypt","kdfparams":{"dklen":32,"n":262144,"r":1,"p":8,
    "salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},
    "mac":"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},
    "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3})");
}

Errc code_of(const Json& file, std::string_view password = kPassword) {
  const auto key = keystore_decrypt(file.dump(), as_bytes(password));
  SP_CHECK(!key.ok());
  return key.error().code;
}

TEST(Keystore, PublishedVectors) {
  for (const Json& file : {pbkdf2_vector(), scrypt_vector()}) {
    const auto key = keystore_decrypt(file.dump(), as_bytes(kPassword));
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_EQ(to_hex(key->secret().reveal()), kSecret);
  }
}

TEST(Keystore, RoundTrip) {
  crypto::SystemRandom random;
  const crypto::EthKey key = crypto::EthKey::generate(random);
  const std::string file =
      keystore_encrypt(key, as_bytes("pass"), KeystoreCost::interactive, random);
  const auto back = keystore_decrypt(file, as_bytes("pass"));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->address(), key.address());
  EXPECT_EQ(keystore_decrypt(file, as_bytes("wrong")).error().code, Errc::unauthorised);
  EXPECT_EQ(keystore_decrypt(file, {}).error().code, Errc::unauthorised);
  EXPECT_EQ(file.find(to_hex(key.secret().reveal())), std::string::npos);
  EXPECT_NE(file, keystore_encrypt(key, as_bytes("pass"), KeystoreCost::interactive, random));
  const std::string standard =
      keystore_encrypt(key, as_bytes("pass"), KeystoreCost::standard, random);
  EXPECT_EQ(Json::parse(standard)["crypto"]["kdfparams"]["n"], 262144);
}

TEST(Keystore, RefusesDamagedFiles) {
  crypto::SystemRandom random;
  const Json good = Json::parse(
      keystore_encrypt(Anvil::key(1), as_bytes(kPassword), KeystoreCost::interactive, random));
  EXPECT_TRUE(keystore_decrypt(good.dump(), as_bytes(kPassword)));
  const auto changed = [&](const char* pointer, const Json& value) {
    Json file = good;
    file[Json::json_pointer(pointer)] = value;
    return code_of(file);
  };
  for (const char* part : {"cipher", "cipherparams", "ciphertext", "kdf", "kdfparams", "mac"}) {
    Json file = good;
    file["crypto"].erase(part);
    EXPECT_NE(code_of(file), Errc::unauthorised) << part;
  }
  EXPECT_EQ(changed("/version", 4), Errc::unsupported);
  EXPECT_EQ(changed("/crypto", 4), Errc::malformed);
  EXPECT_EQ(changed("/crypto/cipher", "aes-256-gcm"), Errc::unsupported);
  EXPECT_EQ(changed("/crypto/kdf", "argon2"), Errc::unsupported);
  EXPECT_EQ(changed("/crypto/kdf", "pbkdf2"), Errc::malformed);
  EXPECT_EQ(changed("/crypto/mac", std::string(64, '0')), Errc::unauthorised);
  EXPECT_EQ(changed("/crypto/ciphertext", "00"), Errc::malformed);
  EXPECT_EQ(changed("/crypto/cipherparams/iv", "00"), Errc::malformed);
  EXPECT_EQ(changed("/crypto/kdfparams/dklen", 64), Errc::unsupported);
  EXPECT_EQ(changed("/crypto/kdfparams/n", 4095), Errc::malformed);
  EXPECT_EQ(changed("/crypto/kdfparams/n", 0), Errc::malformed);
  EXPECT_EQ(changed("/crypto/kdfparams/n", std::uint64_t{1} << 32), Errc::too_large);
  EXPECT_EQ(changed("/crypto/kdfparams/r", 1 << 20), Errc::too_large);
  EXPECT_EQ(changed("/crypto/kdfparams/p", 1 << 20), Errc::too_large);
  EXPECT_EQ(changed("/crypto/kdfparams/p", 0), Errc::malformed);
  EXPECT_EQ(changed("/crypto/kdfparams/r", -1), Errc::malformed);
  EXPECT_EQ(changed("/crypto/kdfparams/salt", "zz"), Errc::malformed);
  EXPECT_EQ(changed("/address", std::string(40, '1')), Errc::malformed);
  Json slow = pbkdf2_vector();
  slow["crypto"]["kdfparams"]["c"] = 100'000'000;
  EXPECT_EQ(code_of(slow), Errc::too_large);
  slow["crypto"]["kdfparams"]["c"] = 0;
  EXPECT_EQ(code_of(slow), Errc::malformed);
  slow["crypto"]["kdfparams"]["prf"] = "hmac-md5";
  EXPECT_EQ(code_of(slow), Errc::unsupported);
  EXPECT_EQ(keystore_decrypt("not json", {}).error().code, Errc::malformed);
  EXPECT_EQ(keystore_decrypt(std::string(kKeystoreSizeMax + 1, ' '), {}).error().code,
            Errc::too_large);
}

std::string cast_wallet(std::vector<std::string> arguments) {
  ProcessOptions options;
  options.argv = {testing::foundry_program("cast").string(), "wallet"};
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.environment = basic_environment();
  const auto output = run_command(options, std::chrono::seconds(20), 1 << 16);
  return output ? output->text : output.error().message;
}

TEST(Keystore, InteroperatesWithCast) {
  if (!std::filesystem::exists(testing::foundry_program("cast"))) {
    GTEST_SKIP() << "cast (npm @foundry-rs/cast) isn't installed";
  }
  const sp::testing::TemporaryFolder folder;
  PosixFiles files;
  crypto::SystemRandom random;
  const crypto::EthKey key = Anvil::key(2);
  const std::string secret = to_hex0x(key.secret().reveal());
  const std::string ours = keystore_encrypt(key, as_bytes("pw"), KeystoreCost::interactive, random);
  ASSERT_TRUE(files.write_atomic(folder / "ours", as_bytes(ours), FileMode::owner_only));
  EXPECT_NE(
      cast_wallet({"decrypt-keystore", "-k", folder.string(), "--unsafe-password", "pw", "ours"})
          .find(secret),
      std::string::npos);
  cast_wallet({"import", "-k", folder.string(), "--private-key", secret, "--unsafe-password", "pw",
               "cast"});
  const auto theirs = files.read(folder / "cast", kKeystoreSizeMax);
  ASSERT_TRUE(theirs) << theirs.error().message;
  const auto read = keystore_decrypt(as_text(*theirs), as_bytes("pw"));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->address(), key.address());
}

}  // namespace
}  // namespace sp::chain
