// Mutations that know what a far end can say: happenings (peer_fuzz.cpp) are inserted, repeated,
// dropped and exchanged, messages get odd header fields, statuses, numbers and SDP lines. Bytes are
// left to libFuzzer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace revenant::fuzz {

constexpr char separator = '\x1E';

class Mutation {
public:
    explicit Mutation(unsigned seed) : random_{seed} {}

    // Of a whole input: the situation's digit and the happenings.
    [[nodiscard]] std::string of(std::string_view input) {
        std::string situation = input.empty() ? "4" : std::string{input.substr(0, 1)};
        if (one_in(12)) {
            situation = std::string{any(digits)};
        }
        std::vector<std::string> all = split(input.empty() ? input : input.substr(1));
        for (int changes = 1 + static_cast<int>(below(3)); changes > 0; --changes) {
            change(all);
        }
        std::string out = situation;
        for (std::size_t i = 0; i < all.size(); ++i) {
            out += (i > 0 ? std::string{separator} : std::string{}) + all[i];
        }
        return out;
    }

private:
    void change(std::vector<std::string>& all) {
        const std::size_t at = below(all.size());
        switch (all.empty() ? 0 : below(9)) {
        case 0:
            all.insert(all.begin() + static_cast<std::ptrdiff_t>(below(all.size() + 1)),
                       happening());
            break;
        case 1:
            all.insert(all.begin() + static_cast<std::ptrdiff_t>(at), std::string{all[at]});
            break;
        case 2: all.erase(all.begin() + static_cast<std::ptrdiff_t>(at)); break;
        case 3: std::swap(all[at], all[below(all.size())]); break;
        case 4: number(all[at]); break;
        case 5: status(all[at]); break;
        case 6: description(all[at]); break;
        default: field(all[at]); break;
        }
    }

    std::string happening() {
        switch (below(5)) {
        case 0: return std::string{any(verbs)};
        case 1: return std::string{any(pauses)};
        case 2: {
            const std::string_view method = any(methods);
            const bool offers = method == "INVITE" || method == "UPDATE" || one_in(6);
            return std::string{method} + " sip:phone@127.0.0.1 SIP/2.0\r\n{request " +
                   std::string{method} + "}" +
                   (offers ? "{contact}{sdp}" : "Content-Length: 0\r\n\r\n");
        }
        case 3: return "INVITE sip:phone@127.0.0.1 SIP/2.0\r\n{begin}{contact}{sdp}";
        default: {
            const bool describes = one_in(2);
            return "SIP/2.0 " + std::string{any(statuses)} + " So\r\n{answer" +
                   (one_in(2) ? " " + std::string{any(methods)} : std::string{}) + "}" +
                   (describes ? "{contact}{sdp}" : "Content-Length: 0\r\n\r\n");
        }
        }
    }

    // A field more, or in the place of the one that has its name.
    void field(std::string& message) {
        const std::size_t first = message.find("\r\n");
        if (first == std::string::npos) {
            return;
        }
        const std::string_view line = any(fields);
        const std::string name{line.substr(0, line.find(':') + 1)};
        if (const std::size_t old = message.find("\r\n" + name);
            old != std::string::npos && !one_in(3)) {
            const std::size_t end = message.find("\r\n", old + 2);
            message.erase(old, end == std::string::npos ? end : end - old);
        }
        if (name == "Contact:" && !one_in(3)) {
            replace(message, "{contact}", "");
        }
        message.insert(message.find("\r\n") + 2, std::string{line} + "\r\n");
    }

    void number(std::string& message) {
        std::vector<std::size_t> starts;
        for (std::size_t i = 0; i < message.size(); ++i) {
            if (is_digit(message[i]) && (i == 0 || !is_digit(message[i - 1]))) {
                starts.push_back(i);
            }
        }
        if (!starts.empty()) {
            const std::size_t start = starts[below(starts.size())];
            std::size_t end = start;
            while (end < message.size() && is_digit(message[end])) {
                ++end;
            }
            message.replace(start, end - start, any(numbers));
        }
    }

    void status(std::string& message) {
        if (message.starts_with("SIP/2.0 ")) {
            const std::size_t end = message.find_first_of(" \r", 8);
            message.replace(8, end == std::string::npos ? end : end - 8, any(statuses));
        }
    }

