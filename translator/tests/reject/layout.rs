// An author can give a layout to types of the crate only.
pub enum Value { Int(i64), Path(std::path::PathBuf) } //~ E0502: write `#[repr(u8)]` on it

#[metatrace::jit::dont_look_inside]
fn make(n: i64) -> Value { if n > 0 { Value::Int(n) } else { Value::Path("a".into()) } }

fn step(n: i64) -> i64 {
    match &make(n) { Value::Int(n) => *n, Value::Path(_) => 0 }
}
