// What the library may take in from the network at most.
#pragma once

namespace revenant::sip {

// Of one message with its body, over UDP and TCP.
[[nodiscard]] unsigned message_size_max();

} // namespace revenant::sip
