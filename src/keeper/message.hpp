// What a datagram on the notify socket says (sd_notify(3)), as far as a keeper acts on it.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace revenant::keeper {

// Longer datagrams are refused whole, as systemd does (NOTIFY_BUFFER_MAX).
inline constexpr std::size_t message_max = 4096;
inline constexpr std::size_t name_max = 255;

// The views lie within the datagram.
struct Message {
    bool ready = false;
    bool store = false;
    bool remove = false;
    // Stands alone: everything else in such a datagram is ignored, its descriptors are closed.
    bool barrier = false;
    bool alive = false;                             // WATCHDOG=1
    bool stuck = false;                             // WATCHDOG=trigger
    std::optional<std::chrono::microseconds> limit; // WATCHDOG_USEC
    std::optional<std::string_view> name;
    std::optional<std::string_view> status;
};

// Nothing if the text holds a NUL octet before its end. Assignments that a keeper has no use
// for (MAINPID, STOPPING, RELOADING, FDPOLL, ERRNO...) are skipped.
[[nodiscard]] std::optional<Message> read_message(std::string_view text);

// systemd's rule for names in LISTEN_FDNAMES: printable ASCII without ':', 255 octets at most.
[[nodiscard]] bool is_valid_name(std::string_view name);

} // namespace revenant::keeper
