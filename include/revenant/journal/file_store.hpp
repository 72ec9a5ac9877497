// The store on disk: <state>/dialogs/<number>.json, <state>/epoch, <state>/lock.
// The format and the order of writing are specified in state/README.md.
#pragma once

#include <memory>
#include <string>

#include "revenant/base/result.hpp"
#include "revenant/journal/store.hpp"

namespace revenant::journal {

struct FileStoreSettings {
    std::string directory; // made with mode 0700 if it is not there, its parents too
    bool durable = false;  // fsync file and directory at each save
};

// Takes the directory for this process (flock) until the store is destroyed or the process dies.
// Fails with Errc::in_use and the owner's pid in the text when another process has it, and with
// Errc::io or no_space when the directory cannot be made or opened.
[[nodiscard]] base::Result<std::unique_ptr<PromptStore>>
open_file_store(const FileStoreSettings& settings);

} // namespace revenant::journal
