//! What authors are told: reject tests, the pages of the codes, the language reference, arbitrary input.

mod compile;
mod crates;
mod packages;
mod pages;
mod policy;
mod reject;
mod render;
