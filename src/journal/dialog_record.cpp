// A Dialog as text and back, and its rules: visitors of the description in dialog_fields.hpp.
#include <string>
#include <string_view>

#include "journal/dialog_fields.hpp"
#include "journal/record_checker.hpp"
#include "journal/record_reader.hpp"
#include "journal/record_writer.hpp"
#include "revenant/base/result.hpp"
#include "revenant/call/dialog.hpp"
#include "revenant/journal/record.hpp"

namespace revenant::journal {

base::Status check(const call::Dialog& dialog) {
    RecordChecker checker;
    fields(checker, dialog);
    return checker.finish();
}

std::string encode(const call::Dialog& dialog) {
    return write_record(dialog, schema);
}

base::Result<call::Dialog> decode(std::string_view text) {
    return read_record<call::Dialog>(text, schema);
}

} // namespace revenant::journal
