fn length() -> usize { 3 }
struct Buffer([u8; length()]); //~ E0105: this constant cannot be evaluated

enum Tag { A = length() as isize, B } //~ E0105: this discriminant cannot be evaluated

fn step(n: i64) -> i64 {
    let buffer = Buffer([0; 3]);
    let tag = Tag::A;
    n
}
