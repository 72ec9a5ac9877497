// The steps in which a phone comes up, each ready for the next.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/call_ports.hpp"
#include "app/comeback.hpp"
#include "app/free_port.hpp"
#include "app/media_options.hpp"
#include "app/phone.hpp"
#include "app/switchboard.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/journal/store.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/sip/agent.hpp"
#include "revenant/sip/connections.hpp"

namespace revenant::app {

namespace {

std::string text_of(const call::Endpoint& endpoint) {
    const bool v6 = endpoint.address.find(':') != std::string::npos;
    return fmt::format("{}:{}", v6 ? "[" + endpoint.address + "]" : endpoint.address,
                       endpoint.port);
}

std::string default_aor(const shell::Listen& listen) {
    const char* user = std::getenv("USER");
    const bool v6 = listen.address.find(':') != std::string::npos;
    return fmt::format("sip:{}@{}", user != nullptr && *user != '\0' ? user : "phone",
                       v6 ? "[" + listen.address + "]" : listen.address);
}

} // namespace

base::Status Phone::open_records() {
    return records_.open(options_, keeping_);
}

base::Status Phone::open_media() {
    auto engine = media::Engine::create({.page_path = options_.state_directory + "/media.page",
                                         .port_min = options_.rtp_port_min,
                                         .port_max = options_.rtp_port_max});
    if (!engine) {
        return base::fail(engine.error());
    }
    media_ = std::move(*engine);
    media_->on_first_packet = [this](call::Number number) {
        shell::print({.event = "media.first_packet",
                      .call = number,
                      .tone = shell::Tone::faint,
                      .text = fmt::format("call {}: audio comes in", number),
                      .fields = {}});
        if (const call::Call* call = board_->find(number)) {
            board_->waits().look(*call);
        }
    };
    media_->on_sending = [this](call::Number number) {
        board_->ledger().gap_is_known(number);
        if (const call::Call* call = board_->find(number)) {
            board_->waits().look(*call);
        }
    };
    media_->on_moved = [this](call::Number number, const call::Endpoint& from) {
        const call::Call* call = board_->find(number);
        const std::string agreed =
            call == nullptr ? std::string{} : text_of(call->dialog.media.remote);
        shell::print({.event = "media.moved",
                      .call = number,
                      .tone = shell::Tone::attention,
                      .text = fmt::format("call {}: audio comes from {}, not from {} as agreed; "
                                          "it is taken, and ours goes there",
                                          number, text_of(from), agreed),
                      .fields = {{"from", text_of(from)}, {"agreed", agreed}}});
    };
    media_->on_trouble = [](call::Number number, const std::string& what) {
        shell::print({.event = "media.trouble",
                      .call = number,
                      .tone = shell::Tone::attention,
                      .text = fmt::format("call {}: {}", number, what),
                      .fields = {}});
    };
    return {};
}

base::Status Phone::open_board() {
    const auto epoch = records_.store().next_epoch();
    if (!epoch) {
        return base::fail(epoch.error());
    }
    ports_ = std::make_unique<CallPorts>(*media_, keeping_);
    board_ = std::make_unique<Switchboard>(
        records_.store(), *media_, *ports_, keeping_,
        Policy{.epoch = *epoch,
               .source = options_.source,
               .sink = options_.sink,
               .codecs = chosen_codecs(options_.codecs),
               .outbound_proxy = options_.outbound_proxy,
               .resume_window_ms = options_.resume_deadline_s * 1000,
               .resumes_by_itself = options_.resume == shell::Resume::automatic,
               .auto_answer = options_.auto_answer,
               .ringing_max = options_.ringing_max,
               .no_answer_s = options_.no_answer_s});
    comeback_ = std::make_unique<Comeback>(*board_, *ports_);
    return {};
}

base::Status Phone::take_over() {
    journal::Loaded loaded = records_.take();
    for (const call::Number number : loaded.taken) {
        board_->reserve(number);
    }
    if (options_.resume == shell::Resume::never) {
        for (const call::Dialog& dialog : loaded.dialogs) {
            board_->reserve(dialog.number);
        }
        loaded.dialogs.clear();
    }
    found_ = loaded.dialogs.size();
    Suspects* suspects = records_.suspects();
    if (suspects != nullptr) {
        suspects->watch(*board_);
    }
    board_->ledger().explain(keeping_.last_death());
    comeback_->take_over(std::move(loaded.dialogs),
                         suspects != nullptr ? suspects->calls() : std::set<call::Number>{});
    if (suspects != nullptr) {
        report(*suspects);
    }
    return {};
}

void Phone::report(const Suspects& suspects) {
    board_->ledger().expect(suspects.quarantined().size());
    for (const Suspects::Quarantined& one : suspects.quarantined()) {
        board_->ledger().enter_quarantined(one.dialog, one.reason, one.path);
    }
    for (const call::Number number : suspects.calls()) {
        shell::print({.event = "restore.suspect",
                      .call = number,
                      .tone = shell::Tone::attention,
                      .text = fmt::format("call {}: an earlier start died on it; it comes back "
                                          "after all others",
                                          number),
                      .fields = {}});
    }
}

base::Status Phone::open_sip() {
    sip::Settings settings;
    settings.outbound_proxy = options_.outbound_proxy;
    settings.session_expires_s = options_.session_expires_s;
    if (options_.listen.empty()) {
        options_.listen.push_back({.address = "0.0.0.0", .port = 5060, .transport = {}});
    }
    std::vector<base::Fd> held = keeping_.take_sip();
    for (shell::Listen& listen : options_.listen) {
        if (listen.port == 0) {
            listen.port = chosen_port(listen, board_->calls(), held);
        }
        settings.listen.push_back({.at = {.address = listen.address, .port = listen.port},
                                   .transport = listen.transport});
    }
    settings.display_name = options_.display_name;
    settings.aor = options_.aor.empty() ? default_aor(options_.listen.front()) : options_.aor;
    if (!options_.credentials_path.empty()) {
        auto credentials = sip::read_credentials(options_.credentials_path);
        if (!credentials && !is_return()) {
            return base::fail(credentials.error());
        }
        if (credentials) {
            settings.credentials = std::move(*credentials);
        } else { // the file is gone, or not ours to read any more; the calls are there
            tell_lacking(credentials.error());
        }
    }
    sip::offer_held_sockets(std::move(held), found_ > 0);
    if (keeping_.is_kept()) {
        sip::keep_connections(keeping_, keeping_.take_connections());
    }
    auto agent = sip::Agent::create(settings, *board_);
    if (!agent) {
        return base::fail(agent.error());
    }
    agent_ = std::move(*agent);
    board_->connect(*agent_);
    for (const int socket : agent_->sockets()) {
        keeping_.hold_sip(socket);
    }
    keeping_.drop_rest();
    return {};
}

} // namespace revenant::app
