// Every event in every state, as text against tests/data/call_table.txt. A change of the machine
// shows there as a change of rows: read them, then write the file anew with
// REVENANT_UPDATE_GOLDEN=1.
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "revenant/call/machine.hpp"
#include "unit/fakes/call_samples.hpp"

using namespace revenant;
using namespace revenant::call;

namespace {

constexpr const char* golden_path = "tests/data/call_table.txt";

struct Case {
    std::string note; // what sets it apart from the plain one
    Event event;
};

std::vector<Case> events() {
    const RemoteSession session = peer_session();
    const RemoteSession hold = peer_session(Direction::sendonly, 2);
    return {
        {"", event::Dial{}},
        {"", event::Answer{}},
        {"", event::Decline{}},
        {"", event::HangUp{}},
        {"", event::Hold{}},
        {"", event::Unhold{}},
        {"", event::SendInfo{.content_type = "text/plain", .body = "x"}},
        {"", event::SendOptions{}},
        {"", event::Resume{}},
        {"", event::Restore{}},
        {"and resume", event::Restore{.resume = true}},
        {"100", event::Progress{.status = 100, .reason = "Trying"}},
        {"180", event::Progress{.status = 180, .reason = "Ringing", .remote_tag = "peer-tag"}},
        {"183 sdp",
         event::Progress{
             .status = 183, .reason = "Progress", .remote_tag = "peer-tag", .answer = session}},
        {"180 reliable", event::Progress{.status = 180,
                                         .reason = "Ringing",
                                         .remote_tag = "peer-tag",
                                         .rseq = 77,
                                         .prack_cseq = 3}},
        {"200 sdp", event::Answered{.cseq = 4001, .facts = peer_facts(), .answer = session}},
        {"200 no sdp", event::Answered{.cseq = 4001, .facts = peer_facts()}},
        {"200 by another",
         event::Answered{
             .cseq = 4001, .by_another = true, .facts = peer_facts(), .answer = session}},
        {"200 useless sdp",
         event::Answered{.cseq = 4001, .facts = peer_facts(), .answer = foreign_session()}},
        {"200 stand-in",
         event::Answered{
             .cseq = 4001, .from_stand_in = true, .facts = peer_facts(), .answer = session}},
        {"401", event::Challenged{.cseq = 4001, .realm = "r", .have_credentials = true}},
        {"401 no credentials", event::Challenged{.cseq = 4001, .realm = "r", .is_over = true}},
        {"401 to BYE, no credentials",
         event::Challenged{.cseq = 4001, .realm = "r", .is_over = true, .method = "BYE"}},
        {"401 to INFO, no credentials",
         event::Challenged{.cseq = 4001, .realm = "r", .is_over = true, .method = "INFO"}},
        {"491", event::Failed{.status = 491, .reason = "Request Pending", .cseq = 4001}},
        {"488", event::Failed{.status = 488, .reason = "Not Acceptable Here", .cseq = 4001}},
        {"503", event::Failed{.status = 503, .reason = "Busy", .cseq = 4001, .retry_after_s = 3}},
        {"481", event::Failed{.status = 481, .reason = "No Such Call", .cseq = 4001}},
        {"no answer",
         event::Failed{.status = 408, .reason = "Timeout", .is_local = true, .cseq = 4001}},
        {"", event::Ready{}},
        {"other sdp", event::Ready{.local_sdp = "v=0\r\nother\r\n"}},
        {"", event::Terminated{.status = 408, .reason = "Timeout"}},
        {"sdp", event::Invited{.offer = session}},
        {"no sdp", event::Invited{}},
        {"useless sdp", event::Invited{.offer = foreign_session()}},
        {"", event::Acked{}},
        {"sdp", event::Acked{.answer = session}},
        {"useless sdp", event::Acked{.answer = foreign_session()}},
        {"", event::Cancelled{}},
        {"re-INVITE", event::Offered{.cseq = 12, .facts = peer_facts(), .offer = hold}},
        {"re-INVITE no sdp", event::Offered{.cseq = 12, .facts = peer_facts()}},
        {"re-INVITE useless sdp",
         event::Offered{.cseq = 12, .facts = peer_facts(), .offer = foreign_session()}},
        {"UPDATE",
         event::Offered{.update = true, .cseq = 12, .facts = peer_facts(), .offer = hold}},
        {"UPDATE no sdp", event::Offered{.update = true, .cseq = 12, .facts = peer_facts()}},
        {"", event::PeerBye{.cseq = 13}},
        {"", event::PeerInfo{.cseq = 14, .content_type = "text/plain", .body = "x"}},
        {"BYE 200", event::RequestDone{.method = "BYE", .status = 200, .cseq = 4001}},
        {"INFO 200",
         event::RequestDone{.method = "INFO", .status = 200, .reason = "OK", .cseq = 4001}},
        {"INFO 481",
         event::RequestDone{
             .method = "INFO", .status = 481, .reason = "No Such Call", .cseq = 4001}},
        {"OPTIONS, no answer", event::RequestDone{.method = "OPTIONS",
                                                  .status = 408,
                                                  .reason = "Timeout",
                                                  .is_local = true,
                                                  .cseq = 4001}},
        {"INFO near the watermark",
         event::RequestDone{
             .method = "INFO", .status = 200, .reason = "OK", .cseq = sample_watermark + 990}},
        {"PRACK 200",
         event::RequestDone{.method = "PRACK", .status = 200, .reason = "OK", .cseq = 3}},
        {"", event::PeerPrack{.text = "PRACK sip:alice@192.0.2.10 SIP/2.0\r\n\r\n"}},
        {"re-INVITE reliable",
         event::Offered{.reliable = true, .cseq = 12, .facts = peer_facts(), .offer = hold}},
        {"", event::RetryDue{}},
        {"", event::RingDue{}},
        {"", event::Quiet{}},
        {"", event::AnsweredBefore{.cseq = 77}},
        {"", event::Directed{.to = {.address = "198.51.100.9", .port = 5070}}},
        {"401", event::Refused{.status = 401, .cseq = 2}},
        {"486", event::Refused{.status = 486, .cseq = 2}},
        {"", event::StoreFailed{.why = "disk full"}},
    };
}

// States that are told apart by more than their name.
std::vector<std::pair<std::string, Call>> variants() {
    std::vector<std::pair<std::string, Call>> all;
    const auto add = [&](std::string note, State state, auto change) {
        Call call = sample_call(state);
        change(call);
        all.emplace_back(std::move(note), std::move(call));
    };
    const auto refused = [](std::uint16_t status, std::string reason) {
        return [status, reason = std::move(reason)](Call& call) {
            call.last_status = status;
            call.last_reason = reason;
        };
    };
    add("no offer", State::alerting, [](Call& call) { call.has_offer = false; });
    add("held", State::established, [](Call& call) { call.dialog.hold.local = true; });
    add("held by the peer", State::answering, [](Call& call) { call.dialog.hold.remote = true; });
    add("after 491", State::modifying, [](Call& call) {
        call.last_status = 491;
        call.glare_retry = true;
        call.dialog.hold.local = call.agreed_hold;
    });
    add("after 488", State::modifying, refused(488, "Not Acceptable Here"));
    add("to ring on", State::idle, [](Call& call) { call.dialog.phase = Phase::ringing; });
    add("record of a call", State::idle, [](Call& call) {
        call = sample_call(State::established);
        call = revive(call.dialog, 2, our_codecs());
    });
    add("record of an end", State::idle, [](Call& call) {
        call = sample_call(State::ending);
        call = revive(call.dialog, 2, our_codecs());
    });
    add("to resume", State::restoring, [](Call& call) { call.resume_when_ready = true; });
    add("to hang up", State::restoring, [](Call& call) {
        call.hang_up_when_ready = true;
        call.dialog.phase = Phase::ending;
    });
    add("to ask again", State::restoring, [](Call& call) {
        call.attempts = 1;
        call.resume_deadline_ms = sample_now.boot_ms() + 30'000;
    });
    add("after 503", State::resuming, refused(503, "Busy"));
    add("after 481", State::resuming, refused(481, "No Such Call"));
    add("after 404", State::resuming, refused(404, "Not Found"));
    add("after 410", State::resuming, refused(410, "Gone"));
    add("after 488", State::resuming, refused(488, "Not Acceptable Here"));
    add("after 403", State::resuming, refused(403, "Forbidden"));
    add("after 302", State::resuming, refused(302, "Moved"));
    add("after 491", State::resuming, refused(491, "Request Pending"));
    add("after 408", State::resuming, refused(408, "Timeout"));
    add("after 500", State::resuming, refused(500, "Error"));
    add("after 503, Retry-After", State::resuming, [](Call& call) {
        call.last_status = 503;
        call.last_reason = "Busy";
        call.retry_after_s = 3;
    });
    add("after 503, too late", State::resuming, [](Call& call) {
        call.last_status = 503;
        call.last_reason = "Busy";
        call.resume_deadline_ms = sample_now.boot_ms() + 100;
    });
    return all;
}

std::string row(std::string_view state_note, const Call& call, const Case& c) {
    const Step result = step(call, c.event, sample_now);
    const auto noted = [](std::string_view name, std::string_view note) {
        return note.empty() ? std::string{name} : fmt::format("{} [{}]", name, note);
    };
    INFO(noted(name(call.state), state_note), " ", noted(name(c.event), c.note));
    CHECK(check(result.call) == "");
    std::string effects;
    for (const Effect& effect : result.effects) {
        effects += (effects.empty() ? " " : ", ") + text_of(effect);
    }
    std::string line = fmt::format("{} --{}--> {}:{}", noted(name(call.state), state_note),
                                   noted(name(c.event), c.note), name(result.call.state),
                                   effects.empty() ? " -" : effects);
    if (!result.status) {
        line += " | " + result.status.error().context;
    }
    return line + "\n";
}

std::string table() {
    std::string text = "# What the call machine does: STATE --EVENT--> NEXT: EFFECTS | ERROR\n"
                       "# Written by call_table_test.cpp with REVENANT_UPDATE_GOLDEN=1.\n";
    for (const State state : all_states) {
        text += "\n";
        for (const Case& c : events()) {
            text += row("", sample_call(state), c);
        }
    }
    text += "\n# Calls that only their history tells apart: the events to which it matters.\n";
    for (const auto& [note, call] : variants()) {
        text += "\n";
        const Case plain_challenge{"401",
                                   event::Challenged{.cseq = 4001, .have_credentials = true}};
        for (const Case& c :
             {Case{"", event::Answer{}}, Case{"", event::HangUp{}}, Case{"", event::Hold{}},
              Case{"", event::Unhold{}}, Case{"", event::Resume{}}, Case{"", event::Restore{}},
              Case{"and resume", event::Restore{.resume = true}}, plain_challenge,
              Case{"", event::Ready{}}, Case{"", event::Terminated{}},
              Case{"", event::RetryDue{}}}) {
            text += row(note, call, c);
        }
    }
    return text;
}

std::string content_of(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t start = 0;
    while (start < text.size()) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        lines.push_back(text.substr(start, end - start));
        start = end + 1;
    }
    return lines;
}

} // namespace

