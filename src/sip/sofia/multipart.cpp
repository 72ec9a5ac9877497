#include "sip/sofia/multipart.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "revenant/base/text.hpp"

namespace revenant::sip {

namespace {

constexpr int depth_max = 4;
constexpr int parts_max = 64;

struct Part {
    std::string type = "text/plain"; // RFC 2046 §5.2, lower case
    std::string_view type_parameters;
    std::string disposition; // lower case, with its parameters
    std::string encoding;    // lower case
    std::string_view body;
};

// Up to `end`, which both lose.
std::string_view take_until(std::string_view& text, std::string_view end) {
    const std::string_view taken = text.substr(0, text.find(end));
    text.remove_prefix(std::min(taken.size() + end.size(), text.size()));
    return taken;
}

std::string_view unquoted(std::string_view value) {
    const bool is_quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
    return is_quoted ? value.substr(1, value.size() - 2) : value;
}

// The value of a parameter in `;name=value;name="value"`, without its quotes.
std::string_view parameter(std::string_view parameters, std::string_view name) {
    while (!parameters.empty()) {
        std::string_view one = take_until(parameters, ";");
        const std::string_view key = base::trim(take_until(one, "="));
        if (base::equals_ignoring_case(key, name)) {
            return unquoted(base::trim(one));
        }
    }
    return {};
}

void take_field(Part& part, std::string_view line) {
    const std::string_view name = base::trim(take_until(line, ":"));
    const std::string_view value = base::trim(line);
    if (base::equals_ignoring_case(name, "content-type") || base::equals_ignoring_case(name, "c")) {
        std::string_view rest = value;
        part.type = base::to_lower(base::trim(take_until(rest, ";")));
        part.type_parameters = rest;
    } else if (base::equals_ignoring_case(name, "content-disposition")) {
        part.disposition = base::to_lower(value);
    } else if (base::equals_ignoring_case(name, "content-transfer-encoding") ||
               base::equals_ignoring_case(name, "content-encoding")) {
        part.encoding = base::to_lower(value);
    }
}

Part read_part(std::string_view text) {
    Part part;
    while (!text.empty()) {
        const std::string_view line = base::trim(take_until(text, "\n"));
        if (line.empty()) {
            break;
        }
        take_field(part, line);
    }
    part.body = text;
    return part;
}

bool is_identity(std::string_view encoding) {
    static constexpr std::array<std::string_view, 5> plain{"", "7bit", "8bit", "binary",
                                                           "identity"};
    return std::ranges::find(plain, encoding) != plain.end();
}

// Offers for early media of their own have the disposition "early-session" (RFC 3959).
bool is_description(const Part& part) {
    const std::string_view disposition{part.disposition};
    const std::string_view kind = base::trim(disposition.substr(0, disposition.find(';')));
    return part.type == "application/sdp" && (kind.empty() || kind == "session") &&
           is_identity(part.encoding);
}

// The next part; `text` stands behind a delimiter and loses both. Nothing behind the last.
std::optional<std::string_view> next_part(std::string_view& text, std::string_view delimiter) {
    if (text.starts_with("--")) {
        return std::nullopt;
    }
    static_cast<void>(take_until(text, "\n")); // the rest of the delimiter's line
    for (std::size_t at = 0; (at = text.find(delimiter, at)) != std::string_view::npos; ++at) {
        if (at != 0 && text[at - 1] != '\n') {
            continue;
        }
        std::string_view part = text.substr(0, at);
        text.remove_prefix(at + delimiter.size());
        // The line end before a delimiter belongs to it.
        part.remove_suffix(part.ends_with("\r\n") ? 2 : part.ends_with('\n') ? 1 : 0);
        return part;
    }
    return std::nullopt;
}

std::optional<std::string_view> search(std::string_view kind,
                                       std::string_view boundary,
                                       std::string_view body,
                                       bool is_strict,
                                       int depth) {
    if (boundary.empty() || depth == depth_max) {
        return std::nullopt;
    }
    const std::string delimiter = "--" + std::string{boundary};
    std::optional<std::string_view> found;
    std::string_view text = body;
    if (!text.starts_with(delimiter)) { // what stands before the first part is for nobody
        text.remove_prefix(std::min(text.find("\n" + delimiter), text.size()));
        text.remove_prefix(text.empty() ? 0 : 1);
    }
    text.remove_prefix(std::min(delimiter.size(), text.size()));
    for (int i = 0; i < parts_max; ++i) {
        const auto next = next_part(text, delimiter);
        if (!next) {
            break;
        }
        const Part part = read_part(*next);
        const bool is_first = !found || kind == "alternative";
        if (is_description(part)) {
            found = is_first ? part.body : found;
        } else if (part.type.starts_with("multipart/")) {
            const auto inner = search(std::string_view{part.type}.substr(10),
                                      parameter(part.type_parameters, "boundary"), part.body,
                                      is_strict, depth + 1);
            found = inner && is_first ? inner : found;
        } else if (is_strict && kind != "alternative" &&
                   parameter(part.disposition, "handling") == "required") {
            return std::nullopt;
        }
    }
    return found;
}

} // namespace

void keep_description_only(msg_t* message) {
    constexpr std::string_view multipart = "multipart/";
    sip_t* sip = sip_object(message);
    if (sip == nullptr || sip->sip_payload == nullptr || sip->sip_payload->pl_data == nullptr ||
        sip->sip_content_type == nullptr || sip->sip_content_type->c_type == nullptr) {
        return;
    }
    const std::string type = base::to_lower(sip->sip_content_type->c_type);
    const char* boundary = msg_header_find_param(sip->sip_content_type->c_common, "boundary=");
    if (!type.starts_with(multipart) || boundary == nullptr) {
        return;
    }
    const bool is_strict =
        sip->sip_request != nullptr && sip->sip_request->rq_method != sip_method_ack;
    const auto description =
        description_in(std::string_view{type}.substr(multipart.size()), unquoted(boundary),
                       {sip->sip_payload->pl_data, sip->sip_payload->pl_len}, is_strict);
    if (!description) {
        return;
    }
    su_home_t* home = msg_home(message);
    const std::string length = std::to_string(description->size());
    const std::string text{*description}; // the header that it stands in is about to go
    static_cast<void>(
        sip_header_insert(message, sip,
                          reinterpret_cast<sip_header_t*>(sip_payload_create(
                              home, text.data(), static_cast<isize_t>(text.size())))));
    static_cast<void>(sip_add_tl(message, sip, SIPTAG_CONTENT_TYPE_STR("application/sdp"),
                                 SIPTAG_CONTENT_LENGTH_STR(length.c_str()), TAG_END()));
}

std::optional<std::string_view> description_in(std::string_view kind,
                                               std::string_view boundary,
                                               std::string_view body,
                                               bool is_strict) {
    return search(kind, boundary, body, is_strict, 0);
}

} // namespace revenant::sip
