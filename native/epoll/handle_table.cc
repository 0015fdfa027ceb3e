#include "handle_table.h"

#include <cstdint>
#include <utility>

namespace scriptd {

Token HandleTable::Insert(Handle handle) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(entries_.size()));
    entries_.emplace_back();
  }
  const uint32_t slot = free_.back();
  free_.pop_back();
  Entry& entry = entries_[slot];
  entry.handle.emplace(std::move(handle));
  return (static_cast<Token>(entry.generation) << 32) | slot;
}

Handle* HandleTable::Find(Token token) {
  const uint32_t slot = TokenSlot(token);
  if (slot >= entries_.size()) return nullptr;
  Entry& entry = entries_[slot];
  return entry.generation == TokenGeneration(token) && entry.handle ? &*entry.handle : nullptr;
}

void HandleTable::Erase(Token token) {
  if (Find(token) == nullptr) return;
  Entry& entry = entries_[TokenSlot(token)];
  entry.handle.reset();
  entry.generation = entry.generation == kGenerationMax ? 1 : entry.generation + 1;
  free_.push_back(TokenSlot(token));
}

}  // namespace scriptd
