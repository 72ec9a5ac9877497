#include "sip/sofia/cseq_numbers.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <unordered_map>

#include "revenant/base/boundary.hpp"
#include "sip/interpose/stack_hooks.hpp"
#include "sip/sofia/leg.hpp"
#include "sip/sofia/nua.hpp"
#include "sip/sofia/refusals.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

namespace {

struct Dialog {
    std::uint32_t invite = 0;
    std::uint32_t used = 0;
    std::unordered_map<std::uint32_t, std::uint32_t> pracks = {}; // CSeq by RSeq
};

std::unordered_map<std::string, Dialog>& dialogs() {
    static std::unordered_map<std::string, Dialog> all;
    return all;
}

std::uint32_t number_for(Dialog& dialog, const sip_t& sip) {
    const std::uint32_t counted = sip.sip_cseq->cs_seq;
    if (sip.sip_request->rq_method == sip_method_invite && counted == dialog.invite) {
        return counted;
    }
    if (sip.sip_request->rq_method == sip_method_prack && sip.sip_rack != nullptr) {
        const auto assigned = dialog.pracks.extract(sip.sip_rack->ra_response);
        if (!assigned.empty()) {
            return assigned.mapped();
        }
    }
    return ++dialog.used;
}

void renumber(const sip_t& sip) {
    if (dialogs().empty() || sip.sip_request == nullptr || sip.sip_cseq == nullptr ||
        sip.sip_call_id == nullptr || sip.sip_from == nullptr ||
        sip.sip_request->rq_method == sip_method_ack ||
        sip.sip_request->rq_method == sip_method_cancel) { // these have their INVITE's
        return;
    }
    const auto found =
        dialogs().find(leg_key(text_of(sip.sip_call_id->i_id), text_of(sip.sip_from->a_tag)));
    if (found != dialogs().end()) {
        sip.sip_cseq->cs_seq = number_for(found->second, sip);
        msg_fragment_clear(sip.sip_cseq->cs_common); // the text that it was parsed from
    }
}

} // namespace

void cseq_numbers::begin(const std::string& key, std::uint32_t invite, std::uint32_t used) {
    dialogs()[key] = {.invite = invite, .used = std::max(invite, used)};
}

void cseq_numbers::end(const std::string& key) {
    dialogs().erase(key);
}

std::uint32_t cseq_numbers::next(const std::string& key) {
    const auto found = dialogs().find(key);
    return found != dialogs().end() ? found->second.used + 1 : 0;
}

std::uint32_t cseq_numbers::reserve(const std::string& key) {
    const auto found = dialogs().find(key);
    return found != dialogs().end() ? ++found->second.used : 0;
}

void cseq_numbers::assign(const std::string& key, std::uint32_t rseq, std::uint32_t cseq) {
    const auto found = dialogs().find(key);
    if (found != dialogs().end()) {
        found->second.pracks[rseq] = cseq;
    }
}

// ---- In front of the library's functions -------------------------------------------------------

namespace {

int complete_request(msg_t* message,
                     nta_leg_t* leg,
                     sip_method_t method,
                     const char* method_name,
                     const url_string_t* request_uri) {
    const int result =
        hooks.nta_msg_request_complete.own()(message, leg, method, method_name, request_uri);
    if (result == 0) {
        base::at_boundary("the number of a request", [&] { renumber(*sip_object(message)); });
    }
    return result;
}

int generate_answer(soa_session_t* session, soa_callback_f* completed) {
    if (hooks.response > 100 && hooks.response < 200) {
        return -1;
    }
    auto* const own = hooks.soa_generate_answer.own();
    const int made = own(session, completed);
    return made < 0 && refusals::forget_offer(session) ? own(session, completed) : made;
}

// For the first RSeq of an INVITE that comes in the library wants a number out of this range, and
// for nothing else then.
int draw(int lowest, int highest) {
    return hooks.delivery != nullptr && lowest == 1 &&
                   highest == std::numeric_limits<std::int32_t>::max()
               ? 1
               : hooks.su_randint.own()(lowest, highest);
}

const Standing requests{hooks.nta_msg_request_complete, complete_request};
const Standing answers{hooks.soa_generate_answer, generate_answer};
const Standing first_rseq{hooks.su_randint, draw};

} // namespace

} // namespace revenant::sip
