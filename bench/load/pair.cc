// SPDX-License-Identifier: GPL-2.0-only
// pair.cc - see pair.h.
#include "pair.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace cppland::load {
namespace {

// A request carries the time when it was sent; the answer returns it. False if the other end has
// gone.
bool send_time(int socket, Nanoseconds time) {
  return send(socket, &time, sizeof time, MSG_NOSIGNAL) == sizeof time;
}

bool receive_time(int socket, Nanoseconds& time) {
  return recv(socket, &time, sizeof time, 0) == sizeof time;
}

void close_if_open(int socket) {
  if (socket >= 0) {
    close(socket);
  }
}

}  // namespace

void PairResult::merge(const PairResult& other) {
  wakeup.merge(other.wakeup);
  round_trip.merge(other.round_trip);
}

Pair::Pair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot make a pair of sockets");
  }
  client_ = ends[0];
  server_ = ends[1];
}

Pair::Pair(Pair&& other) noexcept
    : client_(std::exchange(other.client_, -1)),
      server_(std::exchange(other.server_, -1)),
      result_(std::move(other.result_)) {}

Pair::~Pair() {
  close_if_open(client_);
  close_if_open(server_);
}

void Pair::run_client(const Timeline& timeline, Nanoseconds think, std::mt19937_64 random) {
  std::uniform_int_distribution<Nanoseconds> pause(think / 2, think + think / 2);
  Nanoseconds sent = timeline.start() + pause(random);
  while (timeline.sleep_until(sent)) {
    sent = now();
    Nanoseconds answer = 0;
    if (!send_time(client_, sent) || !receive_time(client_, answer)) {
      break;
    }
    const Nanoseconds answered = now();
    if (sent >= timeline.from()) {
      result_.round_trip.record(static_cast<std::uint64_t>(answered - sent));
    }
    sent = answered + pause(random);
  }
  shutdown(client_, SHUT_RDWR);
}

void Pair::run_server(const Timeline& timeline, std::uint64_t loops) {
  for (Nanoseconds sent = 0; receive_time(server_, sent);) {
    const Nanoseconds woken = now();
    if (sent >= timeline.from()) {
      result_.wakeup.record(static_cast<std::uint64_t>(woken - sent));
    }
    burn(loops);
    send_time(server_, sent);
  }
}

}  // namespace cppland::load
