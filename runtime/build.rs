//! Lets the tests be what a translated crate is: portals with their entry into compiled code, over glue written by hand.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(metatrace)");
    println!("cargo::rustc-cfg=metatrace");
}
