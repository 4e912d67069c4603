trait Size { fn size(&self) -> i64; }
struct Block;
impl Size for Block {}
fn measure(b: &Block) -> i64 {
    b.size() //~ E0501: no implementation of `crate::Block: crate::Size` can be seen
}
fn step(n: i64) -> i64 { n + measure(&Block) }
