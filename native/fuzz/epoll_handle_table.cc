// Handles come, go and are looked up in any order, against a map that never forgets a token.

#include <cstdint>
#include <cstdlib>
#include <map>
#include <vector>

#include "handle_table.h"

using scriptd::Handle;
using scriptd::HandleTable;
using scriptd::Token;
using scriptd::TokenSlot;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  HandleTable table;
  std::vector<Token> given;       // every token, in the order they were given
  std::map<Token, bool> is_open;  // of every token
  std::size_t open = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint8_t operation = data[i];
    if (operation < 128 || given.empty()) {
      Handle handle;
      handle.interest = static_cast<std::uint32_t>(given.size());
      const Token token = table.Insert(std::move(handle));
      if (!is_open.emplace(token, true).second) std::abort();  // was given before
      given.push_back(token);
      open++;
    } else {
      const Token token = given[operation % given.size()];
      table.Erase(token);
      if (is_open[token]) open--;
      is_open[token] = false;
    }
    if (table.open() != open) std::abort();
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Handle* handle = table.Find(given[i]);
    if ((handle != nullptr) != is_open[given[i]]) std::abort();
    if (handle != nullptr && handle->interest != i) std::abort();
  }
  // Tokens that were never given, of slots that exist and slots that don't.
  for (const Token token : given) {
    if (table.Find(TokenSlot(token)) != nullptr) std::abort();
    if (table.Find(token + given.size()) != nullptr && !is_open.contains(token + given.size())) {
      std::abort();
    }
  }
  return 0;
}
