#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <unistd.h>

#include "revenant/base/source.hpp"
#include "revenant/base/text.hpp"
#include "revenant/shell/prompt.hpp"
#include "shell/prompt_kinds.hpp"

namespace revenant::shell {

namespace {

// More than a command line may have, so that the table refuses a longer one instead of running
// its beginning.
constexpr std::size_t kept_max = 8192;

class PlainPrompt final : public Prompt {
public:
    PlainPrompt(Hooks hooks, int fd)
        : hooks_{std::move(hooks)}, fd_{fd}, partial_{hooks_.typed, 0, kept_max} {
        // SAFETY: the source is ours and goes with us.
        input_ = base::on_readable(fd_, [this] { read_some(); });
    }

    void refresh() override {}

private:
    // One read, which does not wait because there is something to read.
    void read_some() {
        std::array<char, 4096> piece{};
        const ssize_t count = ::read(fd_, piece.data(), piece.size());
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
            return;
        }
        const bool at_end = count <= 0;
        if (at_end) {
            input_.reset();
        }
        // Hooks may destroy us: everything they need is held here.
        const std::weak_ptr<int> alive = alive_;
        const Hooks hooks = hooks_;
        take({piece.data(), at_end ? 0 : static_cast<std::size_t>(count)}, at_end, hooks, alive);
        if (at_end && !alive.expired() && hooks.on_end) {
            hooks.on_end();
        }
    }

    void
    take(std::string_view text, bool at_end, const Hooks& hooks, const std::weak_ptr<int>& alive) {
        while (!alive.expired()) {
            const std::size_t end = text.find('\n');
            const std::string_view piece = text.substr(0, end);
            partial_.append(piece.substr(0, kept_max - std::min(kept_max, partial_.size())));
            const bool is_whole = end != std::string_view::npos || at_end;
            if (hooks.on_typing) {
                hooks.on_typing(is_whole ? "" : std::string_view{partial_}, 0);
            }
            if (!is_whole) {
                return;
            }
            const std::string line = std::exchange(partial_, {});
            text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
            if (!base::trim(line).empty()) {
                hooks.on_line(line);
            }
            if (end == std::string_view::npos) {
                return;
            }
        }
    }

    Hooks hooks_;
    int fd_;
    std::string partial_;
    // shared_ptr: the only owner; watched across hooks that may destroy us.
    std::shared_ptr<int> alive_ = std::make_shared<int>();
    base::Source input_;
};

} // namespace

std::unique_ptr<Prompt> open_plain_prompt(Prompt::Hooks hooks, int fd) {
    return std::make_unique<PlainPrompt>(std::move(hooks), fd);
}

} // namespace revenant::shell
