fn grow<T: Clone>(value: T, n: i64) -> i64 { //~ E0006: there is no end of instances of `crate::grow`
    if n == 0 { 0 } else { grow(Some(value), n - 1) }
}

struct Tree<T>(T, Option<Box<Tree<Option<T>>>>); //~ E0006: there is no end of instances of `crate::Tree`

fn step(n: i64) -> i64 {
    let tree = Tree(1u8, None);
    grow(0u8, n) + tree.0 as i64
}
