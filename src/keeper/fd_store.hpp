// The descriptors that outlive the phone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

namespace revenant::keeper {

// Descriptors are kept where the next phone expects them: from 3 on, in the order in which they
// were stored, and open across exec. So a start needs no system call per descriptor. For this the
// keeper's own descriptors lie above all that can be stored, and what the kernel hands out next is
// as a rule the right number already. After a removal the numbers are wrong until `arrange`.
class FdStore {
public:
    static constexpr int first = 3; // SD_LISTEN_FDS_START
    // The kernel takes no longer string in an environment (MAX_ARG_STRLEN with its NUL).
    static constexpr std::size_t names_max = 131072 - sizeof "LISTEN_FDNAMES=";

    enum class Outcome { stored, known, full, names_full };

    explicit FdStore(std::size_t held_max) : held_max_{held_max} {}

    ~FdStore();
    FdStore(const FdStore&) = delete;
    FdStore& operator=(const FdStore&) = delete;

    // Takes the descriptor over; closes it unless it was stored. `known`: the same open file is
    // held already and stays under its old name, as with systemd. Several may share a name.
    Outcome add(int fd, std::string_view name);

    // Closes all of that name and says how many there were.
    std::size_t remove(std::string_view name);

    // Puts each descriptor where it belongs. False if the kernel refused (errno).
    [[nodiscard]] bool arrange();

    [[nodiscard]] bool arranged() const { return arranged_; }

    [[nodiscard]] std::size_t size() const { return held_.size(); }

    // Joined by ':', in order: the value of LISTEN_FDNAMES. The reference stays valid.
    [[nodiscard]] const std::string& names() const { return names_; }

private:
    struct Held {
        int fd;
        dev_t device;
        ino_t inode;
        std::string name;
    };

    [[nodiscard]] bool holds(int fd, const struct stat& status) const;
    void join_names();

    std::size_t held_max_;
    std::vector<Held> held_;
    std::string names_;
    bool arranged_ = true;
};

} // namespace revenant::keeper
