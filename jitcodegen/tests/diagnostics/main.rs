//! What authors are told: reject tests, the pages of the codes, the language reference, arbitrary input.

mod crates;
mod fuzz;
mod pages;
mod reject;
mod render;
