#include "sip/sofia/forks.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "revenant/base/boundary.hpp"
#include "revenant/base/log.hpp"
#include "revenant/base/text.hpp"
#include "revenant/call/dialog.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/transactions.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

constexpr std::size_t byes_max = 1000; // what a peer can make us say at a time

// Above what any life has said to that callee before it answered, a PRACK most of all: each start
// takes a thousand numbers. The same every time, so a BYE that is said again is the same request.
constexpr std::uint32_t cseqs_before = 100'000;

// The BYEs without an answer, by their branches.
std::map<std::string, nta_outgoing_t*, std::less<>>& byes() {
    static std::map<std::string, nta_outgoing_t*, std::less<>> all;
    return all;
}

// RFC 3261 §25.1, and short: it becomes part of a branch.
bool is_token(std::string_view text) {
    constexpr std::string_view marks = "-.!%*_+`'~";
    return !text.empty() && text.size() <= 256 && std::ranges::all_of(text, [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               marks.find(c) != std::string_view::npos;
    });
}

// The dialog that the answer has made, as far as requests in it need it.
call::Dialog dialog_of(const sip_t& answer, const std::string& proxy) {
    call::Dialog dialog;
    dialog.call_id = text_of(answer.sip_call_id->i_id);
    dialog.local_tag = text_of(answer.sip_from->a_tag);
    dialog.remote_tag = text_of(answer.sip_to->a_tag);
    dialog.local_uri = "<" + uri_text(answer.sip_from->a_url) + ">";
    dialog.remote_uri = "<" + uri_text(answer.sip_to->a_url) + ">";
    dialog.remote_target =
        uri_text(answer.sip_contact != nullptr ? answer.sip_contact->m_url : answer.sip_to->a_url);
    dialog.route_set = routes(answer.sip_record_route, true);
    dialog.outbound_proxy = proxy;
    return dialog;
}

int on_bye_answer(nta_outgoing_magic_t* /*magic*/, nta_outgoing_t* bye, const sip_t* sip) {
    const int status = sip != nullptr && sip->sip_status != nullptr ? sip->sip_status->st_status
                                                                    : nta_outgoing_status(bye);
    if (status >= 200) {
        base::at_boundary("BYE to another answer", [&] {
            std::erase_if(byes(), [&](const auto& entry) { return entry.second == bye; });
        });
        nta_outgoing_destroy(bye);
    }
    return 0;
}

void say_bye(nta_agent_t* agent, const call::Dialog& dialog, std::uint32_t cseq) {
    const std::string branch = invite_branch(dialog.local_tag, cseq) + "." + dialog.remote_tag;
    if (byes().contains(branch) || byes().size() >= byes_max) {
        return;
    }
    msg_t* message = new_request(agent, dialog, "BYE", cseq);
    if (message == nullptr) {
        return;
    }
    const char* proxy = dialog.outbound_proxy.empty() ? nullptr : dialog.outbound_proxy.c_str();
    nta_outgoing_t* bye = nta_outgoing_mcreate(
        agent, on_bye_answer, nullptr, reinterpret_cast<const url_string_t*>(proxy), message,
        NTATAG_BRANCH_KEY(branch.c_str()), TAG_END());
    if (bye == nullptr) {
        msg_destroy(message);
        return;
    }
    byes().emplace(branch, bye);
}

} // namespace

bool is_of_other_fork() {
    return hooks.delivery != nullptr && hooks.delivery->is_of_other_fork;
}

void end_other_answer(nta_agent_t* agent, const sip_t& answer, const std::string& proxy) {
    if (answer.sip_call_id == nullptr || answer.sip_from == nullptr || answer.sip_to == nullptr ||
        answer.sip_cseq == nullptr || answer.sip_from->a_tag == nullptr ||
        !is_token(text_of(answer.sip_to->a_tag))) {
        return;
    }
    const call::Dialog dialog = dialog_of(answer, proxy);
    const std::uint32_t cseq = answer.sip_cseq->cs_seq;
    base::log(base::Level::info, fmt::format("{} answers a call that another has: BYE",
                                             base::printable(dialog.remote_target, 200)));
    acknowledge_again(agent, dialog, cseq);
    say_bye(agent, dialog, cseq + cseqs_before);
}

// ---- In front of the library's function --------------------------------------------------------

namespace {

// Told that it has failed, the library goes on as with an answer that it knows nothing of: it is
// shown to Stack::on_stray.
int mark_fork(nta_agent_t* /*agent*/, msg_t* /*message*/) {
    if (hooks.delivery != nullptr) {
        hooks.delivery->is_of_other_fork = true;
    }
    return -1;
}

const Standing other_answers{hooks.nta_msg_ackbye, mark_fork};

} // namespace

} // namespace revenant::sip
