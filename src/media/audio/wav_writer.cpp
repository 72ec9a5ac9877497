#include "media/audio/wav_writer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "media/audio/wav_reader.hpp"
#include "media/rates.hpp"
#include "revenant/base/text.hpp"

namespace revenant::media {

using base::Errc;

static_assert(std::endian::native == std::endian::little, "samples are written as they lie");

namespace {

constexpr std::uint64_t header_octets = 44;
constexpr std::uint64_t data_octets_max = 0xffffffffU - header_octets - 1;
constexpr std::uint64_t octets_per_second = std::uint64_t{2} * pcm_rate;
constexpr std::int64_t gap_ns_max = 3'600'000'000'000;

std::array<std::uint8_t, header_octets> make_header(std::uint64_t data_octets) {
    std::array<std::uint8_t, header_octets> header{};
    const auto tag = [&](std::size_t at, std::string_view text) {
        std::ranges::copy(text, header.begin() + static_cast<std::ptrdiff_t>(at));
    };
    tag(0, "RIFF");
    put_le32(header, 4, static_cast<std::uint32_t>(data_octets + header_octets - 8));
    tag(8, "WAVEfmt ");
    put_le32(header, 16, 16);
    put_le16(header, 20, 1); // PCM
    put_le16(header, 22, 1); // channel
    put_le32(header, 24, pcm_rate);
    put_le32(header, 28, octets_per_second);
    put_le16(header, 32, 2);
    put_le16(header, 34, 16);
    tag(36, "data");
    put_le32(header, 40, static_cast<std::uint32_t>(data_octets));
    return header;
}

std::string reason(int error) {
    return std::strerror(error);
} // NOLINT(concurrency-mt-unsafe)

} // namespace

WavWriter::~WavWriter() {
    if (file_ && announced_octets_ != data_octets_) {
        static_cast<void>(write_sizes()); // the samples are there; the next process finds them
    }
}

base::Result<WavWriter> WavWriter::open(const std::string& path, Begin begin) {
    base::Fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600)};

    struct stat status {};

    if (!file || ::fstat(file.get(), &status) != 0) {
        return base::fail(
            Errc::io, fmt::format("cannot record to {}: {}", base::printable(path), reason(errno)));
    }
    if (!S_ISREG(status.st_mode)) {
        return base::fail(Errc::bad_input, fmt::format("cannot record to {}: it is not a file",
                                                       base::printable(path)));
    }
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        return base::fail(Errc::in_use,
                          fmt::format("another call records to {} already", base::printable(path)));
    }
    WavWriter writer{std::move(file)};
    if (begin != Begin::anew && status.st_size > 0) {
        if (auto done = writer.continue_file(begin == Begin::append_timed); !done) {
            return base::fail(done.error().code,
                              fmt::format("cannot go on recording to {}: {}", base::printable(path),
                                          done.error().context));
        }
        return writer;
    }
    if (::ftruncate(writer.file_.get(), 0) != 0 || !writer.write_sizes()) {
        return base::fail(
            Errc::io, fmt::format("cannot record to {}: {}", base::printable(path), reason(errno)));
    }
    return writer;
}

base::Status WavWriter::continue_file(bool timed) {
    struct stat status {};

    std::array<std::uint8_t, header_octets> header{};
    const auto size = ::pread(file_.get(), header.data(), header.size(), 0);
    if (size == 0) {
        return write_sizes() ? base::Status{} : base::fail(Errc::io, reason(errno));
    }
    auto ours = make_header(0);
    // Ours is what we would have written, but for the sizes.
    const bool same = size == static_cast<ssize_t>(header_octets) &&
                      std::equal(header.begin(), header.begin() + 4, ours.begin()) &&
                      std::equal(header.begin() + 8, header.begin() + 40, ours.begin() + 8);
    if (!same || ::fstat(file_.get(), &status) != 0) {
        return base::fail(Errc::bad_input, "it is not a recording of this program");
    }
    const auto file_octets = static_cast<std::uint64_t>(status.st_size);
    announced_octets_ = le32(header, 40);
    data_octets_ = std::min(file_octets - header_octets, data_octets_max) & ~std::uint64_t{1};
    if (timed) {
        const std::int64_t last_ns =
            std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
        const std::int64_t gap_ns = base::read_clock().real_ns - last_ns;
        if (gap_ns > 0 && gap_ns <= gap_ns_max) {
            static_cast<void>(silence(static_cast<std::uint64_t>(units_in(gap_ns, pcm_rate))));
        }
    }
    return write_sizes() ? base::Status{} : base::fail(Errc::io, reason(errno));
}

bool WavWriter::write_sizes() {
    const auto header = make_header(data_octets_);
    if (::pwrite(file_.get(), header.data(), header.size(), 0) !=
        static_cast<ssize_t>(header.size())) {
        return false;
    }
    announced_octets_ = data_octets_;
    return true;
}

bool WavWriter::write(ConstSamples pcm) {
    if (data_octets_ + pcm.size_bytes() > data_octets_max) {
        errno = EFBIG;
        return false;
    }
    const ssize_t wrote = ::pwrite(file_.get(), pcm.data(), pcm.size_bytes(),
                                   static_cast<off_t>(header_octets + data_octets_));
    if (wrote != static_cast<ssize_t>(pcm.size_bytes())) {
        errno = wrote < 0 ? errno : ENOSPC;
        return false;
    }
    data_octets_ += pcm.size_bytes();
    return data_octets_ - announced_octets_ < octets_per_second || write_sizes();
}

bool WavWriter::silence(std::uint64_t samples) {
    const std::uint64_t octets = std::min(samples * 2, data_octets_max - data_octets_);
    // Data first, sizes after: growing the file writes the zeros.
    if (::ftruncate(file_.get(), static_cast<off_t>(header_octets + data_octets_ + octets)) != 0) {
        return false;
    }
    data_octets_ += octets;
    return data_octets_ - announced_octets_ < octets_per_second || write_sizes();
}

} // namespace revenant::media
