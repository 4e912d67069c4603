metatrace::glue!();
