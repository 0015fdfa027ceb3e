#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace scriptd::sandbox {

/// Places in the patterns of an order, one bit each.
class PatternStates {
 public:
  static constexpr std::size_t kStatesMax = 1024;

  void Add(std::size_t state) { words_[state / kBits] |= 1UL << state % kBits; }
  bool Has(std::size_t state) const { return (words_[state / kBits] >> state % kBits & 1) != 0; }

 private:
  static constexpr std::size_t kBits = 64;
  std::uint64_t words_[kStatesMax / kBits] = {};
};

/// What a name leads to.
struct PatternStep {
  PatternStates states;
  bool accepts = false;      // a pattern ends here: such a file is wanted
  bool named = false;        // and its last component has no wildcard
  bool descends = false;     // a pattern goes on below
  bool named_below = false;  // and that with a component without a wildcard
};

/// Patterns of relative paths, all of which are followed at once, component by component: `*` is
/// any characters, `?` any one, neither a leading dot; a component `**` is any number of
/// directories whose names have no leading dot, and in the last place all files below.
class PatternSet {
 public:
  /// 0, or -EINVAL when the pattern is absolute, has an empty, "." or ".." component, or there is
  /// no room for it. The bytes must outlive this.
  long Add(std::string_view pattern);

  std::size_t size() const { return size_; }

  /// Where all patterns begin.
  PatternStates Start() const;

  /// The places that `name`, a component, leads to. What it takes is added to `comparisons`: at
  /// most the name's length times that of the patterns.
  PatternStep Step(const PatternStates& from, std::string_view name,
                   std::uint64_t& comparisons) const;

  /// The only name that leads on from `state`, or empty where that is no single one.
  std::string_view LiteralAt(std::size_t state) const;

  /// Whether names have to be tried: not all of `states` have a literal.
  bool NeedsListing(const PatternStates& states) const;

 private:
  enum class Kind : std::uint8_t { kEnd, kLiteral, kWildcard, kAnyDirectories };
  struct Component {
    Kind kind;
    std::string_view text;
  };

  static Kind KindOf(std::string_view component);
  bool Append(Kind kind, std::string_view text);
  void AddClosed(PatternStates& states, std::size_t state) const;

  Component components_[PatternStates::kStatesMax] = {};
  std::size_t size_ = 0;
  PatternStates starts_;
};

/// Equal, without libc's memcmp.
bool SameText(std::string_view a, std::string_view b);

/// As above; the bytes that were alike are added to `comparisons`.
bool SameText(std::string_view a, std::string_view b, std::uint64_t& comparisons);

/// Whether a component with `*` and `?` matches all of `name`. Time: at most the product of their
/// lengths, which is added up in `comparisons`.
bool MatchesComponent(std::string_view pattern, std::string_view name, std::uint64_t& comparisons);

}  // namespace scriptd::sandbox
