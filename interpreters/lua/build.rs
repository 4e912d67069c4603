fn main() {
    metatrace_jitcodegen::build_script();
}
