// SPDX-License-Identifier: GPL-2.0-only
// pair.cc - see pair.h.
#include "pair.h"

#include <sys/socket.h>

#include <cerrno>

#include "work.h"

namespace cppland::load {
namespace {

// A request carries the time when it was sent; the answer returns it. False if the other end has
// gone.
bool send_time(int socket, Nanos time) {
  return send(socket, &time, sizeof time, MSG_NOSIGNAL) == sizeof time;
}

bool receive_time(int socket, Nanos& time) {
  return recv(socket, &time, sizeof time, 0) == sizeof time;
}

}  // namespace

void PairResult::merge(const PairResult& other) {
  wakeup.merge(other.wakeup);
  round_trip.merge(other.round_trip);
}

Result<Pair> Pair::open() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return error(errno, "making a pair of sockets");
  }
  return Pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

void Pair::run_client(const Timeline& timeline, Nanos think, std::mt19937_64 random) {
  std::uniform_int_distribution<Nanos> pause(think / 2, think + think / 2);
  Nanos sent = timeline.start() + pause(random);
  while (timeline.sleep_until(sent)) {
    sent = monotonic_now();
    Nanos answer = 0;
    if (!send_time(client_.get(), sent) || !receive_time(client_.get(), answer)) {
      break;
    }
    const Nanos answered = monotonic_now();
    if (sent >= timeline.from()) {
      result_.round_trip.record(answered - sent);
    }
    sent = answered + pause(random);
  }
  shutdown(client_.get(), SHUT_RDWR);
}

void Pair::run_server(const Timeline& timeline, std::uint64_t loops) {
  for (Nanos sent = 0; receive_time(server_.get(), sent);) {
    const Nanos woken = monotonic_now();
    if (sent >= timeline.from()) {
      result_.wakeup.record(woken - sent);
    }
    burn(loops);
    send_time(server_.get(), sent);
  }
}

}  // namespace cppland::load
