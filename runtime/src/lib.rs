//! The run-time of translated interpreters: hints, driver, recorder, blackhole.
