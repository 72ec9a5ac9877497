#include "app/phone.hpp"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>
#include <glib.h>

#include "app/call_ports.hpp"
#include "app/comeback.hpp"
#include "app/commands/call_commands.hpp"
#include "app/commands/wait_conditions.hpp"
#include "app/free_port.hpp"
#include "app/media_options.hpp"
#include "app/switchboard.hpp"
#include "revenant/app/phone.hpp"
#include "revenant/base/descriptors.hpp"
#include "revenant/base/fd.hpp"
#include "revenant/base/kill_point.hpp"
#include "revenant/base/log.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/base/text.hpp"
#include "revenant/journal/file_store.hpp"
#include "revenant/journal/store.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/sip/agent.hpp"
#include "revenant/sip/connections.hpp"
#include "revenant/sip/library.hpp"

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

// Nothing has been said to anyone; records stay for the next start.
[[noreturn]] void refuse(const shell::Options& options, const base::Error& error, int status) {
    if (options.json) { // for the program that reads stdout; people look at stderr
        shell::print(shell::failure_notice(error));
    }
    shell::flush_output();
    static_cast<void>(std::fprintf(stderr, "revenant: %s\n", error.context.c_str()));
    ::_exit(status);
}

// A later life goes on without what an option names; the first would not have started.
void tell_lacking(const base::Error& error) {
    shell::print({.event = "start.lacking",
                  .call = std::nullopt,
                  .tone = shell::Tone::bad,
                  .text = error.context,
                  .fields = {{"code", std::string{shell::code_name(error.code)}}}});
}

} // namespace

Phone::~Phone() {
    // The order is the reverse of coming up; the shell goes first because its commands refer to
    // everything else.
    script_.reset();
    prompt_refresh_.reset();
    prompt_.reset();
    signals_.clear();
    end_signals_.reset();
    drill_.reset();
    agent_.reset();
    suspects_.reset();
    comeback_.reset();
    board_.reset();
    ports_.reset();
    media_.reset();
    page_.reset();
    store_.reset();
    if (loop_ != nullptr) {
        g_main_loop_unref(loop_);
    }
}

base::Status Phone::open() {
    if (base::Status fits = sip::check_library(); !fits) {
        return fits;
    }
    loop_ = g_main_loop_new(nullptr, FALSE);
    keeping_.begin_beating();
    keeping_.hold_configuration(options_.configuration);
    if (keeping_.is_kept() && !options_.resume_given) {
        options_.resume = shell::Resume::automatic;
    }
    if (options_.die_count > 0 && !keeping_.is_return()) { // once, not in every life
        base::die_at(options_.die_at, options_.die_count, options_.death);
    }
    // Sound first: a stream that goes on at once loses the fewest packets.
    if (base::Status opened = open_journal(); !opened) {
        return opened;
    }
    return open_sip();
}

