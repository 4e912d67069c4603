//! Interpreter source to typed flow graphs.
