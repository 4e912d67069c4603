//! Flow graphs to jitcode image and glue.
