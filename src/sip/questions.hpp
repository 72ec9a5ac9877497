// OPTIONS outside of calls (RFC 3261 §11): what can the other end do, and is it there?
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "revenant/base/result.hpp"
#include "revenant/sip/agent.hpp"
#include "sip/core.hpp"
#include "sip/sofia/nua.hpp"

namespace revenant::sip {

class Questions {
public:
    explicit Questions(Core& core); // outlives it
    Questions(const Questions&) = delete;
    Questions& operator=(const Questions&) = delete;
    ~Questions();

    // As Agent::ask_options.
    [[nodiscard]] base::Status ask(std::string_view target, Agent::Answered done);

private:
    class Question;

    void send(const Origin& origin, Agent::Answered done);

    Core* core_;
    std::unordered_map<const Question*, std::unique_ptr<Question>> open_;
};

} // namespace revenant::sip
