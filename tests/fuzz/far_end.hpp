// What a phone under a fuzzer talks to: it says what it is told to, with words in braces that stand
// for what fits the call, and remembers what it has heard. A CSeq that comes twice ends the
// program.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include "revenant/base/fd.hpp"
#include "revenant/base/log.hpp"
#include "revenant/base/socket_address.hpp"
#include "revenant/base/text.hpp"

namespace revenant::fuzz {

inline const std::string address = "127.0.0.1";

inline void must(bool holds, const std::string& what) {
    if (!holds) {
        base::die(what);
    }
}

inline std::string header(std::string_view message, std::string_view name) {
    const std::string wanted = fmt::format("\r\n{}:", name);
    const std::size_t at = message.find(wanted);
    if (at == std::string_view::npos) {
        return {};
    }
    const std::string_view rest = message.substr(at + wanted.size());
    return std::string{base::trim(rest.substr(0, rest.find("\r\n")))};
}

inline std::string after_tag(const std::string& value) {
    const std::size_t at = value.find(";tag=");
    return at == std::string::npos ? std::string{}
                                   : value.substr(at + 5, value.find(';', at + 5) - at - 5);
}

// One UDP socket, or a stream, and what it knows of the call.
class FarEnd {
public:
    explicit FarEnd(std::uint16_t phone)
        : phone_{phone}, socket_{::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)} {
        auto any = base::SocketAddress::numeric(address, 0);
        must(::bind(socket_.get(), any->data(), any->size()) == 0, "the peer has no socket");
        port_ = base::SocketAddress::of(socket_.get())->port();
    }

    [[nodiscard]] std::uint16_t port() const { return stream_ ? stream_port_ : port_; }

    // Until `forget` it speaks TCP.
    void connect() {
        stream_ = base::Fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        auto phone = base::SocketAddress::numeric(address, phone_);
        must(::connect(stream_.get(), phone->data(), phone->size()) == 0,
             "no connection to the phone");
        must(::fcntl(stream_.get(), F_SETFL, O_NONBLOCK) == 0, "the stream blocks");
        stream_port_ = base::SocketAddress::of(stream_.get())->port();
        unread_.clear();
    }

    // Closes its stream, if it speaks TCP.
    void hang_up() { stream_ = {}; }

    void forget() {
        hang_up();
        requests_.clear();
        responses_.clear();
        dialog_ = {};
        cseq_ = 100;
        numbers_.clear();
        answers_ = false;
    }

    // From now on it answers every request, as it should.
    void answer_all() { answers_ = true; }

    // Whether something has come.
    bool read() {
        bool any = false;
        for (ssize_t size = 0;
             (size = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0)) > 0;) {
            any = true;
            hear(buffer_.substr(0, static_cast<std::size_t>(size)));
        }
        return read_stream() || any;
    }

    void say(const std::string& text) {
        if (stream_) {
            static_cast<void>(::send(stream_.get(), text.data(), text.size(), MSG_NOSIGNAL));
            return;
        }
        auto phone = base::SocketAddress::numeric(address, phone_);
        static_cast<void>(
            ::sendto(socket_.get(), text.data(), text.size(), 0, phone->data(), phone->size()));
    }

    [[nodiscard]] std::string expanded(std::string_view text) {
        std::string out;
        while (!text.empty()) {
            const std::size_t open = std::min(text.find('{'), text.size());
            const std::size_t close = text.find('}', open);
            out += text.substr(0, open);
            if (close == std::string_view::npos || close - open > 20) {
                out += text.substr(open, 1);
                text.remove_prefix(std::min(open + 1, text.size()));
                continue;
            }
            const auto word = this->word(text.substr(open + 1, close - open - 1));
            out += word ? *word : std::string{text.substr(open, close + 1 - open)};
            text.remove_prefix(close + 1);
        }
        const std::size_t body = out.find("\r\n\r\n");
        if (const std::size_t at = out.find("{}");
            at != std::string::npos && body != std::string::npos) {
            out.replace(at, 2, std::to_string(out.size() - body - 4 - (at > body ? 2 : 0)));
        }
        return out;
    }

    // The head of a response to `request`, without its first line.
    [[nodiscard]] std::string head_to(const std::string& request) {
        std::string to = header(request, "To");
        if (to.find(";tag=") == std::string::npos) {
            to += ";tag=theirs";
        }
        return fmt::format("Via: {}\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {}\r\n",
                           header(request, "Via"), header(request, "From"), to,
                           header(request, "Call-ID"), header(request, "CSeq"));
    }

    [[nodiscard]] bool heard(const std::string& method) const { return requests_.contains(method); }

    [[nodiscard]] bool heard_status(const std::string& status) const {
        return responses_.contains(status);
    }

    // An INVITE of its own, which begins a call.
    [[nodiscard]] std::string invite() {
        return expanded("INVITE sip:phone@127.0.0.1 SIP/2.0\r\n{begin}{contact}{sdp}");
    }

    static constexpr std::string_view sdp =
        "v=0\r\no=peer 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        "m=audio 40000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";

