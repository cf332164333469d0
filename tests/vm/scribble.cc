// SPDX-License-Identifier: GPL-2.0-only
// scribble.cc - writes nonsense into the memory that a running agent shares with the dispatcher, as
// the agent could.
//
// usage: scribble deaf|noise SECONDS
//
//   deaf   nothing that was told has been read
//   noise  random words in the agent's line and in its decisions
#include <abi/cppland_abi.h>
#include <bpf/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string_view>
#include <utility>

namespace {

constexpr std::string_view kMap = ".bss.channels";

// The first map of that name, and its size.
std::pair<int, std::size_t> find_channels() {
  __u32 id = 0;
  while (bpf_map_get_next_id(id, &id) == 0) {
    const int fd = bpf_map_get_fd_by_id(id);
    bpf_map_info info{};
    __u32 size = sizeof(info);
    if (fd < 0) continue;
    if (bpf_map_get_info_by_fd(fd, &info, &size) == 0 && kMap == info.name)
      return {fd, info.value_size};
    ::close(fd);
  }
  return {-1, 0};
}

void scribble(cppland_channel& channel, bool deaf, std::mt19937_64& random) {
  auto& agent = *const_cast<volatile cppland_agent_line*>(&channel.agent);
  if (deaf) {
    agent.event_tail =
        *const_cast<volatile __u64*>(&channel.dispatcher.event_head) - CPPLAND_EVENT_SLOTS;
    return;
  }
  cppland_decision lie{};
  std::generate_n(reinterpret_cast<__u64*>(&lie), sizeof(lie) / sizeof(__u64), std::ref(random));
  lie.op %= 4;
  lie.tid %= 1000;
  channel.decision[random() % CPPLAND_DECISION_SLOTS] = lie;
  switch (random() % 4) {
    case 0:
      agent.decision_head = random() % 2 ? random() : agent.decision_head + random() % 64;
      return;
    case 1:
      agent.event_tail = random();
      return;
    case 2:
      agent.passes = random();
      return;
    default:
      agent.nr_scheduled = static_cast<__u32>(random());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc == 3 ? argv[1] : "";
  if (mode != "deaf" && mode != "noise") {
    std::fputs("usage: scribble deaf|noise SECONDS\n", stderr);
    return 2;
  }
  const auto [fd, size] = find_channels();
  void* memory =
      fd < 0 ? MAP_FAILED : ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) {
    std::perror("scribble: the memory of the channels");
    return 1;
  }
  auto* channels = static_cast<cppland_channel*>(memory);
  std::mt19937_64 random(1);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(std::atoi(argv[2]));
  while (std::chrono::steady_clock::now() < end) {
    for (std::size_t d = 0; d < size / sizeof(cppland_channel); ++d)
      scribble(channels[d], mode == "deaf", random);
    ::usleep(500);
  }
}
