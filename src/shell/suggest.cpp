#include "shell/suggest.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "revenant/base/text.hpp"

namespace revenant::shell {

namespace {

constexpr std::size_t suggestions_max = 3;
constexpr std::size_t name_length_max = 32; // of what was typed; longer is no slip

constexpr std::size_t no_match = 99;

// 0 where `typed` begins `name`, the edit distance where that is small, else no_match.
std::size_t closeness(std::string_view name, std::string_view typed) {
    if (typed.size() >= 2 && base::equals_ignoring_case(name.substr(0, typed.size()), typed)) {
        return 0;
    }
    // One-letter aliases are near to everything and help nobody.
    if (name.size() < 3) {
        return no_match;
    }
    const std::size_t allowed = typed.size() <= 4 ? 1 : 2;
    const std::size_t distance = edit_distance(name, base::to_lower(typed));
    return distance <= allowed ? distance : no_match;
}

} // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
    // Optimal string alignment, three rows.
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        row[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        before_last = std::exchange(last, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
    }
    return row[b.size()];
}

std::vector<std::string> nearest(const std::vector<Spelling>& spellings, std::string_view typed) {
    if (typed.empty() || typed.size() > name_length_max) {
        return {};
    }
    std::vector<std::pair<std::size_t, std::string>> near;
    for (const Spelling& spelling : spellings) {
        const std::size_t distance = closeness(spelling.text, typed);
        const auto same =
            std::ranges::find(near, spelling.meaning, &std::pair<std::size_t, std::string>::second);
        if (same != near.end()) {
            same->first = std::min(same->first, distance);
        } else if (distance != no_match) {
            near.emplace_back(distance, spelling.meaning);
        }
    }
    std::ranges::stable_sort(near, {}, &std::pair<std::size_t, std::string>::first);
    near.resize(std::min(near.size(), suggestions_max));
    std::vector<std::string> out;
    out.reserve(near.size());
    for (auto& [distance, meaning] : near) {
        out.push_back(std::move(meaning));
    }
    return out;
}

std::string did_you_mean(const std::vector<std::string>& near) {
    std::string text;
    for (std::size_t i = 0; i < near.size(); ++i) {
        text += i == 0 ? "; did you mean " : i + 1 == near.size() ? " or " : ", ";
        text += "'" + near[i] + "'";
    }
    return text.empty() ? text : text + "?";
}

} // namespace revenant::shell
