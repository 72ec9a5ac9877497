#include "shell/history.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "revenant/base/disk_wait.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/text.hpp"
#include "shell/slurp.hpp"

namespace revenant::shell {

namespace {

// 1,000 lines of the longest kind.
constexpr std::size_t file_size_max = std::size_t{4} << 20U;

base::Error failed(const std::string& what, const std::string& path) {
    return {.code = base::Errc::io,
            .context = "cannot " + what + " the history " + path + ": " +
                       std::generic_category().message(errno)};
}

// One write, so that lines of several phones do not mix.
bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            return false;
        }
        text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    return true;
}

} // namespace

base::Status History::load(const std::string& path) {
    const base::DiskWait wait;
    path_.clear();
    lines_.clear();
    if (path.empty()) {
        return {};
    }
    const base::Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (!fd) {
        if (errno == ENOENT) {
            path_ = path;
            return {};
        }
        return base::fail(failed("read", path));
    }
    const auto text = slurp(fd.get(), file_size_max);
    if (!text) {
        return base::fail(base::Errc::io,
                          "cannot read the history " + path + ": " + text.error().context);
    }
    path_ = path;
    ::fchmod(fd.get(), S_IRUSR | S_IWUSR);
    std::string_view rest = *text;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string line = base::printable(rest.substr(0, end), 4096);
        if (wants(line)) {
            lines_.push_back(line);
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (lines_.size() > lines_max) {
        lines_.erase(lines_.begin(), lines_.end() - lines_max);
        return rewrite();
    }
    return {};
}

bool History::wants(std::string_view line) const {
    const bool begun_by_blank = line.starts_with(' ') || line.starts_with('\t');
    return !base::trim(line).empty() && !begun_by_blank &&
           (lines_.empty() || lines_.back() != line);
}

base::Status History::add(const std::string& line, bool to_file) {
    lines_.push_back(line);
    if (!to_file || path_.empty()) {
        return {};
    }
    base::Status status = append(line);
    if (!status) {
        path_.clear();
    }
    return status;
}

base::Status History::append(const std::string& line) {
    const base::DiskWait wait;
    // Opened for each line: another phone may have put a shorter file in this one's place.
    const base::Fd fd{::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK,
                             S_IRUSR | S_IWUSR)};
    if (!fd || !write_all(fd.get(), line + "\n")) {
        return base::fail(failed("write", path_));
    }
    return {};
}

base::Status History::rewrite() const {
    const std::string part = path_ + ".part." + std::to_string(::getpid());
    const base::Fd fd{::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                             S_IRUSR | S_IWUSR)};
    std::string text;
    for (const std::string& line : lines_) {
        text += line + "\n";
    }
    if (!fd || !write_all(fd.get(), text) || std::rename(part.c_str(), path_.c_str()) != 0) {
        base::Error error = failed("shorten", path_);
        ::unlink(part.c_str());
        return base::fail(std::move(error));
    }
    return {};
}

} // namespace revenant::shell
