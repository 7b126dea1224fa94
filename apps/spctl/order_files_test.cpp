#include "spctl/order_files.hpp"
#include "base/testing/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace sp::spctl {
namespace {

// A folder that goes away with the test.
class OrderFilesTest : public ::testing::Test {
 protected:
  static OrderRecord record(std::uint8_t salt) {
    OrderRecord record;
    record.market = {31337, {}};
    record.key_name = "me";
    record.terms.salt.data.fill(salt);
    record.order_secret.writable()[0] = 0x42;
    record.arguments = SecretBytes(api::Arguments{{"a", "b"}, {}}.encode());
    OwnKey own;
    own.package.data.fill(0x09);
    own.key.writable()[31] = 0x17;
    record.own_keys.push_back(std::move(own));
    return record;
  }

  sp::testing::TemporaryFolder folder_;
  PosixFiles files_;
};

TEST_F(OrderFilesTest, KeepsEverythingForItsOwnerOnly) {
  OrderFiles orders(files_, folder_);
  const OrderRecord saved = record(1);
  ASSERT_TRUE(orders.save(saved));
  struct stat info {};
  ASSERT_EQ(::stat(orders.file(saved.id(), "order").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  const auto loaded = orders.load(saved.id());
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->terms, saved.terms);
  EXPECT_EQ(loaded->key_name, "me");
  EXPECT_EQ(to_bytes(loaded->order_secret.reveal()), to_bytes(saved.order_secret.reveal()));
  EXPECT_EQ(to_bytes(loaded->arguments.reveal()), to_bytes(saved.arguments.reveal()));
  ASSERT_EQ(loaded->own_keys.size(), 1U);
  EXPECT_EQ(to_bytes(loaded->own_keys[0].key.reveal()), to_bytes(saved.own_keys[0].key.reveal()));
}

TEST_F(OrderFilesTest, RefusesACutOrChangedRecord) {
  const SecretBytes encoded = record(1).encode();
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    EXPECT_FALSE(OrderRecord::decode(encoded.reveal().first(size))) << size;
  }
  Bytes longer = to_bytes(encoded.reveal());
  longer.push_back(0);
  EXPECT_EQ(OrderRecord::decode(longer).error().code, Errc::malformed);
  Bytes other = to_bytes(encoded.reveal());
  other[5] = 2;
  EXPECT_EQ(OrderRecord::decode(other).error().code, Errc::unsupported);
}

TEST_F(OrderFilesTest, RefusesARecordUnderAnotherOrdersName) {
  OrderFiles orders(files_, folder_);
  const OrderRecord one = record(1);
  const OrderRecord two = record(2);
  ASSERT_TRUE(orders.save(one));
  ASSERT_TRUE(orders.save(two));
  std::filesystem::copy_file(orders.file(one.id(), "order"), orders.file(two.id(), "order"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(orders.load(two.id()).error().code, Errc::mismatch);
}

TEST_F(OrderFilesTest, FindsByAnUnambiguousBeginning) {
  OrderFiles orders(files_, folder_);
  EXPECT_EQ(orders.find("0x12").error().code, Errc::not_found);
  EXPECT_EQ(orders.find("my order").error().code, Errc::usage);
  const OrderRecord one = record(1);
  const OrderRecord two = record(2);
  ASSERT_TRUE(orders.save(one));
  EXPECT_EQ(*orders.find(one.id().hex0x().substr(0, 8)), one.id());
  EXPECT_EQ(*orders.find(one.id().hex().substr(0, 8)), one.id());
  EXPECT_EQ(*orders.find(two.id().hex0x()), two.id());
  ASSERT_TRUE(orders.save(two));
  EXPECT_EQ(orders.find("0x").error().code, Errc::usage);
  EXPECT_EQ(orders.find("").error().code, Errc::usage);
  EXPECT_EQ(orders.list()->size(), 2U);
}

TEST_F(OrderFilesTest, NotesWhereTheOrderWasCreated) {
  OrderFiles orders(files_, folder_);
  const OrderRecord one = record(1);
  ASSERT_TRUE(orders.save(one));
  EXPECT_FALSE(orders.created(one.id()));
  CreatedNote note;
  note.tx.data.fill(3);
  note.block = 99;
  ASSERT_TRUE(orders.save_created(one.id(), note));
  const auto read = orders.created(one.id());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->tx, note.tx);
  EXPECT_EQ(read->block, 99U);
}

}  // namespace
}  // namespace sp::spctl
