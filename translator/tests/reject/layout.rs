// An author can give a layout to types of the crate only.
pub enum Value { Int(i64), Flag(bool), Pair(u32, u32) } //~ E0502: write `#[repr(u8)]` on it

#[metatrace::jit::dont_look_inside]
fn make(n: i64) -> Value { if n > 0 { Value::Int(n) } else { Value::Flag(true) } }

fn step(n: i64) -> i64 {
    match &make(n) { Value::Int(n) => *n, Value::Flag(_) => 0, Value::Pair(a, _) => *a as i64 }
}