TEST_CASE("the table covers every state and every event") {
    std::set<std::size_t> seen;
    for (const Case& c : events()) {
        seen.insert(c.event.index());
    }
    CHECK(seen.size() == std::variant_size_v<Event>);
    CHECK(all_states.size() == static_cast<std::size_t>(State::over) + 1);
    for (const State state : all_states) {
        const Call call = sample_call(state);
        CHECK(call.state == state);
        CHECK(check(call) == "");
    }
}

TEST_CASE("every event in every state does what the table says") {
    const std::string is = table();
    if (const char* update = std::getenv("REVENANT_UPDATE_GOLDEN"); // NOLINT(concurrency-*)
        update != nullptr && std::string_view{update} == "1") {
        std::ofstream{golden_path, std::ios::binary} << is;
    }
    const std::string should = content_of(golden_path);
    REQUIRE_FALSE(should.empty());
    const auto is_lines = lines_of(is);
    const auto should_lines = lines_of(should);
    CHECK(is_lines.size() == should_lines.size());
    for (std::size_t i = 0; i < std::min(is_lines.size(), should_lines.size()); ++i) {
        CHECK(is_lines[i] == should_lines[i]);
    }
}

TEST_CASE("whoever is over has closed its media, and left a record to nobody but another start") {
    std::vector<std::pair<std::string, Call>> calls = variants();
    for (const State state : all_states) {
        calls.emplace_back("", sample_call(state));
    }
    for (const auto& [note, call] : calls) {
        for (const Case& c : events()) {
            const Step result = step(call, c.event, sample_now);
            if (call.state == State::over || result.call.state != State::over) {
                continue;
            }
            INFO(name(call.state), " ", note, " --", name(c.event), " ", c.note, "--> over");
            const auto has = [&](auto is) { return std::ranges::any_of(result.effects, is); };
            CHECK(
                has([](const Effect& e) { return std::holds_alternative<effect::CloseMedia>(e); }));
            CHECK_FALSE(
                has([](const Effect& e) { return std::holds_alternative<effect::RunMedia>(e); }));
            const bool is_new =
                call.state == State::idle && (std::holds_alternative<event::Invited>(c.event) ||
                                              std::holds_alternative<event::StoreFailed>(c.event));
            CHECK((is_new || has([](const Effect& e) {
                       return std::holds_alternative<effect::Forget>(e) ||
                              std::holds_alternative<effect::Shelve>(e);
                   })));
        }
    }
}
