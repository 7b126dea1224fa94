#include "store/remote/s3_answers.hpp"

#include <gtest/gtest.h>

#include "store/remote/xml.hpp"

namespace sp::store {
namespace {

std::string leaves_of(std::string_view document) {
  std::string leaves;
  const Status read = read_xml(document, [&](std::string_view path, std::string_view text) {
    leaves += std::string(path) + "=" + std::string(text) + ";";
    return Status();
  });
  return read ? leaves : "error";
}

std::string error_of(std::string_view document) {
  const Status read = read_xml(document, [](auto, auto) { return Status(); });
  return read ? "none" : std::string(errc_name(read.error().code)) + " " + read.error().message;
}

TEST(Xml, ReadsElementsAndText) {
  EXPECT_EQ(leaves_of("<a/>"), "a=;");
  EXPECT_EQ(leaves_of(" \n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a><b>x</b><c/></a>\n"),
            "a/b=x;a/c=;a=;");
  EXPECT_EQ(leaves_of("<a xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\" b = 'x>y'>z</a >"),
            "a=z;");
  EXPECT_EQ(leaves_of("<a>&quot;&lt;&amp;&gt;&apos;&#65;&#x41;&#x20AC;&#128512;</a>"),
            "a=\"<&>'AA\xe2\x82\xac\xf0\x9f\x98\x80;");
  EXPECT_EQ(leaves_of("<a>1<b>2</b>3</a>"), "a/b=2;a=13;");
}

TEST(Xml, RefusesWhatIsMalformed) {
  EXPECT_EQ(error_of(""), "malformed XML: an element is expected");
  EXPECT_EQ(error_of("x<a/>"), "malformed XML: an element is expected");
  EXPECT_EQ(error_of("<a>"), "malformed XML: it ends inside of an element");
  EXPECT_EQ(error_of("<a"), "malformed XML: '>' is expected");
  EXPECT_EQ(error_of("<a></b>"), "malformed XML: another element ends than is open");
  EXPECT_EQ(error_of("<a><b></a></b>"), "malformed XML: another element ends than is open");
  EXPECT_EQ(error_of("<a/><b/>"), "malformed XML: something stands behind the root element");
  EXPECT_EQ(error_of("<a/>x"), "malformed XML: something stands behind the root element");
  EXPECT_EQ(error_of("<1/>"), "malformed XML: a name is expected");
  EXPECT_EQ(error_of("<a b/>"), "malformed XML: '=' is expected");
  EXPECT_EQ(error_of("<a b=c/>"), "malformed XML: a quote is expected");
  EXPECT_EQ(error_of("<a b='c/>"), "malformed XML: an attribute doesn't end");
  EXPECT_EQ(error_of("<a b='<'/>"), "malformed XML: '<' in an attribute");
  EXPECT_EQ(error_of("<a b='1'c='2'/>"), "malformed XML: a space is expected before an attribute");
  EXPECT_EQ(error_of("<a>\x01</a>"), "malformed XML: a control character");
  EXPECT_EQ(error_of("<?xml version='1.0'"), "malformed XML: a bad declaration");
}

TEST(Xml, RefusesEntitiesThatItDoesNotKnow) {
  EXPECT_EQ(error_of("<a>&nbsp;</a>"), "malformed XML: an unknown entity");
  EXPECT_EQ(error_of("<a>&</a>"), "malformed XML: a reference doesn't end");
  EXPECT_EQ(error_of("<a>&#xD800;</a>"), "malformed XML: a bad character reference");
  EXPECT_EQ(error_of("<a>&#0;</a>"), "malformed XML: a bad character reference");
  EXPECT_EQ(error_of("<a>&#x110000;</a>"), "malformed XML: a bad character reference");
  EXPECT_EQ(error_of("<a>&#;</a>"), "malformed XML: a bad character reference");
  EXPECT_EQ(error_of("<a>&#-1;</a>"), "malformed XML: a bad character reference");
}

TEST(Xml, RefusesWhatAnswersNeverHold) {
  EXPECT_EQ(error_of("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"),
            "malformed XML: a name is expected");
  EXPECT_EQ(error_of("<a><![CDATA[x]]></a>"), "malformed XML: a name is expected");
  EXPECT_EQ(error_of("<a><!-- x --></a>"), "malformed XML: a name is expected");
  EXPECT_EQ(error_of("<a><?x y?></a>"), "malformed XML: a name is expected");
}

std::string nested(std::size_t depth) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += "<a>";
  for (std::size_t i = 0; i < depth; ++i) text += "</a>";
  return text;
}

std::string repeated(std::string_view what, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += what;
  return text;
}

TEST(Xml, KeepsItsLimits) {
  EXPECT_EQ(error_of(nested(kXmlDepthMax)), "none");
  EXPECT_EQ(error_of(nested(kXmlDepthMax + 1)), "too_large XML: elements lie too deep");
  EXPECT_EQ(error_of("<a>" + repeated("<b/>", kXmlElementsMax - 1) + "</a>"), "none");
  EXPECT_EQ(error_of("<a>" + repeated("<b/>", kXmlElementsMax) + "</a>"),
            "too_large XML: too many elements");
  EXPECT_EQ(error_of("<" + std::string(kXmlNameMax, 'a') + "/>"), "none");
  EXPECT_EQ(error_of("<" + std::string(kXmlNameMax + 1, 'a') + "/>"),
            "too_large XML: a name is too long");
  EXPECT_EQ(error_of("<a>" + std::string(kXmlTextMax, 'x') + "</a>"), "none");
  EXPECT_EQ(error_of("<a>" + std::string(kXmlTextMax + 1, 'x') + "</a>"),
            "too_large XML: a text is too long");
  EXPECT_EQ(error_of("<a " + repeated("b='' ", kXmlAttributesMax) + "/>"), "none");
  EXPECT_EQ(error_of("<a " + repeated("b='' ", kXmlAttributesMax + 1) + "/>"),
            "too_large XML: too many attributes");
  EXPECT_EQ(error_of("<a b='" + std::string(kXmlTextMax, 'x') + "'/>"),
            "too_large XML: an attribute is too long");
  EXPECT_EQ(error_of(std::string(kXmlSizeMax + 1, ' ')),
            "too_large XML: the document is too large");
}

TEST(S3Answers, ErrorCodes) {
  EXPECT_EQ(s3_error_code(as_bytes("<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>NoSuchKey"
                                   "</Code><Message>m</Message><New><Field/></New></Error>")),
            "NoSuchKey");
  for (const char* none : {"", "no XML", "<Error/>", "<Other><Code>A</Code></Other>",
                           "<Error><Code>a b</Code></Error>", "<Error><Code>A</Code>",
                           "<Error><Code>\x1b[31m</Code></Error>"}) {
    EXPECT_EQ(s3_error_code(as_bytes(none)), "") << none;
  }
  const std::string longest(kS3ErrorCodeMax, 'A');
  EXPECT_EQ(s3_error_code(as_bytes("<Error><Code>" + longest + "</Code></Error>")), longest);
  EXPECT_EQ(s3_error_code(as_bytes("<Error><Code>" + longest + "A</Code></Error>")), "");
}

TEST(S3Answers, UploadIds) {
  const auto read = [](std::string_view inside) {
    return s3_upload_id(as_bytes("<InitiateMultipartUploadResult>" + std::string(inside) +
                                 "</InitiateMultipartUploadResult>"));
  };
  EXPECT_EQ(*read("<Bucket>b</Bucket><Key>k</Key><UploadId>VXBs~b2Fk.</UploadId>"), "VXBs~b2Fk.");
  EXPECT_EQ(read("").error().message, "the S3 answer: no upload id");
  EXPECT_EQ(read("<UploadId></UploadId>").error().message, "the S3 answer: not an upload id");
  EXPECT_EQ(read("<UploadId>a b</UploadId>").error().message, "the S3 answer: not an upload id");
  EXPECT_EQ(read("<UploadId>" + std::string(kS3UploadIdMax + 1, 'a') + "</UploadId>").error().code,
            Errc::malformed);
  EXPECT_EQ(read("<UploadId>a</UploadId><UploadId>b</UploadId>").error().message,
            "the S3 answer: a field stands twice");
}

std::string part(std::string_view number, std::string_view size, std::string_view etag) {
  return "<Part><PartNumber>" + std::string(number) + "</PartNumber><ETag>" + std::string(etag) +
         "</ETag><Size>" + std::string(size) + "</Size></Part>";
}

Result<std::vector<S3Part>> read_parts(std::string_view inside) {
  return s3_parts(as_bytes("<ListPartsResult>" + std::string(inside) + "</ListPartsResult>"));
}

TEST(S3Answers, Parts) {
  EXPECT_TRUE(read_parts("<IsTruncated>false</IsTruncated>")->empty());
  const auto parts = read_parts(part("1", "5", "&quot;aa&quot;") + part("7", "0", "bb-2"));
  ASSERT_EQ(parts->size(), 2U);
  EXPECT_EQ((*parts)[0].number, 1U);
  EXPECT_EQ((*parts)[0].size, 5U);
  EXPECT_EQ((*parts)[0].etag, "aa");
  EXPECT_EQ((*parts)[1].etag, "bb-2");
  EXPECT_EQ(s3_completion(*parts),
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"aa\"</ETag></Part>"
            "<Part><PartNumber>7</PartNumber><ETag>\"bb-2\"</ETag></Part>"
            "</CompleteMultipartUpload>");
}

TEST(S3Answers, HostileParts) {
  EXPECT_EQ(read_parts("<Part/>").error().message,
            "the S3 answer: a part without number, size or ETag");
  EXPECT_EQ(read_parts(part("2", "1", "a") + part("2", "1", "a")).error().message,
            "the S3 answer: parts out of order");
  EXPECT_EQ(read_parts(part("0", "1", "a")).error().message, "the S3 answer: parts out of order");
  for (const char* number : {"-1", "1x", "", " 1", "99999999999"}) {
    EXPECT_EQ(read_parts(part(number, "1", "a")).error().message,
              "the S3 answer: a number is expected");
  }
  EXPECT_EQ(read_parts(part("1", "18446744073709551616", "a")).error().code, Errc::malformed);
  for (const char* etag : {"", "&quot;&quot;", "a b", "a&lt;b", "a&quot;b"}) {
    EXPECT_EQ(read_parts(part("1", "1", etag)).error().message, "the S3 answer: not an ETag");
  }
  EXPECT_EQ(s3_parts(as_bytes("<Error/>")).error().message, "the S3 answer: not a ListPartsResult");
}

TEST(S3Answers, Uploads) {
  const auto find = [](std::string_view inside) {
    return s3_upload_of(as_bytes("<ListMultipartUploadsResult>" + std::string(inside) +
                                 "</ListMultipartUploadsResult>"),
                        "p/k");
  };
  const std::string other = "<Upload><Key>p/k2</Key><UploadId>o</UploadId></Upload>";
  const std::string mine = "<Upload><UploadId>m</UploadId><Key>p/k</Key></Upload>";
  EXPECT_EQ(*find(""), std::nullopt);
  EXPECT_EQ(*find(other), std::nullopt);
  EXPECT_EQ(*find(other + mine + mine), "m");
  EXPECT_EQ(find("<Upload/>").error().message, "the S3 answer: an upload without key or id");
  EXPECT_EQ(s3_upload_of(as_bytes("<a/>"), "").error().code, Errc::malformed);
}

TEST(S3Answers, Completion) {
  EXPECT_TRUE(s3_completed(as_bytes("  <?xml version='1.0'?>  <CompleteMultipartUploadResult>"
                                    "<ETag>x</ETag></CompleteMultipartUploadResult>"))
                  .ok());
  EXPECT_EQ(s3_completed(as_bytes("<Error/>")).error().code, Errc::malformed);
  EXPECT_EQ(s3_completed(as_bytes("")).error().code, Errc::malformed);
}

}  // namespace
}  // namespace sp::store
