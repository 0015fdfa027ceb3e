// Collect orders from arbitrary bytes, and names matched against their patterns: nothing points
// outside, and the time is bounded by the product of the lengths.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "collect_order.h"

using scriptd::sandbox::CollectOrder;
using scriptd::sandbox::MatchesComponent;
using scriptd::sandbox::ParseOrder;
using scriptd::sandbox::PatternStates;

namespace {

/// The plain definition, for short texts: it takes exponential time.
bool Matches(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*') {
    return Matches(pattern.substr(1), name) || (!name.empty() && Matches(pattern, name.substr(1)));
  }
  if (name.empty()) return false;
  return (pattern[0] == '?' || pattern[0] == name[0]) && Matches(pattern.substr(1), name.substr(1));
}

void CompareMatchers(std::string_view text) {
  const std::size_t middle = text.size() / 2;
  const std::string_view pattern = text.substr(0, middle);
  const std::string_view name = text.substr(middle);
  std::uint64_t comparisons = 0;
  const bool matches = MatchesComponent(pattern, name, comparisons);
  if (comparisons > (pattern.size() + 1) * (name.size() + 1)) std::abort();
  if (text.size() > 16) return;
  for (const char character : name) {
    if ((static_cast<unsigned char>(character) & 0x80) != 0) return;  // ? takes whole characters
  }
  const bool hidden = name.starts_with('.') && !pattern.starts_with('.');
  if (matches != (!hidden && Matches(pattern, name))) std::abort();
}

void FollowPatterns(const CollectOrder& order, const char* begin, std::size_t size) {
  std::uint64_t comparisons = 0;
  PatternStates states = order.patterns.Start();
  for (std::size_t state = 0; state < order.patterns.size(); ++state) {
    const std::string_view literal = order.patterns.LiteralAt(state);
    if (literal.empty()) continue;
    if (literal.data() < begin || literal.data() + literal.size() > begin + size) std::abort();
    if (literal == "." || literal == ".." || literal.find('/') != literal.npos) std::abort();
    states = order.patterns.Step(states, literal, comparisons).states;
    order.patterns.NeedsListing(states);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* text = reinterpret_cast<const char*>(data);
  CompareMatchers({text, size});
  const auto order = std::make_unique<CollectOrder>();
  if (ParseOrder(data, size, *order) == 0) FollowPatterns(*order, text, size);
  return 0;
}
