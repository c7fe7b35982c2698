#include "learning/row_reader.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "temporary_file.h"

using llmroute::base::ErrorKind;
using llmroute::learning::Row;
using llmroute::learning::RowReader;

namespace {

// A file whose name ends as a table's.
class TableFile {
 public:
  explicit TableFile(const std::string& text) : file_("") {
    REQUIRE(llmroute::base::replace_file(path(), text));
  }
  TableFile(const TableFile&) = delete;
  TableFile& operator=(const TableFile&) = delete;
  ~TableFile() { ::unlink(path().c_str()); }
  std::string path() const { return file_.path() + ".csv"; }

 private:
  TemporaryFile file_;
};

struct Read {
  std::vector<Row> rows;
  std::string error;
};

Read read(const std::string& path) {
  Read all;
  auto reader = RowReader::open(path);
  if (!reader) return {{}, reader.error().message};
  for (;;) {
    auto row = reader->next();
    if (!row) {
      CHECK(row.error().kind == ErrorKind::kData);
      all.error = row.error().message;
      return all;
    }
    if (!*row) return all;
    all.rows.push_back(**std::move(row));
  }
}

const std::string kHeader =
    "sample_id,prompt,eval_name,a/x,b,a/x|model_response,b|model_response,"
    "a/x|total_cost,b|total_cost,oracle_model_to_route_to\r\n";

}  // namespace

TEST_CASE("a wide table is read as rows of outcomes") {
  const TableFile file(kHeader +
                       "s1,\"two\nlines, \"\"quoted\"\"\",mmlu-law,1.0,0,"
                       "\"long\nanswer\",no,0.001,1e-4,b\r\n"
                       "s2,plain,gsm8k,True,,x,y,0,,a/x\n");
  const Read got = read(file.path());
  CHECK(got.error == "");
  REQUIRE(got.rows.size() == 2);
  using Values = std::vector<std::pair<std::string, double>>;
  CHECK(got.rows[0].prompt == "two\nlines, \"quoted\"");
  CHECK(got.rows[0].group == "mmlu-law");
  CHECK(got.rows[0].scores == Values{{"a/x", 1}, {"b", 0}});
  CHECK(got.rows[0].costs == Values{{"a/x", 0.001}, {"b", 0.0001}});
  CHECK(got.rows[1].scores == Values{{"a/x", 1}});
  CHECK(got.rows[1].costs == Values{{"a/x", 0}});
}

TEST_CASE("a table without cost columns has a model per unknown name") {
  const TableFile file("prompt,group,m1,m2\nhello,g,0.5,1\n");
  const Read got = read(file.path());
  REQUIRE(got.rows.size() == 1);
  CHECK(got.rows[0].group == "g");
  CHECK(got.rows[0].scores.size() == 2);
}

TEST_CASE("a wide row may be a JSON object") {
  const TemporaryFile file(
      R"({"sample_id":"s1","prompt":"p","eval_name":"arc","m":1,"n":false,)"
      R"("m|total_cost":0.5,"n|model_response":"no","m|model_response":"x"})"
      "\n");
  const Read got = read(file.path());
  CHECK(got.error == "");
  REQUIRE(got.rows.size() == 1);
  CHECK(got.rows[0].group == "arc");
  CHECK(got.rows[0].source.ends_with(":arc"));
  CHECK(got.rows[0].scores ==
        std::vector<std::pair<std::string, double>>{{"m", 1}, {"n", 0}});
  CHECK(got.rows[0].costs ==
        std::vector<std::pair<std::string, double>>{{"m", 0.5}});
}

TEST_CASE("a row's dataset is the first that is there of three names") {
  const TableFile table(
      "prompt,eval_name,m|total_cost,source,m\np,e,1,a/b,1\n");
  const TemporaryFile lines(
      R"({"prompt":"p","eval_name":"e","m|total_cost":1,"source":"a/b","m":1})"
      "\n");
  for (const std::string& path : {table.path(), lines.path()}) {
    const Read got = read(path);
    CHECK(got.error == "");
    REQUIRE(got.rows.size() == 1);
    CHECK(got.rows[0].group == "a/b");
    CHECK(got.rows[0].source.ends_with(":a"));
    CHECK(got.rows[0].scores.size() == 1);
  }
}

TEST_CASE("a row without a dataset has the next name that says something") {
  const TableFile table(
      "prompt,source,dataset,eval_name,m\np,s,,e,1\np,,,e,1\np,s,d,e,1\n");
  const Read got = read(table.path());
  CHECK(got.error == "");
  REQUIRE(got.rows.size() == 3);
  CHECK(got.rows[0].group == "s");
  CHECK(got.rows[1].group == "e");
  CHECK(got.rows[2].group == "d");
}

TEST_CASE("a table has a context as JSON lines have") {
  const TableFile marked("prompt,context,m,m|total_cost\np,c,1,1\n");
  const TableFile plain("prompt,context,m\np,c,1\n");
  const TemporaryFile lines(
      R"({"prompt":"p","context":"c","m":1,"m|total_cost":1})"
      "\n");
  for (const std::string& path : {marked.path(), plain.path(), lines.path()}) {
    const Read got = read(path);
    CHECK(got.error == "");
    REQUIRE(got.rows.size() == 1);
    CHECK(got.rows[0].context == "c");
    CHECK(got.rows[0].scores.size() == 1);
  }
}

TEST_CASE("a bad table is refused by file, line and record") {
  const struct {
    std::string text, error;
  } cases[] = {
      {"x,y\n", ": no column 'prompt' in the header"},
      {"", ": no column 'prompt' in the header"},
      {"prompt,id\n", ": no column of scores in the header"},
      {"prompt,m,m\n", ": column 'm' stands twice in the header"},
      {"prompt,m\n\"a\nb\",1\nc,2\n",
       ":4: record 3: score of 'm' is not a number from 0 to 1"},
      {"prompt,m\na,x\n",
       ":2: record 2: score of 'm' is not a number from 0 to 1"},
      {"prompt,m,m|total_cost\na,1,-1\n",
       ":2: record 2: cost of 'm' is not a number of dollars"},
      {"prompt,m\na,1,1\n", ":2: record 2: 3 fields, but the header has 2"},
      {"prompt,m\na,1\n\"b",
       ": record 3 (line 3): a quote that is never "
       "closed"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    const TableFile file(c.text);
    CHECK(read(file.path()).error == file.path() + c.error);
  }
}

TEST_CASE("costs, ids and groups of JSON rows are read") {
  const TemporaryFile file(
      R"({"id":"r","prompt":"p","dataset":"d/e","group":"g","scores":{"m":1},)"
      R"("cost":{"m":0.25,"n":null}})"
      "\n"
      R"({"prompt":"p","scores":{"m":1},"cost":{"m":-1}})"
      "\n");
  const Read got = read(file.path());
  REQUIRE(got.rows.size() == 1);
  CHECK(got.rows[0].group == "g");
  CHECK(got.rows[0].source.ends_with(":d"));
  CHECK(got.rows[0].costs[0].second == 0.25);
  CHECK(got.error ==
        file.path() + ":2: cost of 'm' is not a number of dollars");
}
