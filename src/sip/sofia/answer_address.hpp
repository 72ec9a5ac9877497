// Where an answer goes (RFC 3261 §18.2.2): to where the request came from. The library would look a
// name in Via up first, a stranger's, and everything would wait for it.
#pragma once

#include <string>

#include <sofia-sip/tport.h>

#include "sip/sofia/nua.hpp"

namespace revenant::sip {

// Where `message` goes instead of to `name`, if it is an answer that would go to a name.
class AnswerAddress {
public:
    AnswerAddress(const tp_name_t& name, const msg_t* message);
    AnswerAddress(const AnswerAddress&) = delete;
    AnswerAddress& operator=(const AnswerAddress&) = delete;
    ~AnswerAddress() = default;

    // Valid as long as this, and the message.
    [[nodiscard]] const tp_name_t& name() const { return name_; }

private:
    void lead_back(const sip_via_t& via);

    tp_name_t name_;
    std::string host_;
    std::string port_;
};

} // namespace revenant::sip
