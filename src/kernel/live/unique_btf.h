// SPDX-License-Identifier: GPL-2.0-only
// unique_btf.h - one owner for libbpf's view of a BTF blob.
#pragma once

#include <bpf/btf.h>

#include "base/unique_handle.h"

namespace cppland::live {

struct BtfTraits {
  using Handle = btf*;
  static btf* invalid() noexcept { return nullptr; }
  static void close(btf* handle) noexcept { btf__free(handle); }
};
using UniqueBtf = UniqueHandle<BtfTraits>;

}  // namespace cppland::live