private:
    struct Dialog {
        std::string call_id;
        std::string ours;   // From of its requests
        std::string phones; // To
    };

    std::optional<std::string> word(std::string_view name) {
        if (name == "answer") { // to the last request of the phone's
            return last_.empty() ? std::optional<std::string>{} : head_to(last_);
        }
        if (name.starts_with("answer ")) { // to its last one of this method
            const auto found = requests_.find(std::string{name.substr(7)});
            return found == requests_.end() ? std::optional<std::string>{} : head_to(found->second);
        }
        if (name == "begin") { // the head of an INVITE that begins a call
            dialog_ = {.call_id = fmt::format("in-{}", ++count_),
                       .ours = "<sip:peer@127.0.0.1>;tag=theirs",
                       .phones = "<sip:phone@127.0.0.1>"};
            name = "request INVITE";
        }
        if (name.starts_with("request ")) { // the head of a new request in the dialog
            return fmt::format("Via: SIP/2.0/{} 127.0.0.1:{};branch=z9hG4bK{}\r\nMax-Forwards: "
                               "70\r\nFrom: {}\r\nTo: {}\r\n"
                               "Call-ID: {}\r\nCSeq: {} {}\r\n",
                               stream_ ? "TCP" : "UDP", port(), ++count_, dialog_.ours,
                               dialog_.phones, dialog_.call_id,
                               name == "request ACK" || name == "request CANCEL" ? cseq_ : ++cseq_,
                               name.substr(8));
        }
        if (name == "contact") {
            return fmt::format("Contact: <sip:peer@127.0.0.1:{}{}>\r\n", port(),
                               stream_ ? ";transport=tcp" : "");
        }
        if (name == "sdp") { // with everything from Content-Type on
            return fmt::format("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{}",
                               sdp.size(), sdp);
        }
        if (name == "length") { // of the body; filled in at the end
            return "{}";
        }
        if (name == "call_id") {
            return dialog_.call_id;
        }
        if (name == "port") {
            return std::to_string(port());
        }
        if (name == "tag") { // the phone's
            return after_tag(dialog_.phones);
        }
        return std::nullopt;
    }

    bool read_stream() {
        bool any = false;
        for (ssize_t size = 0;
             stream_ && (size = ::recv(stream_.get(), buffer_.data(), buffer_.size(), 0)) > 0;) {
            any = true;
            unread_.append(buffer_, 0, static_cast<std::size_t>(size));
        }
        for (std::size_t end = 0; (end = unread_.find("\r\n\r\n")) != std::string::npos;) {
            const std::size_t body = base::to_u32(header(unread_, "Content-Length")).value_or(0);
            if (unread_.size() < end + 4 + body) {
                break;
            }
            hear(unread_.substr(0, end + 4 + body));
            unread_.erase(0, end + 4 + body);
        }
        return any;
    }

    void hear(const std::string& text) {
        if (text.starts_with("SIP/2.0 ")) {
            responses_[text.substr(8, 3)] = text;
            if (header(text, "Call-ID") == dialog_.call_id) {
                dialog_.phones = header(text, "To");
            }
            const bool is_final_to_invite =
                header(text, "CSeq").ends_with("INVITE") && text[8] != '1';
            if (answers_ && is_final_to_invite) {
                acknowledge(text);
            }
            return;
        }
        const std::string method = text.substr(0, text.find(' '));
        number_once(method, text);
        last_ = requests_[method] = text;
        if (method == "INVITE" && dialog_.call_id.empty()) {
            dialog_ = {.call_id = header(text, "Call-ID"),
                       .ours = header(text, "To") + ";tag=theirs",
                       .phones = header(text, "From")};
        }
        if (answers_ && method != "ACK") {
            const bool offers = method == "INVITE" || method == "UPDATE";
            say(expanded("SIP/2.0 200 OK\r\n{answer}" +
                         std::string{offers ? "{contact}{sdp}" : "Content-Length: 0\r\n\r\n"}));
        }
    }

    // A new request has a CSeq above all before it; only a repeated one has an old one, and its
    // branch.
    void number_once(const std::string& method, const std::string& request) {
        if (method == "ACK" || method == "CANCEL") {
            return;
        }
        const std::uint32_t cseq =
            base::to_u32(header(request, "CSeq").substr(0, header(request, "CSeq").find(' ')))
                .value_or(0);
        // What is said to another callee, with a tag that is not its own, is said in another
        // dialog.
        const std::string to = after_tag(header(request, "To"));
        auto& [highest, branches] =
            numbers_[header(request, "Call-ID") + (to == "theirs" ? std::string{} : to)];
        const std::string said = method + " " + header(request, "Via");
        const auto before = branches.find(cseq);
        must(before == branches.end() ? cseq > highest : before->second == said,
             fmt::format("the CSeq {} of a {} was there before, or above {}", cseq, method,
                         highest));
        highest = std::max(highest, cseq);
        branches[cseq] = said;
    }

    void acknowledge(const std::string& response) {
        const std::string cseq = header(response, "CSeq");
        say(fmt::format("ACK sip:phone@127.0.0.1 SIP/2.0\r\nVia: {}\r\nFrom: {}\r\nTo: "
                        "{}\r\nCall-ID: {}\r\nCSeq: {} ACK\r\n\r\n",
                        header(response, "Via"), header(response, "From"), header(response, "To"),
                        header(response, "Call-ID"), cseq.substr(0, cseq.find(' '))));
    }

    std::uint16_t phone_;
    base::Fd socket_;
    base::Fd stream_;
    std::uint16_t stream_port_ = 0;
    std::string unread_; // of the stream
    std::string buffer_ = std::string(70'000, '\0');
    std::uint16_t port_ = 0;
    std::map<std::string, std::string> requests_; // the last of each method
    std::map<std::string, std::string> responses_;
    std::string last_;

    struct Numbers {
        std::uint32_t highest = 0;
        std::map<std::uint32_t, std::string> branches;
    };

    std::map<std::string, Numbers> numbers_; // of the phone's requests, by dialog
    Dialog dialog_;
    std::uint32_t cseq_ = 100;
    std::uint32_t count_ = 0;
    bool answers_ = false;
};

} // namespace revenant::fuzz