    void description(std::string& message) {
        const std::string line = std::string{any(lines)} + "\r\n";
        if (message.find("{sdp}") != std::string::npos) {
            std::string sdp =
                "v=0\r\no=peer 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                "m=audio 40000 RTP/AVP 8 0\r\n";
            if (const std::size_t old = sdp.find(line.substr(0, 2));
                old != std::string::npos && one_in(2)) {
                sdp.replace(old, sdp.find("\r\n", old) + 2 - old, line);
            } else {
                sdp += line;
            }
            replace(message, "{sdp}",
                    "Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n" + sdp);
        } else if (message.find("\r\n\r\nv=") != std::string::npos) {
            message += line;
        }
    }

    static void replace(std::string& text, std::string_view what, std::string_view by) {
        if (const std::size_t at = text.find(what); at != std::string::npos) {
            text.replace(at, what.size(), by);
        }
    }

    static bool is_digit(char c) { return c >= '0' && c <= '9'; }

    static std::vector<std::string> split(std::string_view text) {
        std::vector<std::string> all;
        while (!text.empty()) {
            const std::size_t end = std::min(text.find(separator), text.size());
            all.emplace_back(text.substr(0, end));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        return all;
    }

    std::size_t below(std::size_t end) {
        return end == 0 ? 0 : std::uniform_int_distribution<std::size_t>{0, end - 1}(random_);
    }

    bool one_in(std::size_t n) { return below(n) == 0; }

    template <std::size_t N>
    std::string_view any(const std::array<std::string_view, N>& of) {
        return of[below(N)];
    }

    static constexpr std::array<std::string_view, 11> digits{"0", "1", "2", "3", "4", "9",
                                                             ":", "5", "6", "7", "8"};
    static constexpr std::array<std::string_view, 8> verbs{
        "!answer", "!decline", "!bye", "!hold", "!unhold", "!info", "!options", "!reinvite"};
    static constexpr std::array<std::string_view, 6> pauses{".1",     ".500",   ".4000",
                                                            ".33000", ".64000", ".100000"};
    static constexpr std::array<std::string_view, 13> methods{
        "INVITE", "ACK",   "BYE",     "CANCEL",    "OPTIONS", "INFO",   "UPDATE",
        "PRACK",  "REFER", "MESSAGE", "SUBSCRIBE", "NOTIFY",  "PUBLISH"};
    static constexpr std::array<std::string_view, 46> statuses{
        "0",   "1",   "99",  "100", "101", "180", "181", "183", "199", "200",       "202", "204",
        "299", "300", "302", "305", "380", "400", "401", "403", "404", "405",       "407", "408",
        "410", "412", "413", "415", "420", "421", "422", "423", "439", "480",       "481", "482",
        "483", "488", "491", "494", "500", "503", "600", "606", "700", "2147483647"};
    static constexpr std::array<std::string_view, 14> numbers{"0",          "1",
                                                              "2",          "-1",
                                                              "127",        "255",
                                                              "256",        "65535",
                                                              "65536",      "2147483647",
                                                              "2147483648", "4294967295",
                                                              "4294967296", "99999999999999999999"};
    static constexpr std::array<std::string_view, 90> fields{
        "Contact: <tel:+4930123>",
        "Contact: <sips:peer@127.0.0.1>",
        "Contact: <sip:peer@127.0.0.1:0>",
        "Contact: <sip:peer@127.0.0.1;transport=tls>",
        "Contact: <sip:peer@[::1]:5060>",
        "Contact: *",
        "Contact: <>",
        "Contact: <sip:peer@127.0.0.1:9;transport=tcp>",
        "Contact: <sip:nowhere.invalid>",
        "Contact: <mailto:a@b>",
        "Contact: <sip:peer@127.0.0.1?Route=%3Csip:a%3E>",
        "Contact: <sip:peer@127.0.0.1;maddr=nowhere.invalid>",
        "Contact: <sip:a@127.0.0.1>, <tel:1>, <sip:b@127.0.0.1>",
        "Contact: <urn:x>",
        "Contact: <sip:peer@127.0.0.1;lr;method=BYE>",
        "Record-Route: <tel:+4930123>",
        "Record-Route: <sips:127.0.0.1;lr>",
        "Record-Route: <sip:127.0.0.1:0;lr>",
        "Record-Route: <sip:127.0.0.1:9;lr>",
        "Record-Route: <sip:127.0.0.1:9>",
        "Record-Route: <>",
        "Record-Route: <sip:nowhere.invalid;lr>",
        "Route: <tel:1>",
        "Route: <sip:127.0.0.1:9;lr>",
        "CSeq: 2147483648 INVITE",
        "CSeq: 4294967295 BYE",
        "CSeq: 0 INVITE",
        "CSeq: 1",
        "CSeq: 7 NOSUCH",
        "CSeq: 2147483647 INVITE",
        "RSeq: 0",
        "RSeq: 1",
        "RSeq: 2147483647",
        "RSeq: 4294967295",
        "RAck: 1 1 INVITE",
        "RAck: 4294967295 4294967295 INVITE",
        "RAck: 1 101 INVITE",
        "Require: 100rel",
        "Require: timer",
        "Require: nosuch",
        "Require: ,",
        "Proxy-Require: nosuch",
        "Supported: 100rel, timer",
        "Supported:",
        "Unsupported: timer",
        "Session-Expires: 4294967295;refresher=uac",
        "Session-Expires: 0",
        "Session-Expires: 90;refresher=uas",
        "Session-Expires: 1;refresher=nobody",
        "Min-SE: 4294967295",
        "Min-SE: 0",
        "Min-SE: 90",
        "Retry-After: 4294967295",
        "Retry-After: 0 (soon)",
        "Retry-After: 5;duration=0",
        "Expires: 0",
        "Expires: 1",
        "Expires: 4294967295",
        "WWW-Authenticate: Digest",
        "WWW-Authenticate: Basic realm=\"r\"",
        "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=NOSUCH, qop=\"auth-int,x\"",
        "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", stale=true",
        "Proxy-Authenticate: Digest",
        "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"",
        "Authentication-Info: ",
        "Proxy-Authentication-Info:",
        "Authentication-Info: nextnonce=\"x\"",
        "Proxy-Authentication-Info: rspauth=",
        "Content-Length: 4294967295",
        "Content-Length: -1",
        "Content-Length: 0",
        "Content-Type: multipart/mixed",
        "Content-Type: multipart/mixed;boundary=x",
        "Content-Type: text/plain",
        "Content-Encoding: gzip",
        "Content-Disposition: session;handling=required",
        "Accept: text/plain",
        "Via: SIP/2.0/UDP nowhere.invalid;branch=z9hG4bKv;maddr=nowhere.invalid",
        "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKw",
        "To: <sip:phone@127.0.0.1>;tag=other",
        "To: <sip:phone@127.0.0.1>",
        "From: <sip:peer@127.0.0.1>",
        "From: <tel:1>;tag=theirs",
        "Call-ID: another",
        "Max-Forwards: 0",
        "Event: refer",
        "Refer-To: <sip:127.0.0.1:9>",
        "Replaces: a;to-tag=b;from-tag=c",
        "Security-Server: tls",
        "Timestamp: 99999999999.9 1"};
    static constexpr std::array<std::string_view, 34> lines{
        "v=1",
        "o=- 0 0 IN IP6 ::1",
        "o=peer 18446744073709551615 18446744073709551615 IN IP4 127.0.0.1",
        "o=",
        "s=",
        "c=IN IP4 0.0.0.0",
        "c=IN IP6 ::1",
        "c=IN IP4 224.0.0.1/127/3",
        "c=IN IP4 nowhere.invalid",
        "c=IN IP4 127.0.0.1/256",
        "t=",
        "b=AS:4294967295",
        "m=audio 0 RTP/AVP 0",
        "m=audio 65536 RTP/AVP 0",
        "m=audio 40000/4294967295 RTP/AVP 0",
        "m=audio 40000 RTP/SAVP 0",
        "m=audio 40000 RTP/AVP 0 0 0 8 8",
        "m=audio 40000 RTP/AVP 128 255 4294967295",
        "m=audio 40000 RTP/AVP",
        "m=video 40002 RTP/AVP 31",
        "m=image 40002 udptl t38",
        "m=audio 40000 RTP/AVP 97",
        "a=rtpmap:97 PCMU/8000/9",
        "a=rtpmap:0",
        "a=rtpmap:0 PCMU",
        "a=rtpmap:0 PCMU/4294967295",
        "a=fmtp:101 0-4294967295",
        "a=ptime:0",
        "a=ptime:4294967295",
        "a=maxptime:1",
        "a=sendonly",
        "a=inactive",
        "a=",
        "k=clear:x"};

    std::mt19937 random_;
};

} // namespace revenant::fuzz
