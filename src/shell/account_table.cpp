#include "shell/account_table.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "revenant/account/account.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/transport.hpp"
#include "shell/option_apply.hpp"
#include "shell/uri_shape.hpp"
#include "shell/values.hpp"

namespace revenant::shell {

namespace {

using account::PasswordSource;
using apply::keep;

constexpr std::size_t user_length_max = 256;
constexpr std::size_t command_length_max = 4096;

tl::unexpected<base::Error> wrong(const Said& said, const std::string& what) {
    return base::fail(base::Errc::bad_input, said.name + " " + what);
}

tl::unexpected<base::Error> takes(const Said& said, const std::string& what) {
    return wrong(said, "takes " + what + ", not '" + base::printable(said.text, 80) + "'");
}

// Its text is in no error: it may be a password.
base::Status refuse_password(const Said& said) {
    if (has_uri_password(said.text)) {
        return wrong(said, "has a password in its URI; password-file, password-command or "
                           "password-env say where it is");
    }
    return {};
}

base::Status aor(AccountDraft& draft, const Said& said) {
    std::pair<std::string, std::string> who;
    base::Status status =
        refuse_password(said).and_then([&] { return keep(read_aor(said.name, said.text), who); });
    if (!status) {
        return status;
    }
    const auto shape = shape_of_uri(who.second);
    if (!shape || shape->user.empty()) {
        return takes(said, "sip:USER@HOST, like sip:alice@example.org");
    }
    draft.account.display_name = std::move(who.first);
    draft.account.aor = std::move(who.second);
    return {};
}

base::Status registrar(AccountDraft& draft, const Said& said) {
    return keep(read_registrar(said.name, said.text), draft.account.registrar);
}

base::Status outbound_proxy(AccountDraft& draft, const Said& said) {
    if (base::Status status = refuse_password(said); !status) {
        return status;
    }
    if (!shape_of_uri(said.text)) {
        return takes(said, "a SIP URI, like sip:proxy.example.org");
    }
    return keep(read_uri(said.name, said.text), draft.account.outbound_proxy);
}

base::Status transport(AccountDraft& draft, const Said& said) {
    using call::Transport;
    for (const Transport one : {Transport::udp, Transport::tcp, Transport::tls}) {
        if (said.text == call::transport_name(one)) {
            draft.account.transport = one;
            return {};
        }
    }
    return takes(said, "udp, tcp or tls");
}

base::Status user(AccountDraft& draft, const Said& said) {
    // It stands in quotes in credentials (RFC 7616 §3.4).
    const bool is_good = !said.text.empty() && said.text.size() <= user_length_max &&
                         said.text.find_first_of("\"\\\t\n\r") == std::string_view::npos &&
                         base::printable(said.text, user_length_max) == said.text;
    if (!is_good) {
        return takes(said, "a name without quotes, of at most 256 bytes");
    }
    draft.account.user = said.text;
    return {};
}

// A source's text is in no error either: someone may have put the password there.
base::Status
password(AccountDraft& draft, const Said& said, PasswordSource::Kind kind, std::string where) {
    if (draft.account.password.kind != PasswordSource::Kind::none) {
        return wrong(said, "is one source of the password too many; there is one of password-file, "
                           "password-command and password-env");
    }
    draft.account.password = {.kind = kind, .where = std::move(where)};
    return {};
}

base::Status password_file(AccountDraft& draft, const Said& said) {
    auto path = read_fixed_path(said.name, said.text);
    if (!path || said.text.ends_with('/')) {
        return wrong(said, "takes the path of a file, which begins with / or ~/");
    }
    return password(draft, said, PasswordSource::Kind::file, std::move(*path));
}

base::Status password_command(AccountDraft& draft, const Said& said) {
    const bool is_line = base::printable(said.text, said.text.size()) == said.text;
    if (said.text.empty() || said.text.size() > command_length_max || !is_line) {
        return wrong(said, "takes one line for /bin/sh, of at most 4096 bytes");
    }
    return password(draft, said, PasswordSource::Kind::command, std::string{said.text});
}

base::Status password_env(AccountDraft& draft, const Said& said) {
    const bool is_name = std::ranges::all_of(said.text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    });
    if (said.text.empty() || said.text.size() > user_length_max || !is_name ||
        (said.text.front() >= '0' && said.text.front() <= '9')) {
        return wrong(said, "takes the name of an environment variable, like SIP_PASSWORD");
    }
    return password(draft, said, PasswordSource::Kind::environment, std::string{said.text});
}

base::Status display_name(AccountDraft& draft, const Said& said) {
    return keep(read_display_name(said.name, said.text), draft.display_name);
}

base::Status registers(AccountDraft& draft, const Said& said) {
    const std::optional<bool> is_on = to_bool(said.text);
    if (!is_on) {
        return takes(said, "true or false");
    }
    draft.account.registers = *is_on;
    return {};
}

base::Status expires(AccountDraft& draft, const Said& said) {
    return keep(read_number(said.name, said.text, 60, 86'400), draft.account.expires_s);
}

base::Status codecs(AccountDraft& draft, const Said& said) {
    return keep(read_codecs(said.name, said.text), draft.account.codecs);
}

base::Status auto_answer(AccountDraft& draft, const Said& said) {
    draft.has_auto_answer = true;
    if (const std::optional<bool> is_on = to_bool(said.text)) {
        draft.account.auto_answer = *is_on ? std::optional<std::uint16_t>{200} : std::nullopt;
        return {};
    }
    const auto status = base::to_u32(said.text);
    if (!status || *status < 180 || *status > 699) {
        return takes(said, "true, false or a status from 180 to 699");
    }
    draft.account.auto_answer = static_cast<std::uint16_t>(*status);
    return {};
}

base::Status instance_id(AccountDraft& draft, const Said& said) {
    constexpr std::string_view pattern = "urn:uuid:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    // Registrars compare byte by byte (RFC 5626 §4.1), and a UUID is written in lower case.
    std::string id = base::to_lower(said.text);
    const bool fits =
        id.size() == pattern.size() && std::ranges::equal(id, pattern, [](char c, char wanted) {
            const bool is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
            return wanted == 'x' ? is_digit : c == wanted;
        });
    if (!fits) {
        return takes(said, "urn:uuid: and a UUID, as uuidgen prints it");
    }
    draft.account.instance_id = std::move(id);
    return {};
}

base::Status srtp(AccountDraft& /*draft*/, const Said& said) {
    if (to_bool(said.text) != false) {
        return wrong(said, "= no is all that this version can do: it has no SRTP");
    }
    return {};
}

// The defaults that the help tells are those of account::Account.
constexpr std::array rows{
    AccountRow{.key = "aor",
               .argument = "URI",
               .help = "who we are: sip:alice@example.org, or with a name \"Alice\" "
                       "<sip:alice@example.org>; each account has one",
               .apply = aor},
    AccountRow{.key = "registrar",
               .argument = "URI",
               .help = "where to register (the AOR's host)",
               .apply = registrar},
    AccountRow{.key = "outbound-proxy",
               .argument = "URI",
               .help = "send its requests outside of dialogs through this proxy",
               .apply = outbound_proxy},
    AccountRow{.key = "transport",
               .argument = "udp|tcp|tls",
               .help = "how to reach registrar and proxy",
               .apply = transport},
    AccountRow{.key = "user",
               .argument = "NAME",
               .help = "what registrar and proxy know us by, when they ask for a password (the "
                       "AOR's user)",
               .apply = user},
    AccountRow{.key = "password-file",
               .argument = "FILE",
               .help = "the password is the first line of this file, whose mode is 0600",
               .apply = password_file},
    AccountRow{.key = "password-command",
               .argument = "COMMAND",
               .help = "it is the first line that this prints, run by /bin/sh when a password is "
                       "asked for, like 'secret-tool lookup sip alice'",
               .apply = password_command},
    AccountRow{.key = "password-env",
               .argument = "VARIABLE",
               .help = "it is in this variable of the environment",
               .apply = password_env},
    AccountRow{.key = "display-name",
               .argument = "NAME",
               .help = "what the other end shows beside the URI (the AOR's name)",
               .apply = display_name},
    AccountRow{.key = "register",
               .argument = "true|false",
               .help = "whether to register at the start (true)",
               .apply = registers},
    AccountRow{.key = "expires",
               .argument = "SECONDS",
               .help = "for how long to register, 60 to 86400 (3600); it is refreshed in time",
               .apply = expires},
    AccountRow{.key = "codecs",
               .argument = "NAME[,NAME]...",
               .help = "in order of preference (those of [phone])",
               .apply = codecs},
    AccountRow{.key = "auto-answer",
               .argument = "true|false|STATUS",
               .help = "answer each of its calls at once, with 200 or this status (as [phone])",
               .apply = auto_answer},
    AccountRow{.key = "instance-id",
               .argument = "URN",
               .help = "urn:uuid: and a UUID, which tells this phone from others of the same AOR "
                       "(one is made and kept)",
               .apply = instance_id},
    AccountRow{.key = "srtp",
               .argument = "no",
               .help = "whether its sound is encrypted; this version has no SRTP",
               .apply = srtp},
};

} // namespace

std::span<const AccountRow> account_table() {
    return rows;
}

const AccountRow* find_account_key(std::string_view key) {
    const auto* const found = std::ranges::find(rows, key, &AccountRow::key);
    return found != rows.end() ? &*found : nullptr;
}

} // namespace revenant::shell
