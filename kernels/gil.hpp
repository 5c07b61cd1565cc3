// Python's lock, given up while a kernel runs.
#pragma once

#include <Python.h>

#include <chrono>
#include <thread>

namespace tb {

// Gives up the lock for its lifetime. A daemon thread that wants it back while Python ends never gets it: up to 3.13
// Python ends the thread by unwinding its stack, which C++ answers by ending the whole process with a crash. Such a
// thread sleeps here until the process is gone, as Python itself has it from 3.14 on.
class WithoutLock {
 public:
  WithoutLock() : state_(PyEval_SaveThread()) {}
  ~WithoutLock() noexcept(false) {  // or the compiler ends the process before the guard sleeps
    SleepIfUnwound guard;
    PyEval_RestoreThread(state_);
    guard.armed = false;
  }
  WithoutLock(const WithoutLock&) = delete;
  WithoutLock& operator=(const WithoutLock&) = delete;

 private:
  struct SleepIfUnwound {
    bool armed = true;
    ~SleepIfUnwound() {
      while (armed) std::this_thread::sleep_for(std::chrono::hours(1));
    }
  };

  PyThreadState* state_;
};

}  // namespace tb
