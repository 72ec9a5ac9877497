// While dialogs are being rebuilt the stack does not read the sockets in which peers' messages
// arrive (held_sockets.hpp). With thousands of dialogs that takes seconds. So what comes in is read
// here: a message for a dialog that is still to be rebuilt is put aside until it is; anything else
// goes to the stack at once (inject.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/base/socket_address.hpp"
#include "revenant/base/source.hpp"

namespace revenant::sip {

class EarlyReader {
public:
    struct Socket {
        int fd = -1;              // borrowed
        base::SocketAddress into; // where the stack reads instead
        base::SocketAddress then; // where it reads in the end
    };

    // `is_awaited` tells whether a dialog with this Call-ID is still to be rebuilt.
    EarlyReader(const std::vector<Socket>& sockets,
                std::function<bool(std::string_view call_id)> is_awaited);
    EarlyReader(const EarlyReader&) = delete;
    EarlyReader& operator=(const EarlyReader&) = delete;
    ~EarlyReader() = default;

    // Reads no more.
    void stop() { sources_.clear(); }

    // The dialog is there: what was put aside for it goes to the stack.
    void release(std::string_view call_id);
    // All of it, to where the stack reads in the end.
    void release_all();

private:
    struct Aside {
        std::string call_id;
        std::string message;
        base::SocketAddress from;
        Socket socket;
    };

    void read(const Socket& socket);

    std::function<bool(std::string_view)> is_awaited_;
    std::vector<Aside> aside_; // in the order in which they came
    std::vector<base::Source> sources_;
};

// The value of Call-ID, or of its short form; empty if there is none (RFC 3261 §7.3.3, §20.8).
[[nodiscard]] std::string_view call_id_of(std::string_view message);

} // namespace revenant::sip
