#include "path_pattern.h"

#include <cerrno>

namespace scriptd::sandbox {
namespace {

/// Characters, not bytes: a `?` takes the continuation bytes of UTF-8 along.
bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

bool IsHidden(std::string_view text) { return !text.empty() && text[0] == '.'; }

bool IsWildcard(std::string_view component) {
  for (const char character : component) {
    if (character == '*' || character == '?') return true;
  }
  return false;
}

bool IsOnlyDots(std::string_view component) {
  if (component.size() > 2) return false;
  for (const char character : component) {
    if (character != '.') return false;
  }
  return true;  // also when it is empty
}

/// Takes the next component off `rest`; `last` when there is none after it.
std::string_view TakeComponent(std::string_view& rest, bool& last) {
  std::size_t size = 0;
  while (size < rest.size() && rest[size] != '/') size++;
  const std::string_view component(rest.data(), size);
  last = size == rest.size();
  rest =
      last ? std::string_view() : std::string_view(rest.data() + size + 1, rest.size() - size - 1);
  return component;
}

}  // namespace

bool SameText(std::string_view a, std::string_view b) {
  std::uint64_t comparisons = 0;
  return SameText(a, b, comparisons);
}

bool SameText(std::string_view a, std::string_view b, std::uint64_t& comparisons) {
  if (a.size() != b.size()) return false;
  std::size_t same = 0;
  while (same < a.size() && a[same] == b[same]) same++;
  comparisons += same;
  return same == a.size();
}

// Going back to the last star is enough: what an earlier one took would not let a later one match
// more.
bool MatchesComponent(std::string_view pattern, std::string_view name, std::uint64_t& comparisons) {
  if (IsHidden(name) && !IsHidden(pattern)) return false;
  std::size_t at = 0;
  std::size_t next = 0;
  bool starred = false;
  std::size_t star = 0;   // what follows the last star in the pattern
  std::size_t taken = 0;  // and the end of what that star took in the name
  while (next < name.size()) {
    comparisons++;
    if (at < pattern.size() && pattern[at] == '*') {
      starred = true;
      star = ++at;
      taken = next;
    } else if (at < pattern.size() && pattern[at] == '?') {
      at++;
      next++;
      while (next < name.size() && IsContinuation(name[next])) next++;
    } else if (at < pattern.size() && pattern[at] == name[next]) {
      at++;
      next++;
    } else if (starred) {
      at = star;
      next = ++taken;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') at++;
  return at == pattern.size();
}

PatternSet::Kind PatternSet::KindOf(std::string_view component) {
  if (SameText(component, "**")) return Kind::kAnyDirectories;
  return IsWildcard(component) ? Kind::kWildcard : Kind::kLiteral;
}

bool PatternSet::Append(Kind kind, std::string_view text) {
  if (size_ == PatternStates::kStatesMax) return false;
  components_[size_].kind = kind;
  components_[size_].text = text;
  size_++;
  return true;
}

long PatternSet::Add(std::string_view pattern) {
  const std::size_t start = size_;
  for (bool last = false; !last;) {
    const std::string_view component = TakeComponent(pattern, last);
    if (IsOnlyDots(component)) return -EINVAL;
    const Kind kind = KindOf(component);
    if (!Append(kind, component)) return -EINVAL;
    if (last && kind == Kind::kAnyDirectories && !Append(Kind::kWildcard, "*")) return -EINVAL;
  }
  if (!Append(Kind::kEnd, {})) return -EINVAL;
  AddClosed(starts_, start);
  return 0;
}

/// `**` may also be no directory at all.
void PatternSet::AddClosed(PatternStates& states, std::size_t state) const {
  states.Add(state);
  while (components_[state].kind == Kind::kAnyDirectories) states.Add(++state);
}

PatternStates PatternSet::Start() const { return starts_; }

PatternStep PatternSet::Step(const PatternStates& from, std::string_view name,
                             std::uint64_t& comparisons) const {
  PatternStep step;
  for (std::size_t state = 0; state < size_; ++state) {
    if (!from.Has(state)) continue;
    const Component& component = components_[state];
    if (component.kind == Kind::kAnyDirectories && !IsHidden(name)) {
      AddClosed(step.states, state);
      step.descends = true;
    }
    const bool literal = component.kind == Kind::kLiteral;
    if (!literal && component.kind != Kind::kWildcard) continue;
    if (!(literal ? SameText(component.text, name, comparisons)
                  : MatchesComponent(component.text, name, comparisons))) {
      continue;
    }
    AddClosed(step.states, state + 1);
    if (components_[state + 1].kind == Kind::kEnd) {
      step.accepts = true;
      step.named = step.named || literal;
    } else {
      step.descends = true;
      step.named_below = step.named_below || literal;
    }
  }
  return step;
}

std::string_view PatternSet::LiteralAt(std::size_t state) const {
  return components_[state].kind == Kind::kLiteral ? components_[state].text : std::string_view();
}

bool PatternSet::NeedsListing(const PatternStates& states) const {
  for (std::size_t state = 0; state < size_; ++state) {
    const Kind kind = components_[state].kind;
    if (states.Has(state) && (kind == Kind::kWildcard || kind == Kind::kAnyDirectories)) {
      return true;
    }
  }
  return false;
}

}  // namespace scriptd::sandbox
