//! What a backend is: the trait, the context, exits.
