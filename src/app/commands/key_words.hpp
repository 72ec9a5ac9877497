// What `key` is told.
#pragma once

#include "revenant/base/result.hpp"
#include "revenant/shell/command.hpp"
#include "revenant/sip/settings.hpp"

namespace revenant::app {

// REALM USER PASSWORD, USER PASSWORD, PASSWORD, or as sofsip_cli takes it
// Digest:"REALM":USER:PASSWORD. What is not said is empty. Errc::bad_input for another scheme than
// Digest, and for nothing.
[[nodiscard]] base::Result<sip::Credentials> read_key(const shell::Arguments& words);

} // namespace revenant::app
