// Somebody to call on this machine: a second phone of this program, which answers one call, sends
// back what it hears, and ends by itself when the call is over. It lives on when we are killed.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/shell/options.hpp"

namespace revenant::app {

class TestPeer {
public:
    using Ready = std::function<void(const base::Result<std::string>& uri)>;

    // `near`: our listening address; the peer takes the same, with a free port. `ready` is called
    // once, from the main loop: with the URI to call, or why there is none. The peer's state
    // directory is `directory`.
    [[nodiscard]] static base::Result<std::unique_ptr<TestPeer>>
    start(const shell::Listen& near, const std::string& directory, Ready ready);

private:
    TestPeer(base::Fd output, std::string uri, Ready ready);
    void read();
    void tell(const base::Result<std::string>& uri);

    base::Fd output_;
    std::string uri_;
    Ready ready_;
    std::string heard_;
    base::Source readable_;
    base::Source deadline_;
};

} // namespace revenant::app
