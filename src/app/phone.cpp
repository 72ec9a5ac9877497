#include "app/phone.hpp"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>
#include <glib.h>

#include "app/commands.hpp"
#include "app/switchboard.hpp"
#include "app/wait_conditions.hpp"
#include "revenant/app/phone.hpp"
#include "revenant/base/log.hpp"
#include "revenant/base/result.hpp"
#include "revenant/base/source.hpp"
#include "revenant/base/text.hpp"
#include "revenant/journal/file_store.hpp"
#include "revenant/journal/store.hpp"
#include "revenant/media/engine.hpp"
#include "revenant/shell/output.hpp"
#include "revenant/sip/agent.hpp"

namespace revenant::app {

namespace {

// How long `quit` waits for the answers to its BYEs. What is not answered by then is stored, and
// the next start says BYE again.
constexpr std::uint32_t quit_patience_ms = 4000;

void tell(std::string event, shell::Tone tone, std::string text) {
    shell::print({.event = std::move(event),
                  .call = std::nullopt,
                  .tone = tone,
                  .text = std::move(text),
                  .fields = {}});
}

std::string default_aor(const shell::Listen& listen) {
    const char* user = std::getenv("USER");
    const bool v6 = listen.address.find(':') != std::string::npos;
    return fmt::format("sip:{}@{}", user != nullptr && *user != '\0' ? user : "phone",
                       v6 ? "[" + listen.address + "]" : listen.address);
}

std::vector<call::Codec> chosen_codecs(const std::vector<std::string>& names) {
    const std::vector<call::Codec> all = media::supported_codecs();
    if (names.empty()) {
        return all;
    }
    std::vector<call::Codec> chosen;
    for (const std::string& wanted : names) {
        const auto same = [&](const call::Codec& codec) {
            return base::equals_ignoring_case(codec.name, wanted);
        };
        const auto found = std::ranges::find_if(all, same);
        if (found != all.end()) {
            chosen.push_back(*found);
        }
    }
    return chosen;
}

} // namespace

Phone::~Phone() {
    // The order is the reverse of coming up; the shell goes first because its commands refer to
    // everything else.
    script_.reset();
    prompt_.reset();
    signals_.clear();
    agent_.reset();
    board_.reset();
    media_.reset();
    store_.reset();
    if (loop_ != nullptr) {
        g_main_loop_unref(loop_);
    }
}

base::Status Phone::open() {
    loop_ = g_main_loop_new(nullptr, FALSE);
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
    store_ = std::move(*store);
    auto loaded = store_->load();
    if (!loaded) {
        return base::fail(loaded.error());
    }
    const auto epoch = store_->next_epoch();
    if (!epoch) {
        return base::fail(epoch.error());
    }
    for (const base::Status& checked :
         {media::check_source(options_.source), media::check_sink(options_.sink)}) {
        if (!checked) {
            return checked;
        }
    }
    auto engine = media::Engine::create({.page_path = options_.state_directory + "/media.page",
                                         .port_min = options_.rtp_port_min,
                                         .port_max = options_.rtp_port_max});
    if (!engine) {
        return base::fail(engine.error());
    }
    media_ = std::move(*engine);
    board_ =
        std::make_unique<Switchboard>(*store_, *media_,
                                      Policy{.source = options_.source,
                                             .sink = options_.sink,
                                             .codecs = chosen_codecs(options_.codecs),
                                             .outbound_proxy = options_.outbound_proxy,
                                             .resume_window_ms = options_.resume_deadline_s * 1000,
                                             .auto_answer = options_.auto_answer});
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
    media_->on_trouble = [](call::Number number, const std::string& what) {
        shell::print({.event = "media.trouble",
                      .call = number,
                      .tone = shell::Tone::attention,
                      .text = fmt::format("call {}: {}", number, what),
                      .fields = {}});
    };
    report(*loaded);
    for (const call::Number number : loaded->taken) {
        board_->reserve(number);
    }
    if (options_.resume == shell::Resume::never) {
        for (const call::Dialog& dialog : loaded->dialogs) {
            board_->reserve(dialog.number);
        }
        loaded->dialogs.clear();
    }
    found_ = loaded->dialogs.size();
    board_->adopt(std::move(loaded->dialogs), *epoch, options_.resume == shell::Resume::automatic);
    return {};
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
        tell("journal.left", shell::Tone::attention,
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
    for (const shell::Listen& listen : options_.listen) {
        settings.listen.push_back({.at = {.address = listen.address, .port = listen.port},
                                   .transport = listen.transport});
    }
    settings.aor = options_.aor.empty() ? default_aor(options_.listen.front()) : options_.aor;
    if (!options_.credentials_path.empty()) {
        auto credentials = sip::read_credentials(options_.credentials_path);
        if (!credentials) {
            return base::fail(credentials.error());
        }
        settings.credentials = std::move(*credentials);
    }
    auto agent = sip::Agent::create(settings, *board_);
    if (!agent) {
        return base::fail(agent.error());
    }
    agent_ = std::move(*agent);
    board_->connect(*agent_);
    // In the same turn of the main loop as the bind: what the peer has sent meanwhile is read after
    // the dialogs exist again.
    board_->restore(options_.resume == shell::Resume::automatic, [this] {
        if (options_.resume == shell::Resume::ask) {
            list_found();
        }
        if (script_) {
            script_->start();
        }
    });
    return {};
}

void Phone::tell_ready() const {
    std::string where;
    for (const shell::Listen& listen : options_.listen) {
        const bool v6 = listen.address.find(':') != std::string::npos;
        where += fmt::format("{}{}:{}{}", where.empty() ? "" : ", ",
                             v6 ? "[" + listen.address + "]" : listen.address, listen.port,
                             !listen.transport                           ? ""
                             : *listen.transport == call::Transport::tcp ? " (tcp)"
                                                                         : " (udp)");
    }
    shell::print({.event = "ready",
                  .call = std::nullopt,
                  .tone = shell::Tone::faint,
                  .text = fmt::format("listening on {}", where),
                  .fields = {{"listen", where},
                             {"pid", static_cast<std::int64_t>(::getpid())},
                             {"found", static_cast<std::int64_t>(found_)}}});
}

void Phone::list_found() const {
    const auto is_waiting = [](const auto& entry) {
        return entry.second.state == call::State::restored;
    };
    const auto waiting = std::ranges::count_if(board_->calls(), is_waiting);
    if (waiting > 1) {
        tell("resume.ask", shell::Tone::attention,
             fmt::format("{} calls of an earlier run are waiting; `reinvite all` goes on with "
                         "them, `bye ID` ends one",
                         waiting));
    }
}

int Phone::run() {
    add_call_commands(table_, *board_);
    add_view_commands(table_, *board_);
    add_wait_commands(table_, *board_);
    add_program_commands();
    signals_.push_back(base::on_signal(SIGTERM, [this] { begin_quit(); }));
    signals_.push_back(base::on_signal(SIGHUP, [this] { detach(); }));
    tell_ready();
    begin_shell();
    g_main_loop_run(loop_);
    shell::flush_output();
    return exit_status();
}

void Phone::begin_shell() {
    const bool is_scripted = !options_.script.empty();
    if (is_scripted) {
        script_ = std::make_unique<shell::Script>(
            table_, options_.script, options_.keep_going,
            [this](std::size_t failures) {
                failures_ += failures;
                if (!options_.interactive) {
                    begin_quit();
                }
            },
            options_.verbosity > 0);
        const bool restoring = std::ranges::any_of(board_->calls(), [](const auto& entry) {
            return entry.second.state == call::State::restoring ||
                   entry.second.state == call::State::idle;
        });
        if (!restoring) {
            script_->start(); // else when the last call is restored
        }
    }
    if (!options_.interactive && is_scripted) {
        signals_.push_back(base::on_signal(SIGINT, [this] {
            failures_ += 1;
            begin_quit();
        }));
        return;
    }
    shell::Prompt::Hooks hooks;
    hooks.on_line = [this](const std::string& line) { on_line(line); };
    hooks.on_end = [this] { begin_quit(); };
    hooks.call_ids = [this] {
        std::vector<std::string> ids;
        for (const auto& [number, call] : board_->calls()) {
            ids.push_back(std::to_string(number));
        }
        return ids;
    };
    hooks.uris = [this] {
        std::vector<std::string> uris;
        for (const auto& [number, call] : board_->calls()) {
            uris.push_back(call.dialog.remote_target);
        }
        return uris;
    };
    hooks.conditions = [] { return wait_conditions(); };
    hooks.text = [this] {
        const std::size_t count = board_->calls().size();
        return count == 0 ? std::string{"revenant> "}
                          : fmt::format("revenant ({} call{})> ", count, count == 1 ? "" : "s");
    };
    prompt_ = shell::Prompt::open(table_, std::move(hooks), options_.state_directory + "/history");
    board_->on_change = [this] {
        if (prompt_) {
            prompt_->refresh();
        }
    };
}

void Phone::on_line(const std::string& line) {
    // What fails at once has not been told yet; what fails later has, by the call's own notices.
    auto later = std::make_shared<bool>(false);
    table_.run_line(line, [this, later, line](const base::Status& status) {
        if (!status) {
            failures_ += options_.json || !prompt_ ? 1U : 0U;
        }
        if (options_.json) {
            if (status) {
                shell::print({.event = "ok",
                              .call = std::nullopt,
                              .tone = shell::Tone::faint,
                              .text = {},
                              .fields = {{"command", table_.is_secret(line) ? "" : line}}});
            } else {
                shell::print(shell::failure_notice(status.error()));
            }
        } else if (!status && !*later) {
            shell::print(shell::failure_notice(status.error()));
        }
    });
    *later = true;
}

void Phone::add_program_commands() {
    using shell::Arguments;
    using shell::Done;
    const auto add = [this](const char* name, std::vector<std::string> aliases,
                            const char* arguments, const char* help, std::size_t most,
                            std::function<void(const Arguments&, Done)> run) {
        table_.add({.name = name,
                    .aliases = std::move(aliases),
                    .arguments = arguments,
                    .help = help,
                    .group = "Program",
                    .arguments_min = 0,
                    .arguments_max = most,
                    .completes = {shell::Completes::command},
                    .words = {},
                    .secret = false,
                    .run = std::move(run)});
    };
    add("detach", {}, "", "leave the program, leave the calls alive", 0,
        [this](const Arguments&, const Done&) { detach(); });
    add("quit", {"q", "x", "exit"}, "", "say BYE to all and leave", 0,
        [this](const Arguments&, const Done& done) {
            done({});
            begin_quit();
        });
    add("help", {"h", "?"}, "[COMMAND]", "this list, or one command", 1,
        [this](const Arguments& arguments, const Done& done) {
            const auto text = arguments.empty() ? base::Result<std::string>{table_.help()}
                                                : table_.help(arguments[0]);
            if (text) {
                tell("help", shell::Tone::plain, *text);
            }
            done(text ? base::Status{} : base::fail(text.error()));
        });
}

void Phone::begin_quit() {
    if (std::exchange(quitting_, true)) {
        return;
    }
    std::vector<call::Number> all;
    for (const auto& [number, call] : board_->calls()) {
        all.push_back(number);
    }
    auto left = std::make_shared<std::size_t>(0);
    const auto finish = [this] {
        // The stack waits for its transactions, which are done with; should one linger all the
        // same, the deadline below ends it.
        signals_.push_back(
            base::when_idle([this] { agent_->shut_down([this] { g_main_loop_quit(loop_); }); }));
    };
    for (const call::Number number : all) {
        const call::Call* call = board_->find(number);
        if (call == nullptr || call->state == call::State::over) {
            continue;
        }
        ++*left;
        board_->waits().add(
            number,
            [](const call::Call& c) {
                return c.state == call::State::over ? std::optional{base::Status{}} : std::nullopt;
            },
            0, "",
            [left, finish](const base::Status&) {
                if (--*left == 0) {
                    finish();
                }
            });
    }
    quit_deadline_ = base::after_ms(quit_patience_ms, [this, left] {
        if (*left > 0) {
            tell("quit.unanswered", shell::Tone::attention,
                 fmt::format("{} BYE{} not answered; the next start says it again", *left,
                             *left == 1 ? " was" : "s were"));
        }
        detach();
    });
    if (*left == 0) {
        finish();
        return;
    }
    for (const call::Number number : all) {
        if (board_->find(number) != nullptr) {
            static_cast<void>(board_->apply(number, call::event::HangUp{}));
        }
    }
}

void Phone::detach() {
    media_->detach();
    prompt_.reset(); // the terminal as it was
    shell::flush_output();
    // Destroys nothing: a destroyed dialog says BYE.
    ::_exit(exit_status());
}

int Phone::exit_status() const {
    if (board_ && board_->ledger().count(call::Verdict::lost) > 0) {
        return exit_call_lost;
    }
    return failures_ > 0 ? exit_command_failed : exit_success;
}

int run_phone(const shell::Options& options) {
    shell::set_output(options.json ? shell::Format::json : shell::Format::human,
                      !options.json && shell::colour_wanted());
    base::set_log_level(options.verbosity >= 2   ? base::Level::debug
                        : options.verbosity == 1 ? base::Level::info
                                                 : base::Level::warning);
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    Phone phone{options};
    if (const base::Status opened = phone.open(); !opened) {
        shell::print(shell::failure_notice(opened.error()));
        shell::flush_output();
        // Nothing has been said to anyone; records stay for the next start.
        ::_exit(exit_command_failed);
    }
    return phone.run();
}

} // namespace revenant::app
