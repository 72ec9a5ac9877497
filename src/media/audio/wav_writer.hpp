// Writes a WAV file (16-bit PCM, 8 kHz, mono) that is valid at every instant, also after SIGKILL,
// and that the next process goes on with.
//
// Why it is safe: samples are appended by `pwrite` first; the two sizes in the header are then
// rewritten, together with the whole 44-octet header in one `pwrite`, once a second and at the
// end. What one `pwrite` has put into the page cache outlives the process. So the header never
// promises more than the file holds; what lies beyond it (less than a second) is found again by
// the file's length when the next process appends. libsndfile is not used for this because its
// order of writes is its own business. Against power loss nothing is promised here.
#pragma once

#include <cstdint>
#include <string>

#include "media/audio/codec.hpp"
#include "revenant/base/clock.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"

namespace revenant::media {

class WavWriter {
public:
    enum class Begin : std::uint8_t {
        anew,         // what the file held is gone
        append,       // behind what it holds, if it is a file of ours; else as `anew`
        append_timed, // and silence first for the time since it was last written (at most an hour)
    };

    // Locks the file (flock): two calls cannot record into one. `append` refuses to overwrite a
    // file that is not a WAV of this form.
    [[nodiscard]] static base::Result<WavWriter> open(const std::string& path, Begin begin);

    WavWriter(WavWriter&& other) noexcept = default;
    WavWriter& operator=(WavWriter&&) = delete;
    WavWriter(const WavWriter&) = delete;
    WavWriter& operator=(const WavWriter&) = delete;
    ~WavWriter();

    // False once the file cannot be written (errno says why) or has reached 4 GB.
    [[nodiscard]] bool write(ConstSamples pcm);
    // Zeros; takes no room on a disk that knows sparse files.
    [[nodiscard]] bool silence(std::uint64_t samples);
    [[nodiscard]] bool write_sizes();

    [[nodiscard]] std::uint64_t samples() const { return data_octets_ / 2; }

private:
    explicit WavWriter(base::Fd file) : file_{std::move(file)} {}

    [[nodiscard]] base::Status continue_file(bool timed);

    base::Fd file_;
    std::uint64_t data_octets_ = 0;
    std::uint64_t announced_octets_ = 0; // what the header says
};

} // namespace revenant::media
