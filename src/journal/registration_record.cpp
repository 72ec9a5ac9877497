// A Registration as text and back, and its rules: visitors of the description in
// registration_fields.hpp.
#include <string>
#include <string_view>

#include "journal/record_checker.hpp"
#include "journal/record_reader.hpp"
#include "journal/record_writer.hpp"
#include "journal/registration_fields.hpp"
#include "revenant/account/registration.hpp"
#include "revenant/base/result.hpp"
#include "revenant/journal/record.hpp"

namespace revenant::journal {

base::Status check(const account::Registration& registration) {
    RecordChecker checker;
    fields(checker, registration);
    return checker.finish();
}

std::string encode(const account::Registration& registration) {
    return write_record(registration, registration_schema);
}

base::Result<account::Registration> decode_registration(std::string_view text) {
    return read_record<account::Registration>(text, registration_schema);
}

} // namespace revenant::journal
