// The values that options take, each read from text with an error that says what is right.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "revenant/base/kill_point.hpp"
#include "revenant/base/result.hpp"
#include "revenant/shell/options.hpp"

namespace revenant::shell {

// `name` is the option or environment variable that the error names.
// The coarse shape only; the sip module checks the rest.
[[nodiscard]] base::Result<std::string> read_uri(std::string_view name, std::string_view text);
// "URI", "<URI>", "NAME <URI>" or "\"NAME\" <URI>": the name without quotes, and the URI.
[[nodiscard]] base::Result<std::pair<std::string, std::string>> read_aor(std::string_view name,
                                                                         std::string_view text);
[[nodiscard]] base::Result<Listen> read_listen(std::string_view name, std::string_view text);
[[nodiscard]] base::Result<Resume> read_resume(std::string_view name, std::string_view text);
[[nodiscard]] base::Result<std::uint32_t>
read_number(std::string_view name, std::string_view text, std::uint32_t min, std::uint32_t max);
[[nodiscard]] base::Result<std::pair<std::uint16_t, std::uint16_t>>
read_rtp_ports(std::string_view name, std::string_view text);
[[nodiscard]] base::Result<std::vector<std::string>> read_codecs(std::string_view name,
                                                                 std::string_view text);
// SOURCE[,SINK]; the media module knows which there are.
[[nodiscard]] base::Result<std::pair<std::string, std::string>> read_audio(std::string_view name,
                                                                           std::string_view text);
// STEP:CALL[:HOW], see base::CrashPoint.
[[nodiscard]] base::Result<base::CrashPoint> read_crash_point(std::string_view name,
                                                              std::string_view text);
[[nodiscard]] base::Result<std::string> read_path(std::string_view name, std::string_view text);
// The same from wherever it is read: an absolute path, or one within the home directory ("~/").
[[nodiscard]] base::Result<std::string> read_fixed_path(std::string_view name,
                                                        std::string_view text);
// Does that to the path of a source or sink of read_audio's which is a file.
[[nodiscard]] base::Status fix_audio_path(std::string_view name, std::string& end);
// true or false, yes or no; nothing if it is none of them.
[[nodiscard]] std::optional<bool> to_bool(std::string_view text);
// A variable of the environment, "" if there is none. At the start only, before there are threads.
[[nodiscard]] std::string environment(const char* name);

// The name of a state directory for `--state auto`: the same for the same identity, another one for
// each phone that can run beside it.
[[nodiscard]] std::string state_name(const Options& options);

} // namespace revenant::shell
