// Recordings: valid at every moment, over a kill, and nobody else's file.
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "media/audio/wav_reader.hpp"
#include "media/audio/wav_writer.hpp"
#include "unit/fakes/media_peer.hpp"
#include "unit/fakes/wav_files.hpp"

using namespace revenant;
using namespace revenant::media;
using namespace revenant::media::test;
using Begin = WavWriter::Begin;

namespace {

// libsndfile, if this machine has it, as the reader that is not ours. Loaded by hand, since the
// program itself does not link it; this much of its ABI has not changed since version 1.0.
struct Sndfile {
    struct Info {
        std::int64_t frames;
        int rate, channels, format, sections, seekable;
    };

    void* library = ::dlopen("libsndfile.so.1", RTLD_NOW | RTLD_LOCAL);

    template <typename F>
    F function(const char* name) const {
        return reinterpret_cast<F>(::dlsym(library, name)); // NOLINT
    }

    // The number of samples that it reads; -1 if it refuses the file.
    [[nodiscard]] std::int64_t count(const std::string& path) const {
        Info info{};
        void* file =
            function<void* (*)(const char*, int, Info*)>("sf_open")(path.c_str(), 0x10, &info);
        if (file == nullptr || info.rate != 8000 || info.channels != 1) {
            return -1;
        }
        std::vector<std::int16_t> pcm(static_cast<std::size_t>(info.frames));
        const auto got = function<std::int64_t (*)(void*, std::int16_t*, std::int64_t)>(
            "sf_readf_short")(file, pcm.data(), info.frames);
        function<int (*)(void*)>("sf_close")(file);
        for (std::size_t i = 0; i < pcm.size(); ++i) {
            if (pcm[i] != static_cast<std::int16_t>(i)) {
                return -1;
            }
        }
        return got == info.frames ? got : -1;
    }
};

// The sample at position i is i.
void write_ramp(WavWriter& writer, std::size_t count) {
    std::vector<std::int16_t> pcm(count);
    for (std::size_t i = 0; i < count; ++i) {
        pcm[i] = static_cast<std::int16_t>(writer.samples() + i);
    }
    REQUIRE(writer.write(pcm));
}

void check_valid(const std::string& path, std::int64_t at_least) {
    struct stat status {};

    REQUIRE(::stat(path.c_str(), &status) == 0);
    std::ifstream file{path, std::ios::binary};
    std::vector<char> text(44);
    REQUIRE(file.read(text.data(), 44));
    std::vector<std::uint8_t> head(text.begin(), text.end());
    CHECK(std::memcmp(head.data(), "RIFF", 4) == 0);
    CHECK(le32(head, 4) == le32(head, 40) + 36);
    CHECK(le32(head, 40) + 44 <= status.st_size); // the header promises nothing that is not there
    CHECK(le32(head, 40) / 2 >= at_least);
    const auto reader = WavReader::open(path);
    REQUIRE(reader);
    CHECK(reader->format().data_octets == le32(head, 40));
    static const Sndfile sndfile;
    if (sndfile.library != nullptr) {
        CHECK(sndfile.count(path) >= at_least);
    }
}

} // namespace

TEST_CASE("a recording is a valid WAV after every frame, and whole after the end") {
    const Folder folder;
    const auto path = folder / "a.wav";
    {
        auto writer = WavWriter::open(path, Begin::anew);
        REQUIRE(writer);
        check_valid(path, 0);
        for (int i = 1; i <= 200; ++i) {
            write_ramp(*writer, 160);
            check_valid(path, i * 160 - 8000); // the header is less than a second behind
        }
    }
    check_valid(path, 200 * 160);
}

TEST_CASE("a recording is valid after SIGKILL, and goes on with nothing lost") {
    const Folder folder;
    const auto path = folder / "a.wav";
    std::uint64_t before = 0;
    off_t size = 0;
    for (int round = 0; round < 30; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            auto writer = WavWriter::open(path, Begin::append);
            while (writer && writer->samples() < 100'000'000) {
                std::vector<std::int16_t> pcm(160);
                for (std::size_t i = 0; i < pcm.size(); ++i) {
                    pcm[i] = static_cast<std::int16_t>(writer->samples() + i);
                }
                if (!writer->write(pcm)) {
                    ::_exit(1);
                }
            }
            ::_exit(1);
        }
        // At some instant after it has written more than its predecessor.
        const auto has_grown = [&] {
            struct stat now {};
            return ::stat(path.c_str(), &now) == 0 && now.st_size > size;
        };
        for (int wait_ms = 0; wait_ms < 10'000 && !has_grown(); ++wait_ms) {
            ::usleep(1000);
        }
        ::usleep(static_cast<useconds_t>(round) * 53);
        REQUIRE(::kill(child, SIGKILL) == 0);
        REQUIRE(::waitpid(child, nullptr, 0) == child);

        struct stat after {};

        REQUIRE(::stat(path.c_str(), &after) == 0);
        CHECK(after.st_size > size);
        size = after.st_size;
        check_valid(path, static_cast<std::int64_t>(before) - 8000);
        const auto writer = WavWriter::open(path, Begin::append);
        REQUIRE(writer);
        CHECK(writer->samples() >= before);
        before = writer->samples();
    }
    CHECK(before > 0);
    check_valid(path, static_cast<std::int64_t>(before)); // and the ramp has no seam
}

TEST_CASE("the time in which nobody recorded is silence") {
    const Folder folder;
    const auto path = folder / "a.wav";
    {
        auto writer = WavWriter::open(path, Begin::anew);
        REQUIRE(writer);
        REQUIRE(writer->write(std::vector<std::int16_t>(1600, 7)));
    }
    timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {}};
    ::clock_gettime(CLOCK_REALTIME, &times[1]);
    times[1].tv_sec -= 2;
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
    std::uint64_t gap = 0;
    {
        auto writer = WavWriter::open(path, Begin::append_timed);
        REQUIRE(writer);
        gap = writer->samples() - 1600;
        CHECK(gap >= 16'000);
        CHECK(gap < 18'000);
        REQUIRE(writer->write(std::vector<std::int16_t>(160, 8)));
    }
    CHECK(samples_of(path, 1599, 2) == std::vector<std::int16_t>{7, 0});
    CHECK(samples_of(path, 1600 + gap - 1, 2) == std::vector<std::int16_t>{0, 8});
}

TEST_CASE("a file that is not our recording is not appended to, and one that is open is locked") {
    const Folder folder;
    const auto path = folder / "a.wav";
    store(path, wav(1, 2, 44'100, 16, {1, 2, 3, 4}));
    CHECK(WavWriter::open(path, Begin::append).error().code == base::Errc::bad_input);
    store(path, {1, 2, 3});
    CHECK(WavWriter::open(path, Begin::append_timed).error().code == base::Errc::bad_input);
    const auto writer = WavWriter::open(path, Begin::anew);
    REQUIRE(writer);
    CHECK(WavWriter::open(path, Begin::append).error().code == base::Errc::in_use);
    CHECK(WavWriter::open(folder / "no/such/folder.wav", Begin::anew).error().code ==
          base::Errc::io);
    CHECK(WavWriter::open("/dev/null", Begin::anew).error().code == base::Errc::bad_input);
}