base::Status Phone::open_journal() {
    auto store = journal::open_file_store(
        {.directory = options_.state_directory, .durable = options_.durable});
    if (!store) {
        return base::fail(store.error());
    }
    store_ = options_.no_journal ? journal::forgetful_store(std::move(*store)) : std::move(*store);
    auto loaded = load_records();
    if (!loaded) {
        return base::fail(loaded.error());
    }
    const auto epoch = store_->next_epoch();
    if (!epoch) {
        return base::fail(epoch.error());
    }
    if (base::Status opened = open_media(); !opened) {
        return opened;
    }
    ports_ = std::make_unique<CallPorts>(*media_, keeping_);
    board_ = std::make_unique<Switchboard>(
        *store_, *media_, *ports_, keeping_,
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
    take_over(std::move(*loaded));
    return {};
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
    media_->on_sending = [this](call::Number number) { board_->ledger().gap_is_known(number); };
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

void Phone::take_over(journal::Loaded loaded) {
    report(loaded);
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
    if (suspects_) {
        suspects_->watch(*board_);
    }
    board_->ledger().explain(keeping_.last_death());
    comeback_->take_over(std::move(loaded.dialogs),
                         suspects_ ? suspects_->calls() : std::set<call::Number>{});
    report_suspects();
}

// What this start touches is noted from here on, and what an earlier one has died on is known.
base::Result<journal::Loaded> Phone::load_records() {
    base::crash_at(options_.crash_at);
    if (options_.no_journal) {
        return store_->load();
    }
    page_ = base::HandPage::open(options_.state_directory + "/hand.page");
    suspects_ = std::make_unique<Suspects>(*page_, *store_);
    if (!keeping_.last_death().empty()) { // the keeper's word for it
        page_->note_hang();
    }
    suspects_->judge_unread();
    page_->begin(keeping_.is_kept());
    auto loaded = store_->load();
    if (loaded && options_.resume != shell::Resume::never) {
        suspects_->judge(*loaded);
    }
    return loaded;
}

void Phone::report_suspects() {
    if (!suspects_) {
        return;
    }
    board_->ledger().expect(suspects_->quarantined().size());
    for (const Suspects::Quarantined& one : suspects_->quarantined()) {
        board_->ledger().enter_quarantined(one.dialog, one.reason, one.path);
    }
    for (const call::Number number : suspects_->calls()) {
        shell::print({.event = "restore.suspect",
                      .call = number,
                      .tone = shell::Tone::attention,
                      .text = fmt::format("call {}: an earlier start died on it; it comes back "
                                          "after all others",
                                          number),
                      .fields = {}});
    }
}

void Phone::report(const journal::Loaded& loaded) const {
    for (const journal::Rejected& rejected : loaded.rejected) {
        shell::print({.event = "journal.rejected",
                      .call = std::nullopt,
                      .tone = shell::Tone::bad,
                      .text = fmt::format("{}: {}", base::printable(rejected.path, 300),
                                          rejected.error.context),
                      .fields = {{"path", base::printable(rejected.path, 300)},
                                 {"code", std::string{shell::code_name(rejected.error.code)}}}});
    }
    if (options_.resume == shell::Resume::never && !loaded.dialogs.empty()) {
        Phone::tell("journal.left", shell::Tone::attention,
                    fmt::format("{} call{} of an earlier run left alone (--resume=never)",
                                loaded.dialogs.size(), loaded.dialogs.size() == 1 ? "" : "s"));
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
    // In the same turn of the main loop as the bind: what the peer has sent meanwhile is read after
    // the dialogs exist again.
    comeback_->restore([this] { comeback_->go_on([this] { on_in_service(); }); });
    return {};
}

void Phone::on_in_service() {
    in_service_ = true;
    say_ready();
    if (script_) {
        script_->start();
    }
}

void Phone::tell_ready() const {
    std::string where;
    for (const shell::Listen& listen : options_.listen) {
        const bool v6 = listen.address.find(':') != std::string::npos;
        where += fmt::format("{}{}:{}{}", where.empty() ? "" : ", ",
                             v6 ? "[" + listen.address + "]" : listen.address, listen.port,
                             !listen.transport
                                 ? std::string{}
                                 : fmt::format(" ({})", call::transport_name(*listen.transport)));
    }
    shell::print({.event = "ready",
                  .call = std::nullopt,
                  .tone = shell::Tone::faint,
                  .text = fmt::format("listening on {}", where),
                  .fields = {{"listen", where},
                             {"pid", static_cast<std::int64_t>(::getpid())},
                             {"found", static_cast<std::int64_t>(found_)}}});
}

void Phone::tell_last_death() const {
    const std::string& death = keeping_.last_death();
    if (!death.empty()) {
        shell::print({.event = "restarted",
                      .call = std::nullopt,
                      .tone = shell::Tone::attention,
                      .text = fmt::format("the phone {}: killed and started again", death),
                      .fields = {{"death", death}}});
    }
}

// READY=1 is for a life that has come up: one that dies while its calls come back has not.
void Phone::say_ready() {
    if (running_ && in_service_) {
        keeping_.say_ready("in service");
    }
}

int Phone::run() {
    add_call_commands(table_, *board_);
    add_request_commands(table_, *board_, *comeback_);
    add_view_commands(table_, *board_);
    add_wait_commands(table_, *board_);
    add_program_commands();
    drill_ = std::make_unique<Drill>(*board_, keeping_, options_);
    drill_->add_command(table_);
    end_signals_ = std::make_unique<EndSignals>(
        *keeping_.slate(), [this] { end_by_signal(SIGTERM); }, [this] { end_by_signal(SIGHUP); });
    if (!options_.interactive || is_stdin_script()) { // else Ctrl-C is the prompt's
        signals_.push_back(base::on_signal(SIGINT, [this] { end_by_signal(SIGINT); }));
    }
    signals_.push_back(base::on_signal(SIGUSR2, [this] { upgrade(); }));
    tell_ready();
    tell_last_death();
    keeping_.watch_keeper([] { on_keeper_gone(); });
    running_ = true;
    say_ready();
    drill_->look_back([this] {
        // A script has been killed with the first life; this one has done what was left of it.
        if (!options_.interactive) {
            begin_quit();
        }
    });
    begin_shell();
    g_main_loop_run(loop_);
    keeping_.drop_configuration();
    shell::flush_output();
    return exit_status();
}

int run_phone(const shell::Options& options) {
    shell::set_bell(options.bell && !options.json && ::isatty(STDOUT_FILENO) == 1);
    shell::set_output(options.json ? shell::Format::json : shell::Format::human,
                      !options.json && shell::colour_wanted());
    base::set_log_level(options.verbosity >= 2   ? base::Level::debug
                        : options.verbosity == 1 ? base::Level::info
                                                 : base::Level::warning);
    // A closed pipe or a file size limit is an error to report, no reason to die with live calls.
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
    base::make_room_for_descriptors();
    base::wait_on_boot_clock();
    Phone phone{options};
    if (const base::Status checked = check_media(options); !checked) {
        if (!phone.is_return()) {
            refuse(options, checked.error(), exit_usage);
        }
        tell_lacking(checked.error()); // calls without sound are calls
    }
    if (const base::Status opened = phone.open(); !opened) {
        refuse(options, opened.error(), exit_command_failed);
    }
    return phone.run();
}

} // namespace revenant::app
