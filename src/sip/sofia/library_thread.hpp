// The thread that the library runs in. What stands in front of libc's functions is called by every
// thread of the process, and what it looks at belongs to that one.
#pragma once

namespace revenant::sip {

// From here on it is the caller's.
void claim_library_thread();

[[nodiscard]] bool is_library_thread();

} // namespace revenant::sip
