#[path = "itself.rs"]
mod again; //~ E0002: contains itself
