// The floor under a start with many dialogs: what sofia-sip alone takes to rebuild each of them
// with an INVITE that this process answers itself, and to refresh it with a re-INVITE to the peer.
// No record is read or written, nothing is decided, and nothing is said. dialogs_floor DIALOGS
#include <glib-unix.h>

namespace bench {
struct Dialog;
class Floor;
} // namespace bench

#define NUA_MAGIC_T bench::Floor
#define NUA_HMAGIC_T bench::Dialog
#define SU_ROOT_MAGIC_T bench::Floor

#include <sofia-sip/nua.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/soa.h>
#include <sofia-sip/soa_tag.h>
#include <sofia-sip/su_glib.h>
#include <sofia-sip/tport_tag.h>

#include "message.hpp"
#include "tools.hpp"

namespace bench {

struct Dialog {
    nua_handle_t* handle = nullptr;
    int answers = 0; // the first is our own, the second the peer's
};

class Floor {
public:
    explicit Floor(std::size_t count) : dialogs_(count) {
        su_root_threading(root_, 0);
        g_source_attach(su_glib_root_gsource(root_), nullptr);
        g_unix_fd_add(
            answerer_.fd(), G_IO_IN,
            [](int /*fd*/, GIOCondition /*condition*/, gpointer self) -> gboolean {
                static_cast<Floor*>(self)->answer();
                return G_SOURCE_CONTINUE;
            },
            this);
        nua_ = nua_create(root_, on_event, this, NUTAG_URL("sip:127.0.0.1:5060;transport=udp"),
                          SOATAG_ADDRESS("127.0.0.1"), TPTAG_UDP_RMEM(4 << 20), TAG_END());
        if (nua_ == nullptr) {
            give_up("nua_create");
        }
    }

    void run() {
        go_on();
        GMainLoop* loop = g_main_loop_new(nullptr, FALSE);
        g_main_loop_run(loop);
    }

private:
    static constexpr std::size_t window = 50; // INVITEs on the way at once

    static void on_event(nua_event_t event,
                         int /*status*/,
                         const char* /*phrase*/,
                         nua_t* /*nua*/,
                         Floor* self,
                         nua_handle_t* /*handle*/,
                         Dialog* dialog,
                         const sip_t* /*sip*/,
                         tagi_t* tags) {
        int state = nua_callstate_init;
        if (event != nua_i_state || dialog == nullptr ||
            tl_gets(tags, NUTAG_CALLSTATE_REF(state), TAG_END()) == 0 ||
            state != nua_callstate_ready) {
            return;
        }
        ++dialog->answers;
        ++self->answered_;
        self->go_on();
    }

    // All are rebuilt before the first is refreshed.
    void go_on() {
        const std::size_t count = dialogs_.size();
        while (begun_ < 2 * count && begun_ < answered_ + window &&
               (begun_ < count || answered_ >= count)) {
            const std::size_t number = begun_++;
            if (number < count) {
                rebuild(number);
            } else {
                nua_invite(dialogs_[number - count].handle,
                           NUTAG_PROXY("sip:127.0.0.2:5060;transport=udp"), TAG_END());
            }
        }
    }

    void rebuild(std::size_t number) {
        Dialog& dialog = dialogs_[number];
        const std::string tail = std::to_string(number);
        const std::string from = "<sip:alice@127.0.0.1>;tag=here" + tail;
        const std::string to = "<sip:bob@127.0.0.2:5060>;tag=there" + tail;
        const std::string call_id = tail + "@127.0.0.1";
        dialog.handle = nua_handle(nua_, &dialog, SIPTAG_FROM_STR(from.c_str()),
                                   SIPTAG_TO_STR(to.c_str()), TAG_END());
        nua_invite(dialog.handle, NUTAG_PROXY("sip:127.0.0.1:5099;transport=udp"),
                   NUTAG_URL("sip:bob@127.0.0.2:5060"), SIPTAG_CALL_ID_STR(call_id.c_str()),
                   SIPTAG_CSEQ_STR("1000 INVITE"), SIPTAG_CONTACT_STR("<sip:alice@127.0.0.1:5060>"),
                   SOATAG_USER_SDP_STR(offer_.c_str()), SOATAG_USER_O_LINE(1),
                   SOATAG_RTP_SELECT(SOA_RTP_SELECT_ALL), TAG_END());
    }

    void answer() {
        while (const auto got = answerer_.receive()) {
            const Message request{got->data};
            if (request.is("INVITE")) {
                answerer_.send(response(request, "200 OK", "there", answer_), got->from);
            }
        }
    }

    std::string offer_ = audio_sdp(9);
    std::string answer_ = audio_sdp(9);
    Udp answerer_{"127.0.0.1", 5099};
    su_root_t* root_ = su_glib_root_create(this);
    nua_t* nua_ = nullptr;
    std::vector<Dialog> dialogs_;
    std::size_t begun_ = 0, answered_ = 0;
};

} // namespace bench

int main(int argc, char** argv) {
    if (argc != 2) {
        bench::give_up("usage: dialogs_floor DIALOGS");
    }
    su_init();
    bench::Floor{static_cast<std::size_t>(std::atoll(argv[1]))}.run();
    return 0;
}
