#include "sip/interpose/functions.hpp"

#include <string_view>

namespace revenant::sip {

std::string_view name_of(Whose whose) {
    switch (whose) {
    case Whose::libc: return "libc";
    case Whose::glib: return "GLib";
    case Whose::glue: return "sofia-sip around GLib, internal";
    case Whose::open: return "sofia-sip";
    case Whose::internal: return "sofia-sip, internal";
    }
    return "";
}

} // namespace revenant::sip
