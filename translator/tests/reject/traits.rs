trait Size { fn size(&self) -> i64; }
trait Other { fn size(&self) -> i64; }
struct Block;
impl Size for Block { fn size(&self) -> i64 { 1 } }
impl Other for Block { fn size(&self) -> i64 { 2 } }
fn total<T: Size>(t: T) -> i64 { t.size() }

fn step(n: i64) -> i64 {
    let a = Block.size(); //~ E0204: several candidates for `size`
    let b = total(n); //~ E0205: is not known to hold
    for x in n {} //~ E0205: is not iterable
    a + b
}
