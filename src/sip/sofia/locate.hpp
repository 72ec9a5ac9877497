// Where a call to a name could go, asked before we know from which of our addresses to call: the
// steps of RFC 3263 §4, all at once. What is learned is in the cache when the library asks for it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "revenant/call/dialog.hpp"
#include "sip/names/name_records.hpp"
#include "sip/names/names.hpp"
#include "sip/sofia/uri_text.hpp"

namespace revenant::sip {

class Locate {
public:
    struct Place {
        std::string address; // numeric
        call::Transport transport = call::Transport::udp;

        friend bool operator==(const Place&, const Place&) = default;
    };

    // The best first; or none, and why.
    struct Result {
        std::vector<Place> places;
        std::string why_none;
    };

    struct Families {
        bool v4 = true;
        bool v6 = true;
    };

    // `done` comes once, from the main loop; it may destroy the Locate, which gives up.
    Locate(const Uri& hop, Families families, std::function<void(Result)> done);
    Locate(const Locate&) = delete;
    Locate& operator=(const Locate&) = delete;
    ~Locate();

private:
    // What an address that is found is good for; the least rank is the best.
    struct Use {
        call::Transport transport = call::Transport::udp;
        std::size_t rank = 0;

        // clang-tidy 14 takes the 0 in it for a null pointer.
        friend auto operator<=>(const Use&, const Use&) = default; // NOLINT(modernize-use-nullptr)
    };

    void ask(RecordType type, const std::string& name, Use use);
    void ask_for_addresses(const std::string& name, Use use);
    void ask_for_services(const std::string& name, std::optional<call::Transport> transport);
    void told(const NameKey& key, Use use, Names::Outcome outcome);
    void finish();

    std::string host_;
    Families families_;
    std::function<void(Result)> done_;
    std::set<std::pair<NameKey, Use>> asked_;
    std::map<NameKey, Names::Outcome> outcomes_; // of addresses
    std::set<Names::Ticket> waiting_;
    std::vector<std::pair<Use, std::string>> found_;
};

} // namespace revenant::sip
