#include "sip/names/name_servers.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "revenant/base/boundary.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/base/source.hpp"
#include "sip/names/cares.hpp"

namespace revenant::sip {

namespace {

constexpr const char* config_path = "/etc/resolv.conf";
constexpr int class_in = 1;            // RFC 1035 §3.2.4
constexpr int first_timeout_ms = 1000; // then doubled
constexpr int tries = 3;               // of each server: 7 s

NameServers::Verdict verdict_of(int status) {
    switch (status) {
    case ARES_SUCCESS: return NameServers::Verdict::answered;
    case ARES_ENODATA: return NameServers::Verdict::no_record;
    // A name that cannot be asked for is none.
    case ARES_EBADNAME:
    case ARES_EBADQUERY:
    case ARES_EFORMERR:
    case ARES_ENOTFOUND: return NameServers::Verdict::no_name;
    case ARES_ETIMEOUT: return NameServers::Verdict::silent;
    default: return NameServers::Verdict::refused;
    }
}

bool is_same(const struct stat& a, const struct stat& b) {
    return a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
           a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

// Without a descriptor c-ares reads nothing, and takes it for a file that is not there.
bool can_read_config() {
    const base::Fd file{::open(config_path, O_RDONLY | O_CLOEXEC)};
    return static_cast<bool>(file) || errno == ENOENT;
}

struct stat stat_of_config() {
    struct stat result {};

    static_cast<void>(::stat(config_path, &result)); // not there: c-ares asks this machine
    return result;
}

} // namespace

struct NameServers::Question {
    NameServers* servers; // outlives its channel
    NameKey key;
};

NameServers::NameServers(Heard heard) : heard_{std::move(heard)} {
    static const bool initialised = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
    static_cast<void>(initialised);
}

NameServers::~NameServers() {
    close();
}

void NameServers::open() {
    if (!can_read_config()) {
        return; // the next question tries again
    }
    config_ = stat_of_config();
    ares_options options{};
    options.timeout = first_timeout_ms;
    options.tries = tries;
    // SAFETY: the channel goes before `this`.
    options.sock_state_cb_data = this;
    options.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
        base::at_boundary("name server socket", [&] {
            static_cast<NameServers*>(self)->watch(fd, readable != 0, writable != 0);
        });
    };
    constexpr int given = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    if (ares_init_options(&channel_, &options, given) != ARES_SUCCESS) {
        channel_ = nullptr;
    }
}

void NameServers::close() {
    if (ares_channel old = std::exchange(channel_, nullptr)) {
        ares_destroy(old); // answers every question, with an error that is not passed on
    }
    sockets_.clear();
}

void NameServers::watch(int fd, bool readable, bool writable) {
    sockets_.erase(fd);
    if (!readable && !writable) {
        return;
    }
    Watched& watched = sockets_[fd];
    if (readable) {
        // SAFETY: the sources are members.
        watched.readable =
            base::on_readable(fd, [this, fd] { ares_process_fd(channel_, fd, ARES_SOCKET_BAD); });
    }
    if (writable) {
        watched.writable =
            base::on_writable(fd, [this, fd] { ares_process_fd(channel_, ARES_SOCKET_BAD, fd); });
    }
}

void NameServers::ask(const NameKey& key) {
    if (channel_ == nullptr) {
        heard_(key, Verdict::refused, {});
        return;
    }
    ++asked_;
    auto question = std::make_unique<Question>(Question{.servers = this, .key = key});
    ares_query(channel_, key.name.c_str(), class_in, static_cast<int>(key.type), on_answer,
               question.release());
}

void NameServers::on_answer(
    void* question, int status, int /*timeouts*/, unsigned char* bytes, int size) {
    base::at_boundary("name server", [&] {
        const std::unique_ptr<Question> one{static_cast<Question*>(question)};
        --one->servers->asked_;
        if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) {
            return;
        }
        const bool has_bytes = status == ARES_SUCCESS && bytes != nullptr && size > 0;
        one->servers->heard_(one->key, verdict_of(status),
                             has_bytes ? std::string_view{reinterpret_cast<const char*>(bytes),
                                                          static_cast<std::size_t>(size)}
                                       : std::string_view{});
    });
}

bool NameServers::follow_config() {
    if (channel_ != nullptr && is_same(stat_of_config(), config_)) {
        return false;
    }
    close(); // c-ares of Debian 12 cannot read it again
    open();
    return true;
}

void NameServers::look_at_time() {
    if (channel_ != nullptr) {
        ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    }
}

void NameServers::cancel() {
    if (channel_ != nullptr) {
        ares_cancel(channel_);
    }
}

std::optional<std::vector<NameRecord>> NameServers::in_hosts_file(const NameKey& key) const {
    const bool is_address = key.type == RecordType::a || key.type == RecordType::aaaa;
    const int family = key.type == RecordType::aaaa ? AF_INET6 : AF_INET;
    hostent* found = nullptr;
    if (!is_address || channel_ == nullptr ||
        ares_gethostbyname_file(channel_, key.name.c_str(), family, &found) != ARES_SUCCESS) {
        return std::nullopt;
    }
    std::vector<NameRecord> records;
    for (char** raw = found->h_addr_list; *raw != nullptr && records.size() < records_max; ++raw) {
        std::array<char, 64> text{}; // longer than any address
        if (ares_inet_ntop(found->h_addrtype, *raw, text.data(), text.size()) != nullptr) {
            records.push_back({.address = text.data()});
        }
    }
    ares_free_hostent(found);
    return records;
}

} // namespace revenant::sip
