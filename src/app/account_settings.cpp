#include "app/account_settings.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/stat.h>

#include <fmt/format.h>

#include "revenant/account/account.hpp"
#include "revenant/call/transport.hpp"

namespace revenant::app {

namespace {

// FNV-1a: to be compared, not to be kept from anybody.
std::uint64_t hash(std::string_view text) {
    std::uint64_t value = 0xcbf29ce484222325;
    for (const char c : text) {
        value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    return value;
}

std::string age_of(const account::PasswordSource& source) {
    struct stat about {};

    const bool is_there = source.kind == account::PasswordSource::Kind::file &&
                          ::stat(source.where.c_str(), &about) == 0;
    return is_there ? fmt::format("{}.{}", about.st_mtim.tv_sec, about.st_mtim.tv_nsec)
                    : std::string{};
}

} // namespace

std::string settings_id(const account::Account& account) {
    const std::string all = fmt::format(
        "{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", account.aor, account.registrar,
        account.outbound_proxy,
        account.transport ? call::transport_name(*account.transport) : std::string_view{},
        account.user, static_cast<int>(account.password.kind), account.password.where,
        account.expires_s, age_of(account.password));
    return fmt::format("{:016x}", hash(all));
}

} // namespace revenant::app
