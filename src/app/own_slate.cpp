#include "app/own_slate.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "revenant/base/disk_wait.hpp"

namespace revenant::app {

namespace {

constexpr int sealed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

base::Fd make_page() {
    base::Fd fd{::memfd_create(keeper::slate_name, MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(keeper::slate_size)) != 0 ||
        ::fcntl(fd.get(), F_ADD_SEALS, sealed) != 0) {
        return {};
    }
    return fd;
}

bool is_page(int fd) {
    struct stat status {};

    const int seals = ::fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & sealed) == sealed && ::fstat(fd, &status) == 0 &&
           status.st_size == static_cast<off_t>(keeper::slate_size);
}

keeper::Slate* map(int fd) {
    void* const page =
        ::mmap(nullptr, keeper::slate_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    // SAFETY: a Slate is atomics and characters, for which all bytes are values.
    return page != MAP_FAILED ? static_cast<keeper::Slate*>(page) : nullptr;
}

} // namespace

OwnSlate::OwnSlate(base::Fd kept, bool is_kept) {
    static constinit keeper::Slate alone{};
    slate_ = &alone;
    if (is_kept) {
        base::Fd fd = kept && is_page(kept.get()) ? std::move(kept) : make_page();
        if (keeper::Slate* const shared = fd ? map(fd.get()) : nullptr) {
            fd_ = std::move(fd);
            slate_ = shared;
        }
    }
    if (slate_->layout.load() != keeper::slate_layout) { // new, or of another version
        slate_->line_size.store(0);
        slate_->layout.store(keeper::slate_layout);
    }
    slate_->disk_waits.store(0);
    slate_->asked_to_end.store(0);
    base::count_disk_waits(slate_->disk_waits);
}

void OwnSlate::keep_line(std::string_view text, std::size_t cursor) {
    slate_->line_size.store(0);
    if (text.size() > slate_->line.size()) {
        return;
    }
    std::ranges::copy(text, slate_->line.begin());
    slate_->line_cursor.store(static_cast<std::uint32_t>(cursor));
    slate_->line_size.store(static_cast<std::uint32_t>(text.size()));
}

OwnSlate::Line OwnSlate::kept_line() const {
    const std::size_t size = slate_->line_size.load();
    const bool fits = size <= slate_->line.size();
    Line line{.text = {slate_->line.data(), fits ? size : 0}, .cursor = slate_->line_cursor.load()};
    const auto is_control = [](char c) {
        return (static_cast<unsigned char>(c) < ' ' && c != '\n') || c == '\x7f';
    };
    return std::ranges::none_of(line.text, is_control) ? line : Line{};
}

} // namespace revenant::app
