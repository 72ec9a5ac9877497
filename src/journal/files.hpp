// System calls on files, with errors that say what to do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"

namespace revenant::journal {

// "<what>: <why errno says>; <what to do>".
[[nodiscard]] base::Error system_error(int error_number, std::string_view what);

// All functions take a directory's descriptor and a name in it.

// Opens a directory (or a symbolic link to one), which is made with mode 0700 if it is not there.
[[nodiscard]] base::Result<base::Fd> open_directory(int directory, const std::string& name);

// Overwrites or makes the file, mode 0600. `durable` waits for the disk. Follows no symbolic link,
// and leaves a file with a second hard link as it is: that is somebody's backup.
[[nodiscard]] base::Status
write_file(int directory, const std::string& name, std::string_view text, bool durable);

enum class Placed : std::uint8_t {
    exchanged, // `draft` is now what `name` was
    alone,     // there is no `draft` any more
};

// Gives the file `draft` the name `name`, in one step. What had that name becomes `draft` where the
// file system can exchange them: some disks take long to free its blocks, and a rename onto a file
// makes ext4 write to the disk at once.
[[nodiscard]] base::Result<Placed>
put_in_place(int directory, const std::string& draft, const std::string& name);

[[nodiscard]] base::Status sync_directory(int directory);

enum class Content : std::uint8_t {
    whole,
    absent,
    foreign,    // no regular file
    too_long,   // above the limit
    unreadable, // see `error`
};

struct Read {
    Content content = Content::absent;
    base::Error error;
};

// Reads a regular file of at most `size_max` bytes into `text`, whose memory is used again.
// Follows no symbolic link and waits for nobody.
[[nodiscard]] Read
read_file(int directory, const std::string& name, std::size_t size_max, std::string& text);

} // namespace revenant::journal
