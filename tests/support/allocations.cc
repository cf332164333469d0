// SPDX-License-Identifier: GPL-2.0-only
// allocations.cc - takes the place of the heap's functions and of those that lock, and counts
// calls.
#include "tests/support/allocations.h"

#include <dlfcn.h>
#include <pthread.h>

#include <cerrno>
#include <cstddef>

#include "tests/support/sanitizers.h"

namespace {

thread_local std::uint64_t allocation_count = 0;
thread_local std::uint64_t lock_count = 0;

}  // namespace

namespace cppland::testing {

std::uint64_t allocations() noexcept { return allocation_count; }
std::uint64_t locks() noexcept { return lock_count; }

}  // namespace cppland::testing

#if CPPLAND_SANITIZED

// Of <sanitizer/allocator_interface.h>, which Debian's GCC leaves out.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*,
                                                                  std::size_t),
                                                         void (*)(const volatile void*));

namespace {

[[maybe_unused]] const int kHooks = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) { ++allocation_count; }, [](const volatile void*) {});

}  // namespace

#else

// glibc's own names for what is replaced here. free() stays glibc's.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

void* malloc(std::size_t size) {
  ++allocation_count;
  return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) {
  ++allocation_count;
  return __libc_calloc(count, size);
}

void* realloc(void* old, std::size_t size) {
  ++allocation_count;
  return __libc_realloc(old, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
  ++allocation_count;
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++allocation_count;
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** result, std::size_t alignment, std::size_t size) {
  ++allocation_count;
  *result = __libc_memalign(alignment, size);
  return *result != nullptr ? 0 : ENOMEM;
}
}

namespace {

// The function of this name in the next library. Safe to race for: all threads find the same.
template <typename Function>
Function* next(Function*(&known), const char* name) {
  if (known == nullptr) {
    known = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
  }
  return known;
}

int (*real_mutex_lock)(pthread_mutex_t*) = nullptr;
int (*real_mutex_trylock)(pthread_mutex_t*) = nullptr;
int (*real_rwlock_rdlock)(pthread_rwlock_t*) = nullptr;
int (*real_rwlock_wrlock)(pthread_rwlock_t*) = nullptr;

}  // namespace

extern "C" {

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  ++lock_count;
  return next(real_mutex_lock, "pthread_mutex_lock")(mutex);
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  ++lock_count;
  return next(real_mutex_trylock, "pthread_mutex_trylock")(mutex);
}

int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  ++lock_count;
  return next(real_rwlock_rdlock, "pthread_rwlock_rdlock")(lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  ++lock_count;
  return next(real_rwlock_wrlock, "pthread_rwlock_wrlock")(lock);
}
}

#endif
