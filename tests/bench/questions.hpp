// A request each 10 ms, sent once, and how long each waits for its answer.
#pragma once

#include "caller.hpp"

namespace bench {

// What is in the records, to ask within their dialogs: the phone has called in each.
struct Model {
    std::string call_id, local_tag, remote_tag;
    std::size_t dialogs = 0;
};

class Questions {
public:
    // OPTIONS outside of a dialog without `model`; with it INFO, in each dialog in turn.
    Questions(Udp& sip, std::optional<Model> model) : caller_{sip}, model_{std::move(model)} {}

    void start() { due_ = now(); }

    // When no more are asked, the answers are still taken.
    void stop() { due_ = INT64_MAX; }

    [[nodiscard]] Ns due() const { return due_; }

    void tick() {
        const Ns time = now();
        if (time < due_) {
            return;
        }
        due_ = std::max(due_ + 10 * ms, time);
        const std::size_t number = asked_.size();
        asked_.push_back({.sent = time});
        caller_.send(model_ ? in_dialog(number).text() : outside(number).text());
    }

    // Whether it was an answer to a question.
    bool take(const Message& message, Ns time) {
        const std::string cseq = message.value("CSeq");
        const auto number = static_cast<std::size_t>(std::atoll(cseq.c_str())) - first_cseq;
        if (!cseq.ends_with(model_ ? " INFO" : " OPTIONS") || number >= asked_.size()) {
            return false;
        }
        Asked& asked = asked_[number];
        if (asked.answered == 0 && message.status() >= 200) {
            asked.answered = time;
            asked.status = message.status();
            ++answered_;
        }
        return true;
    }

    [[nodiscard]] bool all_answered() const { return answered_ == asked_.size(); }

    // `begin`: of the start, or of the kill. What was sent before and has no answer counts apart:
    // no phone ran, or it died with the request in its hands.
    void print(Ns begin) const {
        std::vector<double> waits;
        std::vector<double> denied; // when those were sent
        std::size_t silent = 0;
        std::size_t silent_before = 0;
        int status = 0; // the last that was not 200
        Ns deaf_until = begin;
        for (const Asked& asked : asked_) {
            if (asked.answered == 0) {
                ++(asked.sent < begin ? silent_before : silent);
                deaf_until = std::max(deaf_until, asked.sent);
            } else if (asked.status != 200) {
                denied.push_back(in_ms(asked.sent - begin));
                status = asked.status;
            } else {
                waits.push_back(in_ms(asked.answered - asked.sent));
            }
        }
        std::printf(
            "\"asked\": %zu, \"denied\": %zu, \"denied_status\": %d, \"silent_before\": %zu, "
            "\"silent\": %zu, \"deaf_ms\": %.3f, ",
            asked_.size(), denied.size(), status, silent_before, silent, in_ms(deaf_until - begin));
        print_numbers("denied_sent_ms", denied, ", ");
        print_numbers("waits_ms", waits, ", ");
    }

private:
    struct Asked {
        Ns sent = 0, answered = 0;
        int status = 0;
    };

    static constexpr std::size_t first_cseq = 100'000;

    static Request outside(std::size_t number) {
        Request result = request("OPTIONS", "q" + std::to_string(number));
        result.cseq = static_cast<int>(first_cseq + number);
        return result;
    }

    // Neighbours in time are far from each other in the order of the records.
    [[nodiscard]] Request in_dialog(std::size_t number) const {
        std::string prefix = std::to_string(1 + number * 7919 % model_->dialogs);
        prefix.insert(0, 6 - std::min<std::size_t>(6, prefix.size()), '0');
        return {.method = "INFO",
                .call_id = prefix + model_->call_id,
                .from =
                    "From: <sip:bob@127.0.0.2:5060>;tag=" + model_->remote_tag + prefix + "\r\n",
                .to = "To: <sip:alice@127.0.0.1>;tag=" + model_->local_tag + prefix + "\r\n",
                .cseq = static_cast<int>(first_cseq + number)};
    }

    Caller caller_;
    std::optional<Model> model_;
    std::vector<Asked> asked_;
    std::size_t answered_ = 0;
    Ns due_ = INT64_MAX;
};

} // namespace bench
