// Questions to the name servers of /etc/resolv.conf, by c-ares on the main loop: nothing here
// waits.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "revenant/base/source.hpp"
#include "sip/names/name_records.hpp"

struct ares_channeldata;

namespace revenant::sip {

class NameServers {
public:
    enum class Verdict : std::uint8_t {
        answered,
        no_record, // the name has none of that type
        no_name,   // there is no such name
        refused,   // at once: no route, port closed, a refusal, a failure of the server's own
        silent,
    };
    // The bytes of an answer, empty unless it is `answered`. May come within `ask`.
    using Heard = std::function<void(const NameKey&, Verdict, std::string_view bytes)>;

    explicit NameServers(Heard heard);
    NameServers(const NameServers&) = delete;
    NameServers& operator=(const NameServers&) = delete;
    ~NameServers();

    void ask(const NameKey& key);
    // Other servers than before, or the first: true, and all questions are forgotten.
    [[nodiscard]] bool follow_config();
    // To be called now and then while `asked`: repeats questions, and gives them up.
    void look_at_time();

    // Questions that have no answer.
    [[nodiscard]] std::size_t asked() const { return asked_; }

    // Forgets all questions.
    void cancel();

    // What /etc/hosts says, for A and AAAA; nothing if it does not have the name.
    [[nodiscard]] std::optional<std::vector<NameRecord>> in_hosts_file(const NameKey& key) const;

private:
    struct Question;

    struct Watched {
        base::Source readable;
        base::Source writable;
    };

    void open();
    void close();
    void watch(int fd, bool readable, bool writable);
    static void on_answer(void* question, int status, int timeouts, unsigned char* bytes, int size);

    Heard heard_;
    ares_channeldata* channel_ = nullptr;

    struct stat config_ {};

    std::map<int, Watched> sockets_;
    std::size_t asked_ = 0;
};

} // namespace revenant::sip
